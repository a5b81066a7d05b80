"""Seats of a day, forecast, outbound switch and roster, on cases counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.staffing.days import ExpectedDay, day_from_volume, forecast, slots_of, total_band, weekday_calls
from acd.staffing.erlang import Traffic, steady_state
from acd.staffing.outbound import outbound_decision
from acd.staffing.roster import Shortage, read_roster, seats_of, shortages
from acd.staffing.seats import (
    Goal,
    fewest_for_day,
    lines_needed,
    outcome_of,
    reaches,
    seats_by_slot,
    seats_needed,
)
from core.errors import ToritsugiError

pytestmark = pytest.mark.unit
MONDAY = date(2026, 6, 1)
TRAFFIC = Traffic(calls_per_hour=0.0, handling_s=480, patience_s=120)
OPEN = ((510, 1200),)  # 8:30-20:00


@pytest.mark.parametrize(
    ("calls_per_hour", "handling_s", "by_wait", "answered", "with_six"),
    [
        # calls in the peak hour, AHT; seats for 80/20, 90/30, 90/60; for 90 % answered; answered % with six
        (24.0, 360, (5, 5, 5), 4, 98.8),
        (24.0, 480, (6, 7, 6), 5, 96.0),
        (28.2, 480, (7, 7, 7), 6, 93.3),
        (28.2, 600, (8, 9, 8), 7, 87.1),
        (34.3, 480, (8, 8, 8), 7, 88.5),
        (34.3, 600, (9, 10, 10), 8, 80.2),
        (6.7, 480, (3, 3, 3), 3, 100.0),
    ],
)
def test_seats_of_the_peak_hour(
    calls_per_hour: float, handling_s: int, by_wait: tuple[int, int, int], answered: int, with_six: float
) -> None:
    traffic = Traffic(calls_per_hour=calls_per_hour, handling_s=handling_s, patience_s=120)
    goals = [Goal(share=share, within_s=within) for share, within in ((0.8, 20), (0.9, 30), (0.9, 60))]
    assert tuple(seats_needed(traffic, goal) for goal in goals) == by_wait
    assert seats_needed(traffic, Goal(share=0.9)) == answered
    assert 100 * steady_state(traffic, 6).answered == pytest.approx(with_six, abs=0.06)


@given(
    calls=st.floats(0, 120),
    handling=st.integers(60, 900),
    share=st.sampled_from((0.8, 0.85, 0.9, 0.99)),
    within=st.sampled_from((None, 20.0, 60.0)),
)
def test_the_seats_needed_are_the_fewest(
    calls: float, handling: int, share: float, within: float | None
) -> None:
    traffic = Traffic(calls_per_hour=calls, handling_s=handling, patience_s=120)
    goal = Goal(share=share, within_s=within)
    seats = seats_needed(traffic, goal)
    assert reaches(traffic, seats, goal)
    assert seats == 0 or not reaches(traffic, seats - 1, goal)


def test_a_goal_of_everybody_is_out_of_reach() -> None:
    with pytest.raises(ValueError, match="every call"):
        seats_needed(replace(TRAFFIC, calls_per_hour=10), Goal(share=1.0))


def test_lines_carry_announcements_wait_and_talk() -> None:
    assert lines_needed(100, 360, 0.02) == 17  # ten erlangs
    assert lines_needed(0, 360, 0.01) == 0
    with pytest.raises(ValueError, match="between"):
        lines_needed(10, 60, 0.0)


def test_a_month_is_spread_over_its_days_and_hours() -> None:
    assert weekday_calls(3600, 22, 8, 0.5) == pytest.approx(3600 / 26)
    day = day_from_volume(MONDAY, 130.0, OPEN, 10, 0.2)
    assert day.calls == pytest.approx(130.0)
    peak = [slot.calls for slot in day.slots if slot.begins_min in (600, 630)]
    assert sum(peak) == pytest.approx(26.0)
    assert day.slots[0].begins_min == 510
    short = day_from_volume(MONDAY, 10.0, ((800, 845),), 10, 0.2)  # closed in the peak hour
    assert [(slot.label, round(slot.calls, 3)) for slot in short.slots] == [
        ("13:00", 2.222),
        ("13:30", 6.667),
        ("14:00", 1.111),
    ]
    assert slots_of([(510, 540), (539, 600)]) == (510, 540, 570)


def test_the_fewest_seats_of_a_day_reach_the_goal_over_the_day() -> None:
    day = day_from_volume(MONDAY, 138.0, OPEN, 10, 0.2)
    seats = fewest_for_day([day], TRAFFIC, Goal(share=0.9))
    assert (outcome_of(day, TRAFFIC, seats).answer_rate or 0) >= 0.9
    assert (outcome_of(day, TRAFFIC, seats - 1).answer_rate or 1) < 0.9
    by_slot = seats_by_slot(day, TRAFFIC, Goal(share=0.9))
    assert max(by_slot) == seats_needed(replace(TRAFFIC, calls_per_hour=27.6), Goal(share=0.9))
    assert (outcome_of(day, TRAFFIC, by_slot).answer_rate or 0) >= 0.9


def test_a_forecast_takes_each_weekday_and_half_hour_by_itself() -> None:
    past = [MONDAY - timedelta(days=number) for number in range(28, 0, -1)]
    weekdays = [day for day in past if day.weekday() < 5]
    history = {day: {540: 10 if day.weekday() == 0 else 4, 570: 2} for day in weekdays}
    ahead = [MONDAY, MONDAY + timedelta(days=1)]
    slots = dict.fromkeys([*weekdays, *ahead], (540, 570))
    found = forecast(ahead, history, slots)
    assert [[slot.calls for slot in day.slots] for day in found] == [[10.0, 2.0], [4.0, 2.0]]
    mean, low, high = total_band(found)
    assert mean == 18.0
    assert low < 18.0 < high
    holiday = forecast([MONDAY], history, slots, resting=[MONDAY])  # no Sunday is known: all open days speak
    assert holiday[0].slots[0].calls == pytest.approx((4 * 10 + 16 * 4) / 20)
    with pytest.raises(ValueError, match="history"):
        forecast(ahead, {}, slots)


def test_the_band_of_a_forecast_widens_with_days_that_differ() -> None:
    days = [MONDAY - timedelta(weeks=number) for number in range(1, 9)]
    slots = dict.fromkeys([*days, MONDAY], (540,))

    def width(counts: list[int]) -> float:
        history = {day: {540: count} for day, count in zip(days, counts, strict=True)}
        _, low, high = total_band(forecast([MONDAY], history, slots))
        return high - low

    assert width([20] * 8) < width([5, 35] * 4)


def decision(**values: object):  # type: ignore[no-untyped-def]
    given_: dict[str, object] = {
        "day": date(2026, 6, 16), "calls_so_far": 150, "expected_rest": 150.0, "open_days": 20,
        "open_days_behind": 10, "planned": 700, "below": 0.5, "daily_cap": 35,
    }  # fmt: skip
    return outbound_decision(**{**given_, **values})  # type: ignore[arg-type]


def test_the_centre_calls_out_only_in_a_quiet_month() -> None:
    quiet = decision()
    assert quiet.allowed
    assert quiet.share == pytest.approx(300 / 700)
    assert quiet.cap == 15  # the month's own average is below the contract's 35
    assert not decision(expected_rest=200.0).allowed  # exactly half is not below half
    assert decision(expected_rest=200.0).cap == 0
    assert decision(open_days_behind=9).cap == 0
    assert decision(made_today=12).cap == 3
    assert decision(made_today=40).cap == 0
    assert decision(planned=7000, calls_so_far=1500).cap == 35  # never over the figure named
    with pytest.raises(ValueError, match="positive"):
        decision(planned=0)


ROSTER = """\ufeff日付,番号,開始,終了,休憩開始,休憩終了
2026-06-01,101,08:30,17:30,12:00,13:00
2026/6/1,102,9:00,18:00,,
"""


def test_a_roster_is_counted_by_half_hours() -> None:
    shifts = read_roster(ROSTER.replace("2026/6/1", "2026/06/01"), "表.csv")
    assert seats_of(shifts, MONDAY, [510, 540, 720, 750, 1020, 1050]) == (1, 2, 1, 1, 2, 1)
    found = shortages(shifts, {MONDAY: [(510, 2), (540, 2), (720, 2)]})
    assert found == [
        Shortage(day=MONDAY, begins_min=510, needed=2, planned=1),
        Shortage(day=MONDAY, begins_min=720, needed=2, planned=1),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("番号,開始\n", "列がありません: 日付、終了"),
        ("日付,番号,開始,終了\n2026-06-31,101,09:00,10:00\n", "2行目"),
        ("日付,番号,開始,終了\n2026-06-01,101,25:00,26:00\n", "時刻が読めません"),
        ("日付,番号,開始,終了\n2026-06-01,,09:00,10:00\n", "番号がありません"),
        ("日付,番号,開始,終了\n2026-06-01,101,10:00,09:00\n", "時刻の順"),
        ("日付,番号,開始,終了\n2026-06-01,101,09:00,12:00\n2026-06-01,101,11:00,13:00\n", "重なって"),
    ],
)
def test_a_bad_roster_is_told_by_line(text: str, words: str) -> None:
    with pytest.raises(ToritsugiError) as told:
        read_roster(text, "表.csv")
    assert words in str(told.value)


def test_a_day_without_calls_has_no_rate() -> None:
    empty = ExpectedDay(day=MONDAY, slots=())
    assert outcome_of(empty, TRAFFIC, 3).answer_rate is None
    assert fewest_for_day([empty], TRAFFIC, Goal(share=0.9)) == 0
