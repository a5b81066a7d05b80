"""Days in half-hours: what a month's volume or a history says about each, and the month ahead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import fmean, variance

SLOT_MIN = 30
SATURDAY = 5
LEAST_DAYS = 2
"""So many days of a weekday must be known before they speak for it; else all days of its kind do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One half-hour, or the open part of it."""

    begins_min: int
    """Minutes since midnight."""
    calls: float
    """Expected."""
    spread: float = 0.0
    """Variance of the number of calls, Poisson's included; 0 where only a volume is known."""

    late_min: int = 0
    """Minutes of the half-hour before the centre opens in it."""
    open_min: int = SLOT_MIN
    """Minutes in which the centre is open, 1 to 30: calls come in them only."""

    @property
    def calls_per_hour(self) -> float:
        """While the centre is open."""
        return self.calls * 60.0 / self.open_min

    @property
    def label(self) -> str:
        return f"{self.begins_min // 60:02d}:{self.begins_min % 60:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDay:
    """One day's forecast."""

    day: date
    slots: tuple[Slot, ...]

    @property
    def calls(self) -> float:
        return math.fsum(slot.calls for slot in self.slots)


def slots_of(intervals: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Begins of the half-hours that lie in these open intervals (minutes since midnight), a broken one included."""
    found = {
        begin - begin % SLOT_MIN
        for opens, closes in intervals
        for begin in range(opens - opens % SLOT_MIN, closes, SLOT_MIN)
    }
    return tuple(sorted(found))


def open_part(begin: int, intervals: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Of the half-hour from `begin` (minutes since midnight): minutes before the centre opens, and open ones.

    A half-hour that is no part of the intervals is taken to be open.
    """
    inside = [(max(begin, opens), min(begin + SLOT_MIN, closes)) for opens, closes in intervals]
    parts = [(since, until) for since, until in inside if since < until]
    if not parts:
        return 0, SLOT_MIN
    return min(since for since, _ in parts) - begin, sum(until - since for since, until in parts)


def within_opening(expected: ExpectedDay, intervals: Sequence[tuple[int, int]]) -> ExpectedDay:
    """The same day, with the open part of each half-hour."""
    slots = []
    for slot in expected.slots:
        late, minutes = open_part(slot.begins_min, intervals)
        slots.append(replace(slot, late_min=late, open_min=minutes))
    return replace(expected, slots=tuple(slots))


def weekday_calls(month_calls: float, weekdays: int, weekend_days: int, weekend_share: float) -> float:
    """Calls of one weekday in a month of so many open days."""
    weight = weekdays + weekend_share * weekend_days
    return month_calls / weight if weight else 0.0


def day_from_volume(
    day: date, calls: float, intervals: Sequence[tuple[int, int]], peak_hour: int, peak_share: float
) -> ExpectedDay:
    """A day's calls over its half-hours: the peak hour has its share, the rest spreads evenly over the open time.

    A day that is not open in the peak hour spreads all its calls.
    """
    opened = slots_of(intervals)
    parts = {begin: open_part(begin, intervals) for begin in opened}
    minutes = {begin: number for begin, (_, number) in parts.items()}
    peak = [begin for begin in opened if begin // 60 == peak_hour]
    share = peak_share if peak else 0.0
    others = sum(minutes[begin] for begin in opened if begin not in peak)
    if not others:
        share = 1.0
    in_peak = sum(minutes[begin] for begin in peak)
    return ExpectedDay(
        day=day,
        slots=tuple(
            Slot(
                begins_min=begin,
                calls=calls
                * (
                    share * minutes[begin] / in_peak
                    if begin in peak
                    else (1 - share) * minutes[begin] / others
                ),
                late_min=parts[begin][0],
                open_min=parts[begin][1],
            )
            for begin in opened
        ),
    )


def forecast(
    days: Iterable[date],
    history: Mapping[date, Mapping[int, int]],
    slots_on: Mapping[date, Sequence[int]],
    resting: Iterable[date] = (),
) -> list[ExpectedDay]:
    """The days ahead from the days behind, by weekday and half-hour.

    Args:
        days: to be forecast, open ones; ascending.
        history: open days of the past to the calls of each half-hour (its begin in minutes); missing half-hours are 0.
        slots_on: half-hours in which each of those days, past and ahead, is open.
        resting: public holidays among all these days; they are taken for Sundays.

    Raises:
        ValueError: no history at all.
    """
    if not history:
        raise ValueError("no history to forecast from")
    holidays = frozenset(resting)

    def kind(day: date) -> int:
        return 6 if day in holidays else day.weekday()

    def counts(begin: int, wanted: int) -> list[int]:
        open_then = [day for day in history if begin in slots_on.get(day, ())]
        same = [day for day in open_then if kind(day) == wanted]
        alike = [day for day in open_then if (kind(day) >= SATURDAY) == (wanted >= SATURDAY)]
        for chosen in (same, alike, open_then):
            if len(chosen) >= LEAST_DAYS:
                return [history[day].get(begin, 0) for day in chosen]
        return [history[day].get(begin, 0) for day in open_then]

    def slot(begin: int, wanted: int) -> Slot:
        found = counts(begin, wanted)
        if not found:
            return Slot(begins_min=begin, calls=0.0)
        mean = fmean(found)
        # Days differ by more than chance; how much is what the counts themselves show.
        spread = max(mean, variance(found)) if len(found) >= LEAST_DAYS else mean
        return Slot(begins_min=begin, calls=mean, spread=spread + mean / len(found))

    made: dict[tuple[int, int], Slot] = {}
    expected = []
    for day in days:
        for begin in slots_on.get(day, ()):
            made.setdefault((kind(day), begin), slot(begin, kind(day)))
        expected.append(
            ExpectedDay(day=day, slots=tuple(made[kind(day), begin] for begin in slots_on.get(day, ())))
        )
    return expected


def total_band(days: Sequence[ExpectedDay]) -> tuple[float, float, float]:
    """The sum of all calls, and where it lies in 95 of 100 cases (normal approximation; never below 0)."""
    mean = math.fsum(day.calls for day in days)
    half = 1.96 * math.sqrt(math.fsum(slot.spread for day in days for slot in day.slots))
    return mean, max(0.0, mean - half), mean + half
