"""Which calls a day's report takes, and where it counts them."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from report_calls import DAY, at, call_of, city_time_of

from core.clock import TOKYO, ScaledClock
from ledger.calls import Disposition, Gap, Transfer
from reports.behind import count_of, stands
from reports.comparison import compare
from reports.daily import CityFacts, Outreach, Row, daily_report
from reports.render import minutes, opening_of, percent, render_daily_csv, render_daily_html

pytestmark = pytest.mark.unit
D = Disposition
CITY = CityFacts(
    city="松阪市",
    centre="コールセンター",
    answer_rate_target=0.9,
    line_names={"booking": "交付予約", "card": "カード"},
)
MADE = datetime(2024, 11, 26, 8, 0, tzinfo=TOKYO)


def test_a_call_belongs_to_the_half_open_day_and_hour_of_its_arrival() -> None:
    calls = [
        call_of(D.AFTER_HOURS, at(0) - 0.001),
        call_of(D.AFTER_HOURS, at(0)),
        call_of(D.ANSWERED, at(9, 59, 59.999), 700.0),
        call_of(D.ANSWERED, at(10), 5.0),
        call_of(D.AFTER_HOURS, at(24)),
    ]
    report = daily_report(CITY, DAY.date(), calls, city_time_of, made_at=MADE)
    assert report.figure("incoming").value == 3
    by_hour = {row.label: row.incoming for row in report.hours}
    assert (by_hour["0時"], by_hour["9時"], by_hour["10時"]) == (1, 1, 1)
    assert len(by_hour) == 11


def test_the_citys_clock_decides_the_day_and_the_hour() -> None:
    clock = ScaledClock(1000.0, datetime(2024, 11, 25, 8, 50, tzinfo=TOKYO), 60.0)
    calls = [call_of(D.ANSWERED, 1000.0, 4.0), call_of(D.ANSWERED, 1010.0, 4.0)]
    report = daily_report(CITY, DAY.date(), calls, clock.city_time_of, made_at=MADE)
    assert [(row.label, row.incoming) for row in report.hours] == [("8時", 1), ("9時", 1)]


def test_every_figure_of_the_page_opens_to_as_many_calls() -> None:
    ends = (
        D.ANSWERED,
        D.ABANDONED_QUEUE,
        D.OVERFLOW,
        D.CALLBACK,
        D.ABANDONED_MENU,
        D.AFTER_HOURS,
        None,
        D.TEST,
    )
    waited = (D.ANSWERED, D.ABANDONED_QUEUE, D.OVERFLOW, D.CALLBACK)
    calls = [
        call_of(end, at(9 + number % 3, number), 3.0 * number if end in waited else None)
        for number, end in enumerate(ends * 5)
    ]
    report = daily_report(CITY, DAY.date(), calls, city_time_of, made_at=MADE)

    def behind(name: str, row: Row | None = None) -> int:
        opening = opening_of(report, name, row)
        count = count_of(opening.metric, CITY)
        return sum(
            opening.holds(local.date(), local.hour, call.line or "") and stands(count, call)
            for call in calls
            for local in [city_time_of(call.arrived_at)]
        )

    counted = [figure for figure in report.figures if figure.unit == "calls"]
    assert [behind(each.id) for each in counted] == [each.value for each in counted]
    for row in (*report.hours, *report.lines):
        for name in ("incoming", "answered", "abandoned_queue", "overflow", "other"):
            assert behind(name, row) == getattr(row, name), (row.label, name)
    page = render_daily_html(report, "https://desk.example.jp")
    assert page.count('class="open" href="https://desk.example.jp/reports/calls?metric=') > 50
    assert 'class="open"' not in render_daily_html(report)


def test_calls_to_offices_are_listed_where_the_contract_has_them() -> None:
    made = Outreach(
        at=city_time_of(at(14)),
        facility="=さくら苑",
        content="出張申請の案内",
        result="12月3日に希望",
        by="青木",
    )
    for outreach, listed in ((None, False), ([], True), ([made], True)):
        report = daily_report(CITY, DAY.date(), [], city_time_of, made_at=MADE, outreach=outreach)
        page, rows = render_daily_html(report), list(csv.reader(io.StringIO(render_daily_csv(report))))
        assert ("電話による勧奨" in page) is listed
        told = [row[3:5] for row in rows if row[2] == "outreach"]
        assert told == ([["かけた電話", str(len(outreach or ()))]] if listed else []) + (
            [["'=さくら苑", "1"]] if outreach else []
        )
        assert ("12月3日に希望" in page) is bool(outreach)


def test_lines_and_long_waits() -> None:
    calls = [
        call_of(D.ANSWERED, at(9), 10.0),
        call_of(D.ABANDONED_QUEUE, at(9, 1), 300.0, line="card"),
        call_of(D.ABANDONED_MENU, at(9, 2)),
    ]
    report = daily_report(CITY, DAY.date(), calls, city_time_of, made_at=MADE)
    assert [(row.label, row.incoming, row.answer_rate) for row in report.lines] == [
        ("交付予約", 1, 1.0),
        ("カード", 1, 0.0),
        ("（用件を選ぶ前）", 1, None),
    ]
    assert [row.result for row in report.long_waits] == ["待ち中の切断"]


@pytest.mark.parametrize(("answered", "met"), [(9, True), (8, False)])
def test_the_target_is_met_or_not(answered: int, met: bool) -> None:
    calls = [call_of(D.ANSWERED if n < answered else D.OVERFLOW, at(9, n), 1.0) for n in range(10)]
    assert daily_report(CITY, DAY.date(), calls, city_time_of, made_at=MADE).target_met is met
    assert daily_report(CITY, DAY.date(), [], city_time_of, made_at=MADE).target_met is None


def test_what_is_unknown_open_or_a_test_is_said() -> None:
    calls = [
        call_of(D.ANSWERED, at(9), 10.0, gaps=(Gap.END,)),
        call_of(None, at(9, 1)),
        call_of(D.TEST, at(9, 2)),
    ]
    report = daily_report(CITY, DAY.date(), calls, city_time_of, made_at=MADE)
    assert (report.incomplete, report.still_open, report.tests) == (1, 1, 1)
    assert report.figure("incoming").value == 2


def test_the_call_list_masks_numbers_and_names_transfers() -> None:
    moved = call_of(
        D.ANSWERED,
        at(9),
        10.0,
        transfers=(Transfer(at=at(9, 3), to="701", label="戸籍住民課", result="ANSWER"),),
    )
    (row,) = daily_report(CITY, DAY.date(), [moved], city_time_of, made_at=MADE).calls
    assert (row.caller, row.detail, row.line) == ("090****5678", "転送 戸籍住民課", "交付予約")


def test_figures_in_words() -> None:
    assert [minutes(value) for value in (None, 0.4, 83.4, 3725)] == ["–", "0秒", "1分23秒", "1時間02分"]
    assert [percent(value) for value in (None, 0, 0.8996, 0.29, 1)] == [
        "–",
        "0.0%",
        "89.9%",
        "29.0%",
        "100.0%",
    ]


def _truth(name: str, disposition: str | None, wait: float | None, *operators: str) -> dict[str, object]:
    return {
        "sip_call_id": name,
        "started_at": 1.0,
        "disposition": disposition,
        "operators": list(operators),
        "wait_s": wait,
    }


def test_truth_and_ledger_are_compared_call_by_call() -> None:
    truth = [
        _truth("a", "answered", 10.0, "101"),
        _truth("b", "answered", 10.0, "101", "102"),
        _truth("c", "abandoned_queue", 12.5),
        _truth("d", "overflow", None),
        _truth("refused", None, None),
    ]
    ledger = [
        _truth("a", "answered", 10.9, "101"),
        _truth("b", "answered", 10.0, "102", "101"),
        _truth("c", "abandoned_menu", 10.0),
        _truth("phantom", "answered", 1.0),
    ]
    found = {each.sip_call_id: each.differences for each in compare(truth, ledger)}
    assert found == {
        "a": (),
        "b": ("operators",),
        "c": ("disposition", "wait_s"),
        "d": ("ledger",),
        "refused": (),
        "phantom": ("truth",),
    }
    assert [each.differences for each in compare(truth[:1], [ledger[0], ledger[0]])] == [("twice",)]


@pytest.mark.parametrize(
    ("wait", "differences"), [(2.0, ()), (60.0, ()), (100.9, ()), (102.0, ("wait_s",)), (0.5, ("wait_s",))]
)
def test_an_entry_that_was_not_heard_bounds_the_wait(wait: float, differences: tuple[str, ...]) -> None:
    truth = {**_truth("a", "answered", 2.0, "101"), "wait_most_s": 100.0}
    (found,) = compare([truth], [_truth("a", "answered", wait, "101")])
    assert found.differences == differences


def test_days_do_not_share_calls() -> None:
    calls = [call_of(D.ANSWERED, at(hour), 1.0) for hour in range(0, 72, 3)]
    days = [DAY.date() + timedelta(days=offset) for offset in range(3)]
    reports = [daily_report(CITY, day, calls, city_time_of, made_at=MADE) for day in days]
    assert sum(report.figure("incoming").value or 0 for report in reports) == len(calls)
