"""One call-back from booking to end, told in order, twice, late and out of turn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from callback_making import RULES, a_callback
from hypothesis import given
from hypothesis import strategies as st

from acd.callback import (
    LOST_TRY_S,
    OFFER_SLACK_S,
    Callback,
    CallbackEvent,
    CallbackState,
    CitizenRung,
    Expired,
    GiveBack,
    OperatorMissed,
    OperatorRung,
    Passing,
    RingOperator,
    StopRinging,
    TalkBegun,
    TryOver,
    Withdrawn,
    advance,
    is_due,
)
from core.ids import CallId, OperatorId

pytestmark = pytest.mark.unit

OP = OperatorId("101")


def after(callback: Callback, *events: CallbackEvent) -> Callback:
    for event in events:
        callback, _ = advance(callback, event, RULES)
    return callback


def rung(at: float = 100.0, operator: OperatorId = OP) -> OperatorRung:
    return OperatorRung(at=at, operator=operator)


def citizen(attempt: int = 1, at: float = 105.0) -> CitizenRung:
    return CitizenRung(at=at, operator=OP, attempt=attempt)


def over(attempt: int = 1, at: float = 130.0, talk_s: float | None = None) -> TryOver:
    return TryOver(at=at, operator=OP, attempt=attempt, result="noanswer", talk_s=talk_s)


def test_answered_at_the_first_try() -> None:
    booked = a_callback()
    ringing, commands = advance(booked, rung(), RULES)
    assert commands == [
        RingOperator(call=booked.call, operator=OP, number=booked.number, demand=booked.demand, attempt=1)
    ]
    talking = after(ringing, citizen(), TalkBegun(at=110, operator=OP, attempt=1))
    assert (talking.state, talking.tries, talking.over) == (CallbackState.TALKING, 1, 0)
    done, commands = advance(talking, over(talk_s=20.0), RULES)
    assert (done.state, done.reason, done.talk_s, commands) == (CallbackState.DONE, "answered", 20.0, [])


def test_two_tries_with_a_gap_and_no_third() -> None:
    first, commands = advance(after(a_callback(), rung(), citizen()), over(), RULES)
    assert commands == [GiveBack(call=first.call, operator=OP, why="callback_unanswered")]
    assert (first.state, first.operator, first.entered_at) == (CallbackState.BOOKED, None, 0.0)
    assert not is_due(first, 130 + RULES.retry_after_s - 0.1)
    assert advance(first, rung(140), RULES) == (first, [])
    second = after(first, rung(200), citizen(2, 205), over(2, 230))
    assert (second.state, second.reason, second.tries) == (CallbackState.FAILED, "noanswer", 2)
    assert advance(second, rung(999), RULES) == (second, [])


@pytest.mark.parametrize(
    "event",
    [
        OperatorMissed(at=110),
        TryOver(at=110, operator=OP, attempt=1, result="", talk_s=None),
        Passing(at=100 + RULES.offer_s + OFFER_SLACK_S),
    ],
)
def test_an_operator_who_does_not_take_it_costs_no_try(event: CallbackEvent) -> None:
    back, commands = advance(after(a_callback(), rung()), event, RULES)
    assert commands == [GiveBack(call=back.call, operator=OP, why="callback_not_taken")]
    assert (back.state, back.tries, back.offers) == (CallbackState.BOOKED, 0, 1)
    assert is_due(back, event.at + RULES.offer_again_s)


def test_the_disk_knows_better_than_an_engine_that_gave_up() -> None:
    given_up = after(a_callback(), rung(), Passing(at=130))
    assert given_up.state is CallbackState.BOOKED
    assert after(given_up, citizen(at=112)).state is CallbackState.CITIZEN_RINGING


def test_a_try_whose_end_nobody_wrote_is_over_some_time() -> None:
    lost = after(a_callback(), rung(), citizen(), Passing(at=105 + LOST_TRY_S))
    assert (lost.state, lost.over) == (CallbackState.BOOKED, 1)
    assert after(lost, over(at=999, talk_s=5.0)) == lost


def test_the_late_end_of_an_earlier_try_leaves_the_one_that_lasts() -> None:
    ringing = after(a_callback(), rung(), citizen(attempt=2))
    late, commands = advance(ringing, over(attempt=1), RULES)
    assert (late.state, late.operator, late.tries, late.over) == (CallbackState.CITIZEN_RINGING, OP, 2, 1)
    assert commands == [], "who rings the citizen now has nothing to wrap up yet"
    other = advance(replace(ringing, operator=OperatorId("102")), over(attempt=1), RULES)[1]
    assert other == [GiveBack(call=late.call, operator=OP, why="callback_unanswered")]
    assert after(late, over(attempt=2)).over == 2


def test_cancelled_before_the_citizen_rings_and_not_after() -> None:
    again = Withdrawn(at=103, reason="called_again", by=CallId("c-2"))
    gone, commands = advance(after(a_callback(), rung()), again, RULES)
    assert (gone.state, gone.reason, gone.by) == (CallbackState.CANCELLED, "called_again", "c-2")
    assert commands == [StopRinging(call=gone.call, operator=OP)]
    ringing = after(a_callback(), rung(), citizen())
    assert after(ringing, again) == ringing
    # Busy with the later call, so the try is in vain; told again, it is cancelled.
    assert after(ringing, again, over(), again).state is CallbackState.CANCELLED


def test_it_expires_only_while_nobody_works_on_it() -> None:
    assert after(a_callback(), Expired(at=999)).state is CallbackState.EXPIRED
    assert after(a_callback(), rung(), Expired(at=101)).state is CallbackState.OPERATOR_RINGING


def test_its_repr_shows_no_number() -> None:
    callback = a_callback()
    assert callback.number not in repr(callback)


events = st.one_of(
    st.builds(rung, at=st.floats(20, 500), operator=st.sampled_from([OP, OperatorId("102")])),
    st.builds(OperatorMissed, at=st.floats(20, 500)),
    st.builds(citizen, attempt=st.integers(1, 3), at=st.floats(20, 500)),
    st.builds(TalkBegun, at=st.floats(20, 500), operator=st.just(OP), attempt=st.integers(1, 3)),
    st.builds(
        over,
        attempt=st.integers(1, 3),
        at=st.floats(20, 500),
        talk_s=st.one_of(st.none(), st.floats(0, 60)),
    ),
    st.builds(Withdrawn, at=st.floats(20, 500), reason=st.just("called_again")),
    st.builds(Passing, at=st.floats(20, 500)),
    st.builds(Expired, at=st.floats(20, 500)),
)


@given(st.lists(events, max_size=40))
def test_whatever_happens_in_whatever_order(story: list[CallbackEvent]) -> None:
    callback = a_callback()
    for event in story:
        before = callback
        callback, commands = advance(callback, event, RULES)
        assert (callback.call, callback.number, callback.entered_at) == (
            before.call, before.number, before.entered_at,
        )  # fmt: skip
        assert before.over <= callback.over <= callback.tries or callback.over <= before.tries + 1
        assert callback.tries >= before.tries
        if not before.state.is_open:
            assert (callback, commands) == (before, []), "what has ended goes on"
        rings = [each for each in commands if isinstance(each, RingOperator)]
        if rings:
            assert before.state is CallbackState.BOOKED, "a second telephone for one call-back"
            assert rings[0].attempt == before.tries + 1
            assert before.over == before.tries, "a try begins while another lasts"
        # Told twice, the second time changes nothing.
        assert advance(callback, event, RULES)[0] == callback or isinstance(event, Passing | OperatorMissed)


@given(st.lists(events, max_size=30))
def test_the_citizens_telephone_rings_no_more_often_than_agreed(story: list[CallbackEvent]) -> None:
    """Against a dialplan that dials only what it was told to."""
    callback, dialled = a_callback(), 0
    for event in story:
        if isinstance(event, CitizenRung | TalkBegun | TryOver):
            continue
        callback, commands = advance(callback, event, RULES)
        for command in commands:
            if isinstance(command, RingOperator):
                dialled += 1
                at = event.at + 5
                callback = after(
                    callback,
                    citizen(command.attempt, at),
                    over(command.attempt, at + 20),
                )
    assert dialled <= RULES.tries
    if callback.state.is_open:
        assert replace(callback, next_at=0).state is CallbackState.BOOKED
