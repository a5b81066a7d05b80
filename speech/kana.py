"""Readings in kana, and how far a recognised text is from what was said.

Characters punish a recogniser for writing 10時 where the reference has 十時; kana compare what was heard.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from speech import open_jtalk

_NOT_KANA = re.compile(r"[^ァ-ヺー]")
_NOT_WORD = re.compile(r"[\W_]+")
_ROW_O = "オコソトノホモヨロヲゴゾドボポョォ"
_ROW_E = "エケセテネヘメレゲゼデベペェ"
_SAME_SOUND = str.maketrans({"ヲ": "オ", "ヂ": "ジ", "ヅ": "ズ", "ヮ": "ワ"})
_ENOUGH_TO_COMPARE = 4000


@dataclass(frozen=True, slots=True)
class Errors:
    """Edits (insertions, deletions, substitutions) against a reference of `length` units. They add up."""

    edits: int
    length: int

    @property
    def rate(self) -> float:
        """Edits a unit; 0.0 for nothing against nothing, 1.0 for something against nothing."""
        return self.edits / self.length if self.length else float(self.edits > 0)

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.edits + other.edits, self.length + other.length)


def katakana(text: str) -> str:
    """Hiragana as katakana; all else stays."""
    return "".join(chr(ord(ch) + 0x60) if "ぁ" <= ch <= "ゖ" else ch for ch in text)


def hiragana(text: str) -> str:
    """Katakana as hiragana; all else stays."""
    return "".join(chr(ord(ch) - 0x60) if "ァ" <= ch <= "ヶ" else ch for ch in text)


def pronounced(kana: str) -> str:
    """Written kana as they sound: long vowels as ー, ヂ as ジ, ヲ as オ (`こうざ` → `コーザ`)."""
    sounds: list[str] = []
    for ch in katakana(unicodedata.normalize("NFKC", kana)).translate(_SAME_SOUND):
        before = sounds[-1] if sounds else ""
        is_long = (ch == "ウ" and before and before in _ROW_O) or (ch == "イ" and before and before in _ROW_E)
        sounds.append("ー" if is_long else ch)
    return "".join(sounds)


def reading(text: str) -> str:
    """How `text` is said, in katakana alone: signs and spaces are left out."""
    said = open_jtalk.reading(unicodedata.normalize("NFKC", text))
    return _NOT_KANA.sub("", said.translate(_SAME_SOUND))


def distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """The least number of insertions, deletions and substitutions between two sequences."""
    row = list(range(len(heard) + 1))
    for line, wanted in enumerate(reference, start=1):
        before, row[0] = row[0], line
        for column, got in enumerate(heard, start=1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (wanted != got)),
            )
    return row[-1]


def kana_errors(reference: str, heard: str) -> Errors:
    """Errors in kana, both texts read by the same dictionary. Texts are cut at 4000 kana."""
    wanted, got = reading(reference)[:_ENOUGH_TO_COMPARE], reading(heard)[:_ENOUGH_TO_COMPARE]
    return Errors(distance(wanted, got), len(wanted))


def character_errors(reference: str, heard: str) -> Errors:
    """Errors in characters, after NFKC, lower case, and without signs and spaces."""
    wanted, got = (
        _NOT_WORD.sub("", unicodedata.normalize("NFKC", text).lower()) for text in (reference, heard)
    )
    return Errors(distance(wanted, got), len(wanted))


def word_errors(reference: str, heard: str) -> Errors:
    """Errors in words, for languages with spaces."""
    wanted, got = (_NOT_WORD.sub(" ", text.lower().replace("'", "")).split() for text in (reference, heard))
    return Errors(distance(wanted, got), len(wanted))


def total(errors: Iterable[Errors]) -> Errors:
    """All of `errors` as one."""
    return sum(errors, Errors(0, 0))
