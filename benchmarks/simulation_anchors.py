"""The simulator against published simulations and Erlang's formulas.

- SimpleMSK and Bilingual (ContactCenters, 1,000 replications) through the production floor: skills, stages and the
  order of need do the routing. Each figure must lie inside the published 95 % interval.
- M/M/n and M/M/n+M: 13 rows of Erlang C, and the examples MMC, MMCAb and MMCBlocked (a day of 8 hours from empty).
  With one queue it makes no difference who answers, so these run with a built-in strategy; on the first days the
  production floor must give every caller exactly the same wait.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from acd.simulation.centre import Centre, Disturbance, Play, Strategy
from acd.simulation.measures import Estimate, estimate
from acd.simulation.outcome import Day, End
from acd.simulation.play import play
from acd.simulation.trace import Trace
from benchmarks import _published as published

Floats = npt.NDArray[np.float64]
AT_ONCE = Play(disturbance=Disturbance(tick_s=0.0))
BY_DICE = Play(disturbance=Disturbance(tick_s=0.0), order=False, ties=Strategy.RANDOM)
BUILT_IN = Play(strategy=Strategy.LEASTRECENT)
TARGET_S = 20.0
ERLANG_ROWS: tuple[tuple[float, int, float, float, float], ...] = (
    (1, 2, 0.333333, 0.70172, 60.0), (2, 3, 0.444444, 0.602294, 80.0), (2.4, 4, 0.287043, 0.759708, 32.2924),
    (3, 5, 0.236152, 0.810905, 21.2536), (4, 6, 0.284761, 0.771981, 25.6285), (5, 7, 0.32415, 0.740441, 29.1735),
    (5, 6, 0.587516, 0.474267, 105.753), (8, 10, 0.40918, 0.672354, 36.8262), (10, 12, 0.449388, 0.640158, 40.4449),
    (10, 14, 0.174132, 0.88835, 7.8359), (20, 24, 0.298072, 0.808882, 13.4133), (48, 55, 0.238701, 0.890335, 6.138),
    (100, 110, 0.237008, 0.921979, 4.2661),
)  # fmt: skip
"""Erlangs, operators, probability of waiting, answered within 20 s, mean wait in seconds; a call takes 180 s.
The same in pyworkforce 0.5.1."""
EXAMPLES = {
    "MMC": {"service_level": (0.900, 0.904), "wait_min": (0.097, 0.102), "occupancy": (0.694, 0.697)},
    "MMCAb": {"abandoned": (57.660, 59.558), "service_level": (0.968, 0.969), "occupancy": (0.674, 0.677)},
    "MMCBlocked": {"blocked": (18.045, 19.265), "service_level": (0.928, 0.930), "occupancy": (0.688, 0.690)},
}
"""Published 95 % intervals of a day. Service level: served within 20 s ÷ (served + abandoned after it)."""


def run(out: Path, quick: bool) -> dict[str, Any]:
    """All anchors. Quick: few days, the intervals are then wide."""
    del out
    msk = simple_msk(days=6 if quick else 40)
    weeks = bilingual(pairs=2 if quick else 80)
    erlang = [erlang_row(row, calls=20_000 if quick else 110_000) for row in ERLANG_ROWS]
    examples = {name: example(name, days=10 if quick else 4000) for name in EXAMPLES}
    return {
        "simple_msk": compared(msk, published.MSK_PUBLISHED),
        "bilingual": compared(weeks, published.BILINGUAL_PUBLISHED),
        "erlang_c": erlang,
        "examples": {name: compared(found, EXAMPLES[name]) for name, found in examples.items()},
    }


def compared(found: dict[str, Estimate], wanted: dict[str, tuple[float, float]]) -> dict[str, dict[str, Any]]:
    """Each figure beside the published interval."""
    return {
        name: {
            "ours": round(found[name].mean, 5),
            "ours_95": [round(found[name].low, 5), round(found[name].high, 5)],
            "published_95": [low, high],
            # To the digits that were published: their ends are rounded too.
            "inside": low <= round(found[name].mean, _digits(low, high)) <= high,
        }
        for name, (low, high) in wanted.items()
    }


def _digits(*values: float) -> int:
    """Decimals of the value that has most."""
    return max(len(str(value).partition(".")[2]) for value in values)


# ---- SimpleMSK ------------------------------------------------------------------------------------------------


def simple_msk(*, days: int, seed: int = 1) -> dict[str, Estimate]:
    """`days` (even) days in pairs of neighbouring strata, whose difference measures what chance is left."""
    return msk_estimates([msk_figures(trace) for trace in published.msk_days(days, seed)])


def msk_estimates(days: Sequence[dict[str, float]]) -> dict[str, Estimate]:
    """The published figures: service level and occupancy are quotients of means, not means of quotients."""
    column = {name: [day[name] for day in days] for name in days[0]}
    return {
        "served": _stratified(column["served"]),
        "abandoned": _stratified(column["abandoned"]),
        "service_level": _quotient(column["in_target"], column["counted"]),
        "occupancy_group_0": _quotient(column["busy_s"], column["staffed_s"]),
    }


def _quotient(above: Sequence[float], below: Sequence[float]) -> Estimate:
    quotient, mean = fmean(above) / fmean(below), fmean(below)
    rest = _stratified([(a - quotient * b) / mean for a, b in zip(above, below, strict=True)])
    return Estimate(mean=quotient, low=quotient + rest.low, high=quotient + rest.high)


def _stratified(values: Sequence[float]) -> Estimate:
    """Mean of one value from each stratum; strata are collapsed in pairs for the error, which errs on the wide side."""
    mean = fmean(values)
    spread = sum((a - b) ** 2 for a, b in zip(values[::2], values[1::2], strict=True))
    half = 1.96 * math.sqrt(spread) / len(values)
    return Estimate(mean=mean, low=mean - half, high=mean + half)


def msk_figures(trace: Trace) -> dict[str, float]:
    """What the published figures of one day are made of."""
    day = play(published.MSK_CENTRE, trace, AT_ONCE)
    callers = list(day.callers.values())
    served = [caller for caller in callers if caller.end is End.ANSWERED]
    left = [caller for caller in callers if caller.end is End.ABANDONED]
    late = sum(caller.wait_s > published.MSK_TARGET_S for caller in left)
    last = max(caller.at + caller.wait_s + caller.talk_s for caller in callers)
    busy = {person.operator: 0.0 for person in trace.operators}
    over = 0.0
    ends = {person.operator: person.shifts[-1][1] for person in trace.operators}
    for caller in served:
        if caller.operator is not None:
            busy[caller.operator] += caller.talk_s
            over += _group(caller.operator) * max(
                0.0, caller.at + caller.wait_s + caller.talk_s - ends[caller.operator]
            )
    staffed = sum(
        min(end, last) - begin
        for person in trace.operators
        for begin, end in person.shifts
        if _group(person.operator)
    )
    return {
        "served": float(len(served)),
        "abandoned": float(len(left)),
        "in_target": float(sum(c.wait_s <= published.MSK_TARGET_S for c in served)),
        "counted": float(len(served) + late),
        # Until the last call ends; who finishes a call after their shift counts as staff until then.
        "busy_s": sum(b for op, b in busy.items() if _group(op)),
        "staffed_s": staffed + over,
    }


def _group(operator: str) -> int:
    """1 for group 0, whose occupancy is published."""
    return 1 if operator.startswith("0") else 0


# ---- Bilingual ------------------------------------------------------------------------------------------------


def bilingual(*, pairs: int, seed: int = 1) -> dict[str, Estimate]:
    """Weeks in antithetic pairs, corrected by what is known of the arrivals."""
    found = [[_bilingual_figures(pair, second, seed) for second in (False, True)] for pair in range(pairs)]
    means = {name: np.array([(one[name] + two[name]) / 2.0 for one, two in found]) for name in found[0][0]}
    controls = [means.pop(name) - expected for name, expected in published.BILINGUAL_CONTROLS.items()]
    return {name: _controlled(values, controls) for name, values in means.items()}


def _controlled(values: Floats, controls: Sequence[Floats]) -> Estimate:
    """The mean where the controls are at their expectation (0), by least squares."""
    if len(values) < 4 * len(controls):
        return estimate(list(values))
    columns = np.column_stack([np.ones(len(values)), *controls])
    slopes = np.linalg.lstsq(columns, values, rcond=None)[0][1:]
    return estimate(list(values - np.column_stack(controls) @ slopes))


def _bilingual_figures(pair: int, second: bool, seed: int) -> dict[str, float]:
    trace = published.bilingual_week(pair, second, seed)
    again = published.CallsAgain(
        random.Random(f"again {seed} {pair} {second}"), next_number=len(trace.calls), waited_before={}
    )
    week = play(published.BILINGUAL_CENTRE, trace, BY_DICE, calls_again=again)
    served = in_target = abandoned = 0
    busy = dict.fromkeys("esb", 0.0)
    for number, caller in week.callers.items():
        waited = caller.wait_s + again.waited_before.get(number, 0.0)
        if caller.end is End.ANSWERED and caller.operator is not None:
            served += 1
            in_target += waited <= published.BILINGUAL_TARGET_S
            busy[caller.operator[0]] += caller.talk_s
        elif caller.end is not End.REFUSED:
            abandoned += 1
    hours = published.BILINGUAL_DAYS * (published.BILINGUAL_CLOSES - published.BILINGUAL_OPENS)
    occupancy = {
        name: busy[name] / (size * hours * published.HOUR) for name, size, _ in published.BILINGUAL_GROUPS
    }
    return {
        **published.bilingual_controls(trace),
        "arrived": float(len(week.callers)),
        "retrials": float(len(week.callers) - len(trace.calls)),
        "served": float(served),
        "abandoned": float(abandoned),
        "in_target": float(in_target),
        # Against the expected number of callers, as published.
        "service_level": in_target / published.BILINGUAL_EXPECTED,
        "occupancy_english": occupancy["e"],
        "occupancy_spanish": occupancy["s"],
        "occupancy_bilingual": occupancy["b"],
    }


# ---- Erlang ---------------------------------------------------------------------------------------------------


def erlang_row(
    row: tuple[float, int, float, float, float], *, calls: int, how: Play = BUILT_IN
) -> dict[str, Any]:
    """One row of Erlang C against a long run in ten batches, the first tenth left out for warming up."""
    load, servers, waiting, level, wait_s = row
    trace = published.queue_trace(
        calls=calls, per_minute=load / 3.0, service_min=3.0, servers=servers, seed=1
    )
    day = play(published.queue_centre(), trace, how)
    waits = [day.callers[call.number].wait_s for call in trace.calls][calls // 11 :]
    size = len(waits) // 10
    batches = [waits[begin : begin + size] for begin in range(0, size * 10, size)]
    found = {
        "waiting": (waiting, estimate([sum(w > 1e-9 for w in part) / size for part in batches])),
        "service_level": (level, estimate([sum(w <= TARGET_S for w in part) / size for part in batches])),
        "wait_s": (wait_s, estimate([fmean(part) for part in batches])),
    }
    return {
        "erlangs": load,
        "operators": servers,
        **{
            name: {
                "exact": exact,
                "ours": round(ours.mean, 5),
                "ours_95": [round(ours.low, 5), round(ours.high, 5)],
                "covered": ours.low <= exact <= ours.high,
            }
            for name, (exact, ours) in found.items()
        },
    }


def example(name: str, *, days: int) -> dict[str, Estimate]:
    """MMC, MMCAb or MMCBlocked: 4.2 calls a minute, 2 minutes each, 12 operators, 8 hours from empty."""
    centre = published.queue_centre(places=5 if name == "MMCBlocked" else None)
    figures = []
    for seed in range(days):
        trace = published.queue_trace(
            calls=10**9,
            per_minute=4.2,
            service_min=2.0,
            servers=12,
            seed=seed,
            patience_min=1.0 if name == "MMCAb" else math.inf,
            hours=8.0,
        )
        figures.append(_example_figures(play(centre, trace, BUILT_IN), 12))
    return {figure: _of_days(figure, figures) for figure in EXAMPLES[name]}


_QUOTIENTS = {"service_level": ("in_target", "counted"), "wait_min": ("waited_min", "served")}


def _of_days(figure: str, days: Sequence[dict[str, float]]) -> Estimate:
    """A mean, or a quotient of means with the error of its linear part."""
    if figure not in _QUOTIENTS:
        return estimate([day[figure] for day in days])
    above, below = ([day[name] for day in days] for name in _QUOTIENTS[figure])
    quotient, mean = fmean(above) / fmean(below), fmean(below)
    rest = estimate([(a - quotient * b) / mean for a, b in zip(above, below, strict=True)])
    return Estimate(mean=quotient, low=quotient + rest.low, high=quotient + rest.high)


def _example_figures(day: Day, servers: int) -> dict[str, float]:
    callers = list(day.callers.values())
    served = [caller for caller in callers if caller.end is End.ANSWERED]
    late = sum(caller.end is End.ABANDONED and caller.wait_s > TARGET_S for caller in callers)
    horizon = 8 * published.HOUR
    busy = sum(
        max(0.0, min(c.at + c.wait_s + c.talk_s, horizon) - min(c.at + c.wait_s, horizon)) for c in served
    )
    return {
        "in_target": float(sum(c.wait_s <= TARGET_S for c in served)),
        "counted": float(len(served) + late),
        "served": float(len(served)),
        "waited_min": sum(caller.wait_s for caller in served) / published.MINUTE,
        "abandoned": float(day.count(End.ABANDONED)),
        "blocked": float(day.count(End.OVERFLOW)),
        "occupancy": busy / (servers * horizon),
    }


def same_waits(centre: Centre, trace: Trace) -> bool:
    """Whether the production floor lets every caller of one queue wait exactly as long as a built-in strategy."""
    ours, theirs = play(centre, trace, AT_ONCE), play(centre, trace, BUILT_IN)
    return all(
        abs(caller.wait_s - theirs.callers[number].wait_s) < 1e-6 and caller.end is theirs.callers[number].end
        for number, caller in ours.callers.items()
    )
