"""When the city's departments take calls, as moments on the switch, and deputies that lead back."""

from __future__ import annotations

import time
from datetime import date, datetime

import pytest

from acd.directory import DAYS_AHEAD, LATEST, MOST_SPANS, deputies_in_a_circle, open_moments
from acd.directory_profile import DirectoryEntry
from core.clock import TOKYO, Clock, ManualClock, ScaledClock
from core.holidays import holiday_name
from core.hours import Interval, OpeningHours, Period, SpecialDay, YearEnd

pytestmark = pytest.mark.unit

WEEK = ({"days": ["mon", "tue", "wed", "thu", "fri"], "times": ["08:30-12:00", "13:00-17:15"]},)
CENTRE = OpeningHours(
    periods=(Period(date(2024, 4, 1), ((Interval(540, 1200),),) * 7),),
    closed_on_holidays=False,
    year_end=YearEnd(first=(12, 29), last=(1, 3)),
    special_days={
        date(2026, 11, 25): SpecialDay((), "停電点検"),
        date(2026, 11, 28): SpecialDay((Interval(540, 720),), "臨時の開庁"),
    },
    holiday_name=holiday_name,
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO).timestamp()


def entry(**more: object) -> DirectoryEntry:
    return DirectoryEntry.model_validate(
        {"extension": "701", "name_ja": "課", "department": "課", "endpoint": "a", "hours": WEEK, **more}
    )


def hours(**more: object) -> OpeningHours:
    found = entry(**more).opening_hours(CENTRE)
    assert found is not None
    return found


def open_at(moments: str, moment: float) -> bool:
    """As the dialplan looks at it (dialplans/50-transfer.conf, staff-door)."""
    spans = [tuple(map(int, part.split("-"))) for part in moments.split("&")]
    return any(since <= moment < until for since, until in spans)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-24 08:29:59", False),
        ("2026-11-24 08:30", True),
        ("2026-11-24 12:00", False),
        ("2026-11-24 17:14:59", True),
        ("2026-11-24 17:15", False),
        ("2026-11-25 10:00", False),  # the city's closed day
        ("2026-11-26 10:00", True),
        ("2026-11-28 10:00", False),  # a Saturday on which the centre is open
        ("2026-12-04 10:00", True),
    ],
)
def test_the_switch_sees_the_same_hours(moment: str, is_open: bool) -> None:
    moments = open_moments(hours(), ManualClock(at("2026-11-24 07:00")))
    assert open_at(moments, at(moment)) is is_open
    assert hours().state_at(datetime.fromisoformat(moment).replace(tzinfo=TOKYO)).open is is_open


def test_a_city_office_is_closed_on_public_holidays_unless_it_says_so() -> None:
    clock = ManualClock(at("2026-11-20 07:00"))  # the 23rd is Labour Thanksgiving Day, a Monday
    assert not open_at(open_moments(hours(), clock), at("2026-11-23 10:00"))
    assert open_at(open_moments(hours(holidays="open"), clock), at("2026-11-23 10:00"))


def test_year_end_and_the_days_that_nobody_has_told() -> None:
    moments = open_moments(hours(), ManualClock(at("2026-12-27 07:00")))
    assert open_at(moments, at("2026-12-28 10:00"))
    assert not open_at(moments, at("2026-12-29 10:00"))
    assert not open_at(moments, at("2027-01-02 10:00"))
    assert open_at(moments, at("2027-01-04 10:00"))
    assert open_at(moments, at("2026-12-27 00:00") + DAYS_AHEAD * 86400.0), "what nobody knows is open"


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_the_citys_clock_may_run_otherwise(speed: float) -> None:
    start, now = datetime(2026, 11, 24, 8, 0, tzinfo=TOKYO), float(int(time.time()))
    clock = ScaledClock(now, start, speed)
    moments = open_moments(hours(), clock)
    for minute, is_open in ((0, False), (29, False), (30, True), (239, True), (241, False)):
        assert open_at(moments, now + minute * 60 / speed) is is_open


@pytest.mark.parametrize(("hour", "is_open"), [(10, True), (20, False)])
def test_a_clock_that_stands(hour: int, is_open: bool) -> None:
    clock: Clock = ScaledClock(1_000_000.0, datetime(2026, 11, 24, hour, tzinfo=TOKYO), 0.0)
    assert open_at(open_moments(hours(), clock), 2_000_000.0) is is_open


def test_it_fits_a_line_of_the_switch() -> None:
    many = [f"{hour:02}:00-{hour:02}:30" for hour in range(24)]
    moments = open_moments(
        hours(hours=({"days": ["mon", "tue", "wed", "thu"], "times": many},), holidays="open"),
        ManualClock(at("2026-11-30 07:00")),
    )
    assert len(moments.split("&")) <= MOST_SPANS
    assert len(f"Value: {moments}") < 1000
    assert moments.endswith(f"-{LATEST}")


def test_without_hours_always() -> None:
    assert entry(hours=()).opening_hours(CENTRE) is None


@pytest.mark.parametrize(
    ("deputies", "in_circle"),
    [
        ({}, False),
        ({"701": "702", "702": "703"}, False),
        ({"701": "703", "702": "703"}, False),
        ({"701": "701"}, True),
        ({"701": "702", "702": "701"}, True),
        ({"701": "702", "702": "703", "703": "702"}, True),
    ],
)
def test_deputies_that_lead_back(deputies: dict[str, str], in_circle: bool) -> None:
    assert (deputies_in_a_circle(deputies) is not None) is in_circle
