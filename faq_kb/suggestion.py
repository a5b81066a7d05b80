"""Entries that answer what is being said in a call, with the sentences that led to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from faq_kb.index import Index
from faq_kb.search import Searcher
from faq_kb.text import asked_in

SUGGESTED = 3
ANSWERED = 0.35
"""From this confidence on an entry answers a call; below it the call has met a gap."""
_LOOKED_AT = 5
_FULL = 1.5
"""So many of the rarest words make a sentence count half: "カード" alone says little."""
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An entry for a call."""

    article_id: str
    version: int
    confidence: float
    """0 to 1; grows with every sentence that leads to it."""
    sentences: tuple[str, ...]
    """What led to it, the strongest first."""


def suggest(
    searcher: Searcher,
    index: Index,
    sentences: Sequence[str],
    limit: int = SUGGESTED,
    *,
    now: float | None = None,
) -> list[Suggestion]:
    """The entries that the sentences of a citizen ask for, best first.

    A sentence counts by how rare its words are and how far the entry answers to them, so greetings and "はい" count
    nothing. The whole is a pure function: during a call it is asked again with every new sentence.
    """
    half = _FULL * index.weigh("")
    evidence: dict[tuple[str, int], list[tuple[float, str]]] = defaultdict(list)
    for sentence in dict.fromkeys(sentences):
        for hit in searcher.search(index, asked_in(sentence)[:_LONGEST], _LOOKED_AT, now=now):
            strength = hit.score * hit.covered * hit.asked / (hit.asked + half)
            if strength > 0:
                evidence[hit.article_id, hit.version].append((strength, sentence))
    found = []
    for (article_id, version), led in evidence.items():
        doubt = 1.0
        for strength, _ in led:
            doubt *= 1.0 - min(strength, 0.99)
        led.sort(key=lambda each: -each[0])
        found.append(
            Suggestion(
                article_id=article_id,
                version=version,
                confidence=round(1.0 - doubt, 4),
                sentences=tuple(sentence for _, sentence in led),
            )
        )
    return sorted(found, key=lambda each: (-each.confidence, each.article_id))[:limit]
