"""Figures about played days: evenness of load, waits, and paired differences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from statistics import fmean, stdev

from acd.demand import Skills
from acd.simulation.outcome import Day
from core.ids import OperatorId

OFFERS_LEAST = 100
"""Skills with fewer offers in the period are left out: their unevenness is chance."""


@unique
class LoadMeasure(StrEnum):
    """What counts as an operator's load, each per signed-in hour with breaks left out."""

    MINUTES = "minutes"
    """Handled minutes: talk and wrap-up."""
    CALLS = "calls"
    """Handled calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What one operator carried over a period."""

    skills: Skills
    hours: float
    minutes: float
    calls: int

    def load(self, measure: LoadMeasure) -> float:
        return (self.minutes if measure is LoadMeasure.MINUTES else self.calls) / self.hours


def carried(days: Sequence[Day]) -> dict[OperatorId, Carried]:
    """What each operator carried over these days; who was never signed in is left out."""
    found: dict[OperatorId, Carried] = {}
    for operator in sorted({operator for day in days for operator in day.workers}):
        workers = [day.workers[operator] for day in days if operator in day.workers]
        hours = sum(worker.signed_in_s for worker in workers) / 3600.0
        if hours > 0.0:
            found[operator] = Carried(
                skills=workers[0].skills,
                hours=hours,
                minutes=sum(worker.handled_s for worker in workers) / 60.0,
                calls=sum(worker.calls for worker in workers),
            )
    return found


def unevenness(loads: Iterable[float]) -> float:
    """(max - min) / mean; 0 for one operator or for no load at all."""
    values = list(loads)
    mean = fmean(values) if values else 0.0
    return (max(values) - min(values)) / mean if mean > 0.0 else 0.0


def unevenness_by_skill(
    days: Sequence[Day], offers: Mapping[str, int], measure: LoadMeasure
) -> dict[str, float]:
    """Unevenness of the load of those who hold a skill, for each skill with enough offers and two holders.

    Args:
        offers: how many offers asked for the skill in these days.
    """
    people = carried(days).values()
    return {
        skill: unevenness([person.load(measure) for person in holders])
        for skill, count in sorted(offers.items())
        if count >= OFFERS_LEAST and len(holders := [p for p in people if p.skills.get(skill, 0) > 0]) >= 2
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


_T_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t, two-sided 95 %, for 1 to 30 degrees of freedom."""


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of independent values (two or more) with Student's interval.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError("an interval needs two values")
    mean = fmean(values)
    freedom = len(values) - 1
    # Above 30 the series 1.96 + 2.4/n is within 0.002 of the table.
    t = _T_95[freedom - 1] if freedom <= len(_T_95) else 1.96 + 2.4 / freedom
    half = t * stdev(values) / math.sqrt(len(values))
    return Estimate(mean=mean, low=mean - half, high=mean + half)


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed; 0 when there are none."""
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, max(0, math.ceil(share * len(ascending)) - 1))]
