"""What the floor does with people who stand by in a group."""

from __future__ import annotations

from typing import TypeVar

import pytest

from acd.demand import Demand, Stage
from acd.events import (
    CallerJoined,
    FloorCommand,
    MakeReady,
    MemberJoined,
    MemberPaused,
    MemberReady,
    StandBy,
    TalkEnded,
    TalkStarted,
    Tick,
)
from acd.floor import Floor
from acd.opening import ASK_AGAIN_S, CALLED_IN
from acd.rules import FloorRules
from core.ids import LineId, OperatorId, QueueName

pytestmark = pytest.mark.unit

BOOTH, REGULAR = OperatorId("301"), OperatorId("101")
CARD, PORTAL = QueueName("card-ja"), QueueName("portal-ja")


def floor() -> Floor:
    made = Floor(
        FloorRules(
            demands=tuple(
                Demand(
                    line=LineId(queue.partition("-")[0]),
                    language="ja",
                    priority=0,
                    wait_limit_s=600.0,
                    stages=(Stage(queue=queue, after_s=0.0, least={}),),
                )
                for queue in (CARD, PORTAL)
            ),
            groups={BOOTH: "booth"},
            wrap_up_s={CARD: 20.0, PORTAL: 20.0},
        )
    )
    for operator, paused in ((REGULAR, None), (BOOTH, "reserve")):
        for queue in (CARD, PORTAL):
            made.handle(MemberJoined(at=0.0, operator=operator, queue=queue, penalty=10, paused=None))
            if paused is not None:
                made.handle(MemberPaused(at=0.0, operator=operator, queue=queue, reason=paused))
    made.called_in = frozenset()
    return made


Kind = TypeVar("Kind", MakeReady, StandBy)


def made_of(commands: list[FloorCommand], kind: type[Kind]) -> list[Kind]:
    return [command for command in commands if isinstance(command, kind)]


def talks(made: Floor, *, end: float) -> None:
    made.handle(TalkStarted(at=end - 10, operator=BOOTH, queue=CARD, caller="x", talk="n1-1.1"))
    for queue in (CARD, PORTAL):
        made.handle(MemberPaused(at=end, operator=BOOTH, queue=queue, reason="wrapup"))
    made.handle(TalkEnded(at=end, operator=BOOTH, queue=CARD, talk_s=10.0))


def test_nobody_who_stands_by_is_opened_by_the_floor() -> None:
    made = floor()
    for at in range(0, 600, 5):
        commands = made.handle(Tick(at=float(at)))
        assert not made_of(commands, MakeReady)
    assert made.view(600.0).seats[1].state == "paused:reserve"
    assert made.view(600.0).seats[1].load.available_s == 0.0
    assert not made.view(600.0).seats[1].on_duty


def test_who_is_brought_in_is_opened_first_where_the_need_is() -> None:
    made = floor()
    made.handle(CallerJoined(at=5.0, caller="new", queue=CARD, position=1))
    made.handle(CallerJoined(at=1.0, caller="old", queue=PORTAL, position=1))
    for queue in (CARD, PORTAL):
        made.handle(MemberPaused(at=6.0, operator=REGULAR, queue=queue, reason="break1"))
    made.called_in = frozenset({"booth"})
    assert made.bring_in([BOOTH], 10.0) == [
        MakeReady(operator=BOOTH, queues=(PORTAL,), talk="", why=CALLED_IN)
    ]
    made.handle(MemberReady(at=10.1, operator=BOOTH, queue=PORTAL))
    (rest,) = made_of(made.handle(Tick(at=12.2)), MakeReady)
    assert (rest.queues, rest.why) == ((), "no_offer")


def test_after_wrap_up_they_stand_by_again_unless_their_group_is_called_in() -> None:
    made = floor()
    talks(made, end=100.0)
    assert made_of(made.handle(Tick(at=119.0)), StandBy) == []
    assert made_of(made.handle(Tick(at=120.0)), StandBy) == [StandBy(operator=BOOTH, talk="n1-1.1")]
    assert made_of(made.handle(Tick(at=121.0)), StandBy) == []
    # Lost on the way: said again.
    assert len(made_of(made.handle(Tick(at=120.0 + ASK_AGAIN_S)), StandBy)) == 1
    made.called_in = frozenset({"booth"})
    (ready,) = made_of(made.handle(Tick(at=130.0)), MakeReady)
    assert (ready.operator, ready.why) == (BOOTH, "wrapup_over")


def test_while_no_guard_has_spoken_wrap_up_ends_as_for_everybody() -> None:
    made = floor()
    made.called_in = None
    talks(made, end=100.0)
    assert len(made_of(made.handle(Tick(at=120.0)), MakeReady)) == 1


def test_whoever_has_signed_out_is_neither_brought_in_nor_sent_back() -> None:
    made = floor()
    assert made.bring_in([OperatorId("999")], 1.0) == []
    assert made.send_back([OperatorId("999")]) == []
