"""From text to the tokens that an index keeps, and from what a person types to the tokens that are looked for.

Tokens are pairs of neighbouring characters of the normalised text, with each run's last character alone. So any
substring of two or more characters is a phrase of pairs, and a single character is the beginning of a pair: no
dictionary decides what can be found. How notation variants become one is the normaliser's business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.errors import ToritsugiError

MOST_WORDS = 16
"""Words in one search, synonyms apart."""


class Normaliser(Protocol):
    """Makes notation variants of a text one. An index holds the words of one normaliser only."""

    @property
    def name(self) -> str:
        """Changes whenever the result for any text does: the index is then made anew."""
        ...

    def __call__(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class PlainNormaliser:
    """Width, case, kana and long-vowel marks: `ﾏｲﾅﾝﾊﾞｰ`, `マイナンバー` and `まいなんば` are one."""

    name: str = "plain-1"

    def __call__(self, text: str) -> str:
        folded = unicodedata.normalize("NFKC", text).casefold()
        return folded.translate(_KANA)


_KANA = {
    **{code: chr(code - 0x60) for code in range(ord("ァ"), ord("ヶ") + 1)},
    **dict.fromkeys(map(ord, "ーｰ―‐"), None),
    **{ord("ヵ"): "か", ord("ヶ"): "か", ord("ゕ"): "か", ord("ゖ"): "か"},
}
"""Katakana to hiragana; long-vowel marks away; the small ka of 一ヶ月 as か."""

PLAIN = PlainNormaliser()


def runs_of(text: str) -> Iterator[str]:
    """The stretches of letters and digits."""
    run: list[str] = []
    for character in text:
        if unicodedata.category(character)[0] in "LN":
            run.append(character)
        elif run:
            yield "".join(run)
            run.clear()
    if run:
        yield "".join(run)


def tokens_of(text: str, normalise: Normaliser) -> list[str]:
    """What an index keeps of a text, in order."""
    tokens: list[str] = []
    for run in runs_of(normalise(text)):
        tokens += [run[place : place + 2] for place in range(len(run) - 1)]
        tokens.append(run[-1])
    return tokens


# ---- what is looked for ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """A token that stands alone."""

    token: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens that follow each other."""

    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A token that begins so."""

    start: str


@dataclass(frozen=True, slots=True)
class Both:
    """All of these, and none of `without`. `parts` is never empty."""

    parts: tuple[Sought, ...]
    without: tuple[Sought, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    parts: tuple[Sought, ...]


Sought = Term | Phrase | Prefix | Both | Either

Synonyms = Callable[[str], Collection[str]]
"""Other words for a word as it was typed; the word itself need not be among them."""


def no_synonyms(_word: str) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class SynonymGroups:
    """Synonyms from groups of words that mean the same, whatever their notation."""

    groups: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, groups: Iterable[Sequence[str]]) -> SynonymGroups:
        found: dict[str, tuple[str, ...]] = {}
        for group in groups:
            for word in group:
                found[PLAIN(word)] = (*found.get(PLAIN(word), ()), *group)
        return cls(found)

    def __call__(self, word: str) -> Collection[str]:
        return self.groups.get(PLAIN(word), ())


_PARTS = re.compile(r'(?P<minus>[-－])?(?:"(?P<quoted>[^"]*)"|“(?P<curly>[^”]*)”|(?P<plain>[^\s　]+))')


def sought_words(text: str, normalise: Normaliser, synonyms: Synonyms = no_synonyms) -> Both | None:
    """Free words: all must be there, a word with a minus before it must not, `"…"` is taken without synonyms.

    None when there is nothing to look for.

    Raises:
        ToritsugiError: too many words, or only words that must not be there.
    """
    parts: list[Sought] = []
    without: list[Sought] = []
    found = list(_PARTS.finditer(text))
    if len(found) > MOST_WORDS:
        raise ToritsugiError(f"語は {MOST_WORDS} 個までです", where="検索の語", cure="減らす")
    for part in found:
        exact = part["quoted"] or part["curly"]
        word = exact or part["plain"] or ""
        alternatives = [word] if exact else [word, *synonyms(word)]
        ways = tuple(
            dict.fromkeys(way for each in alternatives if (way := _word(each, normalise)) is not None)
        )
        if ways:
            (without if part["minus"] else parts).append(ways[0] if len(ways) == 1 else Either(ways))
    if without and not parts:
        raise ToritsugiError(
            "除く語だけでは探せません", where="検索の語", cure="含む語か、分類などの条件も書く"
        )
    return Both(tuple(parts), tuple(without)) if parts else None


def _word(word: str, normalise: Normaliser) -> Sought | None:
    ways: list[Sought] = []
    for run in runs_of(normalise(word)):
        if len(run) == 1:
            ways.append(Prefix(run))
        elif len(run) == 2:
            ways.append(Term(run))
        else:
            ways.append(Phrase(tuple(run[place : place + 2] for place in range(len(run) - 1))))
    if not ways:
        return None
    return ways[0] if len(ways) == 1 else Both(tuple(ways))


def holds(sought: Sought, tokens: Sequence[str]) -> bool:
    """Whether a text with these tokens is found: what every index must agree with."""
    match sought:
        case Term(token):
            return token in tokens
        case Prefix(start):
            return any(token.startswith(start) for token in tokens)
        case Phrase(wanted):
            length = len(wanted)
            return any(
                tuple(tokens[place : place + length]) == wanted for place in range(len(tokens) - length + 1)
            )
        case Both(parts, without):
            return all(holds(part, tokens) for part in parts) and not any(
                holds(part, tokens) for part in without
            )
        case Either(parts):
            return any(holds(part, tokens) for part in parts)
