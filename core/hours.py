"""When the city's telephone is staffed. Pure; every interval is half-open, in Asia/Tokyo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum, unique

from core.clock import TOKYO

LOOK_AHEAD_DAYS = 400
"""How far the next opening is searched for."""

HolidayName = Callable[[date], str | None]


@unique
class ClosedReason(StrEnum):
    """Why a caller finds the centre closed; the values stand in `TS_CLOSED`."""

    AFTER_HOURS = "after_hours"
    CLOSED_DAY = "closed_day"
    HOLIDAY = "holiday"
    YEAR_END = "year_end"
    SPECIAL_DAY = "special_day"
    EMERGENCY = "emergency"

    @property
    def label_ja(self) -> str:
        return {
            ClosedReason.AFTER_HOURS: "受付時間外",
            ClosedReason.CLOSED_DAY: "定休日",
            ClosedReason.HOLIDAY: "祝日",
            ClosedReason.YEAR_END: "年末年始",
            ClosedReason.SPECIAL_DAY: "特定日",
            ClosedReason.EMERGENCY: "緊急閉鎖",
        }[self]


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Minutes since midnight, `opens` included, `closes` not; `closes` up to 1440."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= 24 * 60:
            raise ValueError(f"not an interval of one day: {self.opens}-{self.closes}")


@dataclass(frozen=True, slots=True)
class Period:
    """The week that applies from `valid_from` until the next period; Monday is 0."""

    valid_from: date
    week: tuple[tuple[Interval, ...], ...]


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """One date that goes its own way; no interval means closed."""

    intervals: tuple[Interval, ...]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YearEnd:
    """Closed from `first` to `last`, both included, as (month, day); may run over New Year."""

    first: tuple[int, int]
    last: tuple[int, int]

    def covers(self, day: date) -> bool:
        today = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= today <= self.last
        return today >= self.first or today <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """The centre was closed by hand. `until` None means until it is opened by hand."""

    message: str
    """Name of the prompt to play, e.g. `emergency_closed`."""
    until: datetime | None
    reason: str
    """For the record; never played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """One date's staffed intervals. `reason` says why there are none."""

    intervals: tuple[Interval, ...]
    reason: ClosedReason | None = None
    name: str = ""
    """The holiday's or special day's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursState:
    """Whether the centre is open at a moment, and what a closed caller should be told."""

    open: bool
    reason: ClosedReason | None = None
    name: str = ""
    next_opening: datetime | None = None
    """The first moment after this one at which it opens; None while open, or when nobody knows."""
    closes_at: datetime | None = None
    emergency: Emergency | None = None


def at_minute(day: date, minute: int) -> datetime:
    """The moment `minute` minutes after the midnight that begins `day`, in Asia/Tokyo."""
    return datetime.combine(day, time(), TOKYO) + timedelta(minutes=minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """The rules of one timetable, strongest first: special day, year end, public holiday, weekday."""

    periods: tuple[Period, ...]
    """In order of `valid_from`; the first also covers the time before it."""
    closed_on_holidays: bool
    year_end: YearEnd | None = None
    special_days: Mapping[date, SpecialDay] = field(default_factory=dict)
    holiday_name: HolidayName

    def period_of(self, day: date) -> Period:
        """The period in force on `day`."""
        found = self.periods[0]
        for period in self.periods[1:]:
            if period.valid_from <= day:
                found = period
        return found

    def plan(self, day: date) -> DayPlan:
        """What the rules say about `day`, emergencies aside."""
        if special := self.special_days.get(day):
            reason = None if special.intervals else ClosedReason.SPECIAL_DAY
            return DayPlan(intervals=special.intervals, reason=reason, name=special.name)
        if self.year_end and self.year_end.covers(day):
            return DayPlan(intervals=(), reason=ClosedReason.YEAR_END)
        holiday = self.holiday_name(day) if self.closed_on_holidays else None
        if holiday:
            return DayPlan(intervals=(), reason=ClosedReason.HOLIDAY, name=holiday)
        intervals = self.period_of(day).week[day.weekday()]
        return DayPlan(intervals=intervals, reason=None if intervals else ClosedReason.CLOSED_DAY)

    def state_at(self, moment: datetime, emergency: Emergency | None = None) -> HoursState:
        """Open or closed at `moment`, an aware time in any zone."""
        now = moment.astimezone(TOKYO)
        if emergency and (emergency.until is None or now < emergency.until):
            again = None if emergency.until is None else self.open_from(emergency.until)
            return HoursState(
                open=False, reason=ClosedReason.EMERGENCY, next_opening=again, emergency=emergency
            )
        plan = self.plan(now.date())
        for interval in plan.intervals:
            if at_minute(now.date(), interval.opens) <= now < at_minute(now.date(), interval.closes):
                return HoursState(open=True, closes_at=at_minute(now.date(), interval.closes))
        return HoursState(
            open=False,
            reason=plan.reason or ClosedReason.AFTER_HOURS,
            name=plan.name,
            next_opening=self.open_from(now),
        )

    def end_of_next_day(self, moment: datetime) -> datetime | None:
        """When the first staffed day after `moment`'s own closes: the usual deadline for the city; None within
        `LOOK_AHEAD_DAYS`."""
        today = moment.astimezone(TOKYO).date()
        for offset in range(1, LOOK_AHEAD_DAYS):
            day = today + timedelta(days=offset)
            intervals = self.plan(day).intervals
            if intervals:
                return at_minute(day, intervals[-1].closes)
        return None

    def open_from(self, moment: datetime) -> datetime | None:
        """The first moment at or after `moment` that is open, or None within `LOOK_AHEAD_DAYS`."""
        now = moment.astimezone(TOKYO)
        for offset in range(LOOK_AHEAD_DAYS):
            day = now.date() + timedelta(days=offset)
            for interval in self.plan(day).intervals:
                if now < at_minute(day, interval.closes):
                    return max(now, at_minute(day, interval.opens))
        return None
