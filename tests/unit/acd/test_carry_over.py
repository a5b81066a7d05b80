"""What one shift leaves uneven is made up for in the next, within bounds."""

from __future__ import annotations

import pytest

from acd.demand import Demand, Stage
from acd.events import (
    CallerJoined,
    CallerLeft,
    FloorCommand,
    MakeReady,
    MemberJoined,
    MemberLeft,
    MemberPaused,
    TalkEnded,
    TalkStarted,
    Tick,
)
from acd.floor import Floor
from acd.order import CARRIED_MOST_CALLS, CARRIED_MOST_S, LoadRule, carried_over, order_of_offers, scores
from acd.rules import FloorRules
from acd.view import Load
from core.facts.dialplan import PauseReason
from core.ids import LineId, OperatorId, QueueName

pytestmark = pytest.mark.unit

A, B, C = (OperatorId(name) for name in "abc")
CARD, CARD_2, PORTAL = QueueName("card-ja"), QueueName("card_2-ja"), QueueName("portal-ja")


def load(calls: int, handled_s: float, available_s: float, carried_s: float = 0.0) -> Load:
    return Load(calls=calls, handled_s=handled_s, available_s=available_s, carried_s=carried_s)


def test_the_surplus_over_a_fair_share_is_carried() -> None:
    last = {A: load(6, 1800.0, 7200.0), B: load(4, 1200.0, 7200.0)}
    assert carried_over(last, A) == (300.0, 1.0)
    assert carried_over(last, B) == (-300.0, -1.0)


def test_who_was_there_half_the_time_owes_half_as_much() -> None:
    last = {A: load(4, 1600.0, 7200.0), B: load(2, 800.0, 3600.0)}
    assert carried_over(last, A) == (0.0, 0.0)
    assert carried_over(last, B) == (0.0, 0.0)


def test_what_was_carried_before_and_not_made_up_for_is_carried_on() -> None:
    last = {A: load(5, 1500.0, 7200.0, carried_s=120.0), B: load(5, 1500.0, 7200.0)}
    assert carried_over(last, A)[0] == 120.0


def test_nobody_is_given_every_call_of_a_morning() -> None:
    last = {A: load(40, 20_000.0, 28_800.0), B: load(2, 500.0, 28_800.0)}
    assert carried_over(last, A) == (CARRIED_MOST_S, CARRIED_MOST_CALLS)
    assert carried_over(last, B) == (-CARRIED_MOST_S, -CARRIED_MOST_CALLS)


def test_a_stranger_and_an_empty_shift_carry_nothing() -> None:
    assert carried_over({}, A) == carried_over({B: load(1, 60.0, 60.0)}, A) == (0.0, 0.0)
    assert carried_over({A: load(0, 0.0, 0.0)}, A) == (0.0, 0.0)


@pytest.mark.parametrize("rule", list(LoadRule))
def test_the_order_of_the_morning_is_what_was_carried(rule: LoadRule) -> None:
    loads = {
        A: Load(calls=0, handled_s=0.0, available_s=60.0, carried_s=200.0, carried_calls=1.0),
        B: Load(calls=0, handled_s=0.0, available_s=60.0, carried_s=-200.0, carried_calls=-1.0),
        C: Load(calls=0, handled_s=0.0, available_s=60.0),
    }
    assert order_of_offers(loads, {}, rule) == [B, C, A]


def test_one_is_the_teams_average() -> None:
    found = scores({A: load(1, 300.0, 3600.0), B: load(1, 300.0, 3600.0)}, LoadRule.MINUTES)
    assert found == {A: pytest.approx(1.0), B: pytest.approx(1.0)}


def floor() -> Floor:
    stages = (
        Stage(queue=CARD, after_s=0.0, least={"card": 2}),
        Stage(queue=CARD_2, after_s=60.0, least={"card": 1}),
    )
    return Floor(
        FloorRules(
            demands=(
                Demand(line=LineId("card"), language="ja", priority=0, wait_limit_s=600.0, stages=stages),
                Demand(
                    line=LineId("portal"),
                    language="ja",
                    priority=0,
                    wait_limit_s=600.0,
                    stages=(Stage(queue=PORTAL, after_s=0.0, least={"portal": 1}),),
                ),
            ),
            wrap_up_s={CARD: 20.0, PORTAL: 20.0},
        )
    )


def sign_in(floor: Floor, at: float, *operators: OperatorId) -> None:
    for operator in operators:
        for queue in (CARD, CARD_2, PORTAL):
            floor.handle(MemberJoined(at=at, operator=operator, queue=queue, penalty=0, paused=None))


def talk(floor: Floor, at: float, operator: OperatorId, seconds: float) -> None:
    """A talk until its wrap-up begins."""
    caller = f"caller-{at}"
    floor.handle(CallerJoined(at=at, caller=caller, queue=CARD, position=1))
    floor.handle(CallerLeft(at=at, caller=caller, queue=CARD))
    for queue in (CARD, CARD_2, PORTAL):
        floor.handle(MemberPaused(at=at, operator=operator, queue=queue, reason=PauseReason.TALKING))
    floor.handle(TalkStarted(at=at, operator=operator, queue=CARD, caller=caller, talk="t"))
    ended = at + seconds
    floor.handle(TalkEnded(at=ended, operator=operator, queue=CARD, talk_s=seconds))
    for queue in (CARD, CARD_2, PORTAL):
        floor.handle(MemberPaused(at=ended, operator=operator, queue=queue, reason=PauseReason.WRAP_UP))


def opened(commands: list[FloorCommand]) -> list[tuple[QueueName, ...]]:
    return [command.queues for command in commands if isinstance(command, MakeReady)]


def test_the_floor_remembers_a_shift_for_the_next_one() -> None:
    there = floor()
    sign_in(there, 0.0, A, B)
    talk(there, 100.0, A, 200.0)
    for operator in (A, B):
        for queue in (CARD, CARD_2, PORTAL):
            there.handle(MemberLeft(at=1000.0, operator=operator, queue=queue))
    sign_in(there, 50_000.0, A, B)
    seats = {seat.operator: seat.load for seat in there.view(50_000.0).seats}
    # From the talk's beginning until signing out in wrap-up.
    assert seats[A].carried_s == pytest.approx(450.0)
    assert seats[B].carried_s == pytest.approx(-450.0)
    assert there.members[B].penalty < there.members[A].penalty


def test_the_meant_caller_is_waited_for_also_when_nobody_else_waits() -> None:
    there = floor()
    sign_in(there, 0.0, A)
    talk(there, 10.0, A, 50.0)
    there.handle(CallerJoined(at=30.0, caller="one", queue=CARD, position=1))
    # In the queue where they wait, and in that of the next stage, should they move on in the same second.
    assert opened(there.handle(Tick(at=80.0))) == [(CARD, CARD_2)]


def test_with_nobody_waiting_all_queues_are_opened_at_once() -> None:
    there = floor()
    sign_in(there, 0.0, A)
    talk(there, 10.0, A, 50.0)
    assert opened(there.handle(Tick(at=80.0))) == [()]
