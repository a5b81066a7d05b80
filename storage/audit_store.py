"""Who did what, in SQL, as a chain (`services.audit`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit import Head, Link, linked, plain_detail
from services.ports import AuditEntry
from storage import rows

_column = rows.audit.c
_chain = rows.audit_chain


class SqlAudit:
    """`services.ports.AuditStore`.

    Entries are written when the unit of work ends (`flush`): whoever writes holds the end of the chain until the
    commit, and no other lock is taken after it, so that two writers wait for each other and never in a circle.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._waiting: list[AuditEntry] = []

    async def add(self, entry: AuditEntry) -> None:
        self._waiting.append(replace(entry, detail=plain_detail(entry.detail)))

    async def flush(self) -> None:
        """Write what waits as the next links."""
        if not self._waiting:
            return
        head = await self.head(lock=True)
        links = list(linked(self._waiting, head.seq, head.hash))
        self._waiting.clear()
        await self._connection.execute(insert(rows.audit), [_row(link) for link in links])
        await self._connection.execute(update(_chain).values(seq=links[-1].seq, hash=links[-1].hash))

    async def between(self, since: float, until: float) -> list[AuditEntry]:
        await self.flush()
        query = select(rows.audit).where(_column.at >= since, _column.at < until)
        found = await self._connection.execute(query.order_by(_column.at, _column.seq))
        return [_link(row).entry for row in found]

    async def head(self, *, lock: bool = False) -> Head:
        query = select(_chain.c.seq, _chain.c.hash, _chain.c.pruned_seq, _chain.c.pruned_hash)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).one()
        return Head(**row._mapping)

    async def links(self, after: int, limit: int) -> list[Link]:
        query = select(rows.audit).where(_column.seq > after).order_by(_column.seq).limit(limit)
        return [_link(row) for row in await self._connection.execute(query)]

    async def old(self, before: float) -> int:
        """How many entries `prune` would delete."""
        query = (
            select(func.count()).select_from(rows.audit).where(_column.seq < await self._first_kept(before))
        )
        return await self._connection.scalar(query) or 0

    async def prune(self, before: float, limit: int) -> int:
        """Delete at most `limit` of the oldest entries, all from before the moment; how many there were."""
        await self.head(lock=True)
        query: Select[Any] = select(_column.seq, _column.hash).where(
            _column.seq < await self._first_kept(before)
        )
        found = (await self._connection.execute(query.order_by(_column.seq).limit(limit))).all()
        if not found:
            return 0
        last = found[-1]
        await self._connection.execute(delete(rows.audit).where(_column.seq <= last.seq))
        await self._connection.execute(update(_chain).values(pruned_seq=last.seq, pruned_hash=last.hash))
        return len(found)

    async def _first_kept(self, before: float) -> int:
        first = await self._connection.scalar(select(func.min(_column.seq)).where(_column.at >= before))
        return first if first is not None else (await self.head()).seq + 1


def _row(link: Link) -> dict[str, Any]:
    entry = link.entry
    return {
        "at": float(entry.at), "actor": entry.actor, "action": entry.action, "subject": entry.subject,
        "detail": dict(entry.detail), "seq": link.seq, "prev": link.prev, "hash": link.hash,
    }  # fmt: skip


def _link(row: Row[Any]) -> Link:
    entry = AuditEntry(at=row.at, actor=row.actor, action=row.action, subject=row.subject, detail=row.detail)
    return Link(seq=row.seq, prev=row.prev, hash=row.hash, entry=entry)
