"""The index: segments, what is still alive in them, and how a change gets in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from faq_kb.segment import FIELDS, Cut, Document, Segment, Weigh, build, cut, idf, join, mean_lengths
from faq_kb.vectors import WordVectors
from faq_kb.words import Analyser, word_key

Floats = npt.NDArray[np.float32]
Alive = npt.NDArray[np.bool_]

BLOCK = 4000
"""Articles that are cut at once: bounds the memory of a large import."""
_SEGMENTS = 8
"""More than this and the smaller ones are joined."""
_SAMPLE = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A value: `changed` gives the next one and leaves this one usable."""

    segments: tuple[Segment, ...] = ()
    alive: tuple[Alive, ...] = ()
    """False where an article was changed, retired or taken away since."""
    lengths: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(FIELDS, 1.0))
    made_of: int = 0
    """Articles when it was last made anew: average lengths and the common direction are of that day."""
    common: Floats = field(default_factory=lambda: np.zeros((2, 0), np.float32))
    """What all questions, and all articles, have in common; it is taken out before meanings are compared."""

    def __len__(self) -> int:
        return int(sum(lives.sum() for lives in self.alive))

    @property
    def size(self) -> int:
        """Documents in all segments, dead ones too."""
        return sum(len(segment) for segment in self.segments)

    @property
    def knows_meanings(self) -> bool:
        return bool(self.common.shape[1])

    @property
    def worn(self) -> bool:
        """Whether it should be made anew: twice as many articles as then, or a third of it dead."""
        living = len(self)
        return living > 2 * max(self.made_of, 50) or self.size > 1.5 * max(living, 50)

    def find(self, field_name: str, key: int) -> tuple[int, ...]:
        """The places of a term in the postings of each segment, -1 where it does not stand."""
        return tuple(segment.fields[field_name].find(key) for segment in self.segments)

    def idf(self, field_name: str, places: Sequence[int]) -> float:
        """How telling the term at these places is; one that no article has is as telling as one that one article has.

        Dead documents count until they are joined away.
        """
        having = sum(
            segment.fields[field_name].count(place)
            for segment, place in zip(self.segments, places, strict=True)
            if place >= 0
        )
        size = max(self.size, 1)
        return idf(size, min(max(having, 1), size))

    def weigh(self, word: str) -> float:
        """How telling a word is."""
        return self.idf("words", self.find("words", word_key(word)))

    def weigh_sound(self, key: int) -> float:
        """How telling a pair of kana (`text.pair_keys`) is."""
        return self.idf("kana", self.find("kana", key))

    def versions(self) -> Iterator[tuple[str, int]]:
        """Every article that is found, with its version."""
        for segment, lives in zip(self.segments, self.alive, strict=True):
            for place in np.flatnonzero(lives):
                yield segment.ids[place], int(segment.versions[place])


def made_anew(documents: Sequence[Document], analyser: Analyser, vectors: WordVectors | None) -> Index:
    """The index of all `documents`; article ids stand once."""
    segments: list[Segment] = []
    lengths: Mapping[str, float] = {}
    weigh: Weigh = _Rarity({}, 0.0)
    for start in range(0, len(documents), BLOCK):
        block = documents[start : start + BLOCK]
        cuts = [cut(document, analyser) for document in block]
        if not segments:
            # The first block stands for all: what is common and what is rare hardly differs between blocks.
            lengths, weigh = mean_lengths(cuts), _rarity(cuts)
        segments.append(build(block, cuts, lengths, weigh, vectors))
    if len(segments) > 1:
        segments = [join(segments, [np.ones(len(segment), np.bool_) for segment in segments])]
    return Index(
        segments=tuple(segments),
        alive=tuple(np.ones(len(segment), np.bool_) for segment in segments),
        lengths=lengths or Index().lengths,
        made_of=len(documents),
        common=_common(segments, vectors),
    )


def changed(
    index: Index,
    documents: Sequence[Document],
    gone: Sequence[str],
    analyser: Analyser,
    vectors: WordVectors | None,
) -> Index:
    """The index with `documents` new or in place of what they were, and without the articles `gone`."""
    touched = {*gone, *(document.article_id for document in documents)}
    alive = []
    for segment, lives in zip(index.segments, index.alive, strict=True):
        places = [segment.places[article] for article in touched if article in segment.places]
        now = lives.copy()
        now[places] = False
        alive.append(now)
    segments = list(index.segments)
    for start in range(0, len(documents), BLOCK):
        block = documents[start : start + BLOCK]
        cuts: list[Cut] = [cut(document, analyser) for document in block]
        segments.append(build(block, cuts, index.lengths, index.weigh, vectors))
        alive.append(np.ones(len(block), np.bool_))
    if len(segments) > _SEGMENTS:
        small = sorted(range(len(segments)), key=lambda number: len(segments[number]))[:-1]
        joined = join([segments[number] for number in small], [alive[number] for number in small])
        largest = next(number for number in range(len(segments)) if number not in small)
        segments, alive = [segments[largest], joined], [alive[largest], np.ones(len(joined), np.bool_)]
    return Index(
        segments=tuple(segments),
        alive=tuple(alive),
        lengths=index.lengths,
        made_of=index.made_of,
        common=index.common,
    )


@dataclass(frozen=True, slots=True)
class _Rarity:
    """How telling each word is, in articles that are not in an index yet."""

    weights: Mapping[str, float]
    unknown: float

    def __call__(self, word: str) -> float:
        return self.weights.get(word, self.unknown)


def _rarity(cuts: Sequence[Cut]) -> _Rarity:
    counts: dict[str, int] = {}
    for each in cuts:
        for word in {*each.question, *each.answer}:
            counts[word] = counts.get(word, 0) + 1
    return _Rarity({word: idf(len(cuts), count) for word, count in counts.items()}, idf(max(len(cuts), 1), 1))


def _common(segments: Sequence[Segment], vectors: WordVectors | None) -> Floats:
    """The direction along which questions, and articles, vary least from each other: their first component."""
    if vectors is None or not segments:
        return np.zeros((2, 0), np.float32)
    found = []
    for name in ("question_vectors", "vectors"):
        rows = getattr(segments[0], name)
        some = rows[:: max(1, len(rows) // _SAMPLE)].astype(np.float32)
        found.append(np.linalg.eigh(some.T @ some)[1][:, -1])
    return np.array(found, np.float32)
