"""Callers whom no telephone can reach wait for one to come back, and not for ever."""

from __future__ import annotations

from dataclasses import replace

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


def look(
    watch: AwayWatch, at: float, gone: dict[QueueName, list[bool]], *callers: Caller, **seats: str
) -> list[Caller]:
    return watch.observe(replace(view(*callers, **seats), at=at), gone)


def test_who_waits_is_let_go_when_no_telephone_has_come_back() -> None:
    watch, waits = AwayWatch(), caller()
    assert look(watch, 0.0, {CARD: [True, True]}, waits) == []
    assert look(watch, AWAY_S - 1, {CARD: [True, True]}, waits) == []
    assert look(watch, AWAY_S, {CARD: [True, True]}, waits) == [waits]


def test_one_telephone_that_is_back_begins_the_time_anew() -> None:
    watch, waits = AwayWatch(), caller()
    look(watch, 0.0, {CARD: [True, True]}, waits)
    assert look(watch, 20.0, {CARD: [True, False]}, waits) == []
    assert look(watch, AWAY_S, {CARD: [True, True]}, waits) == []
    assert look(watch, AWAY_S + AWAY_S, {CARD: [True, True]}, waits) == [waits]


def test_so_does_somebody_who_talked_meanwhile() -> None:
    watch, waits = AwayWatch(), caller()
    look(watch, 0.0, {CARD: [True]}, waits)
    assert look(watch, 10.0, {}, waits, o101="talking") == []
    assert look(watch, AWAY_S + 1, {CARD: [True]}, waits) == []


def test_the_next_caller_need_not_wait_for_it_again() -> None:
    watch, late = AwayWatch(), caller(channel="c2")
    look(watch, 0.0, {CARD: [True]}, caller())
    look(watch, AWAY_S, {CARD: [True]}, caller())
    assert look(watch, AWAY_S + FORGOTTEN_S - 1, {CARD: [True]}, late) == [late]
    assert look(watch, 3 * FORGOTTEN_S + AWAY_S, {CARD: [True]}, late) == [], "nobody has looked meanwhile"


def test_a_queue_without_operators_and_one_not_looked_at_are_left_alone() -> None:
    watch = AwayWatch()
    assert look(watch, 0.0, {CARD: []}, caller()) == []
    assert look(watch, 2 * AWAY_S, {CARD: []}, caller()) == []
    look(watch, 0.0, {FORM: [True]}, caller(FORM))
    assert look(watch, AWAY_S, {}, caller(FORM)) == [], "an operator is at work again"
