"""Which call-back may take which free operator."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from callback_making import CARD, PORTAL, a_callback, a_caller, a_seat, a_view
from hypothesis import given
from hypothesis import strategies as st

from acd.callback import Callback
from acd.callback_turns import Turn, stage_queue, turns
from acd.demand import Demand, Stage
from acd.view import FloorView
from core.ids import LineId, OperatorId, QueueName, queue_name

pytestmark = pytest.mark.unit


def found(view: FloorView, *due: Callback, becoming_free: tuple[str, ...] = ()) -> list[Turn]:
    return turns(
        view,
        due,
        queue_of=lambda callback: callback.demand,
        priorities={},
        limits={},
        becoming_free=[OperatorId(each) for each in becoming_free],
    )


def pairs(got: list[Turn]) -> set[tuple[str, str]]:
    return {(turn.call, turn.operator) for turn in got}


def test_a_free_operator_of_the_demand_takes_it() -> None:
    view = a_view(100, [a_seat("101", PORTAL), a_seat("102", CARD), a_seat("103", CARD, state="talking")])
    assert pairs(found(view, a_callback())) == {("c-1", "102")}


def test_no_more_than_there_are_free_operators() -> None:
    due = [a_callback(str(n), entered=n) for n in range(1, 5)]
    view = a_view(100, [a_seat("101", CARD), a_seat("102", CARD)])
    assert {turn.call for turn in found(view, *due)} == {"c-1", "c-2"}, "the first come first"


def test_the_place_among_those_who_hold_the_line() -> None:
    view = a_view(100, [a_seat("101", CARD)], [a_caller("a", 10), a_caller("b", 50)])
    assert found(view, a_callback(entered=30)) == []
    assert pairs(found(view, a_callback(entered=5))) == {("c-1", "101")}


def test_on_equal_need_whoever_holds_the_line_comes_first() -> None:
    assert found(a_view(100, [a_seat("101", CARD)], [a_caller("a", 30)]), a_callback(entered=30)) == []


def test_who_is_being_rung_for_needs_no_other_operator() -> None:
    seats = [a_seat("101", CARD), a_seat("102", CARD, state="ringing")]
    view = a_view(100, seats, [a_caller("a", 10, ringing_at="102")])
    assert pairs(found(view, a_callback(entered=30))) == {("c-1", "101")}


def test_a_needier_caller_moves_to_another_operator() -> None:
    """101 serves both, 102 the caller only: both are served."""
    seats = [a_seat("101", CARD, PORTAL), a_seat("102", PORTAL)]
    view = a_view(100, seats, [a_caller("a", 10, PORTAL)])
    assert pairs(found(view, a_callback(entered=30))) == {("c-1", "101")}


def test_a_freed_operator_is_taken_before_the_switch_opens_them() -> None:
    view = a_view(100, [a_seat("101", CARD, state="wrapup")], [a_caller("a", 50)])
    assert found(view, a_callback()) == []
    assert pairs(found(view, a_callback(), becoming_free=("101",))) == {("c-1", "101")}


def test_the_least_loaded_first() -> None:
    view = a_view(100, [a_seat("101", CARD, calls=3), a_seat("102", CARD, calls=1)])
    assert pairs(found(view, a_callback())) == {("c-1", "102")}


def test_the_stage_follows_the_wait() -> None:
    demand = Demand(
        line=LineId("card"),
        language="ja",
        priority=0,
        wait_limit_s=300,
        stages=tuple(
            Stage(queue=queue_name("card", "ja", n), after_s=60.0 * (n - 1), least={"card": 4 - n})
            for n in (1, 2, 3)
        ),
    )
    assert [stage_queue(demand, wait) for wait in (0, 59, 60, 500)] == [
        "card-ja", "card-ja", "card_2-ja", "card_3-ja",
    ]  # fmt: skip


queues = st.sets(st.sampled_from([CARD, PORTAL]), min_size=1)
states = st.sampled_from(["ready", "ready", "talking", "wrapup", "ringing", "paused:break1"])


@given(
    st.lists(st.tuples(queues, states), max_size=5),
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from([CARD, PORTAL])), max_size=5),
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from([CARD, PORTAL])), max_size=5),
)
def test_nobody_is_passed_over_or_rung_twice(
    people: list[tuple[set[object], str]], waiting: list[tuple[int, object]], booked: list[tuple[int, object]]
) -> None:
    seats = [
        a_seat(str(101 + n), *sorted(serves), state=state)  # type: ignore[type-var,arg-type]
        for n, (serves, state) in enumerate(people)
    ]
    callers = [a_caller(str(n), float(since), queue) for n, (since, queue) in enumerate(waiting)]  # type: ignore[arg-type]
    due = [
        a_callback(str(n), entered=float(entered), demand=queue)  # type: ignore[arg-type]
        for n, (entered, queue) in enumerate(booked)
    ]
    got = found(a_view(100, seats, callers), *due)
    by_call, by_name = {each.call: each for each in due}, {seat.operator: seat for seat in seats}
    assert len({turn.operator for turn in got}) == len(got) == len({turn.call for turn in got})
    for turn in got:
        seat = by_name[turn.operator]
        assert seat.state == "ready"
        assert seat.queues[by_call[turn.call].demand]
    # Independently: a call-back gets an operator exactly when one more can be served with it than without it,
    # among everybody who is at least as needy.
    free = tuple(frozenset(seat.queues) for seat in seats if seat.state == "ready")
    order = sorted(
        [(c.since, 0, c.channel, c.queue, None) for c in callers]
        + [(c.entered_at, 1, f"callback/{c.call}", c.demand, c.call) for c in due],
        key=lambda each: each[:3],
    )
    wanted = {
        call
        for place, (*_, call) in enumerate(order)
        if call
        and served([o[3] for o in order[: place + 1]], free) > served([o[3] for o in order[:place]], free)
    }
    assert {turn.call for turn in got} == wanted


def served(asked: Sequence[QueueName], free: tuple[frozenset[QueueName], ...]) -> int:
    """The most that can be served, by trying everything."""
    if not asked or not free:
        return 0
    without = served(asked[1:], free)
    return max(
        [without]
        + [
            1 + served(asked[1:], free[:n] + free[n + 1 :])
            for n, serves in enumerate(free)
            if asked[0] in serves
        ]
    )
