"""The floor by example: restarts of the engine and of the switch, and sessions that begin anew."""

from __future__ import annotations

import pytest
from acd_floor import (
    CALLER,
    QUEUE,
    begin,
    floor_with,
    found,
    join,
    pause,
    ready,
    restarted,
    talk,
    tick,
    wrapped_up,
)

from acd.events import (
    CallerLeft,
    MakeReady,
    MemberLeft,
    MemberPaused,
    MemberReady,
    OfferMade,
    OfferMissed,
    TalkEnded,
    TalkNamed,
    TalkStarted,
    Tick,
)
from acd.members import AUTO_PAUSE
from core.ids import OperatorId, QueueName

pytestmark = pytest.mark.unit

ONE, TWO = OperatorId("101"), OperatorId("102")
OTHER = QueueName("portal-ja")


def test_an_operator_found_auto_paused_after_a_restart_is_given_back() -> None:
    floor = restarted()
    found(floor, AUTO_PAUSE)
    floor.settle()
    assert tick(floor, 52.9) == []
    assert tick(floor, 53.0) == [MakeReady(operator=ONE, queues=(), talk="", why="missed_once")]


def test_an_operator_found_held_back_after_a_restart_stays_so() -> None:
    floor = restarted()
    found(floor, "missed", since=10.0)
    floor.settle()
    assert tick(floor, 5000.0) == []
    assert floor.members[ONE].state == "paused:missed"


def test_an_operator_found_in_wrap_up_after_a_restart_is_not_forgotten() -> None:
    floor = restarted()
    found(floor, "wrapup", since=40.0)
    floor.settle()
    assert tick(floor, 69.0) == []
    assert tick(floor, 70.0) == [wrapped_up("")]


def test_an_operator_found_talking_after_a_restart_is_left_alone() -> None:
    floor = restarted()
    found(floor, "talking", in_call=True)
    floor.settle()
    assert floor.members[ONE].state == "talking"
    assert tick(floor, 5000.0) == []
    floor.handle(TalkNamed(at=5000.0, operator=ONE, talk="n1-7"))
    pause(floor, ONE, "wrapup", 5000.0)
    assert tick(floor, 5029.0) == []
    assert tick(floor, 5030.0) == [wrapped_up("n1-7")]


def test_an_operator_found_open_in_one_queue_is_opened_in_the_others() -> None:
    floor = restarted()
    found(floor, "wrapup", since=40.0)
    found(floor, None, queue=OTHER)
    floor.settle()
    assert floor.members[ONE].state == "ready"
    assert tick(floor, 50.0) == []
    assert floor.next_due(50.0) == 52.0
    assert tick(floor, 52.0) == [MakeReady(operator=ONE, queues=(), talk="", why="no_offer")]


def test_a_talk_that_the_switch_forgot_ends_in_wrap_up() -> None:
    floor = restarted()
    found(floor, "talking")
    found(floor, "talking", queue=OTHER)
    floor.settle()
    assert floor.members[ONE].state == "wrapup"
    assert tick(floor, 79.0) == []
    assert tick(floor, 80.0) == [wrapped_up("")]


def test_a_talk_that_went_down_with_the_switch_while_we_watched_ends_in_wrap_up() -> None:
    floor = floor_with(ONE)
    begin(floor, ONE, 1.0)
    floor.reset()
    found(floor, "talking", at=9.0)
    floor.settle()
    assert floor.members[ONE].state == "wrapup"
    assert tick(floor, 39.0) == [wrapped_up("")]


def test_a_talk_that_ended_unseen_leaves_its_wrap_up_to_be_ended() -> None:
    floor = floor_with(ONE)
    begin(floor, ONE, 1.0)
    floor.reset()
    found(floor, "wrapup", at=9.0, since=8.0)
    floor.settle()
    assert floor.members[ONE].state == "wrapup"
    assert tick(floor, 37.9) == []
    assert tick(floor, 38.0) == [wrapped_up("")]


def test_a_talk_that_began_unseen_does_not_keep_the_operator_in_wrap_up() -> None:
    """The switch refuses a word about an earlier talk; the name of one that may not be the last is not used."""
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.0)
    ready(floor, ONE, 40.0)
    floor.reset()
    found(floor, "wrapup", at=100.0, since=90.0)
    floor.settle()
    assert tick(floor, 120.0) == [wrapped_up("")]


def test_a_later_wrap_up_that_began_unseen_has_its_whole_time() -> None:
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.0)
    floor.reset()
    found(floor, "wrapup", at=70.0, since=65.0)
    floor.settle()
    assert tick(floor, 94.9) == []
    assert tick(floor, 95.0) == [wrapped_up("")]


def test_whole_seconds_of_the_switch_do_not_move_the_end_of_a_wrap_up() -> None:
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.5)
    floor.reset()
    found(floor, "wrapup", at=20.0, since=11.0)
    floor.settle()
    assert tick(floor, 40.4) == []
    assert tick(floor, 40.5) == [wrapped_up("")]


def test_who_signed_out_unseen_is_gone() -> None:
    floor = floor_with(ONE, TWO)
    floor.reset()
    found(floor, None, operator=TWO)
    floor.settle()
    assert list(floor.members) == [TWO]


def test_leaving_the_last_queue_signs_out() -> None:
    floor = floor_with(ONE, TWO, queues=(QUEUE, OTHER))
    floor.handle(MemberLeft(at=1.0, operator=ONE, queue=QUEUE))
    assert set(floor.members) == {ONE, TWO}
    floor.handle(MemberLeft(at=1.0, operator=ONE, queue=OTHER))
    assert list(floor.members) == [TWO]
    assert floor.handle(MemberLeft(at=2.0, operator=ONE, queue=QUEUE)) == []


def test_a_snapshot_forgets_who_waits_and_keeps_what_was_carried() -> None:
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.0)
    join(floor, CALLER, at=20.0)
    floor.reset()
    assert floor.waiting == {}
    assert floor.members[ONE].calls == 1


def test_events_of_a_stranger_are_no_fault() -> None:
    floor = floor_with(ONE)
    stranger = OperatorId("999")
    for event in (
        MemberReady(at=1.0, operator=stranger, queue=QUEUE),
        MemberPaused(at=1.0, operator=stranger, queue=QUEUE, reason="break1"),
        MemberLeft(at=1.0, operator=stranger, queue=QUEUE),
        OfferMade(at=1.0, operator=stranger, queue=QUEUE, caller=CALLER),
        OfferMissed(at=1.0, operator=stranger, queue=QUEUE),
        TalkStarted(at=1.0, operator=stranger, queue=QUEUE, caller=CALLER),
        TalkNamed(at=1.0, operator=stranger, talk="n1-1"),
        TalkEnded(at=1.0, operator=stranger, queue=QUEUE, talk_s=3.0),
        CallerLeft(at=1.0, caller="nobody", queue=QUEUE),
        Tick(at=2.0),
    ):
        assert floor.handle(event) == []
    assert list(floor.members) == [ONE]
