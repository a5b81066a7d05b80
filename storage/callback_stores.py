"""Call-backs in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, Select, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.callback import Callback, CallbackState
from core.ids import CallId
from storage import rows
from storage.sql import chunks, upsert

_OPEN = [state.value for state in CallbackState if state.is_open]
_NAMES = [field.name for field in fields(Callback)]


class SqlCallbacks:
    """`services.ports.CallbackStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, callback: Callback) -> None:
        values = {name: getattr(callback, name) for name in _NAMES}
        await upsert(self._connection, rows.callback, [values | {"state": callback.state.value}])

    async def get(self, call: CallId) -> Callback | None:
        found = await self._read(select(rows.callback).where(rows.callback.c.call == call))
        return found[0] if found else None

    async def open(self) -> list[Callback]:
        return await self._read(select(rows.callback).where(rows.callback.c.state.in_(_OPEN)))

    async def with_number(self, numbers: Collection[str], since: float) -> list[Callback]:
        column = rows.callback.c
        return await self._read(
            select(rows.callback).where(
                column.booked_at >= since,
                or_(column.number.in_(list(numbers)), column.caller.in_(list(numbers))),
            )
        )

    async def between(self, since: float, until: float) -> list[Callback]:
        booked = rows.callback.c.booked_at
        return await self._read(select(rows.callback).where(booked >= since, booked < until))

    async def forget(self, calls: Collection[CallId]) -> None:
        for part in chunks(calls):
            await self._connection.execute(delete(rows.callback).where(rows.callback.c.call.in_(part)))

    async def _read(self, query: Select[Any]) -> list[Callback]:
        ordered = query.order_by(rows.callback.c.entered_at, rows.callback.c.call)
        return [_callback(row) for row in await self._connection.execute(ordered)]


def _callback(row: Row[Any]) -> Callback:
    return Callback(**{**row._mapping, "state": CallbackState(row.state)})
