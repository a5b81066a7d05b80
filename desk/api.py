"""The same for programs: JSON under `/api/v1`, with the permissions of the pages, and its OpenAPI document."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field

from desk import api_faq
from desk.floor_now import AlertNow, FloorNow, LineNow, RateNow, SeatNow
from desk.openapi import BASE, document
from desk.pages import audit as audit_page
from desk.pages import board as board_page
from desk.pages import cases as cases_page
from desk.pages import reports as reports_page
from desk.pages import tickets as tickets_page
from desk.routes import Door, Table
from desk.visit import Form, Visit
from interactions.case import Case
from interactions.ticket import Ticket, TicketState
from services.access import Permission

table = Table()


class Me(BaseModel):
    """Who is signed in, and what they may do."""

    name: str
    display: str
    role: str
    operator: str | None
    permissions: list[str]


class SeatOut(BaseModel):
    """One operator at this moment."""

    operator: str
    name: str
    state: str
    label: str
    since: float | None
    line: str
    call: str | None
    calls: int
    load: float | None


class WaitingOut(BaseModel):
    """One caller in a queue."""

    call: str | None
    line: str
    language: str
    since: float
    limit_at: float | None
    predicted: bool
    """Whether the guard expects the wait to pass the limit."""
    ringing_at: str


class RateOut(BaseModel):
    name: str
    answered: int
    offered: int
    rate: float | None
    target: float | None
    needed: int | None
    first: date
    """The first day of it, of the city's calendar; the last one is today."""
    at: float
    """When it was counted."""
    reconciled: str
    """In words, how far its days are reconciled."""


class LineOut(BaseModel):
    id: str
    name: str
    waiting: int
    talking: int
    answered: int
    offered: int
    rate: float | None
    longest_s: float | None


class AlertOut(BaseModel):
    id: str
    title: str
    label: str
    text: str
    since: float
    taken_by: str
    note: str


class FloorOut(BaseModel):
    """The floor; `live_at` and `ledger_at` tell how old it is (epoch seconds)."""

    at: float
    live_at: float | None
    ledger_at: float | None
    heard: bool
    seats: list[SeatOut]
    waiting: list[WaitingOut]
    in_menu: int
    incoming_today: int
    rates: list[RateOut]
    lines: list[LineOut]
    alerts: list[AlertOut]


class TicketOut(BaseModel):
    """A request to the city; moments are epoch seconds."""

    ticket: str
    kind: str
    state: str
    opened_at: float
    due_at: float
    department: str
    person: str
    number: str
    content: str
    owner: str
    result: str
    call: str | None


class TicketMove(Form):
    state: Annotated[TicketState, Field(title="状態")]
    note: Annotated[str, Field(title="結果・理由", max_length=2000)] = ""


class CallOut(BaseModel):
    """A call of a case; `caller` is masked for those who may not see it."""

    call: str
    caller: str | None
    line: str | None
    language: str | None
    operators: list[str]
    started_at: float
    ended_at: float
    transferred_to: list[str]


class CaseOut(BaseModel):
    """A case with its calls."""

    case: str
    version: int
    status: str
    category: str | None
    question: str
    answer: str
    complaint: bool
    mistaken_guidance: bool
    department: str
    transcript: str
    calls: list[CallOut]


class CasesOut(BaseModel):
    """One page, newest first; `after` asks for the next one."""

    cases: list[CaseOut]
    after: int | None


class AuditOut(BaseModel):
    at: float
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class Every(Form):
    every: Annotated[bool, Field(title="終わったものも")] = False


class Taken(BaseModel):
    taken: bool
    """False when somebody else had taken it before."""


def seat_out(seat: SeatNow) -> SeatOut:
    return SeatOut(
        operator=seat.operator, name=seat.name, state=seat.state, label=seat.label, since=seat.since,
        line=seat.line, call=seat.call.call if seat.call else None, calls=seat.calls, load=seat.load,
    )  # fmt: skip


def rate_out(rate: RateNow, now: FloorNow) -> RateOut:
    return RateOut(**(asdict(rate) | {"name": rate.name_ja, "reconciled": now.proven(rate).text_ja}))


def line_out(line: LineNow) -> LineOut:
    return LineOut(**(asdict(line) | {"name": line.name_ja}))


def alert_out(alert: AlertNow) -> AlertOut:
    return AlertOut(**asdict(alert))


def ticket_out(ticket: Ticket) -> TicketOut:
    return TicketOut(
        ticket=ticket.ticket_id, kind=ticket.kind.value, state=ticket.state.value, opened_at=ticket.opened_at,
        due_at=ticket.due_at, department=ticket.department, person=ticket.person, number=ticket.number,
        content=ticket.content, owner=ticket.owner, result=ticket.result, call=ticket.call,
    )  # fmt: skip


def case_out(visit: Visit, case: Case) -> CaseOut:
    number = cases_page.number_of(visit)
    return CaseOut(
        case=case.case_id, version=case.version, status=case.status.value, category=case.category,
        question=case.question, answer=case.answer, complaint=case.complaint,
        mistaken_guidance=case.mistaken_guidance, department=case.department, transcript=case.transcript.value,
        calls=[
            CallOut(
                call=call.call_id, caller=number(case, call.caller) if call.caller else None, line=call.line,
                language=call.language, operators=list(call.operators), started_at=call.started_at,
                ended_at=call.ended_at, transferred_to=list(call.transferred_to),
            )
            for call in case.calls
        ],
    )  # fmt: skip


def _json(answer: BaseModel | list[Any]) -> web.Response:
    if isinstance(answer, BaseModel):
        return web.json_response(text=answer.model_dump_json())
    return web.json_response([each.model_dump() for each in answer])


@table.get(f"{BASE}/me", Door.ANYONE, "自分", data=True, answer=Me)
async def me(visit: Visit) -> web.StreamResponse:
    return _json(
        Me(
            name=visit.me.name, display=visit.me.display, role=visit.me.role.value, operator=visit.me.operator,
            permissions=sorted(permission.value for permission in visit.permissions),
        )
    )  # fmt: skip


@table.get(f"{BASE}/floor", Permission.FLOOR_WATCH, "現場のいま", data=True, answer=FloorOut)
async def floor(visit: Visit) -> web.StreamResponse:
    now = visit.desk.hub.now
    return _json(
        FloorOut(
            at=visit.desk.clock.epoch(), live_at=now.live_at, ledger_at=now.ledger_at, heard=now.heard,
            seats=[seat_out(seat) for seat in now.seats],
            waiting=[
                WaitingOut(call=each.call, line=each.line, language=each.language, since=each.since,
                           limit_at=each.limit_at, predicted=each.predicted, ringing_at=each.ringing_at)
                for each in now.waiting
            ],
            in_menu=len(now.menu), incoming_today=now.today.incoming,
            rates=[rate_out(rate, now) for rate in now.today.rates],
            lines=[line_out(line) for line in now.today.lines],
            alerts=[alert_out(alert) for alert in now.alerts],
        )
    )  # fmt: skip


@table.post(
    f"{BASE}/alerts/{{alert:[a-z0-9]{{4,16}}}}/take",
    Permission.ALERT_TAKE,
    "警報に対応する",
    data=True,
    body=board_page.Take,
    answer=Taken,
)
async def take(visit: Visit) -> web.StreamResponse:
    sent = await visit.body(board_page.Take)
    return _json(Taken(taken=await board_page.taken(visit, visit.request.match_info["alert"], sent.note)))


@table.get(
    f"{BASE}/tickets",
    (Permission.TICKET_WORK, Permission.TICKET_ALL),
    "依頼の一覧",
    data=True,
    query=Every,
    answer=list[TicketOut],
)
async def tickets(visit: Visit) -> web.StreamResponse:
    found = await tickets_page.listed(visit, every=visit.query(Every).every)
    return _json([ticket_out(ticket) for ticket in found])


@table.post(
    f"{BASE}/tickets",
    Permission.TICKET_OPEN,
    "依頼を出す",
    data=True,
    body=tickets_page.NewTicket,
    answer=TicketOut,
)
async def new_ticket(visit: Visit) -> web.StreamResponse:
    return _json(ticket_out(await tickets_page.opened(visit, await visit.body(tickets_page.NewTicket))))


@table.post(
    f"{BASE}/tickets/{{ticket:t-[A-Za-z0-9._-]{{1,90}}}}",
    (Permission.TICKET_WORK, Permission.TICKET_ALL),
    "依頼を進める",
    data=True,
    body=TicketMove,
    answer=TicketOut,
)
async def move_ticket(visit: Visit) -> web.StreamResponse:
    sent = await visit.body(TicketMove)
    moved = await tickets_page.move(visit, visit.request.match_info["ticket"], sent.state, sent.note)
    return _json(ticket_out(moved))


@table.get(
    f"{BASE}/cases",
    Permission.CASE_READ,
    "応対履歴を探す",
    data=True,
    query=cases_page.Search,
    answer=CasesOut,
)
async def cases(visit: Visit) -> web.StreamResponse:
    page = await cases_page.found(visit, visit.query(cases_page.Search))
    return _json(CasesOut(cases=[case_out(visit, case) for case in page.cases], after=page.after))


@table.get(
    f"{BASE}/cases/{{case:i-[A-Za-z0-9.-]{{3,90}}}}",
    Permission.CASE_READ,
    "一つの応対履歴",
    data=True,
    answer=CaseOut,
)
async def case(visit: Visit) -> web.StreamResponse:
    view = await cases_page.view_of(visit, visit.request.match_info["case"])
    return _json(case_out(visit, view.case))


@table.get(
    f"{BASE}/reports/{{kind:[a-z]{{3,20}}}}",
    Permission.REPORT_READ,
    "報告を取り出す",
    data=True,
    query=reports_page.Wanted,
    answer=bytes,
)
async def report(visit: Visit) -> web.StreamResponse:
    return await reports_page.paper(visit)


@table.get(
    f"{BASE}/audit",
    Permission.AUDIT_READ,
    "操作の記録",
    data=True,
    query=audit_page.Search,
    answer=list[AuditOut],
)
async def audit(visit: Visit) -> web.StreamResponse:
    entries, _first, _last, _more = await audit_page.found(visit, visit.query(audit_page.Search))
    return _json(
        [
            AuditOut(
                at=entry.at, actor=entry.actor, action=entry.action, subject=entry.subject,
                detail=dict(entry.detail),
            )
            for entry in entries
        ]
    )  # fmt: skip


@table.get(f"{BASE}/openapi.json", Door.OPEN, "この API の仕様", data=True, idle=True)
async def openapi(visit: Visit) -> web.StreamResponse:
    return web.json_response(document([*table.routes, *api_faq.table.routes], visit.desk.settings.origin))
