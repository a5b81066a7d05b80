"""The floor by example: wrap-up, missed offers, order, what waiting callers are told."""

from __future__ import annotations

import pytest
from acd_floor import (
    CALLER,
    QUEUE,
    begin,
    end,
    floor_with,
    found,
    join,
    pause,
    ready,
    restarted,
    sign_in,
    talk,
    tick,
    wrapped_up,
)

from acd.demand import Demand, Stage
from acd.events import (
    CallerJoined,
    CallerLeft,
    FloorCommand,
    HoldBack,
    MakeReady,
    MemberJoined,
    OfferMade,
    OfferMissed,
    OrderHeld,
    SetOrder,
    TalkEnded,
    TalkNamed,
    TalkStarted,
    TellWaiting,
    Tick,
)
from acd.floor import Floor
from acd.members import AUTO_PAUSE
from acd.rules import FloorRules
from core.ids import CallId, LineId, OperatorId, QueueName

pytestmark = pytest.mark.unit

ONE, TWO = OperatorId("101"), OperatorId("102")
OTHER = QueueName("portal-ja")


def miss(floor: Floor, operator: OperatorId, at: float) -> list[FloorCommand]:
    """An offer that rings out; app_queue pauses the member at the same moment."""
    floor.handle(OfferMade(at=at - 5.0, operator=operator, queue=QUEUE, caller=CALLER))
    commands = floor.handle(OfferMissed(at=at, operator=operator, queue=QUEUE))
    if not commands:
        pause(floor, operator, AUTO_PAUSE, at)
    return commands


# ---- wrap-up ----------------------------------------------------------------------------------------


def test_wrap_up_ends_by_itself_after_its_time() -> None:
    floor = floor_with(ONE)
    name = talk(floor, ONE, start=100.0, seconds=60.0)
    assert floor.members[ONE].state == "wrapup"
    assert tick(floor, 160.0 + 29.9) == []
    assert tick(floor, 160.0 + 30.0) == [wrapped_up(name)]
    ready(floor, ONE, 190.1)
    assert tick(floor, 300.0) == []


def test_what_the_switch_did_not_do_is_asked_again() -> None:
    floor = floor_with(ONE)
    name = talk(floor, ONE, start=100.0, seconds=60.0)
    tick(floor, 190.0)
    assert tick(floor, 192.9) == []
    assert tick(floor, 193.0) == [wrapped_up(name)]
    assert tick(floor, 196.0) == [wrapped_up(name)]


def test_wrap_up_is_that_of_the_queue_that_was_served() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0, OTHER: 90.0}, missed_before_pause=3))
    sign_in(floor, ONE, QUEUE, OTHER)
    name = talk(floor, ONE, start=0.0, seconds=10.0, queue=OTHER)
    assert tick(floor, 99.0) == []
    assert tick(floor, 100.0) == [wrapped_up(name)]


def test_wrap_up_of_a_later_stage_is_that_of_its_demand() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0, OTHER: 90.0}))
    later = QueueName("card_2-ja")
    sign_in(floor, ONE, later, OTHER)
    name = talk(floor, ONE, start=0.0, seconds=10.0, queue=later)
    assert tick(floor, 39.0) == []
    assert tick(floor, 40.0) == [wrapped_up(name)]


def test_an_operator_who_is_ready_by_hand_is_not_made_ready_again() -> None:
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.0)
    ready(floor, ONE, 12.0)
    assert floor.members[ONE].state == "ready"
    assert tick(floor, 1000.0) == []


def test_a_break_lasts_until_the_operator_ends_it() -> None:
    floor = floor_with(ONE, queues=(QUEUE, OTHER))
    pause(floor, ONE, "break1", 5.0)
    assert floor.members[ONE].state == "paused:break1"
    assert tick(floor, 10_000.0) == []


def test_the_talk_is_named_also_when_it_ended_before_it_began() -> None:
    """The operator hung up while the dialplan was still connecting: no talk, but a wrap-up that must be ended."""
    floor = floor_with(ONE)
    talk(floor, ONE, start=0.0, seconds=10.0)
    ready(floor, ONE, 40.0)
    pause(floor, ONE, "talking", 50.0)
    floor.handle(TalkNamed(at=50.2, operator=ONE, talk="n1-late"))
    pause(floor, ONE, "wrapup", 50.2)
    assert tick(floor, 80.2) == [wrapped_up("n1-late")]
    assert floor.members[ONE].calls == 1


# ---- staged opening -----------------------------------------------------------------------------------


def freed(*operators: OperatorId) -> tuple[Floor, dict[OperatorId, str]]:
    """Operators of two queues whose wrap-up is over at 100, 101, …; the names of their talks."""
    floor = floor_with(*operators, queues=(QUEUE, OTHER))
    return floor, {
        operator: talk(floor, operator, start=10.0 + n, seconds=60.0) for n, operator in enumerate(operators)
    }


def test_a_freed_operator_is_opened_first_where_the_neediest_waits_and_then_everywhere() -> None:
    floor, names = freed(ONE)
    join(floor, "new", QUEUE, at=95.0)
    join(floor, "old", OTHER, at=90.0)
    assert tick(floor, 100.0) == [
        MakeReady(operator=ONE, queues=(OTHER,), talk=names[ONE], why="wrapup_over")
    ]
    ready(floor, ONE, 100.1, OTHER)
    assert tick(floor, 102.0) == []
    assert tick(floor, 102.1) == [MakeReady(operator=ONE, queues=(), talk=names[ONE], why="no_offer")]
    ready(floor, ONE, 102.2)
    assert tick(floor, 109.0) == []


def test_an_offer_that_came_out_leaves_the_other_queues_closed() -> None:
    floor, _names = freed(ONE)
    join(floor, "new", QUEUE, at=95.0)
    join(floor, "old", OTHER, at=90.0)
    tick(floor, 100.0)
    ready(floor, ONE, 100.1, OTHER)
    floor.handle(OfferMade(at=100.5, operator=ONE, queue=OTHER, caller="old"))
    assert tick(floor, 105.0) == []


def test_a_caller_who_gives_up_while_it_rings_lets_the_operator_be_opened_everywhere() -> None:
    floor, names = freed(ONE)
    join(floor, "new", QUEUE, at=95.0)
    join(floor, "old", OTHER, at=90.0)
    tick(floor, 100.0)
    ready(floor, ONE, 100.1, OTHER)
    floor.handle(OfferMade(at=100.5, operator=ONE, queue=OTHER, caller="old"))
    floor.handle(CallerLeft(at=103.0, caller="old", queue=OTHER))
    assert tick(floor, 103.2) == [], "whoever answers is paused a moment after the caller has left the queue"
    assert tick(floor, 103.5) == [MakeReady(operator=ONE, queues=(), talk=names[ONE], why="no_offer")]


def test_with_nobody_waiting_everything_is_opened_at_once() -> None:
    floor, names = freed(ONE)
    assert tick(floor, 100.0) == [wrapped_up(names[ONE])]


def test_a_newcomer_of_another_queue_does_not_get_the_operator_who_is_meant_for_the_only_one_waiting() -> (
    None
):
    """The newcomer's queue looks at once, the other one within a second."""
    floor, names = freed(ONE)
    join(floor, "old", OTHER, at=90.0)
    assert tick(floor, 100.0) == [
        MakeReady(operator=ONE, queues=(OTHER,), talk=names[ONE], why="wrapup_over")
    ]


def test_the_stages_that_the_caller_moves_on_to_are_opened_too() -> None:
    stages = tuple(QueueName(name) for name in ("card-ja", "card_2-ja", "card_3-ja"))
    demand = Demand(
        line=LineId("card"), language="ja", priority=0, wait_limit_s=300.0,
        stages=tuple(Stage(queue=q, after_s=60.0 * n, least={"card": 3 - n}) for n, q in enumerate(stages)),
    )  # fmt: skip
    floor = Floor(FloorRules(demands=(demand,), skills={ONE: {"card": 3}}, wrap_up_s={QUEUE: 30.0}))
    sign_in(floor, ONE, *stages, OTHER)
    name = talk(floor, ONE, start=0.0, seconds=70.0)
    join(floor, "old", stages[1], at=90.0)
    opened = [command for command in tick(floor, 100.0) if isinstance(command, MakeReady)]
    assert opened == [MakeReady(operator=ONE, queues=stages[1:], talk=name, why="wrapup_over")]


def test_two_operators_are_not_meant_for_one_caller_while_the_switch_has_not_opened_the_first() -> None:
    floor, names = freed(ONE, TWO)
    join(floor, "old", OTHER, at=90.0)
    join(floor, "new", QUEUE, at=95.0)
    assert tick(floor, 100.0) == [
        MakeReady(operator=ONE, queues=(OTHER,), talk=names[ONE], why="wrapup_over")
    ]
    assert tick(floor, 101.0) == [
        MakeReady(operator=TWO, queues=(QUEUE,), talk=names[TWO], why="wrapup_over")
    ]


# ---- missed offers ------------------------------------------------------------------------------------


def test_a_missed_offer_is_given_back_once_others_have_had_it() -> None:
    floor = floor_with(ONE, missed_before_pause=2)
    assert miss(floor, ONE, 10.0) == []
    assert tick(floor, 12.9) == []
    given_back = MakeReady(operator=ONE, queues=(), talk="", why="missed_once")
    assert tick(floor, 13.0) == [given_back]
    assert tick(floor, 15.9) == []
    assert tick(floor, 16.0) == [given_back], "the first word was lost"


def test_missed_in_a_row_holds_back_until_the_operator_says_ready() -> None:
    floor = floor_with(ONE, missed_before_pause=2)
    miss(floor, ONE, 10.0)
    tick(floor, 13.0)
    ready(floor, ONE, 13.1)
    assert miss(floor, ONE, 20.0) == [HoldBack(operator=ONE, reason="missed")]
    assert tick(floor, 10_000.0) == []
    ready(floor, ONE, 10_001.0)
    assert miss(floor, ONE, 10_010.0) == []


def test_a_call_answered_between_starts_the_count_anew() -> None:
    floor = floor_with(ONE, missed_before_pause=2)
    miss(floor, ONE, 10.0)
    ready(floor, ONE, 13.0)
    talk(floor, ONE, start=20.0, seconds=5.0)
    ready(floor, ONE, 60.0)
    assert miss(floor, ONE, 70.0) == []


def test_the_switch_that_writes_over_our_pause_does_not_give_the_operator_back() -> None:
    floor = Floor(FloorRules(wrap_up_s={QUEUE: 30.0}, missed_before_pause=1))
    sign_in(floor, ONE, QUEUE)
    assert floor.handle(OfferMissed(at=5.0, operator=ONE, queue=QUEUE)) == [
        HoldBack(operator=ONE, reason="missed")
    ]
    pause(floor, ONE, "missed", 5.01)
    pause(floor, ONE, AUTO_PAUSE, 5.02)
    assert floor.next_due(5.05) == 5.05
    assert tick(floor, 5.2) == [HoldBack(operator=ONE, reason="missed")]
    assert tick(floor, 60.0) == []
    assert floor.members[ONE].state == "paused:missed"


# ---- the order of offers --------------------------------------------------------------------------------


def test_the_least_loaded_comes_first() -> None:
    floor = floor_with(ONE, TWO)
    assert floor.members[ONE].penalty < floor.members[TWO].penalty
    talk(floor, ONE, start=0.0, seconds=10.0)
    before = floor.order.version
    orders = [command for command in floor.handle(Tick(at=10.0)) if isinstance(command, SetOrder)]
    assert orders == [SetOrder(operator=ONE, penalty=30, version=before + 1)]
    assert floor.members[ONE].penalty > floor.members[TWO].penalty


def test_a_penalty_set_before_the_switch_knew_the_queue_is_set_again() -> None:
    floor = floor_with(ONE)
    first = sign_in(floor, TWO, QUEUE, at=5.0)
    assert first == [SetOrder(operator=TWO, penalty=20, version=floor.order.version)]
    assert sign_in(floor, TWO, OTHER, at=5.0) == [
        SetOrder(operator=TWO, penalty=20, version=floor.order.version)
    ]
    held = MemberJoined(at=5.0, operator=TWO, queue=QueueName("card-en"), penalty=20, paused=None)
    assert floor.handle(held) == []


def test_the_version_that_the_switch_holds_never_goes_back() -> None:
    floor = floor_with(ONE, TWO)
    floor.handle(OrderHeld(at=1.0, version=2))
    floor.handle(OrderHeld(at=1.0, version=1))
    assert floor.order.held == 2


# ---- who waits ------------------------------------------------------------------------------------------


def test_the_first_word_comes_after_its_time_and_then_at_intervals() -> None:
    floor = floor_with(ONE)
    join(floor, CALLER)
    words = [at for at in range(130) if any(isinstance(c, TellWaiting) for c in tick(floor, float(at)))]
    assert words == [20, 65, 110]


def test_a_caller_is_told_their_place_and_nothing_that_would_be_a_guess() -> None:
    floor = floor_with(ONE)
    join(floor, "first")
    join(floor, "second", at=5.0)
    assert tick(floor, 25.0) == [
        TellWaiting(caller="first", queue=QUEUE, position=1, minutes=None),
        TellWaiting(caller="second", queue=QUEUE, position=2, minutes=None),
    ]


def test_the_place_counts_all_stages_of_the_demand() -> None:
    floor = floor_with(ONE)
    join(floor, "old", QueueName("card_2-ja"), at=1.0)
    join(floor, "new", at=5.0)
    join(floor, "elsewhere", OTHER, at=2.0)
    places = {command.caller: command.position for command in tick(floor, 30.0)}  # type: ignore[union-attr]
    assert places == {"old": 1, "new": 2, "elsewhere": 1}


def test_a_reconnect_does_not_speak_to_a_caller_anew() -> None:
    floor = floor_with(ONE)
    join(floor, CALLER)
    assert len(tick(floor, 20.0)) == 1
    floor.reset()
    found(floor, None, at=20.5)
    join(floor, CALLER, at=1.0)
    floor.settle()
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
    join(floor, CALLER)
    floor.handle(gone)
    assert not any(isinstance(command, TellWaiting) for command in tick(floor, 1000.0))


def test_a_telephone_that_rang_for_a_caller_who_left_rings_no_more() -> None:
    floor = floor_with(ONE)
    join(floor, "c1", at=1.0)
    floor.handle(OfferMade(at=1.1, operator=ONE, queue=QUEUE, caller="c1"))
    assert floor.members[ONE].state == "ringing"
    floor.handle(CallerLeft(at=3.0, caller="c1", queue=QUEUE))
    assert floor.members[ONE].state == "ready"


def test_the_place_is_kept_through_stages_and_a_failed_transfer() -> None:
    floor = floor_with(ONE)
    join(floor, CALLER, at=10.0)
    floor.handle(CallerLeft(at=70.0, caller=CALLER, queue=QUEUE))
    join(floor, CALLER, QueueName("card_2-ja"), at=70.0)
    assert floor.waiting[CALLER].joined_at == 10.0
    floor.handle(TalkStarted(at=80.0, operator=ONE, queue=QueueName("card_2-ja"), caller=CALLER, talk="n1-1"))
    join(floor, CALLER, OTHER, at=200.0)
    assert (floor.waiting[CALLER].joined_at, floor.waiting[CALLER].queue) == (10.0, OTHER)


def test_a_caller_who_is_told_of_twice_keeps_their_place() -> None:
    floor = floor_with(ONE)
    join(floor, CALLER, at=10.0)
    tick(floor, 30.0)
    join(floor, CALLER, at=40.0)
    assert floor.waiting[CALLER].joined_at == 10.0
    assert tick(floor, 74.9) == []
    assert len(tick(floor, 75.0)) == 1


def test_a_late_word_of_leaving_an_earlier_stage_does_not_forget_the_caller() -> None:
    floor = floor_with(ONE)
    join(floor, CALLER, at=10.0)
    join(floor, CALLER, QueueName("card_2-ja"), at=70.0)
    floor.handle(CallerLeft(at=70.1, caller=CALLER, queue=QUEUE))
    assert list(floor.waiting) == [CALLER]


def test_a_channel_name_used_again_after_a_restart_of_the_switch_is_another_caller() -> None:
    floor = floor_with(ONE)
    for at, call in ((10.0, "c-n1-10.1"), (5000.0, "c-n1-5000.1")):
        floor.handle(CallerJoined(at=at, caller=CALLER, queue=QUEUE, position=1, call=CallId(call)))
        assert floor.waiting[CALLER].joined_at == at
        floor.handle(CallerLeft(at=at + 5, caller=CALLER, queue=QUEUE))


def test_an_earlier_first_entry_that_the_dialplan_knows_counts() -> None:
    floor = floor_with(ONE)
    join(floor, CALLER, at=100.0, since=40.0)
    assert floor.waiting[CALLER].joined_at == 40.0
    join(floor, CALLER, at=100.0, since=90.0)
    assert floor.waiting[CALLER].joined_at == 40.0


# ---- words that come twice ------------------------------------------------------------------------------


def test_a_talk_that_is_told_twice_counts_once() -> None:
    floor = floor_with(ONE)
    name = begin(floor, ONE, 10.0)
    started = TalkStarted(at=10.5, operator=ONE, queue=QUEUE, caller=CALLER, talk=name)
    floor.handle(started)
    end(floor, ONE, 70.0, name, 60.0)
    floor.handle(started)
    assert floor.members[ONE].state == "wrapup"
    floor.handle(TalkEnded(at=70.0, operator=ONE, queue=QUEUE, talk_s=60.0))
    assert floor.members[ONE].calls == 1
    assert floor.view(70.0).handling_s == {QUEUE: (90.0,)}


def test_a_talk_whose_beginning_was_not_seen_counts() -> None:
    floor = restarted()
    found(floor, "talking", at=50.0, since=40.0, in_call=True)
    floor.settle()
    end(floor, ONE, 70.0, "n1-1", 30.0)
    seat = floor.view(70.0).seats[0]
    assert (seat.load.calls, seat.load.handled_s, seat.load.available_s) == (1, 20.0, 20.0)
