"""A department that did not take the citizen leads to a proposal, once, unless somebody of it talked with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.ids import CallId, Uniqueid
from core.phone import Caller, CallerKind
from interactions.ticket import TicketState
from ledger.calls import Call, Disposition, StaffSegment, Transfer, TransferKind
from services.cases import proposals

pytestmark = pytest.mark.unit

CALL = Call(
    call_id=CallId("c-n1-1.1"), sip_call_id="s", caller=Caller(CallerKind.NUMBER, "09012345678"), dialled="0120",
    arrived_at=0.0, ended_at=100.0, line="card", disposition=Disposition.ANSWERED,
)  # fmt: skip


def made(
    *transfers: Transfer, staff: tuple[StaffSegment, ...] = (), call: Call = CALL
) -> list[tuple[str, str]]:
    found = proposals(
        replace(call, transfers=transfers, staff=staff), lambda at: at + 50.0, lambda line: "交付"
    )
    return [(each.ticket_id, each.content) for each in found]


def transfer(to: str, result: str, kind: TransferKind = TransferKind.BLIND) -> Transfer:
    return Transfer(at=10.0, to=to, label="", result=result, kind=kind)


def test_each_department_in_vain_once() -> None:
    (busy,) = made(transfer("701", "BUSY"), transfer("701", "BUSY"))
    assert busy == ("t-n1-1.1-701", "「交付」の件で転送しましたが、つながりませんでした（話し中）。")
    assert len(made(transfer("701", "BUSY"), transfer("702", "NOANSWER"))) == 2
    (ticket,) = proposals(
        replace(CALL, transfers=(transfer("701", "REFUSED"),)), lambda at: at + 50.0, lambda line: line
    )
    assert (ticket.state, ticket.number, ticket.due_at) == (TicketState.PROPOSED, "09012345678", 150.0)


@pytest.mark.parametrize(
    "transfers",
    [
        (),
        (transfer("701", "ANSWER"),),
        (transfer("701", "CANCEL"),),
        (transfer("803", "QUEUE"),),
        (transfer("701", "BUSY", TransferKind.CONSULT),),
    ],
)
def test_nothing_to_propose(transfers: tuple[Transfer, ...]) -> None:
    assert made(*transfers) == []


def test_who_was_reached_later_is_not_asked_again() -> None:
    talked = StaffSegment(to="701", started_at=50.0, ended_at=90.0, channel=Uniqueid("x"))
    assert made(transfer("701", "BUSY"), transfer("701", "ANSWER"), staff=(talked,)) == []


def test_an_open_call_waits() -> None:
    assert made(transfer("701", "BUSY"), call=replace(CALL, ended_at=None)) == []


def test_a_deputy_stands_in() -> None:
    """Whoever was asked for is proposed, unless a deputy took the call; a deputy in vain is no second request."""
    asked, deputy = transfer("701", "CLOSED"), replace(transfer("702", "BUSY"), in_place_of="701")
    assert [ticket for ticket, _content in made(asked, deputy)] == ["t-n1-1.1-701"]
    assert "受付時間外" in made(asked, deputy)[0][1]
    reached = StaffSegment(to="702", started_at=20.0, ended_at=30.0, channel=Uniqueid("n1-1.2"))
    assert made(asked, replace(deputy, result="ANSWER"), staff=(reached,)) == []


def test_straight_to_a_department_is_nobodys_transfer() -> None:
    assert made(transfer("701", "BUSY", TransferKind.STRAIGHT)) == []
