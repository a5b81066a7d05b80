"""The shortfall report: every cause from its own evidence, and none without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from report_calls import city_time_of
from report_weeks import Centre, moment, short_month

from core.clock import TOKYO
from ledger.calls import Disposition
from ledger.facts import SwitchStarted
from reports.daily import CityFacts
from reports.shortfall import LostHour, ShortfallReport, by_day_and_hour, shortfall_report
from reports.shortfall_causes import CauseKind

pytestmark = pytest.mark.unit

K = CauseKind
CITY = CityFacts(
    city="松阪市",
    centre="松阪市の窓口",
    answer_rate_target=0.9,
    target_source="仕様書 2章2(3)イ",
    line_names={"booking": "交付予約"},
    opening="9時00分から17時15分",
)
BAD = date(2026, 11, 24)


def opening_s(day: date, hour: int) -> float:
    """Weekdays 9:00 to 17:15."""
    if day.weekday() >= 5:
        return 0.0
    return 3600.0 if 9 <= hour < 17 else 900.0 if hour == 17 else 0.0


def report_of(
    centre: Centre, first: date, last: date | None = None, city: CityFacts = CITY, **more: Any
) -> ShortfallReport:
    last = last or first
    calls = centre.folded()
    values: dict[str, Any] = {
        "calls": calls,
        "presence": centre.there(moment(last + timedelta(days=1), 0)),
        "shared": [fact for fact in centre.facts if isinstance(fact, SwitchStarted)],
        "opening_s": opening_s,
        "city_time_of": city_time_of,
        "epoch_of": lambda day, hour: moment(day, hour),
        "made_at": datetime(2026, 12, 1, 3, tzinfo=TOKYO),
    }
    return shortfall_report(city, first, last, **{**values, **more})


def hour_of(report: ShortfallReport, hour: int) -> LostHour:
    return next(each for each in report.hours if each.hour.key.hour == hour)


def kinds(each: LostHour) -> set[CauseKind]:
    return {cause.kind for cause in each.causes}


@pytest.fixture(scope="module")
def bad_day() -> ShortfallReport:
    return report_of(short_month(), BAD)


def test_the_rate_is_the_contracts(bad_day: ShortfallReport) -> None:
    assert (bad_day.offered, bad_day.answered, bad_day.lost) == (41, 24, 17)
    assert bad_day.rate == pytest.approx(24 / 41)
    assert bad_day.missed is True
    # ceil(0.9 × 41) = 37.
    assert bad_day.short_by == 13
    assert [each.hour.key.hour for each in bad_day.hours] == [9, 11, 12, 13, 14, 15]
    assert sum(len(each.calls) for each in bad_day.hours) == bad_day.lost


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (9, {K.ARRIVALS}),
        (11, {K.FEW_STAFF}),
        (12, {K.FEW_STAFF, K.WRAP_UP}),
        (13, {K.FEW_STAFF, K.NOBODY}),
        (14, {K.FEW_STAFF, K.MISSED_OFFERS}),
        (15, {K.FEW_STAFF, K.FULL, K.SYSTEM}),
    ],
)
def test_each_hour_shows_what_the_record_of_it_shows(
    bad_day: ShortfallReport, hour: int, expected: set[CauseKind]
) -> None:
    assert kinds(hour_of(bad_day, hour)) == expected


def cause(report: ShortfallReport, hour: int, kind: CauseKind) -> Any:
    return next(cause for cause in hour_of(report, hour).causes if cause.kind is kind)


def test_causes_rest_on_figures_and_calls(bad_day: ShortfallReport) -> None:
    assert cause(bad_day, 9, K.ARRIVALS).text == (
        "オペレーターを求める入電が13件あり、同じ曜日・時刻のふだん（4回の平均4.0件）より多かった。"
    )
    assert cause(bad_day, 11, K.FEW_STAFF).text == (
        "受付人数は平均1.0人で、同じ曜日・時刻のふだん（4回の平均3.0人）より少なかった。"
    )
    assert cause(bad_day, 12, K.WRAP_UP).text.startswith("後処理は平均2分00秒（4件）で、ほかの時間の平均20秒")
    nobody = cause(bad_day, 13, K.NOBODY)
    assert (
        nobody.text
        == "受付時間のうち30分00秒、電話を受けられる人がいなかった。1件が受付者なしの案内になった。"
    )
    assert nobody.calls == tuple(call.call_id for call in hour_of(bad_day, 13).calls)
    assert cause(bad_day, 14, K.MISSED_OFFERS).text == "呼び出し10回のうち6回に応答がなかった。"
    assert len(cause(bad_day, 14, K.MISSED_OFFERS).calls) == 3
    system = cause(bad_day, 15, K.SYSTEM)
    assert system.text == "当方の都合で1件が切れた。この時間に交換機が1回始め直された。"
    assert len(system.calls) == len(cause(bad_day, 15, K.FULL).calls) == 1
    assert set(system.calls).isdisjoint(cause(bad_day, 15, K.FULL).calls)


def test_the_sum_tells_what_matters_most(bad_day: ShortfallReport) -> None:
    assert [(each.kind, len(each.hours), each.lost) for each in bad_day.causes[:2]] == [
        (K.ARRIVALS, 1, 9),
        (K.FEW_STAFF, 5, 8),
    ]
    assert bad_day.unexplained == 0


def test_a_lost_call_without_a_sign_is_said_to_be_unexplained() -> None:
    centre = short_month()
    centre.call(moment(date(2026, 11, 17), 10.5), "booking-ja", wait=25.0)
    report = report_of(centre, date(2026, 11, 17))
    assert [each.causes for each in report.hours] == [()]
    assert (report.unexplained, report.missed) == (1, False)


def test_without_earlier_weeks_nothing_is_called_unusual() -> None:
    centre = Centre(1)
    centre.shift("101", BAD, 9, 17, "booking-ja")
    for number in range(20):
        centre.call(moment(BAD, 9.1 + number / 50), "booking-ja", wait=30.0)
    (hour,) = report_of(centre, BAD).hours
    assert hour.causes == ()


def test_three_calls_where_two_are_usual_are_chance() -> None:
    centre = Centre(1)
    days = [BAD - timedelta(days=7 * week) for week in range(5)]
    for day in days:
        centre.shift("101", day, 9, 17, "booking-ja")
        for number in range(2):
            centre.call(moment(day, 10 + number / 4), "booking-ja", operator="101")
    centre.call(moment(BAD, 10.6), "booking-ja", wait=30.0)
    (hour,) = report_of(centre, BAD).hours
    assert hour.causes == ()


def test_part_of_an_hour_is_closed_and_nobody_is_missed_then() -> None:
    centre = Centre(1)
    centre.shift("101", BAD, 9, 17.25, "booking-ja")
    centre.call(moment(BAD, 17.1), "booking-ja", wait=30.0)
    (hour,) = report_of(centre, BAD).hours
    assert hour.hour.open_s == 900
    assert hour.hour.on_duty == pytest.approx(1.0)
    assert hour.hour.nobody_s == 0
    assert hour.causes == ()


def test_a_month_takes_its_own_days_and_the_grid_shows_them() -> None:
    report = report_of(short_month(), date(2026, 11, 1), date(2026, 11, 30))
    assert report.days == 4
    assert (report.offered, report.lost) == (41 + 3 * 32, 17)
    columns, days = by_day_and_hour(report)
    assert columns == [9, 11, 12, 13, 14, 15]
    assert [(day, sorted(cells)) for day, cells in days] == [(BAD, columns)]


def test_open_and_test_calls_are_no_loss() -> None:
    centre = Centre(1)
    centre.shift("101", BAD, 9, 17, "booking-ja")
    centre.call(moment(BAD, 10), "booking-ja", operator="101")
    lost = centre.call(moment(BAD, 10.2), "booking-ja", wait=30.0)
    calls = [
        replace(call, disposition=Disposition.TEST) if call.call_id == lost else call
        for call in centre.folded()
    ]
    report = report_of(centre, BAD, calls=calls)
    assert (report.offered, report.lost, report.hours) == (1, 0, ())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda city: replace(city, answer_rate_target=None), None),
        (lambda city: replace(city, answer_rate_target=0.5), False),
        (lambda city: replace(city, answer_rate_target=24 / 41), False),
    ],
)
def test_whether_it_was_missed(change: Callable[[CityFacts], CityFacts], expected: bool | None) -> None:
    report = report_of(short_month(), BAD, city=change(CITY))
    assert report.missed is expected
    assert report.short_by == 0


def test_a_period_without_calls_says_nothing() -> None:
    report = report_of(Centre(1), BAD)
    assert (report.rate, report.missed, report.hours) == (None, None, ())
