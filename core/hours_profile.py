"""`[hours]` of a profile: opening hours as a clerk writes them, turned into `core.hours`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from core.hours import HolidayName, Interval, OpeningHours, Period, SpecialDay, YearEnd
from core.profile_file import Section, Text

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS_JA = "月火水木金土日"
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def interval_of(text: str) -> Interval:
    """`09:00-17:15` as an interval; `24:00` may end a day.

    Raises:
        ValueError: the text is no such span, or it ends before it begins.
    """
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)", text)
    if found:
        first, last = (int(found[i]) * 60 + int(found[i + 1]) for i in (1, 3))
        if first < last <= 24 * 60:
            return Interval(first, last)
    raise ValueError(f"時間帯として読めません: {text!r}|09:00-17:15 のように書く")


def month_day_of(text: str) -> tuple[int, int]:
    """`12-29` as (12, 29).

    Raises:
        ValueError: the text is no day of a year.
    """
    try:
        day = date.fromisoformat(f"2024-{text}")
    except ValueError as exc:
        raise ValueError(f"月日として読めません: {text!r}|12-29 のように書く") from exc
    return day.month, day.day


def _checked_span(text: str) -> str:
    interval_of(text)
    return text


def _checked_month_day(text: str) -> str:
    month_day_of(text)
    return text


Span = Annotated[str, AfterValidator(_checked_span)]
MonthDay = Annotated[str, AfterValidator(_checked_month_day)]


class WeekSection(Section):
    """One row of a timetable: on these days, these times, from this date on."""

    valid_from: date
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    times: Annotated[tuple[Span, ...], Field(min_length=1)]


class SpecialDaySection(Section):
    """A date with hours of its own; no `times` means closed."""

    date: date
    name: Text
    times: tuple[Span, ...] = ()


class DeskSection(Section):
    """Another desk of the same contract (video window): told in announcements, never used to route calls."""

    name_ja: Text
    year_end_from: MonthDay | None = None
    year_end_to: MonthDay | None = None
    weeks: Annotated[tuple[WeekSection, ...], Field(min_length=1)]


class HoursSection(Section):
    """`[hours]`: when the telephone is staffed."""

    contract_from: date
    contract_to: date
    holidays: Literal["open", "closed"]
    year_end_from: MonthDay | None = None
    year_end_to: MonthDay | None = None
    phone: Annotated[tuple[WeekSection, ...], Field(min_length=1)]
    desk: DeskSection | None = None
    special_days: tuple[SpecialDaySection, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> HoursSection:
        if self.contract_from > self.contract_to:
            raise ValueError("契約の終わりが始まりより前です|contract_from と contract_to を見直す")
        _year_end(self)
        dates = [day.date for day in self.special_days]
        for day in dates:
            if dates.count(day) > 1:
                raise ValueError(f"特定日が重なっています: {day}|一つにまとめる")
            if not self.contract_from <= day <= self.contract_to:
                raise ValueError(f"特定日が契約期間の外です: {day}|日付を見直す")
        periods_of(self.phone)
        if self.desk:
            _year_end(self.desk)
            periods_of(self.desk.weeks)
        return self

    def opening_hours(self, holiday_name: HolidayName) -> OpeningHours:
        """The telephone's hours."""
        special_days = {
            day.date: SpecialDay(tuple(sorted(map(interval_of, day.times))), day.name)
            for day in self.special_days
        }
        return OpeningHours(
            periods=periods_of(self.phone),
            closed_on_holidays=self.holidays == "closed",
            year_end=_year_end(self),
            special_days=special_days,
            holiday_name=holiday_name,
        )

    def desk_hours(self, holiday_name: HolidayName) -> OpeningHours | None:
        """The other desk's hours. It stands in a city office, so public holidays always close it."""
        if self.desk is None:
            return None
        return OpeningHours(
            periods=periods_of(self.desk.weeks),
            closed_on_holidays=True,
            year_end=_year_end(self.desk),
            holiday_name=holiday_name,
        )


def _year_end(section: HoursSection | DeskSection) -> YearEnd | None:
    first, last = section.year_end_from, section.year_end_to
    if (first is None) != (last is None):
        raise ValueError("年末年始の片方がありません|year_end_from と year_end_to を両方書く")
    return YearEnd(first=month_day_of(first), last=month_day_of(last)) if first and last else None


def periods_of(weeks: Iterable[WeekSection]) -> tuple[Period, ...]:
    """Rows of the same `valid_from` make one week; `date.min` is for a week that never changed."""
    starts: dict[date, list[list[Interval]]] = {}
    for row in weeks:
        week = starts.setdefault(row.valid_from, [[] for _ in WEEKDAYS])
        for day in row.days:
            week[WEEKDAYS.index(day)].extend(map(interval_of, row.times))
    for start, week in starts.items():
        for name, intervals in zip(WEEKDAYS_JA, week, strict=True):
            intervals.sort()
            for before, after in pairwise(intervals):
                if before.closes > after.opens:
                    since = "" if start == date.min else f"{start} からの"
                    raise ValueError(f"{since}{name}曜日の時間帯が重なっています|重なりをなくす")
    return tuple(
        Period(start, tuple(tuple(intervals) for intervals in week)) for start, week in sorted(starts.items())
    )
