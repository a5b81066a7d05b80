"""What the floor tells its waiting callers, from the events that reach it."""

from __future__ import annotations

import pytest

from acd.demand import Demand, Stage
from acd.events import (
    CallerJoined,
    CallerLeft,
    MemberJoined,
    MemberPaused,
    OfferMade,
    TalkEnded,
    TalkStarted,
    TellWaiting,
    Tick,
)
from acd.experience import PATIENCE_S, Experience
from acd.floor import Floor
from acd.rules import FloorRules
from core.ids import LineId, OperatorId, QueueName

pytestmark = pytest.mark.unit

CARD = QueueName("card-ja")
CARD_2 = QueueName("card_2-ja")
ONE = OperatorId("101")
RULES = FloorRules(
    demands=(
        Demand(
            line=LineId("card"),
            language="ja",
            priority=0,
            wait_limit_s=600.0,
            stages=(Stage(queue=CARD, after_s=0.0, least={}), Stage(queue=CARD_2, after_s=90.0, least={})),
        ),
    ),
    wrap_up_s={CARD: 20.0},
)


def a_floor(*calls_s: float) -> Floor:
    """One operator, whose talk begins at 1000, and who has had these calls before."""
    experience = Experience()
    for each in calls_s:
        experience.handled(CARD, each)
    floor = Floor(RULES, experience)
    floor.handle(MemberJoined(at=0.0, operator=ONE, queue=CARD, penalty=10, paused=None))
    starts_talk(floor, 1000.0, "talking")
    return floor


def starts_talk(floor: Floor, at: float, caller: str) -> None:
    floor.handle(CallerJoined(at=at, caller=caller, queue=CARD, position=1))
    floor.handle(OfferMade(at=at, operator=ONE, queue=CARD, caller=caller))
    floor.handle(CallerLeft(at=at, caller=caller, queue=CARD))
    floor.handle(MemberPaused(at=at, operator=ONE, queue=CARD, reason="talking"))
    floor.handle(TalkStarted(at=at, operator=ONE, queue=CARD, caller=caller, talk=f"t-{caller}"))


def words(floor: Floor, at: float) -> list[tuple[str, int, tuple[int, int] | None]]:
    told = [each for each in floor.handle(Tick(at=at)) if isinstance(each, TellWaiting)]
    return [(each.caller, each.position, each.minutes) for each in told]


def test_a_range_follows_the_talk_and_falls() -> None:
    floor = a_floor(*[300.0] * 40)
    floor.handle(CallerJoined(at=1100.0, caller="a", queue=CARD, position=1))
    assert words(floor, 1119.0) == []
    # The operator is free at about 1300.
    assert words(floor, 1120.0) == [("a", 1, (2, 4))]
    assert words(floor, 1165.0) == [("a", 1, (1, 3))]
    assert words(floor, 1210.0) == [("a", 1, (0, 2))]


def test_minutes_are_left_out_when_they_would_be_a_guess_or_have_not_held() -> None:
    floor = a_floor()
    floor.handle(CallerJoined(at=1100.0, caller="a", queue=CARD, position=1))
    assert words(floor, 1120.0) == [("a", 1, None)]
    floor = a_floor(*[300.0] * 40)
    floor.handle(CallerJoined(at=1262.0, caller="a", queue=CARD, position=1))
    assert words(floor, 1282.0) == [("a", 1, (0, 1))]
    assert words(floor, 1350.0) == [("a", 1, None)], "the operator talks on"


def test_the_next_stage_keeps_what_was_told() -> None:
    floor = a_floor(*[300.0] * 40)
    floor.handle(
        MemberJoined(at=1000.0, operator=ONE, queue=CARD_2, penalty=10, paused="talking", in_call=True)
    )
    floor.handle(CallerJoined(at=1100.0, caller="a", queue=CARD, position=1))
    assert words(floor, 1120.0) == [("a", 1, (2, 4))]
    floor.handle(CallerLeft(at=1190.0, caller="a", queue=CARD))
    floor.handle(CallerJoined(at=1190.0, caller="a", queue=CARD_2, position=1))
    (told,) = words(floor, 1191.0)
    assert told[2] is not None
    assert told[2] <= (1, 3)
    floor.handle(Tick(at=1300.0))
    assert floor.experience.gives_up_per_s(CARD) == 1 / PATIENCE_S, "moving on is no giving up"


def test_the_floor_learns_calls_and_patience() -> None:
    floor = a_floor()
    for number in range(12):
        at = 2000.0 + 500.0 * number
        floor.handle(TalkEnded(at=at, operator=ONE, queue=CARD, talk_s=100.0))
        starts_talk(floor, at + 100.0, f"c{number}")
    handling = floor.experience.handling(CARD)
    assert handling is not None
    assert handling.mean_s == 120.0
    assert floor.experience.gives_up_per_s(CARD) == 1 / PATIENCE_S
    floor.handle(CallerJoined(at=9000.0, caller="leaves", queue=CARD, position=1))
    floor.handle(CallerLeft(at=9100.0, caller="leaves", queue=CARD))
    floor.handle(Tick(at=9110.0))
    assert floor.experience.gives_up_per_s(CARD) == 2 / (PATIENCE_S + 100.0)
