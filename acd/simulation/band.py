"""How far apart two plays of one trace can lie: the band in which a day on the real switch is expected.

A real switch plays a trace a little differently each time: callers reach the queue a fraction of a second earlier or
later, so they look for their turn at other moments; telephones take a moment to ring; AMI is late. All else is fixed by
the trace.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from acd.simulation.centre import Centre, Disturbance, Play
from acd.simulation.outcome import Day
from acd.simulation.play import play
from acd.simulation.trace import Trace

AFTERWARDS_S = 1800.0
"""Operators stay this long after the last caller at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """What a real switch leaves to chance. Seconds of the trace's own time; each is drawn evenly."""

    arrival_s: float = 0.5
    """A caller reaches the queue up to this much earlier or later; half a second is a whole phase of the looks."""
    pick_up_s: float = 0.3
    """An operator's answer arrives up to this much later: SIP and the scheduling of the machine."""
    talk_s: float = 0.2
    """A talk ends up to this much later."""
    ami_delay_s: tuple[float, float] = (0.0, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What `runs` plays of one trace gave."""

    values: tuple[float, ...]
    """Ascending."""
    low: float
    """2.5 % of the plays lie below."""
    high: float
    """2.5 % of the plays lie above."""

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    def holds(self, value: float) -> bool:
        """Whether a figure of the real day lies within."""
        return self.low <= value <= self.high


def band(
    centre: Centre,
    trace: Trace,
    how: Play,
    *,
    figure: Callable[[Day], float] = lambda day: float(day.answered),
    jitter: Jitter | None = None,
    runs: int = 200,
    seed: int = 0,
) -> Band:
    """The 95 % band of a figure of the day, by default the number of answered calls.

    Args:
        how: the policy; its seed and delays are replaced.
        runs: 40 or more, or the ends of the band are guesses.
    """
    shaken = jitter or Jitter()
    values = []
    for run in range(runs):
        dice = random.Random(f"band {seed} {run}")
        disturbed = replace(how, seed=run, disturbance=Disturbance(delay_s=shaken.ami_delay_s))
        values.append(figure(play(centre, _shaken(trace, shaken, dice), disturbed)))
    values.sort()
    cut = math.floor(0.025 * runs)
    return Band(values=tuple(values), low=values[cut], high=values[runs - 1 - cut])


def _shaken(trace: Trace, jitter: Jitter, dice: random.Random) -> Trace:
    calls = [
        replace(
            call,
            at_s=max(0.0, call.at_s + dice.uniform(-jitter.arrival_s, jitter.arrival_s)),
            service_s=call.service_s + dice.uniform(0.0, jitter.talk_s),
            answer_s={
                operator: takes + dice.uniform(0.0, jitter.pick_up_s)
                for operator, takes in call.answer_s.items()
            },
        )
        for call in trace.calls
    ]
    calls.sort(key=lambda call: call.at_s)
    # With delays the engine looks at the clock as long as somebody is signed in.
    until = calls[-1].at_s + AFTERWARDS_S if calls else 0.0
    operators = [
        replace(
            person, shifts=tuple((begin, min(end, until)) for begin, end in person.shifts if begin < until)
        )
        for person in trace.operators
    ]
    return Trace(calls=tuple(calls), operators=tuple(operators))
