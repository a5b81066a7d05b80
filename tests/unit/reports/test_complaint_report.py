"""Complaints of a month: when the city was told, what is late, and nobody's name or number."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from acd.alerts import Alert, AlertKind
from core.clock import TOKYO
from core.ids import CallId
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep, moved
from reports.complaints import ComplaintReport, complaint_report
from runtime.service_papers import complaints_of

pytestmark = pytest.mark.unit
FIRST = datetime(2026, 11, 2, 9, 0, tzinfo=TOKYO)


def city_time_of(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, TOKYO)


def ticket(name: str, opened: datetime, kind: TicketKind = TicketKind.COMPLAINT, **more: object) -> Ticket:
    values: dict[str, object] = {
        "content": "案内が違うと 09012345678 の方から", "person": "山田花子", "number": "09012345678",
        "call": CallId("c-n1-1.0"), "department": "701",
    }  # fmt: skip
    return Ticket(
        ticket_id=name,
        kind=kind,
        opened_at=opened.timestamp(),
        due_at=(opened + timedelta(days=1)).timestamp(),
        steps=(TicketStep(at=opened.timestamp(), by="青木", state=TicketState.OPEN),),
        **{**values, **more},  # type: ignore[arg-type]
    )


def done(one: Ticket, at: datetime) -> Ticket:
    taken = moved(one, TicketState.TAKEN, at=at.timestamp(), by="佐藤")
    return moved(taken, TicketState.DONE, at=at.timestamp(), by="佐藤", note="お詫びし 0598123456 に説明した")


def told(name: str, at: datetime, notified: int = 1) -> Alert:
    return Alert(
        id=f"{name}-{at}", kind=AlertKind.TICKET, subject=name, label="", text="", since=0.0, raised_at=at.timestamp(),
        notified=notified,
    )  # fmt: skip


def report_of(tickets: list[Ticket], alerts: list[Alert]) -> ComplaintReport:
    return complaint_report(
        complaints_of(tickets, alerts, {"701": "市民課"}, city_time_of), city="松阪市", centre="窓口",
        first_day=date(2026, 11, 1), last_day=date(2026, 11, 30), made_at=datetime(2026, 12, 1, 9, tzinfo=TOKYO),
    )  # fmt: skip


def test_what_the_city_wants_to_know() -> None:
    tickets = [
        done(ticket("t-1", FIRST), FIRST + timedelta(hours=5)),
        done(ticket("t-2", FIRST + timedelta(days=1), TicketKind.WRONG_GUIDANCE), FIRST + timedelta(days=4)),
        ticket("t-3", FIRST + timedelta(days=2)),
        moved(ticket("t-4", FIRST), TicketState.CANCELLED, at=FIRST.timestamp() + 9e5, by="佐藤"),
        ticket("t-5", FIRST, TicketKind.CALL_BACK),
        ticket("t-6", FIRST - timedelta(days=9)),
        done(ticket("t-7", FIRST - timedelta(days=9)), FIRST - timedelta(days=8)),
    ]
    alerts = [
        told("t-1", FIRST + timedelta(seconds=70)),
        told("t-1", FIRST + timedelta(seconds=10)),
        told("t-2", FIRST + timedelta(days=1, seconds=40)),
        told("t-3", FIRST + timedelta(days=2), notified=0),
    ]
    report = report_of(tickets, alerts)
    assert [each.ticket for each in report.opened] == ["t-1", "t-4", "t-2", "t-3"]
    assert [each.ticket for each in report.carried] == ["t-6"]
    assert [each.ticket for each in report.open] == ["t-6", "t-3"]
    assert [each.ticket for each in report.late] == ["t-6", "t-2", "t-3"]
    assert [each.told_within_s for each in report.opened] == [10.0, None, 40.0, None]
    assert report.slowest_told_s == 40.0
    assert [each.ticket for each in report.untold] == ["t-4", "t-3"]
    assert (report.count("苦情"), report.count("誤案内")) == (3, 1)


def test_nobodys_name_and_number() -> None:
    shown = repr(report_of([done(ticket("t-1", FIRST), FIRST)], []))
    assert "山田" not in shown
    assert "09012345678" not in shown
    assert "0598123456" not in shown
    assert "お詫びし" in shown
