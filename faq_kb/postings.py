"""Which documents hold which term, as arrays that can lie in a file and be mapped into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faq_kb.text import Keys

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

K1, B = 1.2, 0.75
"""BM25's usual constants; other values change nothing that could be told from chance (docs/adr/0022)."""
_STEPS = 255.0 / (K1 + 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postings:
    """One field of a segment. The documents of the term `keys[i]` are `documents[starts[i]:starts[i + 1]]`."""

    keys: Keys
    """Sorted."""
    starts: npt.NDArray[np.int64]
    documents: Ints
    """Numbers within the segment, rising within a term."""
    weights: Bytes
    """The part of BM25 that depends on how often the term stands in the document, in 255 steps of K1 + 1."""

    def find(self, key: int) -> int:
        """The place of a term, -1 when no document has it."""
        place = int(self.keys.searchsorted(np.uint64(key)))
        return place if place < len(self.keys) and int(self.keys[place]) == key else -1

    def at(self, place: int) -> tuple[Ints, Floats]:
        """Documents and weights of the term at `place`."""
        span = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.documents[span], self.weights[span].astype(np.float32) * np.float32(1.0 / _STEPS)

    def holds(self, place: int, document: int) -> bool:
        """Whether the term at `place` stands in a document."""
        documents = self.documents[int(self.starts[place]) : int(self.starts[place + 1])]
        at = int(documents.searchsorted(document))
        return at < len(documents) and int(documents[at]) == document

    def count(self, place: int) -> int:
        """In how many documents the term at `place` stands."""
        return int(self.starts[place + 1] - self.starts[place])


def postings_of(documents: Sequence[Keys], mean_length: float) -> Postings:
    """The postings of documents given as the keys of their terms, repeated as they stand.

    Args:
        mean_length: terms of a document on average; that of the whole index, so that segments weigh alike.
    """
    lengths = np.array([len(keys) for keys in documents], np.float64)
    found = [np.unique(keys, return_counts=True) for keys in documents]
    keys = np.concatenate([part[0] for part in found]) if found else np.empty(0, np.uint64)
    counts = np.concatenate([part[1] for part in found]) if found else np.empty(0, np.int64)
    owners = np.repeat(np.arange(len(found), dtype=np.int32), [len(part[0]) for part in found])
    long = K1 * (1.0 - B + B * lengths[owners] / max(mean_length, 1.0))
    weights = np.rint(counts * (K1 + 1.0) / (counts + long) * _STEPS)
    order = np.argsort(keys, kind="stable")
    terms, first = np.unique(keys[order], return_index=True)
    return Postings(
        keys=terms.astype(np.uint64),
        starts=np.append(first, len(keys)).astype(np.int64),
        documents=owners[order],
        weights=np.clip(weights[order], 1, 255).astype(np.uint8),
    )


def merged(parts: Sequence[Postings], kept: Sequence[Ints]) -> Postings:
    """The postings of several segments as one.

    Args:
        kept: for each segment the new number of each of its documents, -1 for those that are left out.
    """
    keys, documents, weights = [], [], []
    for part, numbers in zip(parts, kept, strict=True):
        new = numbers[part.documents]
        stays = new >= 0
        keys.append(np.repeat(part.keys, np.diff(part.starts))[stays])
        documents.append(new[stays])
        weights.append(part.weights[stays])
    every = np.concatenate(keys)
    order = np.argsort(every, kind="stable")  # the segments' own orders are kept: numbers rise within a term
    terms, first = np.unique(every[order], return_index=True)
    return Postings(
        keys=terms,
        starts=np.append(first, len(every)).astype(np.int64),
        documents=np.concatenate(documents)[order],
        weights=np.concatenate(weights)[order],
    )
