"""Requests to the city in SQL (`services.ports.TicketStore`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep
from storage import rows
from storage.sql import insert_new, upsert

_column = rows.ticket.c


class SqlTickets:
    """`services.ports.TicketStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, ticket: Ticket) -> bool:
        return await insert_new(self._connection, rows.ticket, _row(ticket), ["ticket_id"])

    async def put(self, ticket: Ticket) -> None:
        await upsert(self._connection, rows.ticket, [_row(ticket)])

    async def get(self, ticket_id: str) -> Ticket | None:
        found = await self._read(select(rows.ticket).where(_column.ticket_id == ticket_id))
        return found[0] if found else None

    async def open(self) -> list[Ticket]:
        return await self._read(select(rows.ticket).where(_column.ended_at.is_(None)))

    async def between(self, since: float, until: float) -> list[Ticket]:
        opened = _column.opened_at
        return await self._read(select(rows.ticket).where(opened >= since, opened < until))

    async def _read(self, query: Select[Any]) -> list[Ticket]:
        result = await self._connection.execute(query.order_by(_column.opened_at, _column.ticket_id))
        return [_ticket(row.record) for row in result]


def _row(ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_id": ticket.ticket_id,
        "state": ticket.state.value,
        "opened_at": ticket.opened_at,
        "ended_at": ticket.ended_at,
        "record": asdict(ticket),
    }


def _ticket(values: dict[str, Any]) -> Ticket:
    steps = tuple(TicketStep(**{**step, "state": TicketState(step["state"])}) for step in values["steps"])
    call = values["call"]
    return Ticket(
        **{
            **values,
            "kind": TicketKind(values["kind"]),
            "state": TicketState(values["state"]),
            "call": CallId(call) if call else None,
            "steps": steps,
        }
    )
