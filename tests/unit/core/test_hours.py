"""Opening hours: what the rules say, and what holds for every moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import TOKYO
from core.holidays import holiday_name
from core.hours import (
    ClosedReason,
    Emergency,
    HoursState,
    Interval,
    OpeningHours,
    Period,
    SpecialDay,
    YearEnd,
)

pytestmark = pytest.mark.unit

OFFICE = (Interval(9 * 60, 17 * 60 + 15),)
WEEKDAYS = (OFFICE,) * 5 + ((), ())


def make_hours(
    *,
    periods: tuple[Period, ...] = (Period(date(2024, 4, 1), WEEKDAYS),),
    closed_on_holidays: bool = True,
    year_end: YearEnd | None = YearEnd(first=(12, 29), last=(1, 3)),  # noqa: B008 - frozen
    special_days: dict[date, SpecialDay] | None = None,
) -> OpeningHours:
    return OpeningHours(
        periods=periods,
        closed_on_holidays=closed_on_holidays,
        year_end=year_end,
        special_days=special_days or {},
        holiday_name=holiday_name,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("moment", "reason", "opening"),
    [
        ("2024-11-26 08:59:59", ClosedReason.AFTER_HOURS, "2024-11-26 09:00"),
        ("2024-11-26 17:15", ClosedReason.AFTER_HOURS, "2024-11-27 09:00"),
        ("2024-11-29 18:00", ClosedReason.AFTER_HOURS, "2024-12-02 09:00"),
        ("2024-11-24 10:00", ClosedReason.CLOSED_DAY, "2024-11-25 09:00"),
        ("2024-11-04 10:00", ClosedReason.HOLIDAY, "2024-11-05 09:00"),
        ("2024-12-29 10:00", ClosedReason.YEAR_END, "2025-01-06 09:00"),
        ("2025-01-01 10:00", ClosedReason.YEAR_END, "2025-01-06 09:00"),
        ("2024-12-28 10:00", ClosedReason.CLOSED_DAY, "2025-01-06 09:00"),
    ],
)
def test_closed(moment: str, reason: ClosedReason, opening: str) -> None:
    state = make_hours().state_at(at(moment))
    assert (state.open, state.reason, state.next_opening) == (False, reason, at(opening))


@pytest.mark.parametrize("moment", ["2024-11-26 09:00", "2024-11-26 17:14:59"])
def test_open(moment: str) -> None:
    assert make_hours().state_at(at(moment)) == HoursState(open=True, closes_at=at("2024-11-26 17:15"))


def test_a_substitute_holiday_is_named() -> None:
    assert "振替休日" in make_hours().state_at(at("2024-11-04 10:00")).name


def test_a_city_open_on_holidays_is_open() -> None:
    assert make_hours(closed_on_holidays=False).state_at(at("2024-11-04 10:00")).open


def test_a_special_day_goes_before_everything() -> None:
    days = {
        date(2024, 11, 4): SpecialDay((Interval(600, 720),), "臨時開設"),
        date(2024, 12, 30): SpecialDay((Interval(600, 720),), "臨時開設"),
        date(2024, 11, 26): SpecialDay((), "機器の点検"),
    }
    hours = make_hours(special_days=days)
    assert hours.state_at(at("2024-11-04 10:00")).closes_at == at("2024-11-04 12:00")
    assert hours.state_at(at("2024-12-30 11:59")).open
    closed = hours.state_at(at("2024-11-26 10:00"))
    assert (closed.reason, closed.name) == (ClosedReason.SPECIAL_DAY, "機器の点検")
    # Before a special day's hours it is out of hours, not a day off.
    assert hours.state_at(at("2024-11-04 09:00")).reason is ClosedReason.AFTER_HOURS


def test_a_lunch_break_closes_in_between() -> None:
    week = ((Interval(540, 720), Interval(780, 1020)),) * 7
    hours = make_hours(periods=(Period(date(2024, 4, 1), week),))
    state = hours.state_at(at("2024-11-26 12:00"))
    assert (state.reason, state.next_opening) == (ClosedReason.AFTER_HOURS, at("2024-11-26 13:00"))


def test_hours_change_at_the_midnight_of_valid_from() -> None:
    later = ((Interval(540, 990),),) * 7
    hours = make_hours(periods=(Period(date(2024, 4, 1), WEEKDAYS), Period(date(2024, 10, 1), later)))
    assert hours.state_at(at("2024-09-30 17:00")).open
    assert not hours.state_at(at("2024-10-01 17:00")).open


def test_a_day_that_ends_at_midnight() -> None:
    hours = make_hours(periods=(Period(date(2024, 4, 1), ((Interval(0, 1440),),) * 7),), year_end=None)
    state = hours.state_at(at("2024-11-26 23:59:59"))
    assert (state.open, state.closes_at) == (True, at("2024-11-27 00:00"))


def test_any_time_zone_is_understood() -> None:
    assert make_hours().state_at(datetime(2024, 11, 26, 0, 0, tzinfo=UTC)).open


def test_never_open_again_is_said_honestly() -> None:
    hours = make_hours(periods=(Period(date(2024, 4, 1), ((),) * 7),))
    state = hours.state_at(at("2024-11-26 10:00"))
    assert (state.reason, state.next_opening) == (ClosedReason.CLOSED_DAY, None)


@pytest.mark.parametrize(
    ("until", "opening"),
    [
        (None, None),
        ("2024-11-26 13:00", "2024-11-26 13:00"),
        ("2024-11-26 18:00", "2024-11-27 09:00"),
        ("2024-11-30 00:00", "2024-12-02 09:00"),
    ],
)
def test_emergency(until: str | None, opening: str | None) -> None:
    emergency = Emergency(message="emergency_closed", until=at(until) if until else None, reason="停電")
    state = make_hours().state_at(at("2024-11-26 10:00"), emergency)
    assert (state.open, state.reason, state.emergency) == (False, ClosedReason.EMERGENCY, emergency)
    assert state.next_opening == (at(opening) if opening else None)


def test_an_emergency_ends_at_its_time() -> None:
    emergency = Emergency(message="emergency_closed", until=at("2024-11-26 13:00"), reason="停電")
    assert make_hours().state_at(at("2024-11-26 13:00"), emergency).open


def test_an_interval_must_be_one() -> None:
    for opens, closes in ((600, 600), (-1, 5), (600, 1441)):
        with pytest.raises(ValueError, match="not an interval"):
            Interval(opens, closes)


INTERVALS = st.lists(
    st.integers(0, 1440), min_size=0, max_size=4, unique=True
).map(lambda marks: tuple(Interval(*pair) for pair in zip(*[iter(sorted(marks))] * 2, strict=False)))  # fmt: skip


@st.composite
def timetables(draw: st.DrawFn) -> OpeningHours:
    start = date(2024, 4, 1)
    return make_hours(
        periods=tuple(
            Period(start + timedelta(days=90 * index), tuple(draw(INTERVALS) for _ in range(7)))
            for index in range(draw(st.integers(1, 2)))
        ),
        closed_on_holidays=draw(st.booleans()),
        special_days={
            start + timedelta(days=draw(st.integers(0, 365))): SpecialDay(draw(INTERVALS), "特定日")
            for _ in range(draw(st.integers(0, 3)))
        },
    )


@settings(max_examples=60, deadline=None)
@given(hours=timetables(), minute=st.integers(0, 366 * 1440), closures=st.integers(-300, 3000) | st.none())
def test_the_next_opening_is_the_first_open_moment(
    hours: OpeningHours, minute: int, closures: int | None
) -> None:
    now = at("2024-04-01 00:00") + timedelta(minutes=minute, seconds=30)
    emergency = None
    if closures is not None:
        emergency = Emergency(message="m", until=now + timedelta(minutes=closures), reason="r")
    state = hours.state_at(now, emergency)
    assert state.open == (state.reason is None)
    if state.open:
        assert state.closes_at is not None
        assert state.closes_at > now
        assert hours.state_at(state.closes_at - timedelta(seconds=1), emergency).open
        return
    if state.next_opening is None:
        return
    assert state.next_opening > now
    assert hours.state_at(state.next_opening, emergency).open
    # Whole minutes are enough: every rule changes on one, bar the emergency's own end.
    between = now.replace(second=0) + timedelta(minutes=1)
    for _ in range(3000):
        if between >= state.next_opening:
            break
        assert not hours.state_at(between, emergency).open
        between += timedelta(minutes=1)
