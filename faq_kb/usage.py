"""How the knowledge base is used: which entries are asked for, what is searched in vain, and what an entry changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

from faq_kb.text import solid

_CERTAIN = 1.96
"""Standard deviations on each side of a 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How often an entry was asked for in a period, and in the one before."""

    article_id: str
    count: int
    before: int


def ranking(now: Iterable[str], before: Iterable[str]) -> list[Access]:
    """Entries by how often they stand in `now`; those that nobody asks for any more come last."""
    counts, earlier = Counter(now), Counter(before)
    found = [
        Access(article_id=article, count=counts[article], before=earlier[article])
        for article in {*counts, *earlier}
    ]
    return sorted(found, key=lambda each: (-each.count, -each.before, each.article_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """One search, as far as its success is concerned."""

    words: str
    found: int
    strict: bool
    used: bool
    """Whether something of it was opened or told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """How searches of a period went."""

    searches: int
    zero_hit: int
    no_strict_hit: int
    used: int
    in_vain: tuple[tuple[str, int], ...]
    """What was searched for without a strict hit and without use, with how often; spellings are taken together."""


def success(searches: Sequence[Searched], limit: int = 20) -> Success:
    """How `searches` went."""
    vain: Counter[str] = Counter()
    spelt: dict[str, str] = {}
    for each in searches:
        if not each.strict and not each.used:
            key = solid(each.words)
            spelt.setdefault(key, each.words)
            vain[key] += 1
    return Success(
        searches=len(searches),
        zero_hit=sum(not each.found for each in searches),
        no_strict_hit=sum(not each.strict for each in searches),
        used=sum(each.used for each in searches),
        in_vain=tuple((spelt[key], count) for key, count in vain.most_common(limit)),
    )


@unique
class Verdict(StrEnum):
    FELL = "fell"
    SAME = "same"
    """No difference that could be told from chance."""
    ROSE = "rose"
    TOO_FEW = "too_few"

    @property
    def label_ja(self) -> str:
        return {
            "fell": "減った", "same": "変わったとはいえない", "rose": "増えた", "too_few": "件数が少なく、いえない"
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Calls of a kind among all calls, before and after a moment."""

    before: int
    before_all: int
    after: int
    after_all: int
    ratio: float | None
    """Share after ÷ share before."""
    low: float | None
    """95 % interval of the ratio."""
    high: float | None
    verdict: Verdict


FEWEST = 5


def effect(before: int, before_all: int, after: int, after_all: int) -> Effect:
    """Whether calls of a kind became rarer among all calls (ratio of two Poisson rates, interval by logarithms)."""
    ratio = low = high = None
    verdict = Verdict.TOO_FEW
    if before_all and after_all and before + after >= FEWEST and before > 0:
        # Half a call is added to a side without any, or the logarithm would have no value.
        told = max(after, 0.5)
        ratio = (told / after_all) / (before / before_all)
        spread = _CERTAIN * math.sqrt(1.0 / before + 1.0 / told)
        low, high = ratio * math.exp(-spread), ratio * math.exp(spread)
        verdict = Verdict.FELL if high < 1.0 else Verdict.ROSE if low > 1.0 else Verdict.SAME
    return Effect(
        before=before,
        before_all=before_all,
        after=after,
        after_all=after_all,
        ratio=None if ratio is None else round(ratio, 3),
        low=None if low is None else round(low, 3),
        high=None if high is None else round(high, 3),
        verdict=verdict,
    )
