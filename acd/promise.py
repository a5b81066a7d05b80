"""What a caller is told of the wait: a range of whole minutes that never rises, or nothing."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

SURE = 0.7
"""Share of the waits that a range must hold. Whole minutes hold more: docs/algorithms/waiting.md has the figures."""
WIDEST = 5
"""Minutes between both ends; a wider range tells nothing."""
MOST_MINUTES = 20
ROUNDING_S = 30.0
"""A minute said is the nearest one, so a moment promised may move by half a minute in the saying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What one caller has been told."""

    minutes: tuple[int, int]
    """Least and most of the wait that remains; a least of 0 is "within"."""
    earliest: float
    """The first of all moments that were told as the beginning of the range (epoch seconds)."""
    latest: float
    """The first of all moments that were told as its end."""


def promise(waits_s: Sequence[float], now: float, before: Promise | None) -> Promise | None:
    """The narrowest range that holds enough of the waits and rises above nothing told before.

    Neither end is above the minutes told before, and neither moment (`now` and those minutes) is later than any
    moment told before, but for the rounding.

    Args:
        waits_s: equally likely waits from `now` on, ascending; empty when nothing is known.
        before: what this caller has been told, if anything.

    Returns:
        None when it would be a guess: nothing is known, the range would be too wide or too far away, or what was
        told before cannot be kept.
    """
    if not waits_s:
        return None
    highest = lowest = MOST_MINUTES
    if before is not None:
        lowest = min(before.minutes[0], _whole_minutes(before.earliest - now))
        highest = min(before.minutes[1], _whole_minutes(before.latest - now))
    ranges = [
        (least, most)
        for least in range(max(0, lowest) + 1)
        for most in range(least + 1, min(highest, least + WIDEST) + 1)
    ]
    held = {each: _share(waits_s, each) for each in ranges}
    good = [each for each in ranges if held[each] >= SURE]
    if not good:
        return None
    told = min(good, key=lambda each: (each[1] - each[0], -held[each]))
    moments = (now + 60.0 * told[0], now + 60.0 * told[1])
    if before is not None:
        moments = (min(moments[0], before.earliest), min(moments[1], before.latest))
    return Promise(minutes=told, earliest=moments[0], latest=moments[1])


def _whole_minutes(seconds: float) -> int:
    return math.floor((seconds + ROUNDING_S) / 60.0)


def _share(waits_s: Sequence[float], minutes: tuple[int, int]) -> float:
    inside = bisect_right(waits_s, 60.0 * minutes[1]) - bisect_left(waits_s, 60.0 * minutes[0])
    return inside / len(waits_s)
