"""The `tickets` commands: requests to the city."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from core.errors import ToritsugiError
from core.ids import CallId
from core.masking import mask_number
from core.phone import callable_number
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep, moved
from runtime.instance import Instance
from runtime.records import Records, deadline


def _somebody(by: str) -> str:
    return by or os.environ.get("SUDO_USER") or getpass.getuser()


async def open_ticket(
    city: str | None,
    kind: str,
    content: str,
    out: Callable[[str], None],
    say: Callable[[str], None],
    *,
    person: str,
    number: str,
    department: str,
    call: str,
    due: datetime | None,
    by: str,
) -> None:
    """Open a request.

    Raises:
        ToritsugiError: an unknown kind, department or call, or a number that cannot be called.
    """
    instance = Instance.open(city=city)
    kinds = {each.value: each for each in TicketKind if each.asked_of_city}
    if kind not in kinds:
        raise ToritsugiError(f"ない種類です: {kind}", where="種類", cure=f"次のどれか: {', '.join(kinds)}")
    if not content.strip():
        raise ToritsugiError("内容がありません", where="--content", cure="何を頼むのかを書く")
    known = {entry.extension for entry in instance.profile.acd.directory}
    if department and department not in known:
        raise ToritsugiError(
            f"転送先一覧にない内線です: {department}",
            where="--department",
            cure=f"次のどれか: {', '.join(sorted(known))}",
        )
    digits = callable_number(number) if number else ""
    if digits is None:
        raise ToritsugiError(f"かけられない番号です: {number}", where="--number", cure="市外局番から書く")
    await instance.database.migrate()
    now = instance.clock.epoch()
    async with instance.database.uow() as unit:
        if call and not await unit.calls.get([CallId(call)]):
            raise ToritsugiError(
                f"ない通話です: {call}", where="--call", cure="toritsugi ledger export で確かめる"
            )
        ticket = Ticket(
            ticket_id=f"t-{secrets.token_hex(4)}",
            kind=kinds[kind],
            opened_at=now,
            due_at=due.timestamp() if due else deadline(instance.profile.hours, instance.clock, now),
            content=content.strip(),
            department=department,
            person=person.strip(),
            number=digits,
            call=CallId(call) if call else None,
            steps=(TicketStep(at=now, by=_somebody(by), state=TicketState.OPEN),),
        )
        await unit.tickets.add(ticket)
    await instance.database.close()
    out(ticket.ticket_id)
    limit = instance.clock.city_time_of(ticket.due_at)
    say(f"{ticket.kind.label_ja}を受け付けました。期限は {limit:%Y-%m-%d %H:%M} です。")


async def move_ticket(
    city: str | None, ticket_id: str, state: TicketState, by: str, note: str, say: Callable[[str], None]
) -> None:
    """Bring a request into its next state.

    Raises:
        ToritsugiError: there is none of this id, or it cannot go there.
    """
    instance = Instance.open(city=city)
    await instance.database.migrate()
    await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
    async with instance.database.uow() as unit:
        ticket = await unit.tickets.get(ticket_id)
        if ticket is None:
            raise ToritsugiError(
                f"ない依頼です: {ticket_id}", where="番号", cure="toritsugi tickets list で確かめる"
            )
        changed = moved(ticket, state, at=instance.clock.epoch(), by=_somebody(by), note=note)
        await unit.tickets.put(changed)
    await instance.database.close()
    say(f"{ticket.kind.label_ja} {ticket_id}：{changed.state.label_ja}")


async def ticket_rows(city: str | None, *, every: bool, show_numbers: bool) -> list[dict[str, Any]]:
    """Requests that are not at their end, or all, by the moment they were opened."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
    async with instance.database.reading() as unit:
        found = await (unit.tickets.between(0.0, 4e9) if every else unit.tickets.open())
    await instance.database.close()
    names = {entry.extension: entry.name_ja for entry in instance.profile.acd.directory}
    return [_record(ticket, names, instance, show_numbers=show_numbers) for ticket in found]


def _record(
    ticket: Ticket, names: dict[str, str], instance: Instance, *, show_numbers: bool
) -> dict[str, Any]:
    def city_time(at: float) -> str:
        return instance.clock.city_time_of(at).isoformat(timespec="seconds")

    number = ticket.number if show_numbers or not ticket.number else mask_number(ticket.number)
    return {
        "ticket": ticket.ticket_id,
        "kind": ticket.kind.value,
        "meaning": ticket.kind.label_ja,
        "state": ticket.state.value,
        "state_meaning": ticket.state.label_ja,
        "opened": city_time(ticket.opened_at),
        "due": city_time(ticket.due_at),
        "late": not ticket.state.ended and instance.clock.epoch() > ticket.due_at,
        "department": ticket.department,
        "department_name": names.get(ticket.department, ""),
        "person": ticket.person,
        "number": number,
        "content": ticket.content,
        "owner": ticket.owner,
        "result": ticket.result,
        "call": ticket.call,
        "steps": [
            {"at": city_time(step.at), "by": step.by, "state": step.state.value, "note": step.note}
            for step in ticket.steps
        ],
    }
