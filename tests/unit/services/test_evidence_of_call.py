"""Which alerts and which deeds belong to one call."""

from __future__ import annotations

import pytest

from acd.alerts import Alert, AlertKind
from acd.repeat_callers import subject_of
from core.ids import CallId, OperatorId
from core.phone import Caller, CallerKind
from ledger.calls import Call, Segment
from services.evidence import alerts_of_call, deeds_of_call
from services.ports import AuditEntry

pytestmark = pytest.mark.unit
NUMBER = "09012345678"
CALL = Call(
    call_id=CallId("c-1"), sip_call_id="x", caller=Caller(CallerKind.NUMBER, NUMBER), dialled="0120000901",
    arrived_at=100.0, ended_at=2000.0,
    segments=(Segment(operator=OperatorId("101"), started_at=120.0, ended_at=1990.0),),
)  # fmt: skip


def alert(kind: AlertKind, subject: str, at: float) -> Alert:
    return Alert(
        id=f"{kind}-{at}", kind=kind, subject=subject, label="", text="", since=at, raised_at=at, notified=1,
        notified_at=at, cleared_at=None, acknowledged=None,
    )  # fmt: skip


def test_alerts_of_its_talks_and_of_its_caller() -> None:
    mine = [
        alert(AlertKind.LONG_CALL, "101", 1320.0),
        alert(AlertKind.HELP, "101", 1500.0),
        alert(AlertKind.REPEAT, subject_of(NUMBER), 160.0),
    ]
    others = [
        alert(AlertKind.LONG_CALL, "102", 1320.0),
        alert(AlertKind.LONG_CALL, "101", 1995.0),
        alert(AlertKind.REPEAT, subject_of("0598000001"), 160.0),
        alert(AlertKind.NOBODY, "101", 1320.0),
    ]
    assert alerts_of_call(CALL, [*others, *mine]) == mine


def test_deeds_name_the_call() -> None:
    mine = [
        AuditEntry(at=1.0, actor="佐藤", action="call.end", subject="101", detail={"call": "c-1"}),
        AuditEntry(at=2.0, actor="佐藤", action="evidence.export", subject="c-1"),
    ]
    other = AuditEntry(at=1.0, actor="佐藤", action="call.end", subject="101", detail={"call": "c-2"})
    assert deeds_of_call(CALL, [other, *mine]) == mine
