"""Words that mean the same to the search (類義語), as the city's people enter them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from faq_kb.text import solid
from faq_kb.words import Analyser


@dataclass(frozen=True, slots=True, kw_only=True)
class SynonymSet:
    """Expressions of which each may stand for each other: 引っ越し, 転居, 住所変更."""

    set_id: str
    words: tuple[str, ...]


class Synonyms:
    """Looks expressions up in texts. An expression of several words counts where it stands as a whole."""

    def __init__(self, sets: Iterable[SynonymSet] = (), analyser: Analyser | None = None) -> None:
        cutter = analyser or Analyser()
        self._sets: list[list[tuple[str, tuple[str, ...]]]] = []
        for each in sets:
            entries = [(solid(word), cutter.analyse(word).words) for word in each.words]
            self._sets.append([(text, words) for text, words in entries if text and words])

    def of(self, text: str, words: Sequence[str]) -> Mapping[str, list[tuple[str, float]]]:
        """What may stand for words of a query: for each, other words with how much of an expression each one is.

        Args:
            text: the query.
            words: its words in normalised form.
        """
        plain, there = solid(text), set(words)
        found: dict[str, list[tuple[str, float]]] = {}
        for entries in self._sets:
            for expression, parts in entries:
                # Found as written (in another spelling, as its normalised words).
                if not (expression in plain if len(parts) > 1 else parts[0] in there or expression in plain):
                    continue
                others = [
                    (part, 1.0 / len(other_parts))
                    for other, other_parts in entries
                    if other != expression
                    for part in other_parts
                ]
                # Each word of an expression may be stood in for, so that the stand-in weighs as much as all of it.
                for part in parts:
                    if part in there:
                        found.setdefault(part, []).extend(others)
        return found
