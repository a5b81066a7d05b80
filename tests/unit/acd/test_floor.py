"""The floor by example: wrap-up, missed offers, what waiting callers are told."""

from __future__ import annotations

import pytest
from acd_floor import CALLER, QUEUE, floor_with, talk, tick

from acd.events import (
    CallerJoined,
    CallerLeft,
    FloorCommand,
    HoldBack,
    MakeReady,
    MemberJoined,
    MemberLeft,
    MemberPaused,
    MemberReady,
    OfferMade,
    OfferMissed,
    SetOrder,
    TalkEnded,
    TalkStarted,
    TellWaiting,
    Tick,
)
from acd.floor import AUTO_PAUSE, Floor, FloorRules
from core.ids import OperatorId, QueueName

pytestmark = pytest.mark.unit

ONE, TWO = OperatorId("101"), OperatorId("102")
OTHER = QueueName("portal-ja")


def test_wrap_up_ends_by_itself_after_its_time() -> None:
    floor = floor_with(ONE)
    talk(floor, ONE, start=100.0, seconds=60.0)
    assert floor.members[ONE].state == "wrapup"
    assert tick(floor, 160.0 + 29.9) == []
    assert tick(floor, 160.0 + 30.0) == [MakeReady(operator=ONE, why="wrapup_over")]
    assert tick(floor, 300.0) == []


def test_wrap_up_is_that_of_the_queue_that_was_served() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0, OTHER: 90.0}, missed_before_pause=3))
    for queue in (QUEUE, OTHER):
        floor.handle(MemberJoined(at=0.0, operator=ONE, queue=queue, penalty=10, paused=None))
    talk(floor, ONE, start=0.0, seconds=10.0, queue=OTHER)
    assert tick(floor, 99.0) == []
    assert tick(floor, 100.0) == [MakeReady(operator=ONE, why="wrapup_over")]


def test_an_operator_who_is_ready_by_hand_is_not_made_ready_again() -> None:
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.0)
    floor.handle(MemberReady(at=12.0, operator=ONE))
    assert floor.members[ONE].state == "ready"
    assert tick(floor, 1000.0) == []


def test_a_break_lasts_until_the_operator_ends_it() -> None:
    floor = floor_with(ONE)
    floor.handle(MemberPaused(at=5.0, operator=ONE, reason="break1"))
    assert floor.members[ONE].state == "paused:break1"
    assert tick(floor, 10_000.0) == []


def test_a_missed_offer_is_given_back_once_others_have_had_it() -> None:
    floor = floor_with(ONE, missed_before_pause=2)
    missed = miss(floor, ONE, 10.0)
    assert missed == []
    assert tick(floor, 12.9) == []
    assert tick(floor, 13.0) == [MakeReady(operator=ONE, why="missed_once")]


def test_missed_in_a_row_holds_back_until_the_operator_says_ready() -> None:
    floor = floor_with(ONE, missed_before_pause=2)
    miss(floor, ONE, 10.0)
    tick(floor, 13.0)
    assert miss(floor, ONE, 20.0) == [HoldBack(operator=ONE, reason="missed")]
    assert tick(floor, 10_000.0) == []
    floor.handle(MemberReady(at=10_001.0, operator=ONE))
    assert miss(floor, ONE, 10_010.0) == []


def test_a_call_answered_between_starts_the_count_anew() -> None:
    floor = floor_with(ONE, missed_before_pause=2)
    miss(floor, ONE, 10.0)
    tick(floor, 13.0)
    talk(floor, ONE, start=20.0, seconds=5.0)
    tick(floor, 60.0)
    assert miss(floor, ONE, 70.0) == []


def test_an_operator_found_auto_paused_after_a_restart_is_given_back() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0}, missed_before_pause=2))
    floor.handle(MemberJoined(at=50.0, operator=ONE, queue=QUEUE, penalty=10, paused=AUTO_PAUSE))
    assert tick(floor, 53.0) == [MakeReady(operator=ONE, why="missed_once")]


def test_an_operator_found_in_wrap_up_after_a_restart_is_not_forgotten() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0}, missed_before_pause=2))
    floor.handle(
        MemberJoined(at=50.0, operator=ONE, queue=QUEUE, penalty=10, paused="wrapup", paused_since=40.0)
    )
    assert tick(floor, 69.0) == []
    assert tick(floor, 70.0) == [MakeReady(operator=ONE, why="wrapup_over")]


def test_an_operator_found_talking_after_a_restart_is_left_alone() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0}, missed_before_pause=2))
    floor.handle(MemberJoined(at=50.0, operator=ONE, queue=QUEUE, penalty=10, paused="talking", in_call=True))
    assert floor.members[ONE].state == "talking"
    assert tick(floor, 5000.0) == []
    floor.handle(MemberPaused(at=5000.0, operator=ONE, reason="wrapup"))
    assert tick(floor, 5029.0) == []
    assert tick(floor, 5030.0) == [MakeReady(operator=ONE, why="wrapup_over")]


def test_a_talk_that_the_switch_forgot_ends_in_wrap_up() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0}, missed_before_pause=2))
    floor.handle(MemberJoined(at=50.0, operator=ONE, queue=QUEUE, penalty=10, paused="talking"))
    assert tick(floor, 79.0) == []
    assert tick(floor, 80.0) == [MakeReady(operator=ONE, why="wrapup_over")]


def test_leaving_the_last_queue_signs_out() -> None:
    floor = floor_with(ONE, TWO)
    floor.handle(MemberLeft(at=1.0, operator=ONE, queue=QUEUE))
    assert list(floor.members) == [TWO]
    assert floor.handle(MemberLeft(at=2.0, operator=ONE, queue=QUEUE)) == []


def test_the_least_loaded_comes_first() -> None:
    floor = floor_with(ONE, TWO)
    before = {op: floor.members[op].queues[QUEUE] for op in (ONE, TWO)}
    assert before[ONE] < before[TWO]
    assert talk(floor, ONE, start=0.0, seconds=10.0) == [SetOrder(operator=ONE, queue=QUEUE, penalty=30)]
    assert floor.members[ONE].queues[QUEUE] > floor.members[TWO].queues[QUEUE]


def test_a_snapshot_forgets_who_waits_and_keeps_what_was_carried() -> None:
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.0)
    floor.handle(CallerJoined(at=20.0, caller=CALLER, queue=QUEUE, position=1))
    floor.reset()
    assert floor.waiting == {}
    assert floor.members[ONE].calls == 1


def test_the_first_word_comes_after_its_time_and_then_at_intervals() -> None:
    floor = floor_with(ONE)
    floor.handle(CallerJoined(at=0.0, caller=CALLER, queue=QUEUE, position=1))
    words = [at for at in range(0, 130) if any(isinstance(c, TellWaiting) for c in tick(floor, float(at)))]
    assert words == [20, 65, 110]


def test_a_caller_is_told_their_place_and_nothing_that_would_be_a_guess() -> None:
    floor = floor_with(ONE)
    floor.handle(CallerJoined(at=0.0, caller="first", queue=QUEUE, position=1))
    floor.handle(CallerJoined(at=5.0, caller="second", queue=QUEUE, position=2))
    assert tick(floor, 25.0) == [
        TellWaiting(caller="first", queue=QUEUE, position=1, minutes=None),
        TellWaiting(caller="second", queue=QUEUE, position=2, minutes=None),
    ]


def test_a_reconnect_does_not_speak_to_a_caller_anew() -> None:
    floor = floor_with(ONE)
    floor.handle(CallerJoined(at=0.0, caller=CALLER, queue=QUEUE, position=1))
    assert len(tick(floor, 20.0)) == 1
    floor.reset()
    floor.handle(CallerJoined(at=1.0, caller=CALLER, queue=QUEUE, position=1))
    assert tick(floor, 64.9) == []
    assert len(tick(floor, 65.0)) == 1


@pytest.mark.parametrize(
    "gone",
    [
        CallerLeft(at=10.0, caller=CALLER, queue=QUEUE),
        TalkStarted(at=10.0, operator=ONE, queue=QUEUE, caller=CALLER),
    ],
)
def test_nobody_is_told_who_no_longer_waits(gone: CallerLeft | TalkStarted) -> None:
    floor = floor_with(ONE)
    floor.handle(CallerJoined(at=0.0, caller=CALLER, queue=QUEUE, position=1))
    floor.handle(gone)
    assert not any(isinstance(command, TellWaiting) for command in tick(floor, 1000.0))


def test_events_of_a_stranger_are_no_fault() -> None:
    floor = floor_with(ONE)
    stranger = OperatorId("999")
    for event in (
        MemberReady(at=1.0, operator=stranger),
        MemberPaused(at=1.0, operator=stranger, reason="break1"),
        OfferMade(at=1.0, operator=stranger, queue=QUEUE, caller=CALLER),
        OfferMissed(at=1.0, operator=stranger, queue=QUEUE),
        TalkStarted(at=1.0, operator=stranger, queue=QUEUE, caller=CALLER),
        TalkEnded(at=1.0, operator=stranger, queue=QUEUE, talk_s=3.0),
        Tick(at=2.0),
    ):
        assert floor.handle(event) == []


def miss(floor: Floor, operator: OperatorId, at: float) -> list[FloorCommand]:
    """An offer that rings out; app_queue pauses the member at the same moment."""
    floor.handle(OfferMade(at=at - 5.0, operator=operator, queue=QUEUE, caller=CALLER))
    commands = floor.handle(OfferMissed(at=at, operator=operator, queue=QUEUE))
    if not commands:
        floor.handle(MemberPaused(at=at, operator=operator, reason=AUTO_PAUSE))
    return commands


def test_a_telephone_that_rang_for_a_caller_who_left_rings_no_more() -> None:
    floor = floor_with(ONE)
    floor.handle(CallerJoined(at=1.0, caller="c1", queue=QUEUE, position=1))
    floor.handle(OfferMade(at=1.1, operator=ONE, queue=QUEUE, caller="c1"))
    assert floor.members[ONE].state == "ringing"
    floor.handle(CallerLeft(at=3.0, caller="c1", queue=QUEUE))
    assert floor.members[ONE].state == "ready"


def test_a_talk_that_went_down_with_the_switch_while_we_watched_ends_in_wrap_up() -> None:
    floor = floor_with(ONE)
    floor.handle(TalkStarted(at=1.0, operator=ONE, queue=QUEUE, caller="c1"))
    floor.reset()
    floor.handle(MemberJoined(at=9.0, operator=ONE, queue=QUEUE, penalty=10, paused="talking", in_call=False))
    assert floor.members[ONE].state == "wrapup"
    assert MakeReady(operator=ONE, why="wrapup_over") in floor.handle(Tick(at=60.0))


def test_a_talk_that_ended_unseen_leaves_its_wrap_up_to_be_ended() -> None:
    floor = floor_with(ONE)
    floor.handle(TalkStarted(at=1.0, operator=ONE, queue=QUEUE, caller="c1"))
    floor.reset()
    floor.handle(
        MemberJoined(at=9.0, operator=ONE, queue=QUEUE, penalty=10, paused="wrapup", paused_since=8.0)
    )
    assert floor.members[ONE].state == "wrapup"
    assert MakeReady(operator=ONE, why="wrapup_over") in floor.handle(Tick(at=60.0))


def test_who_signed_out_unseen_is_gone() -> None:
    floor = floor_with(ONE)
    floor.reset()
    floor.settle()
    assert floor.members == {}


def test_the_switch_that_writes_over_our_pause_does_not_give_the_operator_back() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0}, missed_before_pause=1))
    floor.handle(MemberJoined(at=0.0, operator=ONE, queue=QUEUE, penalty=10, paused=None))
    assert floor.handle(OfferMissed(at=5.0, operator=ONE, queue=QUEUE)) == [
        HoldBack(operator=ONE, reason="missed")
    ]
    floor.handle(MemberPaused(at=5.01, operator=ONE, reason="missed"))
    floor.handle(MemberPaused(at=5.02, operator=ONE, reason=AUTO_PAUSE))
    assert tick(floor, 5.2) == [HoldBack(operator=ONE, reason="missed")]
    assert tick(floor, 60.0) == []
    assert floor.members[ONE].state == "paused:missed"
