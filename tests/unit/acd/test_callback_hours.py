"""When citizens may be called: inside opening hours, not too early, not just before closing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from acd.callback_profile import CallbackHours, CallbackSection
from core.clock import TOKYO
from core.hours import Interval, OpeningHours, Period

pytestmark = pytest.mark.unit

WEEKDAYS = ((Interval(510, 1020),),) * 5 + ((), ())
"""8:30–17:00, Monday to Friday."""
OPEN = OpeningHours(
    periods=(Period(date(2026, 1, 1), WEEKDAYS),),
    closed_on_holidays=True,
    holiday_name=lambda day: "勤労感謝の日" if day == date(2026, 11, 23) else None,
)


def hours(**values: object) -> CallbackHours:
    return CallbackSection.model_validate({"enabled": True, **values}).hours(OPEN)


def at(day: int, clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day:02d}T{clock}:00").replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        (at(24, "08:29"), False), (at(24, "08:30"), True), (at(24, "16:44"), True), (at(24, "16:45"), False),
        (at(23, "10:00"), False), (at(28, "10:00"), False),
    ],
)  # fmt: skip
def test_inside_opening_hours_until_some_minutes_before_closing(moment: datetime, allowed: bool) -> None:
    assert hours(stop_before_close_min=15).may_call(moment) is allowed


@pytest.mark.parametrize(
    ("clock", "allowed"), [("08:45", False), ("09:00", True), ("12:30", False), ("13:00", True)]
)
def test_quiet_hours_narrow_them(clock: str, allowed: bool) -> None:
    assert hours(times=["09:00-12:00", "13:00-23:00"]).may_call(at(24, clock)) is allowed


def test_quiet_hours_never_widen_them() -> None:
    wide = hours(times=["06:00-23:00"], stop_before_close_min=0)
    assert not wide.may_call(at(24, "08:00"))
    assert not wide.may_call(at(24, "17:00"))


def test_the_next_moment() -> None:
    tidy = hours(times=["09:00-17:00"])
    assert tidy.next_from(at(24, "10:00")) == at(24, "10:00")
    assert tidy.next_from(at(24, "08:00")) == at(24, "09:00")
    assert tidy.next_from(at(27, "16:50")) == at(30, "09:00"), "a Friday's evening is followed by Monday"


def test_the_last_day_counts_opening_days() -> None:
    assert hours(keep_days=0).expiry(at(24, "10:00")) == at(25, "00:00")
    assert hours(keep_days=1).expiry(at(27, "10:00")) == at(30, "00:00") + timedelta(days=1)
    assert hours(keep_days=1).expiry(at(20, "10:00")) == at(25, "00:00"), "the holiday is no opening day"
