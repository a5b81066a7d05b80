"""Finding articles: words with what means the same, runs of characters, readings, and meanings, added up.

What each part adds is a share of the best article's, so parts of different kinds can be added; the weights come from
cross-validation (docs/adr/0022-faq-search.md). The parts that need every article are looked up in postings; meanings
are compared for the `CANDIDATES` best of these only, so they cost the same in a large knowledge base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faq_kb.index import Floats, Index
from faq_kb.query import Link, Query, best_places, read_query
from faq_kb.segment import Segment
from faq_kb.synonyms import Synonyms
from faq_kb.text import Keys
from faq_kb.vectors import WordVectors
from faq_kb.words import Analyser

Places = npt.NDArray[np.intp]

WEIGHTS: Mapping[str, float] = {
    "words": 1.0, "pairs": 0.4, "characters": 0.3, "kana": 0.2, "question": 1.0, "meaning": 0.5,
}  # fmt: skip
"""`kana` is the weight for a query of which no word is known; it counts as far as words are unknown."""
HEARD: Mapping[str, float] = {**WEIGHTS, "kana": 1.0}
"""For what a recogniser wrote: it keeps the sound where it loses the word, so the reading counts whatever is known.
Twice that differs by one question of 74 (`benchmarks/heard_suggestions.py`)."""
CANDIDATES = 2000
STRICT = 0.75
"""From this share of the telling words (by weight), themselves or as synonyms, a hit is a strict one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A word of the query and the word of the article that answers to it best."""

    asked: str
    found: str
    link: Link
    nearness: float
    """1.0 for the word itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An article that was found."""

    article_id: str
    version: int
    score: float
    """0 to 1, to compare hits of one search."""
    parts: Mapping[str, float]
    """What each of `WEIGHTS` added to it."""
    covered: float
    """Share of the query's words, by how telling they are, that the article answers to; near words by their
    nearness. To compare hits of different searches."""
    asked: float
    """How telling (idf) the query's words are, all together."""
    strict: bool
    """Whether it has nearly every telling word, itself or a synonym: found without guessing."""
    matches: tuple[Match, ...] = ()


class Searcher:
    """Searches an index. Holds what is slow to load; `search` is a pure function of its arguments."""

    def __init__(
        self,
        analyser: Analyser,
        vectors: WordVectors | None = None,
        synonyms: Synonyms | None = None,
        weights: Mapping[str, float] = WEIGHTS,
        *,
        heard: bool = False,
    ) -> None:
        self.analyser, self.vectors, self.synonyms = analyser, vectors, synonyms or Synonyms()
        self.weights, self._heard = weights, heard

    def hearing(self, weights: Mapping[str, float] = HEARD) -> Searcher:
        """The same, for what was heard and not typed."""
        return Searcher(self.analyser, self.vectors, self.synonyms, weights, heard=True)

    def search(
        self, index: Index, text: str, limit: int = 10, *, now: float | None = None, public: bool = False
    ) -> list[Hit]:
        """The articles that answer `text` best, best first; none when nothing of it stands in any article.

        Args:
            now: epoch seconds; articles outside their validity are left out. None shows all.
            public: only what citizens may see.
        """
        if not len(index) or not text.strip():
            return []
        query = read_query(text, index, self.analyser, self.vectors, self.synonyms)
        first, told = self.compare(index, query, _shown(index, now, public=public))
        if not len(first):
            return []
        scores = np.sum(list(told.values()), axis=0)
        full = sum(self._weight(name, query) for name in told)
        order = np.lexsort((first, -scores))[:limit]
        return [
            _hit(
                index,
                query,
                int(first[place]),
                {name: float(values[place]) / full for name, values in told.items()},
            )
            for place in order
        ]

    def compare(
        self, index: Index, query: Query, shown: npt.NDArray[np.bool_]
    ) -> tuple[Places, dict[str, Floats]]:
        """The candidates among what is `shown`, as places of all documents, and what each part adds to each."""
        parts = self._looked_up(index, query)
        total = np.zeros(index.size, np.float32)
        for values in parts.values():
            total += values
        total[~shown] = 0.0
        first = best_places(total, CANDIDATES)
        first = first[total[first] > 0]
        told = {name: values[first] for name, values in parts.items()}
        return first, told | (self._compared(index, query, first) if len(first) else {})

    def _weight(self, name: str, query: Query) -> float:
        return self.weights[name] * (query.unknown if name == "kana" and not self._heard else 1.0)

    def _looked_up(self, index: Index, query: Query) -> dict[str, Floats]:
        """What is looked up in postings, weighted, for every document of every segment."""
        found = {
            "words": _words(index, query),
            "pairs": _plain(index, "pairs", query.pairs),
            "characters": _plain(index, "characters", query.characters),
        }
        if query.unknown or self._heard:
            found["kana"] = _plain(index, "kana", query.kana)
        for name, scores in found.items():
            highest = float(scores.max(initial=0.0))
            if highest > 0:
                scores *= np.float32(self._weight(name, query) / highest)
        return found

    def _compared(self, index: Index, query: Query, documents: Places) -> dict[str, Floats]:
        """Cosines of meanings without what all texts have in common, weighted, as shares of their span."""
        if not query.meaning.any():
            return {}
        found = {}
        for name, kind, common in zip(
            ("question", "meaning"), ("question_vectors", "vectors"), index.common, strict=True
        ):
            own = query.meaning - (query.meaning @ common) * common
            rows = _rows(index, kind, documents)
            along = rows @ common
            values = (rows @ own) / np.sqrt(np.maximum(1.0 - along * along, 1e-6))
            low, high = float(values.min()), float(values.max())
            weight = self._weight(name, query) / (high - low) if high > low else 0.0
            found[name] = (values - np.float32(low)) * np.float32(weight)
        return found


def _words(index: Index, query: Query) -> Floats:
    """BM25 in which a near word or a synonym may stand in for a word, the best one counting."""
    total = np.zeros(index.size, np.float32)
    best = np.zeros(index.size, np.float32)
    for term in query.terms:
        if not term.stands:
            continue
        best[:] = 0.0
        for stand in term.stands:
            weight = np.float32(min(term.weight, index.idf("words", stand.places)) * stand.nearness)
            if stand.link is Link.SAME:
                weight = np.float32(term.weight)
            offset = 0
            for segment, place in zip(index.segments, stand.places, strict=True):
                if place >= 0:
                    documents, values = segment.fields["words"].at(place)
                    here = best[offset : offset + len(segment)]
                    here[documents] = np.maximum(here[documents], values * weight)
                offset += len(segment)
        total += best
    return total


def _plain(index: Index, field: str, keys: Keys) -> Floats:
    """BM25 of one field."""
    total = np.zeros(index.size, np.float32)
    terms, counts = np.unique(keys, return_counts=True)
    for key, count in zip(terms.tolist(), counts.tolist(), strict=True):
        places = index.find(field, key)
        weight = np.float32(index.idf(field, places) * count)
        offset = 0
        for segment, place in zip(index.segments, places, strict=True):
            if place >= 0:
                documents, values = segment.fields[field].at(place)
                total[offset : offset + len(segment)][documents] += values * weight
            offset += len(segment)
    return total


def _shown(index: Index, now: float | None, *, public: bool) -> npt.NDArray[np.bool_]:
    shown = np.concatenate(index.alive)
    if public:
        shown &= np.concatenate([segment.public for segment in index.segments])
    if now is not None:
        valid = np.concatenate([segment.valid for segment in index.segments])
        shown &= (valid[:, 0] <= now) & (now < valid[:, 1])
    return shown


def _rows(index: Index, kind: str, documents: Places) -> Floats:
    found = np.empty((len(documents), index.common.shape[1]), np.float32)
    offset = 0
    for segment in index.segments:
        inside = (documents >= offset) & (documents < offset + len(segment))
        found[inside] = getattr(segment, kind)[documents[inside] - offset]
        offset += len(segment)
    return found


def _hit(index: Index, query: Query, document: int, parts: Mapping[str, float]) -> Hit:
    number, segment, place = _place(index, document)
    postings = segment.fields["words"]
    matches = []
    whole = covered = strict = 0.0
    for term in query.terms:
        best = max(
            (s for s in term.stands if s.places[number] >= 0 and postings.holds(s.places[number], place)),
            key=lambda stand: (stand.nearness, stand.word),
            default=None,
        )
        if best:
            matches.append(
                Match(asked=term.word, found=best.word, link=best.link, nearness=round(best.nearness, 3))
            )
        if term.about:
            whole += term.weight
            covered += term.weight * best.nearness if best else 0.0
            strict += term.weight if best and best.link is not Link.NEAR else 0.0
    return Hit(
        article_id=segment.ids[place],
        version=int(segment.versions[place]),
        score=round(sum(parts.values()), 4),
        parts={name: round(value, 4) for name, value in parts.items()},
        covered=round(covered / whole, 4) if whole else 0.0,
        asked=round(whole, 3),
        strict=bool(whole) and strict >= STRICT * whole,
        matches=tuple(matches),
    )


def _place(index: Index, document: int) -> tuple[int, Segment, int]:
    """The segment that a document of all belongs to, with its number, and the document's place in it."""
    for number, segment in enumerate(index.segments):
        if document < len(segment):
            return number, segment, document
        document -= len(segment)
    raise IndexError(document)
