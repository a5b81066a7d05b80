"""Written text → the form a voice engine reads right: numbers, times, telephone numbers, difficult names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from speech.kana import pronounced, reading

_DIGITS_JA = dict(
    zip(
        "0123456789",
        ["ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー"],
        strict=True,
    )
)
_DIGITS_EN = dict(
    zip(
        "0123456789",
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
        strict=True,
    )
)

READINGS: Mapping[str, str] = {
    "110番": "ヒャクトーバン",
    "119番": "ヒャクジューキューバン",
    "118番": "ヒャクジューハチバン",
    "米印": "コメジルシ",
    "只今": "タダイマ",
    "時間内": "ジカンナイ",
    "J-LIS": "ジェーリス",
    "マイナちゃん": "マイナチャン",
    "FAQ": "エフエーキュー",
    "ID": "アイディー",
    "FAX": "ファックス",
    "SMS": "エスエムエス",
    "QRコード": "キューアールコード",
}
"""Words of every city. A profile adds its own; both are whole strings → katakana, longest first."""

_TELEPHONE = re.compile(r"(?<![\d-])(\+?\d{2,5})-(\d{1,4})-(\d{3,4})(?![\d-])")
_CLOCK = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])")
_RANGE = re.compile(r"(?<=[\d時分日月年曜])\s*[~〜～]\s*(?=\S)")
_LONG = re.compile(r"(?<![\d.,])\d{5,}(?![\d.,]|\s*[円人件名])")


def spoken_text(text: str, language: str, readings: Mapping[str, str] | None = None) -> str:
    """`text` as it shall be said in `language` (`ja` or `en`).

    Args:
        readings: written form → kana (or, in English, any respelling); longer keys win, and they win over the
            built-in ones. Kana are used only where the dictionary would say something else.
    """
    return _japanese(text, readings or {}) if language == "ja" else _english(text, readings or {})


def _replace_words(text: str, words: Mapping[str, str]) -> str:
    if not words:
        return text
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    return pattern.sub(lambda found: words[found.group()], text)


def _japanese(text: str, readings: Mapping[str, str]) -> str:
    folded = _corrected(unicodedata.normalize("NFKC", text), {**READINGS, **readings})
    folded = _TELEPHONE.sub(lambda m: "の、".join(_say(part, _DIGITS_JA, "") for part in m.groups()), folded)
    folded = _CLOCK.sub(lambda m: f"{int(m[1])}時" + (f"{int(m[2])}分" if int(m[2]) else ""), folded)
    folded = _RANGE.sub("から", folded)
    folded = _LONG.sub(lambda m: _say(m.group(), _DIGITS_JA, ""), folded)
    folded = folded.replace("#", "シャープ").replace("*", "コメジルシ")
    # NFKC makes ASCII of ！？（）, which Open JTalk reads as pauses all the same
    return re.sub(r"[ \t\r\n]+", " ", folded).strip()


def _corrected(text: str, readings: Mapping[str, str]) -> str:
    """Words that the dictionary would read otherwise, replaced by kana.

    A word that it already reads right keeps its kanji: kana alone would lose the accent.
    """
    words = {unicodedata.normalize("NFKC", word): pronounced(said) for word, said in readings.items()}
    present = {word: said for word, said in words.items() if word in text}
    if not present:
        return text
    heard = reading(text)
    return _replace_words(text, {word: said for word, said in present.items() if said not in heard})


def _english(text: str, readings: Mapping[str, str]) -> str:
    folded = _replace_words(unicodedata.normalize("NFKC", text), readings)
    folded = _TELEPHONE.sub(lambda m: ", ".join(_say(part, _DIGITS_EN, " ") for part in m.groups()), folded)
    folded = _CLOCK.sub(_clock_english, folded)
    folded = _LONG.sub(lambda m: _say(m.group(), _DIGITS_EN, " "), folded)
    return re.sub(r"\s+", " ", folded.replace("#", " hash ").replace("*", " star ")).strip()


def _say(digits: str, names: Mapping[str, str], between: str) -> str:
    return between.join(names[digit] for digit in digits if digit in names)


def _clock_english(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    tail = found.string[found.end() : found.end() + 6].lower()
    said = f"{hour % 12 or 12}" + (f" {minute:02d}" if minute else "")
    if "m" in tail.replace(".", "").split(" ")[:2] or re.match(r"\s*[ap]\.?m", tail):
        return said
    return f"{said} {'a m' if hour < 12 else 'p m'}"
