"""A query made ready for one index: its words, what may stand for each, and where all of them are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

import numpy as np
import numpy.typing as npt

from faq_kb.index import Floats, Index
from faq_kb.segment import meaning
from faq_kb.synonyms import Synonyms
from faq_kb.text import Keys, character_keys, pair_keys, solid
from faq_kb.vectors import WordVectors
from faq_kb.words import Analyser, telling, word_key

NEAR, NEAREST = 0.4, 20
"""Words of the articles that are this near (cosine) to one of the query count too, with the square of it; at most so
many for each."""
SYNONYM = 0.9
"""How much a synonym counts against the word itself."""


@unique
class Link(StrEnum):
    """Why a word of an article answers to a word of the query."""

    SAME = "same"
    SYNONYM = "synonym"
    NEAR = "near"

    @property
    def label_ja(self) -> str:
        return {"same": "同じ語", "synonym": "類義語", "near": "近い語"}[self.value]


@dataclass(frozen=True, slots=True)
class Stand:
    """A word that answers to one of the query, perhaps itself."""

    word: str
    link: Link
    nearness: float
    """1.0 for the word itself."""
    places: tuple[int, ...]
    """Where its postings are, a segment each; -1 where it does not stand."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the query."""

    word: str
    weight: float
    """How telling it is."""
    about: bool
    """Whether it says what the query is about, not only that something is asked."""
    stands: tuple[Stand, ...]
    """Itself first; empty when nothing in the articles answers to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for."""

    terms: tuple[Term, ...]
    pairs: Keys
    characters: Keys
    kana: Keys
    meaning: Floats
    """Of unit length; empty or zero when nothing is known of it."""
    unknown: float
    """Share of the words, by how telling they are, that no article has: misspelt, misheard, or about something else."""


def read_query(
    text: str, index: Index, analyser: Analyser, vectors: WordVectors | None, synonyms: Synonyms
) -> Query:
    """`text` made ready for `index`."""
    analysed = analyser.analyse(text)
    counts = Counter(analysed.words)
    about = set(telling(analysed.words))
    near = _near(index, tuple(counts), vectors)
    same = synonyms.of(text, analysed.words)
    terms = []
    weight_of_words = unknown = 0.0
    for word in counts:
        itself = index.find("words", word_key(word))
        weight = index.idf("words", itself) * counts[word]
        stands = {
            other: Stand(other, Link.NEAR, nearness**2, places) for other, nearness, places in near[word]
        }
        for other, share in same.get(word, ()):
            stands[other] = Stand(other, Link.SYNONYM, SYNONYM * share, index.find("words", word_key(other)))
        stands.pop(word, None)
        own = [Stand(word, Link.SAME, 1.0, itself)] if max(itself, default=-1) >= 0 else []
        weight_of_words += weight
        unknown += 0.0 if own else weight
        terms.append(Term(word, weight, word in about, (*own, *stands.values())))
    plain = solid(text)
    known = vectors if vectors and index.knows_meanings else None
    return Query(
        terms=tuple(terms),
        pairs=pair_keys(plain),
        characters=character_keys(plain),
        kana=pair_keys(analysed.kana),
        meaning=meaning(analysed.words, index.weigh, known) if known else np.zeros(0, np.float32),
        unknown=unknown / weight_of_words if weight_of_words else 1.0,
    )


def _near(
    index: Index, words: Sequence[str], vectors: WordVectors | None
) -> Mapping[str, list[tuple[str, float, tuple[int, ...]]]]:
    """The words of the articles that mean nearly what a word of the query means: cosine, and their postings."""
    found: dict[str, list[tuple[str, float, tuple[int, ...]]]] = {word: [] for word in words}
    if vectors is None or not index.knows_meanings:
        return found
    rows = vectors.rows(words)
    for word, row in zip(words, rows, strict=True):
        if row < 0:
            continue
        nearness = vectors.nearness(int(row))
        best: dict[str, tuple[float, list[int]]] = {}
        for number, segment in enumerate(index.segments):
            # The row -1 of words without a vector reads the last one, which is made to be far from all.
            values = nearness[segment.word_rows]
            for place in best_places(values, NEAREST + 1):
                if values[place] >= NEAR:
                    places = best.setdefault(
                        segment.vocabulary[place], (float(values[place]), [-1] * len(index.segments))
                    )[1]
                    places[number] = int(place)
        best.pop(word, None)
        ordered = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:NEAREST]
        found[word] = [(other, value, tuple(places)) for other, (value, places) in ordered]
    return found


def best_places(values: Floats, count: int) -> npt.NDArray[np.intp]:
    """Places of the `count` highest values, in no order."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(values, len(values) - count)[-count:]
