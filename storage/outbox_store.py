"""What other systems are to be told, in SQL (`services.case_ports.OutboxStore`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_ports import EventState, OutboxEvent
from storage import rows
from storage.sql import chunks, insert_into

_event = rows.webhook_event.c


class SqlOutbox:
    """`services.case_ports.OutboxStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, events: Collection[OutboxEvent]) -> None:
        if events:
            statement = insert_into(self._connection, rows.webhook_event)
            await self._connection.execute(
                statement.on_conflict_do_nothing(index_elements=["event_id"]),
                [_row(event) for event in events],
            )

    async def put(self, event: OutboxEvent) -> None:
        statement = update(rows.webhook_event).where(_event.event_id == event.event_id)
        await self._connection.execute(statement.values(**_row(event)))

    async def due(self, now: float, limit: int) -> list[OutboxEvent]:
        query = select(rows.webhook_event).where(
            _event.state == EventState.WAITING.value, _event.next_try_at <= now
        )
        return await self._read(query.order_by(_event.next_try_at, _event.id).limit(limit))

    async def get(self, event_id: str) -> OutboxEvent | None:
        found = await self._read(select(rows.webhook_event).where(_event.event_id == event_id))
        return found[0] if found else None

    async def listed(self, states: Collection[EventState], limit: int) -> list[OutboxEvent]:
        query = select(rows.webhook_event).where(_event.state.in_([each.value for each in states]))
        return await self._read(query.order_by(_event.id.desc()).limit(limit))

    async def counts(self) -> dict[tuple[str, EventState], int]:
        query = select(_event.endpoint, _event.state, func.count()).group_by(_event.endpoint, _event.state)
        return {(row[0], EventState(row[1])): row[2] for row in await self._connection.execute(query)}

    async def of_subjects(self, subjects: Collection[str]) -> list[OutboxEvent]:
        found: list[OutboxEvent] = []
        for part in chunks(subjects):
            found += await self._read(select(rows.webhook_event).where(_event.subject.in_(part)))
        return found

    async def _read(self, query: Select[Any]) -> list[OutboxEvent]:
        return [_of(row) for row in await self._connection.execute(query)]


def _row(event: OutboxEvent) -> dict[str, Any]:
    return {**asdict(event), "state": event.state.value}


def _of(row: Row[Any]) -> OutboxEvent:
    values = dict(row._mapping)
    del values["id"]
    return OutboxEvent(**{**values, "state": EventState(values["state"])})
