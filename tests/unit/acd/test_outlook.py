"""The forecast: how long those who wait will still wait."""

from __future__ import annotations

import math

import pytest
from guard_scene import CARD, CARD2, PORTAL, caller, outlook, seat, view
from hypothesis import given
from hypothesis import strategies as st

from acd.view import FloorView

pytestmark = pytest.mark.unit


def test_a_free_operator_takes_the_caller_at_once() -> None:
    assert outlook()(view(10.0, [seat("101")], [caller("a", 5.0)])) == {"a": 0.0}


def test_who_is_being_rung_waits_no_longer_and_the_next_one_waits_for_that_call() -> None:
    seats = [seat("101", "ringing", since=9.0)]
    waits = outlook()(view(10.0, seats, [caller("a", 5.0, ringing_at="101"), caller("b", 6.0)]))
    assert waits == {"a": 0.0, "b": 100.0}


def test_a_talk_lasts_as_long_as_the_slower_calls_that_lasted_longer_than_it_already_has() -> None:
    times = (50.0, 60.0, 100.0, 200.0, 300.0)
    seats = [seat("101", "talking", since=0.0)]
    soon = outlook()(view(30.0, seats, [caller("a", 5.0)], {CARD: times}))
    late = outlook()(view(150.0, seats, [caller("a", 5.0)], {CARD: times}))
    never_seen = outlook()(view(400.0, seats, [caller("a", 5.0)], {CARD: times}))
    assert soon == {"a": 200.0 - 30.0}
    assert late == {"a": 300.0 - 150.0}
    assert never_seen == {"a": 200.0 / 2}


def test_without_any_call_today_a_usual_call_is_taken() -> None:
    waits = outlook()(view(40.0, [seat("101", "talking", since=0.0)], [caller("a", 5.0)], {PORTAL: (1.0,)}))
    assert waits == {"a": 200.0}


def test_wrap_up_ends_by_itself() -> None:
    assert outlook()(view(15.0, [seat("101", "wrapup", since=10.0)], [caller("a", 5.0)])) == {"a": 15.0}


def test_nobody_on_a_break_or_standing_by_is_counted_on() -> None:
    seats = [seat("101", "paused:break1"), seat("102", "paused:reserve")]
    assert outlook()(view(10.0, seats, [caller("a", 5.0)])) == {"a": math.inf}


def test_the_dialplans_own_relaxation_is_foreseen() -> None:
    """An operator of the second stage alone is free: the caller gets there after 240 s of waiting."""
    seats = [seat("101", queues=(CARD2,))]
    assert outlook()(view(100.0, seats, [caller("a", 40.0)])) == {"a": 180.0}


def test_one_operator_takes_the_oldest_first_across_lines() -> None:
    seats = [seat("101", "wrapup", since=0.0)]
    waits = outlook()(view(10.0, seats, [caller("new", 8.0), caller("old", 1.0, queue=PORTAL)]))
    assert waits == {"old": 10.0, "new": 110.0}


def test_whoever_may_serve_less_takes_first_and_leaves_the_other_to_the_others() -> None:
    seats = [seat("101", queues=(CARD, CARD2, PORTAL)), seat("102", queues=(CARD, CARD2))]
    waits = outlook()(view(10.0, seats, [caller("card", 1.0), caller("portal", 2.0, queue=PORTAL)]))
    assert waits == {"card": 0.0, "portal": 0.0}


@st.composite
def floors(draw: st.DrawFn) -> FloorView:
    states = st.sampled_from(["ready", "talking", "wrapup", "paused:break1", "paused:reserve"])
    queues = st.sets(st.sampled_from([CARD, CARD2, PORTAL]), min_size=1)
    seats = [
        seat(str(101 + n), draw(states), since=draw(st.floats(0, 900)), queues=draw(queues))
        for n in range(draw(st.integers(0, 6)))
    ]
    callers = [
        caller(f"c{n}", draw(st.floats(0, 1000)), queue=draw(st.sampled_from([CARD, CARD2, PORTAL])))
        for n in range(draw(st.integers(0, 12)))
    ]
    times = tuple(draw(st.lists(st.floats(1, 2000), max_size=12)))
    return view(1000.0, seats, callers, {CARD: times})


@given(floors())
def test_every_caller_has_one_forecast_and_nobody_is_served_by_whom_they_may_not_have(
    floor: FloorView,
) -> None:
    waits = outlook()(floor)
    assert set(waits) == {each.channel for each in floor.callers}
    assert all(wait >= 0.0 for wait in waits.values())
    on_duty = [each for each in floor.seats if each.on_duty]
    for each in floor.callers:
        later = {CARD: {CARD, CARD2}}.get(each.queue, {each.queue})
        if not any(later & set(one.queues) for one in on_duty):
            assert waits[each.channel] == math.inf


@given(floors())
def test_one_more_operator_for_everything_leaves_no_more_people_unserved(floor: FloorView) -> None:
    more = FloorView(
        at=floor.at,
        seats=(*floor.seats, seat("200")),
        callers=floor.callers,
        handling_s=floor.handling_s,
    )
    assert all(math.isfinite(wait) for wait in outlook()(more).values())
