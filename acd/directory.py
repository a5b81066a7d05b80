"""When the city's departments take calls, in moments that the switch can compare, and who stands in for whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from core.clock import TOKYO, Clock
from core.hours import OpeningHours, at_minute

DAYS_AHEAD = 14
"""Days whose hours the switch knows by moments; a year's end with its weekends is nine."""
LATEST = 9_999_999_999
"""A moment in epoch seconds that no call sees."""
MOST_SPANS = 40
"""The switch takes no line above 1024 bytes (AMI)."""


def deputies_in_a_circle(deputies: Mapping[str, str]) -> str | None:
    """An extension whose deputies lead back to itself, by extension and deputy; None when there is none."""
    for start in sorted(deputies):
        at: str | None = start
        seen: set[str] = set()
        while at is not None and at not in seen:
            seen.add(at)
            at = deputies.get(at)
        if at is not None:
            return at
    return None


def open_moments(hours: OpeningHours, clock: Clock) -> str:
    """When it is open, as real moments from the beginning of the city's today on: `FROM-TO&FROM-TO…`, epoch seconds,
    `TO` not included.

    Beyond `DAYS_AHEAD` nobody has said anything, and what nobody has said is open: a telephone that rings in vain costs
    less than one that never rings.
    """
    today = clock.city_now().astimezone(TOKYO).date()
    known = _moment(clock.epoch_of(at_minute(today, 0)))
    spans: list[tuple[int, int]] = []
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)):
        opened = [
            (at_minute(day, part.opens), at_minute(day, part.closes)) for part in hours.plan(day).intervals
        ]
        if len(spans) + len(opened) >= MOST_SPANS:
            break
        spans += [(_moment(clock.epoch_of(since)), _moment(clock.epoch_of(until))) for since, until in opened]
        known = _moment(clock.epoch_of(at_minute(day, 24 * 60)))
    spans.append((known, LATEST))
    return "&".join(f"{since}-{until}" for since, until in spans)


def _moment(epoch: float) -> int:
    return int(min(max(epoch, 0.0), float(LATEST)))
