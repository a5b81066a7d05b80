"""How long a caller will wait, said honestly: a range that never rises, or nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, pstdev

LEAST_SAMPLES = 3
MOST_MINUTES = 30


def expected_minutes(
    *,
    position: int,
    handling_s: Sequence[float],
    serving: int,
    said_before: tuple[int, int] | None,
) -> tuple[int, int] | None:
    """The range of whole minutes until an operator answers.

    Args:
        position: 1 for the caller who is next.
        handling_s: recent talk plus wrap-up times in seconds; fewer than three say nothing.
        serving: operators who talk, wrap up or are ready in this queue.
        said_before: what this caller heard last; the new range never rises above it.

    Returns:
        ``(least, most)`` in minutes, ``1 <= least <= most``; None when it would be a guess (too few samples,
        nobody serving, or more than half an hour).
    """
    if len(handling_s) < LEAST_SAMPLES or serving < 1 or position < 1:
        return None
    mean, spread = fmean(handling_s), pstdev(handling_s)
    # With `serving` operators busy, somebody frees up every mean/serving seconds; the spread of the sum of
    # `position` such gaps grows with its square root.
    centre = position * mean / serving
    margin = spread * math.sqrt(position) / serving
    least = max(1, math.floor((centre - margin) / 60))
    most = max(least, math.ceil((centre + margin) / 60))
    if said_before is not None:
        most = min(most, said_before[1])
        least = min(least, said_before[0], most)
    return None if most > MOST_MINUTES else (least, most)
