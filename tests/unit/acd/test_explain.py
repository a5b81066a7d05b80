"""Why an offer went where it went, and how it differs from what the engine wished."""

from __future__ import annotations

import pytest
from acd_floor import begin, floor_with, join, pause, ready, sign_in

from acd.events import CallerJoined, ExplainOffer, MakeReady, OfferMade, OrderHeld, Tick
from acd.floor import Floor
from acd.order import LoadRule
from acd.rules import FloorRules
from core.ids import CallId, OperatorId, QueueName

pytestmark = pytest.mark.unit

ONE, TWO, THREE = OperatorId("101"), OperatorId("102"), OperatorId("103")
CARD, CARD_2, PORTAL = QueueName("card-ja"), QueueName("card_2-ja"), QueueName("portal-ja")


def offer(
    floor: Floor, operator: OperatorId, caller: str, queue: QueueName = CARD, at: float = 100.0
) -> ExplainOffer:
    made = OfferMade(at=at, operator=operator, queue=queue, caller=caller, call=CallId("c-n1-1.1"))
    (why,) = floor.handle(made)
    assert isinstance(why, ExplainOffer)
    return why


def test_the_first_in_the_order_for_the_neediest_caller_is_as_wished() -> None:
    floor = floor_with(ONE, TWO)
    join(floor, "c1", CARD, at=90.0)
    join(floor, "c2", CARD, at=95.0)
    assert offer(floor, ONE, "c1").deviation == ""
    assert offer(floor, TWO, "c2").deviation == ""


def test_somebody_freer_came_first_in_the_order() -> None:
    floor = floor_with(ONE, TWO)
    join(floor, "c1", CARD, at=90.0)
    assert offer(floor, TWO, "c1").deviation == "order"


def test_the_first_in_the_order_is_kept_for_a_needier_caller() -> None:
    """No deviation: 101 is meant for the portal's older caller, whom 102 may not serve."""
    floor = floor_with()
    sign_in(floor, ONE, CARD, PORTAL)
    sign_in(floor, TWO, CARD)
    join(floor, "old", PORTAL, at=10.0)
    join(floor, "new", CARD, at=90.0)
    assert offer(floor, TWO, "new").deviation == ""


def test_a_needier_caller_was_passed_over() -> None:
    floor = floor_with()
    sign_in(floor, ONE, CARD, PORTAL)
    join(floor, "old", PORTAL, at=10.0)
    join(floor, "new", CARD, at=90.0)
    assert offer(floor, ONE, "new").deviation == "caller"


def test_a_needier_caller_for_whom_somebody_rings_is_not_passed_over() -> None:
    floor = floor_with()
    sign_in(floor, ONE, CARD, PORTAL)
    sign_in(floor, TWO, PORTAL)
    join(floor, "old", PORTAL, at=10.0)
    join(floor, "new", CARD, at=90.0)
    floor.handle(OfferMade(at=99.0, operator=TWO, queue=PORTAL, caller="old"))
    assert offer(floor, ONE, "new").deviation == ""


def test_a_needier_caller_whom_this_operator_may_not_serve_is_not_passed_over() -> None:
    floor = floor_with(ONE)
    join(floor, "old", PORTAL, at=10.0)
    join(floor, "new", CARD, at=90.0)
    assert offer(floor, ONE, "new").deviation == ""


def test_a_needier_caller_for_whom_somebody_has_just_been_opened_is_not_passed_over() -> None:
    floor = Floor(FloorRules(wrap_up_s={CARD: 30.0, PORTAL: 30.0}))
    sign_in(floor, ONE, CARD, PORTAL)
    sign_in(floor, TWO, CARD, PORTAL)
    begin(floor, TWO, 60.0)
    pause(floor, TWO, "wrapup", 65.0)
    begin(floor, ONE, 65.0)
    pause(floor, ONE, "wrapup", 66.0)
    join(floor, "old", PORTAL, at=80.0)
    join(floor, "new", CARD, at=90.0)
    (asked,) = (each for each in floor.handle(Tick(at=95.0)) if isinstance(each, MakeReady))
    assert (asked.operator, asked.queues) == (TWO, (PORTAL,))
    ready(floor, ONE, 95.1)
    assert offer(floor, ONE, "new", at=95.2).deviation == ""


@pytest.mark.parametrize("reason", ["wrapup", "break1", "missed"])
def test_the_floor_did_not_know_the_operator_free(reason: str) -> None:
    floor = floor_with(ONE, TWO)
    join(floor, "c1", CARD, at=90.0)
    pause(floor, ONE, reason, 95.0)
    assert offer(floor, ONE, "c1").deviation == "unknown"


def test_an_operator_who_was_not_known_in_that_queue() -> None:
    floor = floor_with(ONE)
    join(floor, "c1", PORTAL, at=90.0)
    assert offer(floor, ONE, "c1", PORTAL).deviation == "unknown"


def test_an_operator_open_in_another_queue_only() -> None:
    floor = floor_with(ONE, queues=(CARD, PORTAL))
    pause(floor, ONE, "wrapup", 50.0)
    ready(floor, ONE, 60.0, PORTAL)
    join(floor, "c1", CARD, at=70.0)
    assert offer(floor, ONE, "c1", CARD).deviation == "unknown"


def test_a_caller_nobody_knew_of_has_waited_no_time() -> None:
    floor = floor_with(ONE)
    why = offer(floor, ONE, "stranger")
    assert (why.waited_s, why.deviation) == (0.0, "")


def test_the_record_holds_the_ranking_of_the_moment() -> None:
    floor = Floor(FloorRules(wrap_up_s={CARD: 30.0}, load_rule=LoadRule.CALLS))
    for operator in (ONE, TWO):
        sign_in(floor, operator, CARD, CARD_2)
    sign_in(floor, THREE, PORTAL)
    begin(floor, ONE, 10.0)
    pause(floor, ONE, "wrapup", 40.0)
    ready(floor, ONE, 70.0)
    floor.handle(Tick(at=100.0))
    floor.handle(OrderHeld(at=100.1, version=floor.order.version - 1))
    call = CallId("c-n1-1.1")
    floor.handle(CallerJoined(at=100.0, caller="c1", queue=CARD_2, position=1, call=call, since=37.5))
    why = offer(floor, TWO, "c1", CARD_2, at=101.0)
    assert (why.at, why.queue, why.call, why.waited_s) == (101.0, CARD_2, call, 63.5)
    assert (why.version, why.wanted) == (floor.order.version - 1, floor.order.version)
    assert [(each.operator, each.free, each.load.calls) for each in why.ranking] == [
        (TWO, True, 0),
        (ONE, True, 1),
    ]
    two, one = why.ranking
    assert two.penalty < one.penalty
    assert two.score < 1 < one.score
    assert (one.load.handled_s, one.load.available_s) == (60.0, 101.0)
    assert two.idle_s == 101.0
