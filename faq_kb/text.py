"""Text as the index sees it: one notation, sentences, and runs of characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]

LONGEST_PART = 4000
"""Characters handed to the tokeniser at once; it refuses more than 49,149 bytes."""
_PARTS = re.compile(r"[^。！？!?\n]*[。！？!?\n]?")
_NOT_WORD = re.compile(r"[\W_]+")
_DASHES = re.compile(r"(?<=[ァ-ヶー])[‐‑–—―−─-]")
_SHIFT = np.uint64(21)
"""A code point has 21 bits, so a run of two characters has one key that stands for nothing else."""


def normalise(text: str) -> str:
    """`text` in one notation: NFKC (full-width letters, half-width kana), lower case, one long-vowel mark."""
    return _DASHES.sub("ー", unicodedata.normalize("NFKC", text)).lower()


def sentences(text: str) -> Iterator[str]:
    """The sentences of `text`, none longer than `LONGEST_PART`; empty ones are left out."""
    for found in _PARTS.findall(text):
        for start in range(0, len(found), LONGEST_PART):
            part = found[start : start + LONGEST_PART].strip()
            if part:
                yield part


def solid(text: str) -> str:
    """`text` in one notation, without signs and spaces."""
    return _NOT_WORD.sub("", normalise(text))


def character_keys(text: str) -> Keys:
    """One key for each character of a `solid` text."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return points.astype(np.uint64)


def pair_keys(text: str) -> Keys:
    """One key for each two neighbouring characters of a `solid` text."""
    points = character_keys(text)
    return (points[:-1] << _SHIFT) | points[1:]


_NAMED_AND_MASKED = re.compile(r"(?:[^、。，．？！?!\s［］]+[、，\s]*)?［[^［］]*］")


def asked_in(sentence: str) -> str:
    """A sentence of a transcript without what is masked in it (［電話番号］) and the phrase that names it (電話番号は):
    whoever tells a number asks nothing with it.
    """
    return _NAMED_AND_MASKED.sub("", sentence)
