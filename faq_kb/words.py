"""Words in their normalised form, and how a text is read (Sudachi, split mode A)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from faq_kb.text import normalise, sentences

_CONTENT = frozenset({"名詞", "動詞", "形容詞", "形状詞", "副詞", "接頭辞", "接尾辞"})
_ASKING = frozenset(
    {
        "する", "為る", "有る", "無い", "居る", "成る", "出来る", "言う", "下さる", "頂く", "願う", "教える", "知る",
        "事", "物", "者", "様", "方", "御", "時", "場合", "どう", "何", "良い", "呉れる", "貰う", "聞く", "思う",
        "欲しい", "要る", "行う", "つく",
    }
)  # fmt: skip
"""Words with which people ask anything; they do not say what it is about."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """What the index and the search need of one text."""

    words: tuple[str, ...]
    """Content words in normalised form (受取 and 受け取り are one word), in order, repeated as they stand."""
    kana: str
    """How all of it is read, in katakana, without signs."""


class Analyser:
    """Cuts texts into words. Loading takes about 0.1 s, so it is done at the first text."""

    def __init__(self) -> None:
        self._tokeniser: Any = None

    def analyse(self, text: str) -> Analysed:
        words: list[str] = []
        kana: list[str] = []
        for sentence in sentences(text):
            found = self.sentence(sentence)
            words += found.words
            kana.append(found.kana)
        return Analysed(words=tuple(words), kana="".join(kana))

    def sentence(self, text: str) -> Analysed:
        """As `analyse`, for one of `text.sentences`."""
        words: list[str] = []
        kana: list[str] = []
        for token in self._tokens(normalise(text)):
            kind = token.part_of_speech()[0]
            if kind in _CONTENT:
                words.append(token.normalized_form())
            if kind not in ("補助記号", "空白", "記号"):
                kana.append(token.reading_form())
        return Analysed(words=tuple(words), kana=_only_kana("".join(kana)))

    def _tokens(self, text: str) -> Sequence[Any]:
        if self._tokeniser is None:
            import sudachipy

            self._tokeniser = sudachipy.Dictionary().tokenizer(sudachipy.SplitMode.A)
        tokens: Sequence[Any] = self._tokeniser.tokenize(text)
        return tokens


def telling(words: Sequence[str]) -> tuple[str, ...]:
    """The words that say what a question is about: those of asking and politeness are left out, each stands once."""
    return tuple(dict.fromkeys(word for word in words if word not in _ASKING and not word.isspace()))


def word_key(word: str) -> int:
    """The key of a word in the index, 64 bits."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _only_kana(text: str) -> str:
    return "".join(
        chr(ord(ch) + 0x60) if "ぁ" <= ch <= "ゖ" else ch
        for ch in text
        if "ァ" <= ch <= "ヶ" or ch == "ー" or "ぁ" <= ch <= "ゖ"
    )
