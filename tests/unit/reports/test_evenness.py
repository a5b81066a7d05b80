"""The evenness report: counted from facts, silent where a figure would mislead."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_calls import city_time_of
from report_weeks import MONDAY, Centre, even_week, moment

from core.clock import TOKYO
from core.ids import OperatorId, QueueName
from reports.evenness import (
    EvennessReport,
    Explained,
    LoadBy,
    SkillGroup,
    carried_in,
    evenness,
    evenness_report,
    load_text,
    sentence,
    week_of,
)

pytestmark = pytest.mark.unit

BOOKING = SkillGroup(id="booking", name_ja="予約", demands=frozenset({QueueName("booking-ja")}))
CARD = SkillGroup(id="card", name_ja="カード", demands=frozenset({QueueName("card-ja")}))
NAMES = {OperatorId("101"): "青木", OperatorId("102"): "石川", OperatorId("103"): "上田"}


def report_of(centre: Centre, day: date = MONDAY, **more: Any) -> EvennessReport:
    monday, _ = week_of(day)
    since, until = moment(monday, 0), moment(monday + timedelta(days=7), 0)
    values: dict[str, Any] = {
        "city": "松阪市",
        "centre": "松阪市の窓口",
        "day": day,
        "groups": (BOOKING, CARD),
        "calls": centre.folded(),
        "presence": centre.there(until),
        "since": since,
        "until": until,
        "city_time_of": city_time_of,
        "names": NAMES,
        "load_by": LoadBy.MINUTES,
        "made_at": datetime(2026, 11, 30, 8, tzinfo=TOKYO),
    }
    return evenness_report(**{**values, **more})


def test_a_week_is_an_iso_week() -> None:
    assert week_of(date(2026, 11, 26)) == (date(2026, 11, 23), date(2026, 11, 29))
    assert week_of(date(2027, 1, 1)) == (date(2026, 12, 28), date(2027, 1, 3))
    assert report_of(Centre(1), date(2027, 1, 1)).week == (2026, 53)


def test_every_figure_opens_to_the_calls_that_make_it() -> None:
    """A call that went back to the same person counts twice for them, in the figure and in its list."""
    calls = even_week().folded()
    twice = next(call for call in calls if call.segments)
    calls[calls.index(twice)] = replace(twice, segments=(twice.segments[0], twice.segments[0]))
    report = report_of(even_week(), calls=calls)
    groups = {group.id: group for group in (BOOKING, CARD)}
    wrong, seen = [], Counter[str]()
    for part in report.parts:
        rows = [("offers", part.offers, report.opening("offers", part))]
        for row in part.rows:
            figures = {"calls": row.calls, "offers": row.offers, "missed": row.missed}
            rows += [(what, value, report.opening(what, part, row)) for what, value in figures.items()]
            rows.append(("all", row.all_calls, report.opening("calls", None, row)))
        for what, value, opening in rows:
            _title, times = carried_in(opening.metric, groups)
            seen[what] += value
            wrong += [opening] if sum(map(times, calls)) != value else []
    assert wrong == []
    assert min(seen[what] for what in ("calls", "offers", "missed", "all")) > 0


def test_every_call_and_minute_is_somebodys() -> None:
    centre = even_week()
    booking, card = report_of(centre).parts
    calls = centre.folded()
    assert sum(row.calls for row in booking.rows) + sum(row.calls for row in card.rows) == len(calls) == 135
    assert sum(row.share or 0 for row in booking.rows) == pytest.approx(1)
    handled = sum(
        segment.ended_at - segment.started_at + (segment.wrap_up_s or 0)
        for call in calls
        for segment in call.segments
        if segment.ended_at
    )
    assert sum(row.handled_s for part in (booking, card) for row in part.rows) == pytest.approx(handled)
    # Stages of relaxation belong to their demand.
    assert sum(row.calls for row in card.rows) == 27
    assert booking.offers == 108
    assert card.offers == 30
    assert {row.operator: row.missed for row in card.rows} == {"101": 0, "102": 3, "103": 0}


def test_time_is_what_they_took_calls_in() -> None:
    booking = report_of(even_week()).parts[0]
    there = {row.operator: row.available_s for row in booking.rows}
    assert there == {"101": 3 * 7 * 3600, "102": 3 * 7 * 3600, "103": 3 * 7 * 3600, "104": 1800}
    # Half an hour is shown and not compared.
    assert [row.operator for row in booking.rows if not row.compared] == ["104"]
    assert booking.rows[-1].operator == "104"


def test_the_figure_is_the_formula_over_the_load_of_all_skills() -> None:
    booking, card = report_of(even_week()).parts
    loads = [row.load for row in booking.rows if row.compared and row.load is not None]
    assert booking.evenness == pytest.approx((max(loads) - min(loads)) / (sum(loads) / 3))
    assert booking.evenness is not None
    assert booking.evenness < 0.2
    assert {row.operator: row.load for row in card.rows} == {
        r.operator: r.load for r in booking.rows if r.operator != "104"
    }


def test_few_offers_are_a_hint_only() -> None:
    booking, card = report_of(even_week()).parts
    assert (booking.enough, card.enough) == (True, False)
    assert "参考値" not in sentence(booking, LoadBy.MINUTES)
    assert "呼び出しが30件（100件未満）と少ないため参考値です" in sentence(card, LoadBy.MINUTES)


def test_words_for_even_for_some_difference_and_for_uneven() -> None:
    part = report_of(even_week()).parts[0]
    assert sentence(part, LoadBy.MINUTES).startswith("受付可能だった3人の負荷はほぼ均等です。最も多い")
    assert "いくらか差があります" in sentence(replace(part, evenness=0.3), LoadBy.MINUTES)
    assert "偏りがあります" in sentence(replace(part, evenness=0.8), LoadBy.MINUTES)


def test_one_operator_alone_is_not_compared() -> None:
    centre = Centre(1)
    centre.shift("101", MONDAY, 9, 17, "booking-ja")
    centre.call(moment(MONDAY, 10), "booking-ja", operator="101")
    (part,) = report_of(centre).parts
    assert part.evenness is None
    assert sentence(part, LoadBy.MINUTES) == "比べられる人が1人以下のため、ばらつきは計算しません。"
    centre.shift("102", MONDAY, 9, 17, "booking-ja")
    idle = Centre(1)
    idle.shift("101", MONDAY, 9, 17, "booking-ja")
    idle.shift("102", MONDAY, 9, 17, "booking-ja")
    (nothing,) = report_of(idle).parts
    assert sentence(nothing, LoadBy.MINUTES) == "対応がなかったため、ばらつきは計算しません。"
    assert report_of(Centre(1)).parts == ()


def test_who_sat_there_all_day_and_got_nothing_makes_it_uneven() -> None:
    centre = even_week()
    for n in range(1, 4):
        centre.shift("105", MONDAY + timedelta(days=n), 9, 17, "booking-ja")
    part = report_of(centre).parts[0]
    assert part.evenness is not None
    assert part.evenness > 1
    assert "最も少ない105さんは0.0%" in sentence(part, LoadBy.MINUTES)


@pytest.mark.parametrize(
    ("load_by", "shown"), [(LoadBy.MINUTES, "%"), (LoadBy.CALLS, "1時間に"), (LoadBy.BOTH, "平均の")]
)
def test_the_citys_rule_decides_what_is_compared(load_by: LoadBy, shown: str) -> None:
    part = report_of(even_week(), load_by=load_by).parts[0]
    first = part.rows[0]
    assert shown in load_text(first.load, load_by)
    assert load_text(None, load_by) == "–"
    if load_by is LoadBy.CALLS:
        assert first.load == pytest.approx(first.all_calls / 21)
    if load_by is LoadBy.BOTH:
        loads = [row.load for row in part.rows if row.compared and row.load is not None]
        assert min(loads) < 1 < max(loads)


def test_reasons_are_counted_where_they_are_recorded() -> None:
    explained = [
        Explained(demand=QueueName("booking-ja"), deviation=""),
        Explained(demand=QueueName("booking-ja"), deviation="order"),
        Explained(demand=QueueName("card-ja"), deviation="unknown"),
    ]
    booking, card = report_of(even_week(), explained=explained).parts
    assert (booking.explained, dict(booking.deviations)) == (2, {"order": 1})
    assert (card.explained, dict(card.deviations)) == (1, {"unknown": 1})


def test_test_calls_and_other_weeks_are_left_out() -> None:
    centre = even_week()
    centre.shift("101", MONDAY + timedelta(days=7), 9, 17, "booking-ja")
    centre.call(moment(MONDAY + timedelta(days=7), 10), "booking-ja", operator="101")
    assert sum(row.calls for row in report_of(centre).parts[0].rows) == 108
    assert sum(row.calls for row in report_of(centre, MONDAY + timedelta(days=7)).parts[0].rows) == 1


@given(st.lists(st.integers(0, 1000).map(float), min_size=2, max_size=20), st.floats(0.1, 10))
def test_evenness_does_not_depend_on_how_busy_it_was(loads: list[float], factor: float) -> None:
    found = evenness(loads)
    if found is None:
        assert sum(loads) <= 0
        return
    assert 0 <= found <= len(loads) + 1e-9
    assert evenness([factor * load for load in loads]) == pytest.approx(found, rel=1e-6, abs=1e-9)
    assert evenness([0.5] * len(loads)) == 0
