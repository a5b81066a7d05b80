"""Every ending of a call comes to its one disposition, with its times."""

from __future__ import annotations

import pytest
from ledger_stories import CALL, QUEUE, T0, Teller, answered_call

from core.facts.dialplan import StepResult
from core.ids import OperatorId
from ledger import facts as f
from ledger.calls import Call, Disposition, EndedBy, Gap, OfferOutcome
from ledger.facts import QueueExit
from ledger.fold import fold_call, fold_calls

pytestmark = pytest.mark.unit


def folded(teller: Teller) -> Call:
    call = fold_call(teller.facts)
    assert call is not None
    return call


def test_an_answered_call_has_exact_times() -> None:
    call = folded(answered_call())
    assert (call.call_id, call.disposition, call.ended_by) == (CALL, Disposition.ANSWERED, EndedBy.OPERATOR)
    assert call.operators == ("101",)
    assert call.wait_s == pytest.approx(12.5)
    assert call.wait_from_arrival_s == pytest.approx(22.75)
    assert call.talk_s == pytest.approx(60.0)
    assert call.wrap_up_s == pytest.approx(12.25)
    assert [o.outcome for o in call.offers] == [OfferOutcome.ANSWERED]
    assert call.offers[0].at - T0 == pytest.approx(20.75)
    assert (call.line, call.language, call.queue) == ("booking", "ja", "booking-ja")
    assert call.recordings == (CALL,)
    assert call.gaps == ()


@pytest.mark.parametrize(
    ("by", "how", "ended_by"),
    [
        (None, "COMPLETECALLER", EndedBy.CITIZEN),
        ("PJSIP/op101-2", "COMPLETEAGENT", EndedBy.OPERATOR),
        ("", "COMPLETEAGENT", EndedBy.OPERATOR),
        ("dialplan/builtin", "COMPLETEAGENT", EndedBy.OPERATOR),
        ("", "COMPLETECALLER", EndedBy.CITIZEN),
        ("PJSIP/trunk-00000009", "BLINDTRANSFER", EndedBy.STAFF),
    ],
)
def test_who_hung_up_first(by: str | None, how: str, ended_by: EndedBy) -> None:
    teller = Teller().arrived().joined(5).connected(9).parted(20, how=how).hung_up(20.1, by=by)
    assert folded(teller).ended_by is ended_by


def test_the_legs_know_better_than_the_queue_who_hung_up() -> None:
    teller = Teller().arrived().joined(5).connected(9).parted(9.1, how="COMPLETECALLER")
    teller.cel(
        f.HungUp,
        9.1,
        channel="PJSIP/op101-2",
        uniqueid=f"{teller.uniqueid}-2",
        cause=16,
        by_channel="PJSIP/op101-2",
    )
    assert folded(teller.hung_up(9.2, by="")).ended_by is EndedBy.OPERATOR


@pytest.mark.parametrize(
    ("second", "ended_by"),
    [("PJSIP/trunk-00000001", EndedBy.CITIZEN), ("PJSIP/op102-3", EndedBy.OPERATOR), ("", EndedBy.CITIZEN)],
)
def test_an_operator_of_an_earlier_talk_did_not_end_the_call(second: str, ended_by: EndedBy) -> None:
    """Asterisk leaves the first source on the citizen's leg; the last operator's leg knows."""
    teller = Teller().arrived()
    teller.joined(5).connected(9).parted(20).connected(30, operator="102", leg="3")
    for at, channel, leg, by in (
        (20.1, "PJSIP/op101-2", "2", "PJSIP/op101-2"),
        (50.0, "PJSIP/op102-3", "3", second),
    ):
        uniqueid = f"{teller.uniqueid}-{leg}"
        teller.cel(f.HungUp, at, channel=channel, uniqueid=uniqueid, cause=16, by_channel=by)
    teller.parted(50, operator="102", leg="3", how="COMPLETECALLER")
    assert folded(teller.hung_up(50.1, by="PJSIP/op101-2")).ended_by is ended_by


def test_a_call_is_open_until_the_citizens_leg_ends() -> None:
    call = folded(Teller().arrived().joined(5).connected(9))
    assert call.open
    assert call.disposition is None
    assert call.segments[0].ended_at is None


def test_hanging_up_in_the_queue_is_an_abandoned_call_with_its_wait() -> None:
    teller = Teller().arrived().joined(5.5).left(65.25, QueueExit.ABANDONED, cel=False).hung_up(65.25)
    call = folded(teller)
    assert call.disposition is Disposition.ABANDONED_QUEUE
    assert call.wait_s == pytest.approx(59.75)
    assert (call.ended_by, call.wait_from_arrival_s) == (EndedBy.CITIZEN, None)


def test_an_entry_written_under_the_second_before_is_the_same_entry() -> None:
    """queue_log's clock lags by a tick: seen as 64.001 s in CEL and 63 in queue_log."""
    entered = 64.001 - T0 % 1
    teller = Teller().arrived().cel(f.JoinedQueue, entered, queue=QUEUE, line="booking", language="ja")
    teller.log(f.EnteredQueue, entered - 0.01, queue=QUEUE)
    assert folded(teller.connected(entered + 0.25).parted(90.0).hung_up(90.0)).wait_s == pytest.approx(0.25)


def test_hanging_up_while_a_phone_rings_cancels_the_offer() -> None:
    teller = Teller().arrived().joined(5).left(12.4, QueueExit.ABANDONED, cel=False).hung_up(12.4)
    teller.log(f.OfferCancelled, 12.4, queue="booking-ja", operator=OperatorId("101"), ring_s=3.0)
    call = folded(teller)
    assert call.disposition is Disposition.ABANDONED_QUEUE
    assert [offer.outcome for offer in call.offers] == [OfferOutcome.CANCELLED]


def test_an_operator_gone_before_the_bridge_has_not_answered() -> None:
    teller = Teller().arrived().joined(5)
    teller.cel(
        f.Connected, 9, queue=None, operator=OperatorId("101"), exact=True, member_channel="n1-1764000009.2"
    )
    teller.left(15, QueueExit.ABANDONED, cel=False).hung_up(15.2)
    call = folded(teller)
    assert call.disposition is Disposition.ABANDONED_QUEUE
    assert call.operators == ()
    assert [offer.outcome for offer in call.offers] == [OfferOutcome.DUMPED]
    assert call.wait_s == pytest.approx(10.2)


def test_a_missed_offer_is_no_call_and_the_next_operator_answers() -> None:
    teller = Teller().arrived().joined(5)
    teller.log(f.OfferMissed, 15, queue="booking-ja", operator=OperatorId("102"), ring_s=8.0)
    teller.connected(20.5).parted(40).hung_up(40)
    call = folded(teller)
    assert [(o.operator, o.outcome) for o in call.offers] == [
        ("102", OfferOutcome.MISSED),
        ("101", OfferOutcome.ANSWERED),
    ]
    assert call.wait_s == pytest.approx(15.5)


def test_menu_endings() -> None:
    start = Teller().arrived().cel(f.MenuStep, 4, node="main", key="9", result=StepResult.INVALID)
    start.cel(f.MenuStep, 9, node="main", key="2", result=StepResult.CHOICE)
    gone = folded(start.hung_up(12))
    assert (gone.disposition, gone.menu_path, gone.wait_s) == (Disposition.ABANDONED_MENU, ("main:2",), None)
    served = Teller().arrived().cel(f.SelfServed, 8, node="hours").hung_up(9, by="dialplan/builtin")
    assert folded(served).disposition is Disposition.SELF_SERVED
    referred = Teller().arrived().cel(f.Referred, 8, node="tax", to="0598111111").hung_up(9)
    assert folded(referred).disposition is Disposition.REFERRED
    cut = Teller().arrived().hung_up(2, by="dialplan/builtin")
    assert folded(cut).disposition is Disposition.SYSTEM_FAILURE
    assert folded(cut).ended_by is EndedBy.SYSTEM


def test_after_hours() -> None:
    teller = Teller().arrived().cel(f.FoundClosed, 1, reason="holiday", next_opening="").hung_up(9)
    call = folded(teller)
    assert (call.disposition, call.closed_reason) == (Disposition.AFTER_HOURS, "holiday")


@pytest.mark.parametrize("how", [QueueExit.FULL, QueueExit.JOIN_EMPTY, QueueExit.TIMEOUT])
def test_overflow_even_when_the_announcement_was_not_reached(how: QueueExit) -> None:
    teller = Teller().arrived().joined(5).left(6.5, how)
    assert folded(teller.hung_up(6.6)).disposition is Disposition.OVERFLOW
    told = Teller().arrived().joined(5).left(6.5, how).cel(f.Overflowed, 6.6, reason="full").hung_up(20)
    call = folded(told)
    assert (call.disposition, call.overflow_reason) == (Disposition.OVERFLOW, "full")
    assert call.wait_s == pytest.approx(1.52)


def test_who_waits_on_after_the_overflow_message_can_still_abandon_the_queue() -> None:
    teller = (
        Teller().arrived().joined(5).left(10, QueueExit.TIMEOUT).cel(f.Overflowed, 10.1, reason="wait_limit")
    )
    teller.joined(14, queue="booking-en").left(20, QueueExit.ABANDONED, "booking-en", cel=False).hung_up(20.2)
    call = folded(teller)
    assert call.disposition is Disposition.ABANDONED_QUEUE
    assert call.wait_s == pytest.approx(5.02 + 6.2)


def test_a_callback_outranks_leaving_the_queue() -> None:
    teller = (
        Teller().arrived().joined(5).left(9, QueueExit.KEY).cel(f.CallbackBooked, 12, to="0598").hung_up(15)
    )
    assert folded(teller).disposition is Disposition.CALLBACK


def test_a_test_call_never_counts_as_an_answer() -> None:
    call = folded(Teller().arrived(test=True).joined(5).connected(9).parted(20).hung_up(20))
    assert (call.disposition, call.operators) == (Disposition.TEST, ("101",))


def test_a_restart_of_the_switch_closes_what_was_open() -> None:
    waiting = folded(Teller().arrived().joined(5).restarted(40_000))
    assert (waiting.disposition, waiting.open) == (Disposition.SYSTEM_FAILURE, False)
    assert Gap.END in waiting.gaps
    assert waiting.wait_s is not None
    assert waiting.wait_s < 1  # nothing shows that the caller waited until the restart
    talking = folded(Teller().arrived().joined(5).connected(9).restarted(60))
    assert talking.disposition is Disposition.ANSWERED
    assert set(talking.gaps) == {Gap.END, Gap.SEGMENT_END}
    assert talking.ended_by is EndedBy.SYSTEM


def test_a_restart_logged_in_a_call_that_went_on_is_overruled() -> None:
    call = folded(Teller().arrived().joined(5).restarted(7).connected(9).parted(30).hung_up(30))
    assert call.disposition is Disposition.ANSWERED
    before = folded(Teller().restarted(-5).arrived())
    assert before.open
    going_on = folded(Teller().arrived().restarted(3).joined(9))
    assert going_on.open
    assert going_on.gaps == (Gap.OVERRULED,)


def test_a_blind_transfer_to_staff() -> None:
    teller = Teller().arrived().joined(5).connected(9).parted(30, how="BLINDTRANSFER")
    teller.cel(f.Transferred, 30.5, to="7001", label="市民課", result="")
    teller.cel(f.Transferred, 90, to="7001", label="市民課", result="ANSWER")
    call = folded(teller.hung_up(90, by="PJSIP/staff-00000009"))
    assert [(t.to, t.label, t.result) for t in call.transfers] == [("7001", "市民課", "ANSWER")]
    assert call.talk_s == pytest.approx(21)
    assert (call.disposition, call.ended_by) == (Disposition.ANSWERED, EndedBy.STAFF)


def test_without_cel_the_queue_log_alone_gives_whole_seconds() -> None:
    whole = answered_call().facts
    kept = [fact for fact in whole if fact.source.file != "cel:1" or isinstance(fact, f.Arrived | f.HungUp)]
    call = fold_call(kept)
    assert call is not None
    assert call.disposition is Disposition.ANSWERED
    assert call.wait_s == pytest.approx(12.5, abs=1.0)
    assert call.talk_s == pytest.approx(60, abs=1.0)
    assert Gap.COARSE_WAIT in call.gaps


def test_rows_of_a_consultation_call_are_no_call() -> None:
    consult = Teller("n1-1764000150.9", channel="PJSIP/op101-00000009")
    consult.log(f.EnteredQueue, 0, queue="other-ja")
    consult.log(
        f.Served, 0, queue="booking-ja", operator=OperatorId("101"), how="ATTENDEDTRANSFER", talk_s=120
    )
    assert fold_call(consult.facts) is None
    assert fold_call([]) is None
    assert [call.call_id for call in fold_calls([*consult.facts, *answered_call().facts])] == [CALL]


def test_after_an_operator_gone_before_the_bridge_the_wait_goes_on() -> None:
    teller = Teller().arrived().joined(5)
    teller.cel(
        f.Connected, 9, queue=None, operator=OperatorId("102"), exact=True, member_channel="n1-1764000009.2"
    )
    teller.left(9.2, QueueExit.AGENT_DUMPED, cel=False).connected(20.5).parted(30).hung_up(30)
    call = folded(teller)
    assert call.wait_s == pytest.approx(15.5)
    assert call.operators == ("101",)
    left = (
        Teller().arrived().joined(5).left(9, QueueExit.TIMEOUT).left(9.5, QueueExit.AGENT_DUMPED, cel=False)
    )
    assert folded(left.hung_up(10)).disposition is Disposition.OVERFLOW


def test_a_wait_within_one_second_of_the_log_is_a_wait() -> None:
    story = Teller().arrived().joined(5.05).left(5.9, QueueExit.ABANDONED, cel=False).hung_up(5.93)
    assert folded(story).wait_s == pytest.approx(0.88)


def test_an_announcement_serves_nobody_who_then_waits_for_a_person() -> None:
    story = Teller().arrived().cel(f.SelfServed, 8, node="bring").joined(10)
    left = folded(story.left(15, QueueExit.ABANDONED, cel=False).hung_up(15.2))
    assert left.disposition is Disposition.ABANDONED_QUEUE


def test_the_announcement_of_a_difficulty_is_our_failure() -> None:
    story = Teller().arrived().cel(f.Overflowed, 5, reason="failure").hung_up(9, by="dialplan/builtin")
    assert folded(story).disposition is Disposition.SYSTEM_FAILURE
