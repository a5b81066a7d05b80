"""Who comes first among those who may serve: the least loaded in this shift, ties to the higher level.

The order is handed to the switch as penalties in steps of 10, so the next offer needs no question to the engine.
After a call mostly one operator moves (from the front to the end), and only that one gets a new penalty: with forty
operators, renumbering all costs forty actions a call.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.ids import OperatorId

PENALTY_STEP = 10
PENALTY_MOST = 10_000
"""Beyond this all are numbered anew from the first step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What an operator has carried since signing in."""

    operator: OperatorId
    level: int
    """Skill level 1–5 for the queue in question; 5 is the most experienced."""
    calls: int
    handled_s: float
    last_ended_at: float
    """Epoch seconds; 0 before the first call."""


def order_of_offers(loads: Iterable[Load]) -> list[OperatorId]:
    """First offer first. Fewest calls, then the higher level, then fewest handled minutes, then longest idle."""
    ranked = sorted(
        loads,
        key=lambda load: (load.calls, -load.level, load.handled_s // 60, load.last_ended_at, load.operator),
    )
    return [load.operator for load in ranked]


def penalties_for(order: Sequence[OperatorId], current: Mapping[OperatorId, int]) -> dict[OperatorId, int]:
    """The penalties to change so that they rise along `order`, as few as the steps allow.

    Args:
        order: everybody, first offer first.
        current: the penalties that the switch holds now.
    """
    kept = _longest_rise([current[operator] for operator in order])
    changed: dict[OperatorId, int] = {}
    last = 0
    for place, operator in enumerate(order):
        if place in kept:
            last = current[operator]
            continue
        last += PENALTY_STEP
        after = next((current[order[later]] for later in range(place + 1, len(order)) if later in kept), None)
        if last > PENALTY_MOST or (after is not None and last >= after):
            numbered = {each: PENALTY_STEP * rank for rank, each in enumerate(order, start=1)}
            return {each: penalty for each, penalty in numbered.items() if current[each] != penalty}
        changed[operator] = last
    return changed


def _longest_rise(values: Sequence[int]) -> set[int]:
    """Places of a longest strictly rising subsequence of whole steps (patience sorting).

    Of several, the one that is complete first: what comes after it can always be numbered onwards.
    """
    tops: list[int] = []
    longest: int | None = None
    top_places: list[int] = []
    before: dict[int, int | None] = {}
    for place, value in enumerate(values):
        if value % PENALTY_STEP or not PENALTY_STEP <= value <= PENALTY_MOST:
            continue
        pile = bisect_left(tops, value)
        before[place] = top_places[pile - 1] if pile else None
        if pile == len(tops):
            tops.append(value)
            top_places.append(place)
            longest = place
        else:
            tops[pile], top_places[pile] = value, place
    found: set[int] = set()
    last = longest
    while last is not None:
        found.add(last)
        last = before[last]
    return found
