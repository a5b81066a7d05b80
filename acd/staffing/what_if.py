"""What a plan does to a day, played with the production routing: as planned, and with a change.

Both are played with the same callers, so the difference is the change's. Callers come at random (Poisson by
half-hour), talk and lose patience at random (exponential), as the formulas assume; the rest is the switch and the floor
as they are.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from acd.demand import Skills
from acd.simulation.centre import Centre, DemandRules, Play
from acd.simulation.measures import Estimate, estimate, quantile
from acd.simulation.outcome import Day
from acd.simulation.play import play
from acd.simulation.trace import Trace, TraceCall, TraceOperator
from acd.staffing.days import ExpectedDay
from acd.staffing.erlang import Traffic
from core.ids import OperatorId, QueueName

RING_S = 4.0
"""想定: an operator picks up after so many seconds, a part of the handling time; nobody gives up while they ring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at the telephone, minutes since midnight."""

    operator: OperatorId
    skills: Skills
    begins: int
    ends: int
    pause: tuple[int, int] | None = None

    def absent(self, begins: int, ends: int) -> Person | None:
        """The same person, away from `begins` to `ends`; None when nothing of the shift is left.

        Away in the middle is a break; a break of their own is then left out.
        """
        if begins <= self.begins and ends >= self.ends:
            return None
        if begins <= self.begins:
            return replace(self, begins=max(self.begins, ends))
        if ends >= self.ends:
            return replace(self, ends=min(self.ends, begins))
        return replace(self, pause=(begins, ends))


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of many plays of one day."""

    days: int
    calls: float
    """A day, on average."""
    answer_rate: Estimate
    """Of the pooled days, with the interval of the mean."""
    low: float
    high: float
    """95 of 100 days lie between."""
    long_waits: float
    """A day, on average."""
    wait_90_s: float
    """Nine of ten callers wait no longer (answered or not)."""


def trace_of(
    day: ExpectedDay,
    traffic: Traffic,
    mix: Mapping[QueueName, float],
    people: Sequence[Person],
    wrap_up_s: Mapping[QueueName, float],
    dice: random.Random,
) -> Trace:
    """One random day, in seconds from midnight.

    Args:
        mix: share of each demand; the shares are scaled to 1.
        wrap_up_s: by demand; talk is what it leaves of the handling time.
    """
    demands, weights = list(mix), list(mix.values())
    calls = []
    for slot in day.slots:
        for at in _arrivals(slot.calls, 60.0 * slot.open_min, dice):
            demand = dice.choices(demands, weights)[0]
            talk = max(1.0, traffic.handling_s - wrap_up_s[demand] - RING_S)
            calls.append(
                TraceCall(
                    number=0,
                    at_s=60.0 * (slot.begins_min + slot.late_min) + at,
                    demand=demand,
                    service_s=dice.expovariate(1.0 / talk),
                    patience_s=math.inf
                    if math.isinf(traffic.patience_s)
                    else RING_S + dice.expovariate(1.0 / traffic.patience_s),
                    answer_s={person.operator: RING_S for person in people},
                )
            )
    calls.sort(key=lambda call: call.at_s)
    return Trace(
        calls=tuple(replace(call, number=number) for number, call in enumerate(calls, start=1)),
        operators=tuple(
            TraceOperator(
                operator=person.operator,
                skills=person.skills,
                shifts=((60.0 * person.begins, 60.0 * person.ends),),
                breaks=() if person.pause is None else ((60.0 * person.pause[0], 60.0 * person.pause[1]),),
            )
            for person in people
        ),
    )


def _arrivals(expected: float, within_s: float, dice: random.Random) -> Iterator[float]:
    at = 0.0
    while expected > 0.0:
        at += dice.expovariate(expected / within_s)
        if at >= within_s:
            return
        yield at


def play_days(
    day: ExpectedDay,
    traffic: Traffic,
    demands: Sequence[DemandRules],
    mix: Mapping[QueueName, float],
    people: Sequence[Person],
    *,
    days: int,
    seed: int,
    long_wait_s: float = 300.0,
    changed: Callable[[Person], Person | None] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Played:
    """Play so many random days.

    Args:
        days: 2 or more; 200 give a band that means something.
        changed: what becomes of each person; the callers stay the same.
        progress: told the number of days played.
    """
    wrap_up = {rules.demand.name: rules.wrap_up_s for rules in demands}
    centre = Centre(demands=tuple(demands))
    rates: list[float] = []
    waits: list[float] = []
    calls = answered = long = 0
    for number in range(days):
        trace = trace_of(day, traffic, mix, people, wrap_up, random.Random(f"{seed} {number}"))
        if changed is not None:
            there = [other for person in people if (other := changed(person)) is not None]
            trace = replace(
                trace, operators=trace_of(day, traffic, mix, there, wrap_up, random.Random(0)).operators
            )
        played = play(centre, trace, Play(seed=number))
        rate = _rate(played)
        if rate is not None:
            rates.append(rate)
        calls += len(played.callers)
        answered += played.answered
        waits += played.waits()
        long += sum(wait >= long_wait_s for wait in played.waits())
        if progress is not None:
            progress(number + 1)
    rates.sort()
    spread = estimate(rates)
    mean = answered / calls if calls else 1.0
    return Played(
        days=days,
        calls=calls / days,
        answer_rate=Estimate(
            mean=mean, low=mean - (spread.mean - spread.low), high=mean + (spread.high - spread.mean)
        ),
        low=quantile(rates, 0.025),
        high=quantile(rates, 0.975),
        long_waits=long / days,
        wait_90_s=quantile(sorted(waits), 0.9),
    )


def _rate(day: Day) -> float | None:
    return day.answered / len(day.callers) if day.callers else None
