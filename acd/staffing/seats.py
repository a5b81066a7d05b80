"""How many seats and lines a stream of calls needs, and what a number of seats makes of a day."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from acd.staffing.days import ExpectedDay
from acd.staffing.erlang import Traffic, erlang_b, service_level_c, steady_state

MOST_SEATS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be reached."""

    share: float
    within_s: float | None = None
    """Answered within so many seconds (Erlang C: nobody gives up); None: answered at all (Erlang A)."""


def reaches(traffic: Traffic, seats: int, goal: Goal) -> bool:
    """Whether so many seats reach the goal."""
    if traffic.calls_per_hour == 0:
        return True
    if goal.within_s is None:
        if math.isinf(traffic.patience_s) and traffic.places is None:
            return traffic.load < seats
        return steady_state(traffic, seats).answered >= goal.share
    return service_level_c(traffic.load, seats, traffic.handling_s, goal.within_s) >= goal.share


def seats_needed(traffic: Traffic, goal: Goal) -> int:
    """The fewest seats that reach the goal; 0 without calls.

    Raises:
        ValueError: the goal is 100 % or more, which no number reaches.
    """
    if goal.share >= 1.0:
        raise ValueError("no number of seats answers every call")
    seats = 0
    while not reaches(traffic, seats, goal):
        seats += 1
        if seats > MOST_SEATS:
            raise ValueError("more seats than any centre has")
    return seats


def rostered(seats: float, shrinkage: float) -> float:
    """People on the roster so that `seats` are taken: absence, breaks and training take `shrinkage` of their time.

    Raises:
        ValueError: a shrinkage outside [0, 1).
    """
    if not 0.0 <= shrinkage < 1.0:
        raise ValueError("shrinkage must lie in [0, 1)")
    return seats / (1.0 - shrinkage)


def lines_needed(calls_per_hour: float, held_s: float, blocked: float) -> int:
    """The fewest lines on which at most `blocked` of the callers find all of them busy (Erlang B).

    Args:
        held_s: how long one call holds a line: announcements, wait and talk; after-call work holds none.

    Raises:
        ValueError: `blocked` is not between 0 and 1.
    """
    if not 0.0 < blocked < 1.0:
        raise ValueError("the share of blocked callers must lie between 0 and 1")
    load, lines = calls_per_hour * held_s / 3600.0, 0
    while load > 0 and erlang_b(load, lines) > blocked:
        lines += 1
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOutcome:
    """What a number of seats makes of a day, each half-hour in balance (Erlang A)."""

    calls: float
    answered: float

    @property
    def answer_rate(self) -> float | None:
        return self.answered / self.calls if self.calls else None


def outcome_of(day: ExpectedDay, traffic: Traffic, seats: Sequence[int] | int) -> DayOutcome:
    """The day with these seats.

    Args:
        traffic: handling time and patience; its calls are replaced by each half-hour's.
        seats: one number, or one for each half-hour.
    """
    plan = [seats] * len(day.slots) if isinstance(seats, int) else list(seats)
    answered = math.fsum(
        slot.calls * steady_state(replace(traffic, calls_per_hour=slot.calls_per_hour), number).answered
        for slot, number in zip(day.slots, plan, strict=True)
    )
    return DayOutcome(calls=day.calls, answered=answered)


def seats_by_slot(day: ExpectedDay, traffic: Traffic, goal: Goal) -> tuple[int, ...]:
    """The fewest seats of each half-hour that reach the goal in it."""
    return tuple(
        seats_needed(replace(traffic, calls_per_hour=slot.calls_per_hour), goal) for slot in day.slots
    )


def fewest_for_day(days: Iterable[ExpectedDay], traffic: Traffic, goal: Goal) -> int:
    """The fewest seats, the same all day, with which these days together reach the goal (answered at all)."""
    wanted = list(days)
    seats = 0
    while True:
        found = [outcome_of(day, traffic, seats) for day in wanted]
        calls = math.fsum(each.calls for each in found)
        if not calls or math.fsum(each.answered for each in found) / calls >= goal.share:
            return seats
        seats += 1
        if seats > MOST_SEATS:
            raise ValueError("more seats than any centre has")
