"""Whole stories, beheaded, cut, doubled and shuffled: one disposition, never an exception."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_stories import CALL, QUEUE, T0, Teller, answered_call

from core.facts.dialplan import StepResult
from core.ids import OperatorId, Uniqueid
from ledger import facts as f
from ledger.calls import Call, Disposition, Gap
from ledger.facts import QueueExit
from ledger.fold import fold_call, fold_calls

pytestmark = pytest.mark.replay


def _stories() -> dict[str, tuple[Teller, Disposition]]:
    def menu() -> Teller:
        teller = Teller().arrived().cel(f.LanguageChosen, 2, language="ja")
        return teller.cel(f.MenuStep, 4, node="main", key="1", result=StepResult.CHOICE)

    transferred = menu().joined(5).connected(9).parted(30, how="BLINDTRANSFER")
    transferred.cel(f.Transferred, 31, to="701", label="戸籍住民課", result="")
    transferred.cel(f.Transferred, 90, to="701", label="戸籍住民課", result="ANSWER").hung_up(90)
    missed = menu().joined(5)
    missed.log(f.OfferMissed, 15, queue=QUEUE, operator=OperatorId("102"), ring_s=8.0)
    missed.connected(20.5).parted(40, how="COMPLETECALLER").hung_up(40).wrapped_up(40, 55)
    fallen = Teller().arrived().cel(f.FellBack, 0.2, step="ivr", why="no_heartbeat", by="script")
    fallen.joined(3).connected(9).parted(30).hung_up(30)
    again = menu().joined(5).left(10, QueueExit.TIMEOUT).cel(f.Overflowed, 10.1, reason="wait_limit")
    again.joined(14).connected(20).parted(30).hung_up(30)
    return {
        "answered": (answered_call(), Disposition.ANSWERED),
        "missed, then answered": (missed, Disposition.ANSWERED),
        "transferred": (transferred, Disposition.ANSWERED),
        "fallback": (fallen, Disposition.ANSWERED),
        "overflow, then answered": (again, Disposition.ANSWERED),
        "abandoned in queue": (
            menu().joined(5).left(30, QueueExit.ABANDONED, cel=False).hung_up(30),
            Disposition.ABANDONED_QUEUE,
        ),
        "abandoned in menu": (menu().hung_up(8), Disposition.ABANDONED_MENU),
        "overflow": (
            menu().joined(5).left(5.1, QueueExit.FULL).cel(f.Overflowed, 5.2, reason="full").hung_up(15),
            Disposition.OVERFLOW,
        ),
        "closed": (
            Teller().arrived().cel(f.FoundClosed, 1, reason="holiday", next_opening="").hung_up(9),
            Disposition.AFTER_HOURS,
        ),
        "died": (menu().joined(5).restarted(60), Disposition.SYSTEM_FAILURE),
        "died talking": (menu().joined(5).connected(9).restarted(60), Disposition.ANSWERED),
    }


STORIES = _stories()
names = st.sampled_from(sorted(STORIES))


def check(call: Call) -> None:
    """What holds of any call, however little is known."""
    assert (call.disposition is None) == call.open
    assert (call.ended_by is None) == call.open
    assert call.talk_s >= 0
    assert call.wait_s is None or call.wait_s >= 0
    assert call.wait_from_arrival_s is None or call.wait_from_arrival_s >= 0
    for segment in call.segments:
        assert segment.ended_at is None or segment.ended_at >= segment.started_at
        assert segment.wrap_up_s is None or segment.wrap_up_s >= 0
    if call.disposition is Disposition.ANSWERED:
        assert call.segments


@pytest.mark.parametrize("name", sorted(STORIES))
def test_the_whole_story(name: str) -> None:
    teller, disposition = STORIES[name]
    call = fold_call(teller.facts)
    assert call is not None
    assert call.disposition is disposition
    check(call)


@given(names, st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_and_repetition_change_nothing(name: str, dice: random.Random, times: int) -> None:
    facts = STORIES[name][0].facts
    told = facts * times
    dice.shuffle(told)
    assert fold_call(told) == fold_call(facts)


@settings(max_examples=400)
@given(names, st.data())
def test_any_part_of_a_story_gives_at_most_one_sound_call(name: str, data: st.DataObject) -> None:
    facts = STORIES[name][0].facts
    kept = [fact for fact in facts if data.draw(st.booleans())]
    call = fold_call(kept)
    if call is None:
        assert not any(isinstance(fact, f.Arrived) for fact in kept)
        return
    check(call)
    assert (Gap.ARRIVAL in call.gaps) == (not any(isinstance(fact, f.Arrived) for fact in kept))


@given(names, st.data())
def test_cut_and_resumed_gives_the_same_as_in_one_piece(name: str, data: st.DataObject) -> None:
    """The end is what counts: whatever was folded in between, the whole gives the whole."""
    facts = STORIES[name][0].facts
    cut = data.draw(st.integers(0, len(facts)))
    fold_call(facts[:cut])
    assert fold_call([*facts[cut:], *facts[: cut + 3]]) == fold_call(facts)


@given(names)
def test_a_beheaded_story_keeps_its_ending(name: str) -> None:
    teller, disposition = STORIES[name]
    beheaded = [fact for fact in teller.facts if not isinstance(fact, f.Arrived)]
    call = fold_call(beheaded)
    assert call is not None
    assert call.disposition is disposition
    assert Gap.ARRIVAL in call.gaps


@settings(max_examples=60)
@given(st.lists(names, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_many_calls_mixed_up_are_each_found_once(chosen: list[str], dice: random.Random) -> None:
    facts: list[f.Fact] = []
    for number, name in enumerate(chosen):
        uniqueid = f"n{number}-{1764000000 + number}.{number}"
        for fact in STORIES[name][0].facts:
            facts.append(_moved(fact, Uniqueid(uniqueid), f"n{number}"))
    dice.shuffle(facts)
    calls = fold_calls(facts)
    assert Counter(call.disposition for call in calls) == Counter(STORIES[name][1] for name in chosen)
    assert len({call.call_id for call in calls}) == len(chosen)


def _moved(fact: f.Fact, uniqueid: Uniqueid, node: str) -> f.Fact:
    """The same fact of another call on another node."""
    source = replace(fact.source, node=node)
    changes: dict[str, object] = {"source": source, "call": f"c-{uniqueid}" if fact.call else None}
    for name in {field.name for field in fields(fact)} & {"uniqueid", "member_channel"}:
        value = getattr(fact, name)
        if value is not None:
            changes[name] = value.replace(str(CALL).removeprefix("c-"), uniqueid)
    if hasattr(fact, "operator"):
        changes["operator"] = f"{node[1:]}{fact.operator}"
    return replace(fact, **changes)  # type: ignore[arg-type]


def test_a_queue_to_queue_attended_transfer_is_one_call() -> None:
    """asterisk/asterisk#759: the consultation call has an id of its own, and its rows name the wrong queue.

    Truth: one call, nobody abandoned; wait 12 s; 120 s with 7009, then (about 6 s of music and) 173 s with 7051.
    """
    citizen = Teller("1717397243.239826", channel="PJSIP/trunk-0000000a").arrived()
    citizen.joined(3.4, queue="q1501").cel(
        f.LegJoined, 15.5, channel="PJSIP/op7009-1", uniqueid="1717397259.239827", bridge="b1"
    )
    citizen.cel(
        f.Connected, 15.4, queue=None, operator="7009", exact=True, member_channel="1717397259.239827"
    )
    citizen.log(
        f.Connected,
        15.4,
        queue="q1501",
        operator="7009",
        exact=False,
        ring_s=11.0,
        member_channel="1717397259.239827",
    )
    citizen.cel(f.LegLeft, 135.4, channel="PJSIP/op7009-1", uniqueid="1717397259.239827", bridge="b1")
    citizen.cel(
        f.Connected, 141.5, queue=None, operator="7051", exact=True, member_channel="1717397390.239831"
    )
    citizen.log(
        f.Connected,
        141.5,
        queue="q1509",
        operator="7051",
        exact=False,
        ring_s=6.0,
        member_channel="1717397390.239831",
    )
    citizen.cel(f.LegJoined, 141.6, channel="PJSIP/op7051-2", uniqueid="1717397390.239831", bridge="b2")
    citizen.cel(f.LegLeft, 314.5, channel="PJSIP/op7051-2", uniqueid="1717397390.239831", bridge="b2")
    citizen.log(f.Served, 314.5, queue="q1509", operator="7051", how="COMPLETEAGENT", talk_s=173)
    citizen.hung_up(314.6, by="PJSIP/op7051-2")
    consult = Teller("1717397390.239830", channel="PJSIP/op7009-3", start=134)
    consult.log(f.EnteredQueue, 0.4, queue="q1509")
    consult.log(f.Served, 1.4, queue="q1501", operator="7009", how="ATTENDEDTRANSFER", talk_s=120)

    calls = fold_calls([*consult.facts, *citizen.facts])

    (call,) = calls
    assert call.disposition is Disposition.ANSWERED
    assert call.operators == ("7009", "7051")
    assert call.wait_s == pytest.approx(12.0)
    lengths = [segment.ended_at - segment.started_at for segment in call.segments if segment.ended_at]
    assert lengths == [pytest.approx(120.0), pytest.approx(173.0)]
    assert call.talk_s == pytest.approx(293.0)
    assert call.arrived_at == T0
