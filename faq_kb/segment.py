"""A segment: an unchanging part of the index, made of some articles at once. A change makes a new one beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from faq_kb.postings import Ints, Postings, merged, postings_of
from faq_kb.text import Keys, character_keys, pair_keys, solid
from faq_kb.vectors import SIZE, WordVectors
from faq_kb.words import Analyser, word_key

Halves = npt.NDArray[np.float16]
Doubles = npt.NDArray[np.float64]
Weigh = Callable[[str], float]

FIELDS = ("words", "pairs", "characters", "kana")
"""Words of question and answer, pairs and single characters of both, pairs of the question's reading."""
FOR_EVER = 9e15
"""No end, in epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An article as the search knows it."""

    article_id: str
    version: int
    questions: tuple[str, ...]
    """The question and its other forms."""
    answer: str
    public: bool = False
    """Whether citizens may see it."""
    valid_from: float = 0.0
    """Epoch seconds, like `valid_until`, before which it is not shown."""
    valid_until: float = FOR_EVER


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Arrays only, so that it can be written and mapped as it is."""

    ids: tuple[str, ...]
    versions: Ints
    public: npt.NDArray[np.bool_]
    valid: Doubles
    """From and until, a row a document."""
    fields: Mapping[str, Postings]
    vocabulary: tuple[str, ...]
    """The words, in the order of `fields["words"].keys`."""
    word_rows: Ints
    """Their rows among the vectors, -1 without one."""
    question_vectors: Halves
    """Meaning of the question, of unit length; zero where there are no vectors."""
    vectors: Halves
    """Meaning of question and answer."""

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each article stands."""
        return {article: place for place, article in enumerate(self.ids)}


@dataclass(frozen=True, slots=True)
class Cut:
    """The terms of a document."""

    question: tuple[str, ...]
    answer: tuple[str, ...]
    keys: Mapping[str, Keys]


def cut(document: Document, analyser: Analyser) -> Cut:
    """The terms of a document."""
    asked = [analyser.analyse(form) for form in document.questions]
    answered = analyser.analyse(document.answer)
    question = tuple(word for each in asked for word in each.words)
    text = solid("".join(document.questions) + document.answer)
    words = np.array([word_key(word) for word in (*question, *answered.words)], np.uint64)
    kana = [pair_keys(each.kana) for each in asked]
    return Cut(
        question,
        answered.words,
        {
            "words": words,
            "pairs": pair_keys(text),
            "characters": character_keys(text),
            "kana": np.concatenate(kana) if kana else np.empty(0, np.uint64),
        },
    )


def mean_lengths(cuts: Sequence[Cut]) -> dict[str, float]:
    """Terms of a document on average, by field."""
    return {
        field: float(np.mean([len(each.keys[field]) for each in cuts])) if cuts else 1.0 for field in FIELDS
    }


def idf(documents: int, having: int) -> float:
    """How telling a term is that stands in `having` of so many documents."""
    return float(np.log(1.0 + (documents - having + 0.5) / (having + 0.5)))


def build(
    documents: Sequence[Document],
    cuts: Sequence[Cut],
    lengths: Mapping[str, float],
    weigh: Weigh,
    vectors: WordVectors | None,
) -> Segment:
    """The segment of `documents`, whose terms are `cuts`.

    Args:
        lengths: terms of a document on average, by field; those of the whole index, so that segments weigh alike.
        weigh: how telling a word is.
        vectors: without them the segment knows no meanings.
    """
    fields = {field: postings_of([each.keys[field] for each in cuts], lengths[field]) for field in FIELDS}
    words = {word_key(word): word for each in cuts for word in (*each.question, *each.answer)}
    vocabulary = tuple(words[int(key)] for key in fields["words"].keys)
    rows = vectors.rows(vocabulary) if vectors else np.full(len(vocabulary), -1, np.int32)
    return Segment(
        ids=tuple(document.article_id for document in documents),
        versions=np.array([document.version for document in documents], np.int32),
        public=np.array([document.public for document in documents], np.bool_),
        valid=np.array([(d.valid_from, d.valid_until) for d in documents], np.float64).reshape(-1, 2),
        fields=fields,
        vocabulary=vocabulary,
        word_rows=rows,
        question_vectors=_meanings([each.question for each in cuts], weigh, vectors),
        vectors=_meanings([each.question + each.answer for each in cuts], weigh, vectors),
    )


def _meanings(texts: Sequence[Sequence[str]], weigh: Weigh, vectors: WordVectors | None) -> Halves:
    found = np.zeros((len(texts), SIZE if vectors else 0), np.float16)
    if vectors:
        for place, words in enumerate(texts):
            found[place] = meaning(words, weigh, vectors)
    return found


def meaning(words: Sequence[str], weigh: Weigh, vectors: WordVectors) -> npt.NDArray[np.float32]:
    """The mean of the words' vectors by how telling they are, of unit length; zero when none has a vector."""
    rows = vectors.rows(words)
    weights = np.array([weigh(word) for word in words], np.float32)
    known = rows >= 0
    total: npt.NDArray[np.float32] = weights[known] @ vectors.unit[rows[known]]
    length = float(np.linalg.norm(total))
    return total / np.float32(length) if length > 0 else total


def join(segments: Sequence[Segment], alive: Sequence[npt.NDArray[np.bool_]]) -> Segment:
    """Several segments as one, without the documents that are not `alive`."""
    kept, number = [], 0
    for segment, lives in zip(segments, alive, strict=True):
        numbers = np.full(len(segment), -1, np.int32)
        numbers[lives] = np.arange(number, number + int(lives.sum()), dtype=np.int32)
        number += int(lives.sum())
        kept.append(numbers)
    fields = {field: merged([segment.fields[field] for segment in segments], kept) for field in FIELDS}
    known = {
        int(key): (word, int(row))
        for segment in segments
        for key, word, row in zip(
            segment.fields["words"].keys, segment.vocabulary, segment.word_rows, strict=True
        )
    }
    words = [known[int(key)] for key in fields["words"].keys]

    def rows_of(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
        parts = [getattr(segment, name)[lives] for segment, lives in zip(segments, alive, strict=True)]
        return np.concatenate(parts)

    return Segment(
        ids=tuple(
            article
            for segment, lives in zip(segments, alive, strict=True)
            for article, stays in zip(segment.ids, lives, strict=True)
            if stays
        ),
        versions=rows_of("versions").astype(np.int32),
        public=rows_of("public").astype(np.bool_),
        valid=rows_of("valid").astype(np.float64),
        fields=fields,
        vocabulary=tuple(word for word, _ in words),
        word_rows=np.array([row for _, row in words], np.int32),
        question_vectors=rows_of("question_vectors").astype(np.float16),
        vectors=rows_of("vectors").astype(np.float16),
    )
