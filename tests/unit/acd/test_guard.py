"""The guard by example: when it climbs, what it does, and when it is over."""

from __future__ import annotations

import pytest
from guard_scene import CARD, CARD2, PORTAL, caller, guard_with, seat, steps_of, view

from acd.guard_profile import GuardAct, GuardStepSection
from acd.guard_steps import (
    BringIn,
    GuardWhy,
    OfferCallback,
    OverflowCaller,
    RelaxCaller,
    SendBack,
    step_text,
)
from core.ids import OperatorId

pytestmark = pytest.mark.unit

RELAX = GuardStepSection(act=GuardAct.RELAX, within_s=120)
CALL_IN = GuardStepSection(act=GuardAct.CALL_IN, group="responsible", within_s=90)
OFFER = GuardStepSection(act=GuardAct.OFFER_CALLBACK, waited_s=250)
OVERFLOW = GuardStepSection(act=GuardAct.OVERFLOW, waited_s=400)
BOOTHS = GuardStepSection(act=GuardAct.CALL_IN, group="booth", waiting=4)
LOW = (CARD2,)
STANDING_BY = seat("301", "paused:reserve")
GROUPS = {"301": "responsible"}
OP = OperatorId("301")


def test_nothing_is_done_for_a_caller_who_will_be_served_in_time() -> None:
    guard = guard_with(RELAX, CALL_IN, groups=GROUPS)
    seats = [seat("101", "talking", since=250.0), STANDING_BY]
    assert guard.observe(view(280.0, seats, [caller("a", 60.0)])) == []


def test_a_caller_who_will_pass_the_limit_is_relaxed_before_it_and_nobody_is_passed_over() -> None:
    """The timer relaxes the first to the one free operator at 240 s; the second would be taken too late."""
    guard = guard_with(RELAX)
    seats = [seat("101", "talking", since=170.0), seat("102", queues=LOW)]
    long = {CARD: (400.0,) * 3}
    waiting = [caller("a", 0.0), caller("b", 1.0)]
    assert guard.observe(view(180.9, seats, waiting, long)) == []
    done = guard.observe(view(181.0, seats, waiting, long))
    assert [(step.act, step.why, step.caller) for step in steps_of(done)] == [
        ("relax", GuardWhy.WITH, "a"),
        ("relax", GuardWhy.PREDICTED, "b"),
    ]
    assert [each.caller for each in done if isinstance(each, RelaxCaller)] == ["a", "b"]


def test_relaxing_takes_along_whoever_stands_before_so_that_nobody_is_passed_over() -> None:
    by_wait = GuardStepSection(act=GuardAct.RELAX, waiting=1)
    guard = guard_with(by_wait)
    seats = [seat("101", "talking", since=90.0), seat("102", queues=LOW)]
    done = guard.observe(view(100.0, seats, [caller("old", 10.0), caller("new", 20.0)]))
    assert [each.caller for each in done if isinstance(each, RelaxCaller)] == ["old", "new"]
    assert all(each.queue == CARD for each in done if isinstance(each, RelaxCaller))


def test_relaxing_that_would_bring_nobody_is_passed_by() -> None:
    guard = guard_with(RELAX, CALL_IN, groups=GROUPS)
    seats = [seat("101", "talking", since=200.0), STANDING_BY]
    done = guard.observe(view(215.0, seats, [caller("a", 0.0)]))
    assert [(step.act, step.rung) for step in steps_of(done)] == [("call_in", 2)]
    assert BringIn(operators=(OP,)) in done


def test_a_step_for_one_caller_is_taken_once_and_the_next_waits_for_it_to_help() -> None:
    guard = guard_with(
        GuardStepSection(act=GuardAct.ALERT, waited_s=10), OVERFLOW.model_copy(update={"waited_s": 10})
    )
    acts = [
        [step.act for step in steps_of(guard.observe(view(at, [], [caller("a", 0.0)])))]
        for at in (9.0, 10.0, 11.0, 14.9, 15.0, 16.0, 60.0)
    ]
    assert acts == [[], ["alert"], [], [], ["overflow"], [], []]


def test_the_whole_ladder_in_its_order() -> None:
    guard = guard_with(RELAX, CALL_IN, OFFER, OVERFLOW, groups=GROUPS)
    guard.offers_callbacks = True
    low, busy = seat("102", "talking", since=150.0, queues=LOW), seat("101", "talking", since=150.0)
    acts = []
    queue = CARD
    for at in range(150, 420):
        seats = [low, busy, seat("301", "paused:break1")]
        commands = guard.observe(
            view(at, seats, [caller("a", 0.0, queue=queue)], {CARD: (2000.0,) * 3, PORTAL: (2000.0,) * 3})
        )
        for command in commands:
            match command:
                case RelaxCaller():
                    queue = CARD2
                case OfferCallback() | OverflowCaller():
                    assert command.caller == "a"
                case BringIn() | SendBack():
                    pytest.fail("somebody on a break was called in")
        acts += [(at, step.act) for step in steps_of(commands)]
    assert acts == [(180, "relax"), (210, "call_in"), (250, "offer_callback"), (400, "overflow")]


def test_without_callbacks_the_ladder_goes_on_past_the_offer() -> None:
    guard = guard_with(OFFER, OVERFLOW.model_copy(update={"waited_s": 250}))
    acts = [
        step.act for at in range(250, 260) for step in steps_of(guard.observe(view(at, [], [caller("a", 0)])))
    ]
    assert acts == ["overflow"]


def test_while_a_telephone_rings_for_the_caller_nothing_is_done_to_them() -> None:
    guard = guard_with(OVERFLOW)
    rung = caller("a", 0.0, ringing_at="101")
    assert guard.observe(view(401.0, [seat("101", "ringing", since=400.0)], [rung])) == []
    done = guard.observe(view(402.0, [seat("101", "paused:Auto-Pause")], [caller("a", 0.0)]))
    assert OverflowCaller(caller="a", queue=CARD) in done


def test_more_than_four_waiting_calls_all_booths_and_calm_sends_them_back() -> None:
    guard = guard_with(BOOTHS, groups={"301": "booth", "302": "booth"}, calm_s=60.0)
    booths = [seat("301", "paused:reserve"), seat("302", "paused:break1")]
    four = [caller(f"c{n}", float(n)) for n in range(4)]
    assert guard.observe(view(5.0, booths, four)) == []
    done = guard.observe(view(6.0, booths, [*four, caller("c4", 4.0)]))
    (step,) = steps_of(done)
    assert (step.act, step.why, step.group, step.operators, step.waiting) == (
        "call_in",
        GuardWhy.WAITING,
        "booth",
        ("301",),
        5,
    )
    assert [each for each in done if isinstance(each, BringIn)] == [BringIn(operators=(OP,))]
    helping = [seat("301", "talking", since=7.0), seat("302", "paused:break1")]
    # Three are more than half of four: not calm yet. Then two, and a minute of that.
    assert guard.observe(view(8.0, helping, four[:3])) == []
    assert guard.observe(view(9.0, helping, four[:2])) == []
    assert guard.observe(view(68.9, helping, four[:2])) == []
    (over,) = steps_of(guard.observe(view(69.0, helping, four[:2])))
    assert (over.act, over.why, over.operators) == ("send_back", GuardWhy.CALM, ("301",))
    assert guard.called_in == frozenset()
    # Still talking: only once free again do they stand by.
    assert guard.observe(view(70.0, helping, [])) == []
    assert guard.observe(view(80.0, [seat("301"), booths[1]], [])) == [SendBack(operators=(OP,))]


def test_calm_must_last_without_a_break() -> None:
    guard = guard_with(BOOTHS, groups={"301": "booth"}, calm_s=60.0)
    five = [caller(f"c{n}", float(n)) for n in range(5)]
    guard.observe(view(10.0, [seat("301", "paused:reserve")], five))
    for at, callers in ((20.0, []), (70.0, five[:3]), (75.0, []), (130.0, [])):
        assert guard.observe(view(at, [seat("301", "talking", since=11.0)], callers)) == []
    assert [s.act for s in steps_of(guard.observe(view(135.0, [seat("301")], [])))] == ["send_back"]


def test_a_group_stays_while_somebody_would_wait_too_long_without_it() -> None:
    guard = guard_with(CALL_IN, groups=GROUPS, calm_s=10.0)
    busy = seat("101", "talking", since=200.0)
    guard.observe(view(215.0, [busy, STANDING_BY], [caller("a", 0.0)]))
    assert guard.called_in == {"responsible"}
    # With the responsible person (free) nobody passes the limit; without, the second caller would.
    waiting = [caller("b", 30.0), caller("c", 31.0)]
    for at in range(216, 240):
        guard.observe(view(at, [busy, seat("301")], waiting))
    assert guard.called_in == {"responsible"}
    for at in range(240, 252):
        guard.observe(view(at, [busy, seat("301")], []))
    assert guard.called_in == frozenset()


def test_who_signs_in_to_a_called_in_group_is_called_in_too_and_asked_again_until_they_are() -> None:
    guard = guard_with(CALL_IN, groups=GROUPS)
    late = [caller("a", 0.0)]
    (nobody,) = steps_of(guard.observe(view(215.0, [], late)))
    assert nobody.operators == ()
    assert "待機している人がいません" in step_text(nobody, {"responsible": "責任者"})
    assert guard.observe(view(216.0, [STANDING_BY], late)) == [BringIn(operators=(OP,))]
    assert guard.observe(view(217.0, [STANDING_BY], late)) == []
    assert guard.observe(view(219.0, [STANDING_BY], late)) == [BringIn(operators=(OP,))]
    assert guard.observe(view(220.0, [seat("301")], late)) == []


def test_after_a_restart_whoever_of_a_group_takes_calls_had_been_called_in() -> None:
    guard = guard_with(CALL_IN, groups=GROUPS, calm_s=10.0)
    assert guard.observe(view(0.0, [seat("301")], [])) == []
    assert guard.called_in == {"responsible"}
    done = guard.observe(view(10.0, [seat("301")], []))
    assert [step.act for step in steps_of(done)] == ["send_back"]
    assert SendBack(operators=(OP,)) in done


def test_called_in_by_hand_stays_until_the_hand_lets_go() -> None:
    guard = guard_with(CALL_IN, groups=GROUPS, calm_s=10.0)
    (step,) = steps_of(guard.observe(view(0.0, [STANDING_BY], []), ["responsible"]))
    assert (step.why, step.rung) == (GuardWhy.BY_HAND, 0)
    assert guard.observe(view(100.0, [seat("301")], []), ["responsible"]) == []
    assert guard.observe(view(101.0, [seat("301")], [])) == []
    assert [s.act for s in steps_of(guard.observe(view(111.0, [seat("301")], [])))] == ["send_back"]


def test_a_counting_alert_is_raised_once_until_it_has_been_calm() -> None:
    guard = guard_with(GuardStepSection(act=GuardAct.ALERT, waiting=1, counted="line"), calm_s=60.0)
    two = [caller("a", 0.0), caller("b", 0.0)]
    apart = [caller("a", 0.0), caller("p", 0.0, queue=PORTAL)]
    assert guard.observe(view(1.0, [], apart)) == []
    acts = [
        len(steps_of(guard.observe(view(at, [], callers))))
        for at, callers in (
            (2.0, two),
            (3.0, two),
            (4.0, []),
            (30.0, two),
            (31.0, []),
            (91.0, []),
            (92.0, two),
        )
    ]
    assert acts == [1, 0, 0, 0, 0, 0, 1]


def test_steps_for_some_lines_leave_the_others_alone() -> None:
    guard = guard_with(GuardStepSection(act=GuardAct.OVERFLOW, waited_s=10, lines=("card",)))
    done = guard.observe(view(20.0, [], [caller("a", 0.0), caller("p", 0.0, queue=PORTAL)]))
    assert [step.caller for step in steps_of(done)] == ["a"]


def test_what_is_in_force_is_shown_until_it_is_over() -> None:
    guard = guard_with(CALL_IN, OVERFLOW, groups=GROUPS, calm_s=10.0)
    assert guard.in_force == ()
    guard.observe(view(215.0, [STANDING_BY], [caller("a", 0.0)]))
    guard.observe(view(401.0, [seat("301", "talking", since=400.0)], [caller("a", 0.0)]))
    assert [(step.act, step.subject) for step in guard.in_force] == [
        ("call_in", "responsible"),
        ("overflow", "c-a"),
    ]
    guard.observe(view(402.0, [seat("301")], []))
    assert [step.act for step in guard.in_force] == ["call_in"]
    guard.observe(view(412.0, [seat("301")], []))
    assert guard.in_force == ()


def test_the_whole_expected_wait_is_at_most_the_lines_own_limit() -> None:
    guard = guard_with()
    guard.observe(view(100.0, [seat("101", "talking", since=90.0)], [caller("a", 40.0)]))
    assert guard.expected_s == {"a": 60.0 + 90.0}
    guard.observe(view(101.0, [], [caller("a", 40.0)]))
    assert guard.expected_s == {"a": 900.0}


def test_a_step_is_told_in_words_without_any_number_of_a_citizen() -> None:
    guard = guard_with(CALL_IN, groups=GROUPS)
    seats = [seat("101", "talking", since=200.0), STANDING_BY]
    (step,) = steps_of(guard.observe(view(215.0, seats, [caller("a", 0.0)])))
    assert step_text(step, {"responsible": "業務責任者"}) == (
        "応援（業務責任者）: 301を呼び込みました。このままでは待ち時間の上限を超えます。"
        "215秒お待ちの方。見込みはあと85秒。待ち1人、受け手1人。"
    )
