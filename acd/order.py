"""Who comes first among those who may serve: the least loaded so far in this shift, ties to the longest idle.

What the last shift left uneven, by the chance of its last calls, is carried into the next one within bounds.

The order is handed to the switch as penalties in steps of 10, so the next offer needs no question to the engine.
After a call mostly one operator moves (from the front to the end), and only that one gets a new penalty: with forty
operators, renumbering all costs forty actions a call.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from enum import StrEnum, unique

from acd.view import Load
from core.ids import OperatorId

PENALTY_STEP = 10
PENALTY_MOST = 10_000
"""Beyond this all are numbered anew from the first step."""
STARTING_S = 1800.0
"""Everybody is taken to have worked this long at the team's average before signing in, so that who comes at noon
is not given every call until they have caught up."""
CARRIED_MOST_S = 600.0
CARRIED_MOST_CALLS = 3.0
"""An operator's surplus over their share is carried into the next shift up to these, so that what a day's last calls
left uneven is made up for, and nobody is given every call of a morning."""


@unique
class LoadRule(StrEnum):
    """What is spread evenly, always against the time an operator was available."""

    MINUTES = "minutes"
    """Handled time: talk and wrap-up."""
    CALLS = "calls"
    """Handled calls."""
    BOTH = "both"
    """The mean of both, each against the team's."""


def scores(loads: Mapping[OperatorId, Load], rule: LoadRule) -> dict[OperatorId, float]:
    """How loaded each operator is; 1 is the team's average.

    While nobody has handled anything, what earlier shifts left uneven is all that tells them apart, around 0.
    """
    minutes = _relative({op: (load.handled_s, load.carried_s) for op, load in loads.items()}, loads)
    calls = _relative({op: (float(load.calls), load.carried_calls) for op, load in loads.items()}, loads)
    match rule:
        case LoadRule.MINUTES:
            return minutes
        case LoadRule.CALLS:
            return calls
        case LoadRule.BOTH:
            return {op: (minutes[op] + calls[op]) / 2 for op in loads}


def _relative(
    amounts: Mapping[OperatorId, tuple[float, float]], loads: Mapping[OperatorId, Load]
) -> dict[OperatorId, float]:
    """Amounts are of this shift and carried over from earlier ones."""
    total = sum(now for now, _ in amounts.values())
    if total <= 0.0:
        return {op: before / STARTING_S for op, (_, before) in amounts.items()}
    # Everybody's share of what was carried, as seconds of the team's time, against their own time.
    team_s = max(sum(load.available_s for load in loads.values()), 1.0)
    return {
        op: ((now + before) / total * team_s + STARTING_S) / (max(loads[op].available_s, 0.0) + STARTING_S)
        for op, (now, before) in amounts.items()
    }


def carried_over(last: Mapping[OperatorId, Load], operator: OperatorId) -> tuple[float, float]:
    """What an operator takes into the next shift: seconds and calls above their share of the last ones.

    Args:
        last: everybody's load at the end of their last shift.
    """
    mine = last.get(operator)
    available = sum(load.available_s for load in last.values())
    if mine is None or available <= 0.0:
        return 0.0, 0.0
    share = mine.available_s / available
    seconds = mine.carried_s + mine.handled_s - share * sum(load.handled_s for load in last.values())
    calls = mine.carried_calls + mine.calls - share * sum(load.calls for load in last.values())
    return (
        max(-CARRIED_MOST_S, min(CARRIED_MOST_S, seconds)),
        max(-CARRIED_MOST_CALLS, min(CARRIED_MOST_CALLS, calls)),
    )


def order_of_offers(
    loads: Mapping[OperatorId, Load], last_ended_at: Mapping[OperatorId, float], rule: LoadRule
) -> list[OperatorId]:
    """First offer first: least loaded, then longest idle, then by number so that equal cases are decided alike."""
    score = scores(loads, rule)
    return sorted(loads, key=lambda op: (score[op], last_ended_at.get(op, 0.0), op))


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
