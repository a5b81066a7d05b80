"""Callers whom no telephone can reach wait for one to come back, and not for ever."""

from __future__ import annotations

import pytest

from acd.away import AWAY_S, FORGOTTEN_S, AwayWatch, in_doubt
from acd.view import Caller, FloorView, Load, Seat
from core.ids import OperatorId, QueueName

pytestmark = pytest.mark.unit
CARD, FORM = QueueName("card-ja"), QueueName("form-ja")
NO_LOAD = Load(calls=0, handled_s=0.0, available_s=0.0)


def caller(queue: QueueName = CARD, channel: str = "c1", ringing_at: OperatorId | None = None) -> Caller:
    return Caller(
        channel=channel, call=None, queue=queue, demand=queue, since=0.0, ringing_at=ringing_at
    )  # fmt: skip


def view(*callers: Caller, **seats: str) -> FloorView:
    return FloorView(
        at=0.0,
        seats=tuple(
            Seat(
                operator=OperatorId(name[1:]), state=state, since=0.0, queues={CARD: True}, load=NO_LOAD,
                last_ended_at=0.0,
            )
            for name, state in seats.items()
        ),
        callers=callers,
        handling_s={},
    )  # fmt: skip


@pytest.mark.parametrize("state", ["talking", "wrapup", "ringing"])
def test_a_queue_whose_operators_are_at_work_is_not_in_doubt(state: str) -> None:
    assert in_doubt(view(caller(), o101=state, o102="ready")) == frozenset()


def test_waiting_while_somebody_is_ready_or_all_have_a_break_is_in_doubt() -> None:
    assert in_doubt(view(caller(), o101="ready")) == {CARD}
    assert in_doubt(view(caller(), o101="paused:break1")) == {CARD}
    assert in_doubt(view(caller(), caller(FORM, "c2"), o101="talking")) == {FORM}
    assert in_doubt(view(caller(ringing_at=OperatorId("101")), o101="ready")) == frozenset()


def test_who_waits_is_let_go_when_no_telephone_has_come_back() -> None:
    watch, waiting = AwayWatch(), [caller()]
    assert watch.observe(0.0, {CARD: [True, True]}, waiting) == []
    assert watch.observe(AWAY_S - 1, {CARD: [True, True]}, waiting) == []
    assert watch.observe(AWAY_S, {CARD: [True, True]}, waiting) == waiting


def test_one_telephone_that_is_back_begins_the_time_anew() -> None:
    watch, waiting = AwayWatch(), [caller()]
    watch.observe(0.0, {CARD: [True, True]}, waiting)
    assert watch.observe(20.0, {CARD: [True, False]}, waiting) == []
    assert watch.observe(AWAY_S, {CARD: [True, True]}, waiting) == []
    assert watch.observe(AWAY_S + AWAY_S, {CARD: [True, True]}, waiting) == waiting


def test_the_next_caller_need_not_wait_for_it_again() -> None:
    watch = AwayWatch()
    watch.observe(0.0, {CARD: [True]}, [caller()])
    watch.observe(AWAY_S, {CARD: [True]}, [caller()])
    late = caller(channel="c2")
    assert watch.observe(AWAY_S + FORGOTTEN_S - 1, {CARD: [True]}, [late]) == [late]
    assert watch.observe(3 * FORGOTTEN_S + AWAY_S, {CARD: [True]}, [late]) == [], (
        "nobody has looked meanwhile"
    )


def test_a_queue_without_operators_and_one_not_looked_at_are_left_alone() -> None:
    watch = AwayWatch()
    assert watch.observe(0.0, {CARD: []}, [caller()]) == []
    assert watch.observe(2 * AWAY_S, {CARD: []}, [caller()]) == []
    watch.observe(0.0, {FORM: [True]}, [caller(FORM)])
    assert watch.observe(AWAY_S, {}, [caller(FORM)]) == [], "an operator is at work again"
