"""Who of the directory talked with the caller, and by which kind of transfer."""

from __future__ import annotations

import pytest
from ledger_stories import CITIZEN, T0, UNIQUEID, Teller

from core.ids import OperatorId, Uniqueid
from ledger import facts as f
from ledger.call_codec import decode_call, encode_call
from ledger.calls import Call, Disposition, TransferKind
from ledger.fold import fold_call

pytestmark = pytest.mark.unit

STAFF = Uniqueid("n1-1764000000.7")
OP = OperatorId("101")


def folded(teller: Teller) -> Call:
    call = fold_call(teller.facts)
    assert call is not None
    assert decode_call(encode_call(call)) == call
    return call


def talking() -> Teller:
    return Teller().arrived().joined(5.0).connected(10.0)


def joins(teller: Teller, at: float, bridge: str, *, citizen: bool) -> Teller:
    channel, leg = (CITIZEN, UNIQUEID) if citizen else ("PJSIP/city1-7", STAFF)
    return teller.cel(f.LegJoined, at, channel=channel, uniqueid=leg, bridge=bridge)


def leaves(teller: Teller, at: float, bridge: str, *, citizen: bool) -> Teller:
    channel, leg = (CITIZEN, UNIQUEID) if citizen else ("PJSIP/city1-7", STAFF)
    return teller.cel(f.LegLeft, at, channel=channel, uniqueid=leg, bridge=bridge)


def handed_over(teller: Teller, at: float) -> Teller:
    teller.cel(f.Transferred, at, to="701", label="", result="")
    teller.parted(at, how="BLINDTRANSFER")
    return leaves(teller, at, "b", citizen=True)


def asked(teller: Teller, at: float) -> Teller:
    """The department talks with the operator in a bridge of their own."""
    teller.cel(f.Consulted, at, operator=OP, to="701", result="")
    teller.cel(f.StaffReached, at + 3.0, to="701", channel=STAFF)
    return joins(teller, at + 3.1, "c", citizen=False)


def straight(teller: Teller, at: float, result: str, to: str = "701", of: str = "") -> Teller:
    return teller.cel(f.Transferred, at, to=to, label="", result=result, straight=True, in_place_of=of)


def staff(call: Call) -> list[tuple[str, float, float | None]]:
    return [
        (
            each.to,
            round(each.started_at - T0, 2),
            None if each.ended_at is None else round(each.ended_at - T0, 2),
        )
        for each in call.staff
    ]


def kinds(call: Call) -> list[tuple[str, str, TransferKind]]:
    return [(each.to, each.result, each.kind) for each in call.transfers]


def test_handed_over_and_answered() -> None:
    teller = handed_over(talking(), 20.0).cel(f.StaffReached, 24.0, to="701", channel=STAFF)
    joins(joins(teller, 24.1, "d", citizen=False), 24.2, "d", citizen=True)
    lasting = folded(teller)
    assert staff(lasting) == [("701", 24.2, None)]
    leaves(leaves(teller, 90.0, "d", citizen=False), 90.0, "d", citizen=True)
    call = folded(teller.hung_up(90.1, by="PJSIP/city1-7"))
    assert staff(call) == [("701", 24.2, 90.0)]
    # The dialplan's last line is not reached when the talk ends with the call.
    assert kinds(call) == [("701", "ANSWER", TransferKind.BLIND)]
    assert call.talk_s == pytest.approx(10.0)
    assert call.disposition is Disposition.ANSWERED
    assert call.handed_on == call.transfers


def test_the_caller_gives_up_while_the_department_rings() -> None:
    call = folded(handed_over(talking(), 20.0).hung_up(23.0))
    assert (staff(call), kinds(call)) == ([], [("701", "CANCEL", TransferKind.BLIND)])


def test_a_question_alone_hands_nobody_on() -> None:
    teller = leaves(asked(talking(), 20.0), 40.0, "c", citizen=False).parted(60.0)
    call = folded(teller.hung_up(60.1))
    assert (staff(call), kinds(call)) == ([], [("701", "ANSWER", TransferKind.CONSULT)])
    assert call.handed_on == ()


def test_a_question_in_vain() -> None:
    teller = talking().cel(f.Consulted, 20.0, operator=OP, to="701", result="")
    teller.cel(f.Consulted, 24.0, operator=OP, to="701", result="BUSY")
    call = folded(teller.parted(60.0).hung_up(60.1))
    assert kinds(call) == [("701", "BUSY", TransferKind.CONSULT)]


def test_who_is_reached_later_was_not_reached_by_an_earlier_question() -> None:
    teller = talking().cel(f.Consulted, 15.0, operator=OP, to="701", result="")
    teller.cel(f.Consulted, 16.0, operator=OP, to="701", result="CHANUNAVAIL")
    handed_over(teller, 20.0).cel(f.StaffReached, 24.0, to="701", channel=STAFF)
    joins(joins(teller, 24.1, "d", citizen=False), 24.2, "d", citizen=True)
    assert kinds(folded(teller.hung_up(90.0))) == [
        ("701", "CHANUNAVAIL", TransferKind.CONSULT),
        ("701", "ANSWER", TransferKind.BLIND),
    ]


def test_asked_then_joined_in_the_callers_bridge() -> None:
    teller = leaves(asked(talking(), 20.0), 40.0, "c", citizen=False)
    joins(teller, 40.02, "b", citizen=False).parted(40.05, how="ATTENDEDTRANSFER")
    call = folded(teller.hung_up(100.0))
    assert staff(call) == [("701", 40.02, 100.0)]
    assert kinds(call) == [("701", "ANSWER", TransferKind.ATTENDED)]
    assert [round(each.ended_at - T0, 2) for each in call.segments if each.ended_at] == [40.05]


def test_moved_to_a_bridge_and_back_is_one_stretch() -> None:
    teller = leaves(asked(talking(), 20.0), 40.0, "c", citizen=False)
    joins(teller, 40.02, "b", citizen=False)
    leaves(leaves(teller, 50.0, "b", citizen=True), 50.0, "b", citizen=False)
    joins(joins(teller, 50.01, "e", citizen=True), 50.02, "e", citizen=False)
    assert staff(folded(teller.hung_up(60.0))) == [("701", 40.02, 60.0)]


def test_an_entry_that_no_line_tells_is_the_moment_of_leaving_the_bridge_before() -> None:
    teller = asked(talking(), 20.0)
    leaves(leaves(teller, 23.2, "b", citizen=True), 30.0, "c", citizen=True)
    leaves(teller, 30.0, "c", citizen=False).parted(23.2, how="ATTENDEDTRANSFER")
    assert staff(folded(teller.hung_up(30.0))) == [("701", 23.2, 30.0)]


def test_order_and_repetition_change_nothing() -> None:
    teller = leaves(asked(talking(), 20.0), 40.0, "c", citizen=False)
    joins(teller, 40.02, "b", citizen=False).parted(40.05, how="ATTENDEDTRANSFER").hung_up(100.0)
    assert fold_call([*reversed(teller.facts), *teller.facts]) == fold_call(teller.facts)


# ---- straight to a department, and deputies --------------------------------------------------------------------------


def test_straight_to_a_department_is_referred() -> None:
    """No operator, no wait, no transfer of an operator's; the department's talk is there."""
    teller = straight(Teller().arrived(), 5.0, "")
    teller.cel(f.StaffReached, 8.0, to="701", channel=STAFF)
    joins(joins(teller, 8.2, "s", citizen=True), 8.2, "s", citizen=False)
    call = folded(teller.hung_up(40.0))
    assert (call.disposition, call.operators, call.wait_s, call.talk_s) == (
        Disposition.REFERRED,
        (),
        None,
        0.0,
    )
    assert staff(call) == [("701", 8.2, 40.0)]
    assert [(each.kind, each.result) for each in call.transfers] == [(TransferKind.STRAIGHT, "ANSWER")]
    assert call.handed_on == ()


def test_straight_in_vain_the_operator_answers() -> None:
    teller = straight(straight(Teller().arrived(), 2.0, ""), 4.0, "BUSY").joined(5.0).connected(10.0)
    call = folded(teller.parted(30.0).hung_up(30.0))
    assert (call.disposition, call.operators, call.handed_on) == (Disposition.ANSWERED, ("101",), ())


def test_straight_in_vain_and_nobody_is_left_to_wait_for() -> None:
    teller = straight(straight(Teller().arrived(), 2.0, ""), 4.0, "BUSY").joined(5.0)
    teller.cel(f.Overflowed, 9.0, reason="nobody")
    assert folded(teller.hung_up(10.0)).disposition is Disposition.OVERFLOW


def test_the_department_sends_the_caller_on_to_a_queue_and_they_give_up() -> None:
    """Who waits again has not been served by the talk before."""
    teller = straight(Teller().arrived(), 5.0, "")
    teller.cel(f.StaffReached, 8.0, to="701", channel=STAFF)
    joins(joins(teller, 8.2, "s", citizen=True), 8.2, "s", citizen=False)
    leaves(leaves(teller, 20.0, "s", citizen=True), 20.0, "s", citizen=False)
    call = folded(teller.joined(21.0).hung_up(40.0))
    assert call.disposition is Disposition.ABANDONED_QUEUE


def test_a_deputy_is_a_transfer_of_its_own() -> None:
    teller = talking()
    teller.parted(20.0, how="BLINDTRANSFER")
    leaves(teller, 20.0, "b", citizen=True)
    teller.cel(f.Transferred, 20.0, to="701", label="", result="CLOSED")
    teller.cel(f.Transferred, 20.1, to="702", label="", result="", in_place_of="701")
    teller.cel(f.Transferred, 25.0, to="702", label="", result="BUSY", in_place_of="701")
    call = folded(teller.hung_up(30.0))
    assert [(each.to, each.result, each.in_place_of) for each in call.transfers] == [
        ("701", "CLOSED", ""),
        ("702", "BUSY", "701"),
    ]
