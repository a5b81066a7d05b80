"""A call-back in the ledger: the disposition of the first call stays, the tries are told with it."""

from __future__ import annotations

import random

import pytest
from ledger_stories import CALL, T0, Teller, answered_call

from core.ids import OperatorId, QueueName, Uniqueid
from ledger import facts as f
from ledger.call_codec import decode_call, encode_call
from ledger.calls import Call, Disposition
from ledger.export import call_record
from ledger.facts import QueueExit
from ledger.fold import fold_call
from services.cases import job_of, summary_of

pytestmark = pytest.mark.unit

OP = OperatorId("101")
LEG = Uniqueid("n1-1764000100.9")


def booked() -> Teller:
    """Joins at 5, books at 30, hangs up at 33."""
    teller = Teller().arrived().joined(5).left(20, QueueExit.KEY)
    teller.cel(
        f.CallbackBooked,
        30,
        to="09012345678",
        queue=QueueName("booking-ja"),
        language="ja",
        entered_at=T0 + 5,
    )
    return teller.hung_up(33)


def tried(teller: Teller, attempt: int, at: float, result: str, talk_at: float | None = None) -> Teller:
    """A try that is dialled at `at`, ends 20 s later, and is talked in from `talk_at` on."""
    teller.cel(f.CallbackTried, at, attempt=attempt, operator=OP, member_channel=LEG)
    if talk_at is not None:
        teller.cel(f.RecordingStarted, talk_at - 2, base=f"{CALL}-cb{attempt}")
        teller.cel(f.CallbackTalked, talk_at, attempt=attempt, operator=OP)
    return teller.cel(f.CallbackEnded, at + 20, attempt=attempt, operator=OP, result=result)


def folded(teller: Teller) -> Call:
    call = fold_call(teller.facts)
    assert call is not None
    return call


def test_booked_and_answered_at_the_second_try() -> None:
    call = folded(tried(tried(booked(), 1, 100, "NOANSWER"), 2, 700, "ANSWER", talk_at=710))
    assert (call.disposition, call.operators, call.talk_s) == (Disposition.CALLBACK, (), 0.0)
    assert call.ended_at == pytest.approx(T0 + 33)
    assert call.wait_s == pytest.approx(15.02)
    assert call.recordings == (CALL, f"{CALL}-cb2")
    assert call.callback is not None
    assert (call.callback.to, call.callback.entered_at) == ("09012345678", T0 + 5)
    assert [(each.attempt, each.result, each.talk_s) for each in call.callback.tries] == [
        (1, "noanswer", None),
        (2, "answer", pytest.approx(10.0)),
    ]


def test_in_any_order_and_twice_and_through_storage() -> None:
    teller = tried(tried(booked(), 1, 100, "BUSY"), 2, 700, "ANSWER", talk_at=710)
    call = folded(teller)
    shuffled = teller.facts * 2
    random.Random(3).shuffle(shuffled)
    assert fold_call(shuffled) == call
    assert decode_call(encode_call(call)) == call
    assert decode_call({k: v for k, v in encode_call(call).items() if k != "callback"}).callback is None


def test_a_try_without_an_end_lasts_and_one_that_was_not_dialled_is_none() -> None:
    teller = booked()
    teller.cel(f.CallbackEnded, 90, attempt=1, operator=OperatorId("102"), result="")
    teller.cel(f.CallbackTried, 100, attempt=1, operator=OP, member_channel=LEG)
    told = folded(teller).callback
    assert told is not None
    assert [(each.operator, each.ended_at) for each in told.tries] == [(OP, None)]
    assert [each.operator for each in told.not_taken] == ["102"]


def test_a_queue_joined_in_the_call_backs_talk_does_not_change_what_the_first_call_was() -> None:
    teller = tried(booked(), 1, 100, "ANSWER", talk_at=105).joined(112)
    assert folded(teller).disposition is Disposition.CALLBACK


def test_tries_of_an_unknown_call_make_no_phantom() -> None:
    teller = Teller().cel(f.CallbackTried, 5, attempt=1, operator=OP, member_channel=LEG)
    call = fold_call(teller.facts)
    assert call is None or call.arrived_at == T0 + 5


def test_the_record_for_others() -> None:
    record = call_record(folded(tried(booked(), 1, 100, "ANSWER", talk_at=110)))
    assert record["callback"] == {
        "booked_at": T0 + 30,
        "to": "09012345678",
        "queue": "booking-ja",
        "entered_at": T0 + 5,
        "tries": [{"try": 1, "operator": "101", "at": T0 + 100, "result": "answer", "talk_s": 10.0}],
    }
    assert call_record(folded(answered_call()))["callback"] is None


def test_the_talk_becomes_a_case_and_a_transcription_job() -> None:
    call = folded(tried(tried(booked(), 1, 100, "BUSY"), 2, 700, "ANSWER", talk_at=710))
    summary, job = summary_of(call), job_of(call, 1.0)
    assert (summary.operators, summary.caller, summary.recordings) == (
        ("101",),
        "09012345678",
        (f"{CALL}-cb2",),
    )
    assert (summary.started_at, summary.ended_at) == (T0 + 710, T0 + 720)
    assert (job.call_id, job.base, job.language) == (CALL, f"{CALL}-cb2", "ja")
    with pytest.raises(ValueError, match="no answered"):
        summary_of(folded(tried(booked(), 1, 100, "BUSY")))


def test_who_takes_the_called_back_citizen_again_has_not_answered_the_first_call() -> None:
    """Handed on in vain, the citizen is back with the operator: a talk of the call-back, not of the call."""
    teller = tried(booked(), 1, 100, "ANSWER", 105).connected(130.0).parted(150.0)
    call = folded(teller)
    assert (call.disposition, call.wait_from_arrival_s, call.ended_by) == (
        Disposition.CALLBACK,
        None,
        folded(booked()).ended_by,
    )
    assert call.operators == ("101",)


def test_a_department_talks_with_whom_we_called_back() -> None:
    teller = booked()
    teller.cel(f.CallbackTried, 100, attempt=1, operator=OP, member_channel=LEG)
    again, staff = Uniqueid("n1-1764000101.11"), Uniqueid("n1-1764000130.12")
    teller.cel(f.CallbackTalked, 105, attempt=1, operator=OP, citizen_channel=again)
    teller.cel(f.Transferred, 130, to="701", label="", result="")
    teller.cel(f.StaffReached, 134, to="701", channel=staff)
    for leg, name in ((again, "PJSIP/carrier-9"), (staff, "PJSIP/carrier-10")):
        teller.cel(f.LegJoined, 135, channel=name, uniqueid=leg, bridge="s")
        teller.cel(f.LegLeft, 160, channel=name, uniqueid=leg, bridge="s")
    call = folded(teller)
    assert call.disposition is Disposition.CALLBACK
    assert [(each.to, each.started_at - T0, each.ended_at) for each in call.staff] == [
        ("701", pytest.approx(135.0), pytest.approx(T0 + 160.0))
    ]
