"""Facts, calls and tail positions in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from ledger.call_codec import decode_call, encode_call
from ledger.calls import Call, Disposition
from ledger.codec import decode_fact, encode_fact, kind_of
from ledger.facts import (
    CallRefused,
    Fact,
    OperatorPaused,
    OperatorSignedIn,
    OperatorSignedOut,
    OperatorUnpaused,
    Source,
    SwitchStarted,
)
from services.ports import TailPosition
from storage import rows
from storage.sql import chunks, insert_into, upsert

_QUEUED = (Disposition.ANSWERED, Disposition.ABANDONED_QUEUE, Disposition.OVERFLOW)
_OPERATOR_KINDS = [kind.__name__ for kind in (OperatorPaused, OperatorUnpaused, OperatorSignedOut)]


class SqlFacts:
    """`services.ports.FactStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, facts: Collection[Fact]) -> None:
        if not facts:
            return
        statement = insert_into(self._connection, rows.fact).on_conflict_do_nothing(
            index_elements=["node", "file", "position", "kind"]
        )
        await self._connection.execute(statement, [_fact_row(fact) for fact in facts])

    async def of_calls(self, calls: Collection[CallId]) -> list[Fact]:
        found: list[Fact] = []
        for part in chunks(calls):
            found += await self._read(select(rows.fact).where(rows.fact.c.call_id.in_(part)))
        return found

    async def of_operators(self, operators: Collection[OperatorId], since: float, until: float) -> list[Fact]:
        found: list[Fact] = []
        for part in chunks(operators):
            found += await self._read(
                select(rows.fact).where(
                    rows.fact.c.operator.in_(part),
                    rows.fact.c.at.between(since, until),
                    rows.fact.c.kind.in_(_OPERATOR_KINDS),
                )
            )
        return found

    async def presence(self, since: float, until: float) -> list[Fact]:
        kinds = [*_OPERATOR_KINDS, OperatorSignedIn.__name__]
        return await self._read(
            select(rows.fact).where(
                rows.fact.c.kind.in_(kinds), rows.fact.c.at >= since, rows.fact.c.at < until
            )
        )

    async def restarts(self, since: float) -> list[Fact]:
        return await self._read(
            select(rows.fact).where(rows.fact.c.kind == SwitchStarted.__name__, rows.fact.c.at >= since)
        )

    async def refused(self, since: float, until: float) -> list[Fact]:
        return await self._read(
            select(rows.fact).where(
                rows.fact.c.kind == CallRefused.__name__, rows.fact.c.at >= since, rows.fact.c.at < until
            )
        )

    async def _read(self, query: Select[Any]) -> list[Fact]:
        return await read_facts(self._connection, query)


async def read_facts(connection: AsyncConnection, query: Select[Any]) -> list[Fact]:
    """The facts that a query of whole rows finds, by time."""
    result = await connection.execute(query.order_by(rows.fact.c.at, rows.fact.c.id))
    return [_fact_of(row) for row in result]


def _fact_row(fact: Fact) -> dict[str, Any]:
    payload = encode_fact(fact)
    return {
        "node": fact.source.node,
        "file": fact.source.file,
        "position": fact.source.offset,
        "kind": kind_of(fact),
        "call_id": fact.call,
        "operator": payload.get("operator"),
        "at": fact.at,
        "payload": payload,
    }


def _fact_of(row: Row[Any]) -> Fact:
    source = Source(node=row.node, file=row.file, offset=row.position)
    return decode_fact(row.kind, row.payload, at=row.at, source=source, call=row.call_id)


class SqlCalls:
    """`services.ports.CallStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, calls: Collection[Call]) -> None:
        await upsert(self._connection, rows.call, [_call_row(call) for call in calls])

    async def get(self, calls: Collection[CallId]) -> dict[CallId, Call]:
        found: dict[CallId, Call] = {}
        for part in chunks(calls):
            for call in await self._read(select(rows.call).where(rows.call.c.call_id.in_(part))):
                found[call.call_id] = call
        return found

    async def between(self, since: float, until: float) -> list[Call]:
        arrived = rows.call.c.arrived_at
        return await self._read(select(rows.call).where(arrived >= since, arrived < until))

    async def number(self, since: float, until: float) -> int:
        arrived = rows.call.c.arrived_at
        query = select(func.count()).select_from(rows.call).where(arrived >= since, arrived < until)
        return int(await self._connection.scalar(query) or 0)

    async def span(self) -> tuple[float | None, float | None]:
        arrived = rows.call.c.arrived_at
        first, last = (await self._connection.execute(select(func.min(arrived), func.max(arrived)))).one()
        return first, last

    async def open_calls(self) -> list[Call]:
        return await self._read(select(rows.call).where(rows.call.c.is_open))

    async def latest_queued(self, limit: int) -> list[Call]:
        call = rows.call.c
        queued = call.disposition.in_([each.value for each in _QUEUED])
        query = select(rows.call).where(queued, ~call.is_open).order_by(call.arrived_at.desc()).limit(limit)
        found = await self._decoded(query)
        return [each for each in reversed(found) if each.queued]

    async def wrap_up_pending(self, since: float, settled_since: float, until: float) -> list[Call]:
        call = rows.call.c
        pending = call.wrap_up_pending & ((call.ended_at >= since) | call.is_open)
        may_learn = pending | (call.wrapped_up_at >= settled_since)
        return await self._read(select(rows.call).where(may_learn, call.arrived_at <= until))

    async def _read(self, query: Select[Any]) -> list[Call]:
        ordered = query.order_by(rows.call.c.arrived_at, rows.call.c.call_id)
        return await self._decoded(ordered)

    async def _decoded(self, query: Select[Any]) -> list[Call]:
        """The calls of a query.

        Raises:
            ToritsugiError: a stored record is damaged; it says whose.
        """
        call_id = "通話の一覧"  # the driver may fail at a text that is no JSON before it tells whose
        try:
            found = []
            for row in await self._connection.execute(query):
                call_id = row.call_id
                found.append(decode_call(row.record))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise ToritsugiError(
                "台帳の通話の記録が壊れています",
                where=f"台帳（call）の {call_id}",
                cure="控え（バックアップ）から戻す。報告は作っていません",
            ) from problem
        return found


def _call_row(call: Call) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "sip_call_id": call.sip_call_id,
        "arrived_at": call.arrived_at,
        "ended_at": call.ended_at,
        "disposition": call.disposition.value if call.disposition else None,
        "line": call.line,
        "language": call.language,
        "is_open": call.open,
        "wrap_up_pending": call.wrap_up_pending,
        "wrapped_up_at": call.wrapped_up_at,
        "record": encode_call(call),
    }


class SqlTails:
    """`services.ports.TailStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def positions(self) -> list[TailPosition]:
        result = await self._connection.execute(select(rows.tail_position))
        return [TailPosition(**row._mapping) for row in result]

    async def save(self, positions: Collection[TailPosition]) -> None:
        latest = {(each.node, each.log): asdict(each) for each in positions}
        await upsert(self._connection, rows.tail_position, list(latest.values()))

    async def forget(self, node: str, log: str) -> None:
        column = rows.tail_position.c
        await self._connection.execute(
            delete(rows.tail_position).where(column.node == node, column.log == log)
        )
