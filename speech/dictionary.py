"""The city's words, for whoever needs them: recognisers as hints, search as synonyms, people as a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from speech.engines import VOCABULARY
from speech.kana import hiragana, katakana

HINT_CHARACTERS = 190
"""Whisper reads the last 223 tokens of a prompt, which is about so many Japanese characters; the rest would push out
what stands first."""


def hints(dictionary: Mapping[str, str], common: Sequence[str] = VOCABULARY["ja"]) -> tuple[str, ...]:
    """Words for a recogniser: the common ones, then the city's as far as there is room, each once."""
    kept: list[str] = []
    room = HINT_CHARACTERS
    for word in dict.fromkeys([*common, *dictionary]):
        room -= len(word) + 1
        if room < 0:
            break
        kept.append(word)
    return tuple(kept)


def vocabulary(dictionary: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """`hints` by language, as `speech.engines.Engines` takes them; other languages keep what they have."""
    return {**{language: tuple(words) for language, words in VOCABULARY.items()}, "ja": hints(dictionary)}


def synonyms(dictionary: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Groups of a word and its reading in both kana, for a search that finds each by the others."""
    return [tuple(dict.fromkeys((word, katakana(kana), hiragana(kana)))) for word, kana in dictionary.items()]


def heard(words: Iterable[str], text: str) -> int:
    """How many of `words` stand in `text`."""
    return sum(word in text for word in words)
