"""Who calls again and again: pure counting, without keeping anybody's number."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core.masking import mask_number

_SHORT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatCaller:
    """A number that has called at least so many times lately."""

    subject: str
    """Names the number without telling it."""
    shown: str
    """The number, masked."""
    calls: int
    since: float
    """Of the first of these calls."""


def subject_of(number: str) -> str:
    """The name that stands for a number without telling it."""
    return hashlib.sha256(number.encode()).hexdigest()[:_SHORT]


def repeat_callers(
    arrivals: Iterable[tuple[str, float]], *, least: int, exempt: Collection[str]
) -> list[RepeatCaller]:
    """Numbers with `least` or more arrivals, the busiest first.

    Args:
        arrivals: number (national digits) and moment of each call of the time that counts.
        exempt: numbers that many people call from, such as a relay service (電話リレーサービス); never counted.
    """
    moments: dict[str, list[float]] = {}
    for number, at in arrivals:
        if number not in exempt:
            moments.setdefault(number, []).append(at)
    found = [
        RepeatCaller(
            subject=subject_of(number),
            shown=mask_number(number),
            calls=len(times),
            since=min(times),
        )
        for number, times in moments.items()
        if len(times) >= least
    ]
    return sorted(found, key=lambda each: (-each.calls, each.since, each.subject))
