"""Voice quality by route: whose leg it was, what it lost, and what nobody reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from report_calls import at, call_of, city_time_of

from core.ids import Uniqueid
from ledger.calls import Call, Disposition, Quality, StaffSegment
from reports.quality import (
    JITTER,
    LEG_COUNTS,
    LOSS,
    ROUND_TRIP,
    QualityReport,
    Route,
    RouteKind,
    legs_in,
    legs_of,
    quality_report,
)

pytestmark = pytest.mark.unit
TRUNK, OPERATORS = Route(kind=RouteKind.TRUNK), Route(kind=RouteKind.OPERATORS)


def quality(leg: str, channel: str = "u", **values: Any) -> Quality:
    usual: dict[str, Any] = {
        "rx_lost": 0, "tx_lost": 0, "rx_count": 5000, "tx_count": 5000, "rx_jitter_s": 0.002, "tx_jitter_s": 0.002,
        "rtt_s": 0.02,
    }  # fmt: skip
    return Quality(leg=leg, channel=Uniqueid(channel), **{**usual, **values})


def call(*qualities: Quality, hour: int = 10, staff: dict[str, str] | None = None) -> Call:
    made = call_of(Disposition.ANSWERED, at(hour), wait=5.0)
    segments = tuple(
        StaffSegment(to=to, started_at=at(hour), ended_at=at(hour, 5), channel=Uniqueid(channel))
        for channel, to in (staff or {}).items()
    )
    return replace(made, qualities=qualities, staff=segments)


def report_of(*calls: Call) -> QualityReport:
    return quality_report(
        calls, city="宇部市", centre="窓口", names={"701": "市民課"}, first_day=date(2024, 11, 25),
        last_day=date(2024, 11, 25), made_at=city_time_of(at(18)), city_time_of=city_time_of,
    )  # fmt: skip


def test_each_leg_has_its_route() -> None:
    made = call(
        quality("PJSIP/trunk-00000001", "c"),
        quality("PJSIP/op101-00000002", "o"),
        quality("PJSIP/trunk-00000003", "d"),
        quality("PJSIP/city1-00000004", "e"),
        staff={"d": "701", "e": "702"},
    )
    assert [(leg.name, leg.route.kind, leg.route.extension) for leg in legs_of(made, city_time_of)] == [
        ("trunk", RouteKind.TRUNK, ""),
        ("op101", RouteKind.OPERATORS, ""),
        ("trunk", RouteKind.DEPARTMENT, "701"),
        ("city1", RouteKind.DEPARTMENT, "702"),
    ]
    assert [row.name for row in report_of(made).rows] == [
        "市民の回線（トランク）", "オペレーターの電話機", "市民課（701）", "内線 702",
    ]  # fmt: skip


def test_every_figure_opens_to_the_calls_of_its_legs() -> None:
    """Added up over the calls, the count that a figure names gives the figure."""
    calls = [
        call(quality("PJSIP/trunk-1", "c", rx_lost=900), quality("PJSIP/trunk-2", "d"), staff={"d": "701"}),
        call(
            quality("PJSIP/op101-1", tx_jitter_s=0.0, rtt_s=None),
            quality("PJSIP/op102-2", rx_count=7),
            hour=11,
        ),
        call(hour=12),
    ]
    report = report_of(*calls)
    told = {(row.route, what): getattr(row, what) for row in report.rows for what in LEG_COUNTS}
    opened = {}
    for row in report.rows:
        for what in LEG_COUNTS:
            _title, route, times = legs_in(row.opening(what, report).metric)
            opened[route, what] = sum(times(each) for each in calls)
    assert opened == told
    assert (told[OPERATORS, "legs"], told[OPERATORS, "judged"], told[TRUNK, "over"]) == (2, 1, 1)
    assert told[OPERATORS, "unreported"] == 1
    for wrong in ("legs:secret:trunk:", "legs:over:nowhere:", "legs:over"):
        with pytest.raises((KeyError, ValueError)):
            legs_in(wrong)


def test_a_share_counts_what_should_have_come() -> None:
    (leg,) = legs_of(
        call(quality("PJSIP/trunk-1", rx_lost=100, rx_count=900, tx_lost=50, tx_count=1000)), city_time_of
    )
    assert (leg.rx_loss, leg.tx_loss, leg.loss) == (
        pytest.approx(0.1),
        pytest.approx(0.05),
        pytest.approx(0.1),
    )


def test_what_nobody_reported_is_missing_and_not_zero() -> None:
    silent = quality("PJSIP/op101-1", tx_lost=0, tx_jitter_s=0.0, rtt_s=None)
    (leg,) = legs_of(call(silent), city_time_of)
    assert (leg.tx_loss, leg.tx_jitter_s, leg.round_trip_s) == (None, None, None)
    row = next(row for row in report_of(call(silent)).rows if row.route == OPERATORS)
    assert (row.judged, row.unreported, row.round_trip_s) == (1, 1, (None, None, None))


def test_a_leg_without_any_figure_breaks_nothing() -> None:
    empty = quality(
        "PJSIP/op101-1", rx_lost=None, tx_lost=None, rx_count=None, tx_count=None, rx_jitter_s=None, tx_jitter_s=None,
        rtt_s=None,
    )  # fmt: skip
    row = next(row for row in report_of(call(empty)).rows if row.route == OPERATORS)
    assert (row.legs, row.judged, row.share_over) == (1, 0, None)


def test_a_leg_of_a_moment_is_counted_and_not_judged() -> None:
    row = report_of(call(quality("PJSIP/trunk-1", rx_lost=10, rx_count=40))).rows[0]
    assert (row.legs, row.judged, row.over, row.loss) == (1, 0, 0, (None, None, None))


@pytest.mark.parametrize(
    ("figures", "over"),
    [
        ({}, ()),
        ({"rx_lost": 200, "rx_count": 4800}, (LOSS,)),
        ({"tx_jitter_s": 0.051}, (JITTER,)),
        ({"rtt_s": 0.3}, ()),
        ({"rtt_s": 0.31, "rx_jitter_s": 0.09}, (JITTER, ROUND_TRIP)),
    ],
)
def test_thresholds(figures: dict[str, Any], over: tuple[Any, ...]) -> None:
    (leg,) = legs_of(call(quality("PJSIP/trunk-1", **figures)), city_time_of)
    assert leg.over == over


def test_the_worst_first_and_good_ones_not_at_all() -> None:
    calls = [call(quality("PJSIP/trunk-1", rtt_s=0.02 * hour), hour=hour) for hour in range(1, 23)]
    report = report_of(*calls)
    assert [round(leg.round_trip_s or 0, 2) for leg in report.worst] == [
        round(0.02 * hour, 2) for hour in range(22, 12, -1)
    ]
    trunk = report.rows[0]
    assert trunk.round_trip_s == (pytest.approx(0.22), pytest.approx(0.42), pytest.approx(0.44))
    assert (trunk.over, trunk.share_over) == (7, pytest.approx(7 / 22))


def test_a_day_without_calls_has_its_routes() -> None:
    report = report_of()
    assert [(row.route, row.legs) for row in report.rows] == [(TRUNK, 0), (OPERATORS, 0)]
    assert report.worst == ()
