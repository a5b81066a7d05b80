"""Requests to the city: opened by the centre, taken, done or cancelled by the department."""

from __future__ import annotations

import secrets
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, Field

from core.errors import ToritsugiError
from core.ids import CallId
from core.phone import callable_number
from desk.guard import NotFound
from desk.looks import flash
from desk.pages.entry import redirect
from desk.pages.seat import took_part
from desk.routes import Table
from desk.visit import Desk, Form, Visit
from faq_kb.article import State
from interactions.access import Action, Scope, allowed, scope_of
from interactions.case import Case
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep, moved
from ledger.calls import Call
from services.access import Permission

table = Table()
WORK, ALL, OPEN = Permission.TICKET_WORK, Permission.TICKET_ALL, Permission.TICKET_OPEN
TICKET = "/tickets/{ticket:t-[A-Za-z0-9._-]{1,90}}"
LOOK_BACK_S = 31 * 86_400.0
DONE = {
    "take": "対応を始めました。",
    "done": "完了にしました。",
    "cancel": "取り消しました。",
    "confirm": "依頼として受け付けました。",
    "new": "依頼を出しました。",
}


class Note(Form):
    note: Annotated[str, Field(title="結果・理由", max_length=2000)] = ""


def _asked(kind: TicketKind) -> TicketKind:
    if not kind.asked_of_city:
        raise ValueError("no request")
    return kind


class NewTicket(Form):
    """A request to the city."""

    kind: Annotated[TicketKind, AfterValidator(_asked), Field(title="種類")]
    content: Annotated[str, Field(title="内容", min_length=1, max_length=2000)]
    department: Annotated[str, Field(title="担当", max_length=8)] = ""
    """Extension of the directory; empty while nobody knows who should see to it."""
    person: Annotated[str, Field(title="お名前", max_length=80)] = ""
    number: Annotated[str, Field(title="電話番号", max_length=32)] = ""
    call: Annotated[str, Field(title="通話", max_length=96)] = ""


def names_of(desk: Desk) -> dict[str, str]:
    """Name of whom a request may be for, by extension."""
    return {entry.extension: entry.name_ja for entry in desk.profile.acd.directory}


def may_see(visit: Visit, ticket: Ticket) -> bool:
    """All departments, or one's own and what nobody has been found for."""
    if visit.may(ALL):
        return True
    if not visit.may(WORK):
        return False
    return ticket.department in ("", visit.me.department)


async def listed(visit: Visit, *, every: bool) -> list[Ticket]:
    """Open requests by deadline, or all of the last month. That somebody looked is written down."""
    now = visit.desk.clock.epoch()
    async with visit.desk.reading() as unit:
        found = await unit.tickets.open()
        if every:
            known = {ticket.ticket_id for ticket in found}
            lately = await unit.tickets.between(now - LOOK_BACK_S, now + 1.0)
            found += [ticket for ticket in lately if ticket.ticket_id not in known]
    mine = [ticket for ticket in found if may_see(visit, ticket)]
    await visit.note("ticket.list", "", every=every, requests=len(mine))
    return sorted(mine, key=lambda ticket: (ticket.state.ended, ticket.due_at, ticket.ticket_id))


async def one(visit: Visit, ticket_id: str) -> Ticket:
    """A request that the visitor may see. Raises NotFound."""
    async with visit.desk.reading() as unit:
        ticket = await unit.tickets.get(ticket_id)
    if ticket is None or not may_see(visit, ticket):
        raise NotFound("依頼がありません", where="依頼", cure="一覧から選ぶ")
    return ticket


async def move(visit: Visit, ticket_id: str, state: TicketState, note: str) -> Ticket:
    """Bring a request into its next state.

    Raises:
        NotFound: there is none that the visitor may see.
        ToritsugiError: it cannot go there, or the result is missing.
    """
    await one(visit, ticket_id)
    async with visit.desk.uow() as unit:
        # Read again inside the transaction: two people may press at once.
        ticket = await unit.tickets.get(ticket_id)
        if ticket is None:
            raise NotFound("依頼がありません", where="依頼", cure="一覧から選ぶ")
        changed = moved(ticket, state, at=visit.desk.clock.epoch(), by=visit.me.display, note=note)
        await unit.tickets.put(changed)
    await visit.note(f"ticket.{state.value}", ticket_id)
    return changed


async def opened(visit: Visit, sent: NewTicket) -> Ticket:
    """Open a request.

    Raises:
        ToritsugiError: an unknown department or call, or a number that cannot be called.
    """
    desk = visit.desk
    if sent.department and sent.department not in names_of(desk):
        raise ToritsugiError("転送先一覧にない内線です", where="担当", cure="一覧から選ぶ")
    digits = callable_number(sent.number) if sent.number else ""
    if digits is None:
        raise ToritsugiError("かけられない番号です", where="電話番号", cure="市外局番から書く")
    now = desk.clock.epoch()
    async with desk.uow() as unit:
        if sent.call:
            call = (await unit.calls.get([CallId(sent.call)])).get(CallId(sent.call))
            case = await unit.cases.of_call(CallId(sent.call))
            if call is None or not _reaches(visit, Action.VIEW, call, case):
                raise ToritsugiError("ない通話です", where="通話", cure="受付の画面から開きなおす")
        ticket = Ticket(
            ticket_id=f"t-{secrets.token_hex(4)}",
            kind=sent.kind,
            opened_at=now,
            due_at=desk.due_of(now),
            content=sent.content,
            department=sent.department,
            person=sent.person,
            number=digits,
            call=CallId(sent.call) if sent.call else None,
            steps=(TicketStep(at=now, by=visit.me.display, state=TicketState.OPEN),),
        )
        await unit.tickets.add(ticket)
    await visit.note("ticket.open", ticket.ticket_id, kind=sent.kind.value)
    return ticket


def _reaches(visit: Visit, action: Action, call: Call, case: Case | None) -> bool:
    """Whether the visitor's role reaches so far with a call: their own, or by its case, if it has one yet."""
    mine = visit.me.operator
    if mine is not None and took_part(call, mine):
        return True
    return allowed(visit.person, action, case) if case else scope_of(visit.person, action) is Scope.ALL


@table.get("/tickets", (WORK, ALL), "依頼")
async def tickets(visit: Visit) -> web.StreamResponse:
    every = visit.request.query.get("every") == "1"
    async with visit.desk.reading() as unit:
        states = await unit.faq.states() if visit.may(Permission.FAQ_APPROVE) else {}
    return visit.desk.looks.page(
        "tickets/list.html", visit, tickets=await listed(visit, every=every), every=every,
        names=names_of(visit.desk), at=visit.desk.clock.epoch(), approvals=states.get(State.APPROVAL, 0),
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.get("/tickets/new", OPEN, "依頼を出す")
async def new(visit: Visit) -> web.StreamResponse:
    call, number = visit.request.query.get("call", ""), ""
    if call:
        found = visit.desk.hub.call(CallId(call))
        async with visit.desk.reading() as unit:
            if found is None:
                found = (await unit.calls.get([CallId(call)])).get(CallId(call))
            case = await unit.cases.of_call(CallId(call))
        if found is None or not _reaches(visit, Action.VIEW, found, case):
            raise NotFound("ない通話です", where="通話", cure="受付の画面から開きなおす")
        if found.caller and _reaches(visit, Action.SEE_NUMBER, found, case):
            number = found.caller.number or ""
    return visit.desk.looks.page(
        "tickets/new.html", visit, call=call, number=number, kinds=[each for each in TicketKind if each.asked_of_city],
        directory=visit.desk.profile.acd.directory, done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.post("/tickets/new", OPEN, "依頼を出す")
async def new_now(visit: Visit) -> web.StreamResponse:
    ticket = await opened(visit, await visit.form(NewTicket))
    if may_see(visit, ticket):
        return redirect(f"/tickets/{ticket.ticket_id}?done=new")
    return redirect("/tickets/new?done=new")


@table.get(TICKET, (WORK, ALL), "依頼")
async def ticket_page(visit: Visit) -> web.StreamResponse:
    ticket = await one(visit, visit.request.match_info["ticket"])
    await visit.note("ticket.view", ticket.ticket_id)
    return visit.desk.looks.page(
        "tickets/ticket.html", visit, ticket=ticket, names=names_of(visit.desk), State=TicketState,
        at=visit.desk.clock.epoch(), done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


_STEPS = {
    "take": TicketState.TAKEN,
    "done": TicketState.DONE,
    "cancel": TicketState.CANCELLED,
    "confirm": TicketState.OPEN,
}


@table.post(f"{TICKET}/{{step:take|done|cancel|confirm}}", (WORK, ALL), "依頼を進める")
async def step(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Note)
    name = visit.request.match_info["step"]
    ticket = await move(visit, visit.request.match_info["ticket"], _STEPS[name], sent.note)
    return redirect(f"/tickets/{ticket.ticket_id}?done={name}")
