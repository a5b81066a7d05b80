"""Alerts in SQL (`services.ports.AlertStore`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.alerts import Acknowledgement, Alert, AlertKind
from storage import rows
from storage.sql import chunks, insert_into

_column = rows.alert.c
_WORKED = ("text", "label", "notified", "notified_at", "cleared_at")
"""What changes after an alert is raised. The acknowledgement is a person's and is written apart."""


class SqlAlerts:
    """`services.ports.AlertStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, alerts: Collection[Alert]) -> None:
        if not alerts:
            return
        statement = insert_into(self._connection, rows.alert)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_={name: statement.excluded[name] for name in _WORKED}
            ),
            [_row(alert) for alert in alerts],
        )

    async def open(self) -> list[Alert]:
        return await self._read(select(rows.alert).where(_column.cleared_at.is_(None)))

    async def known(self, since: float) -> list[Alert]:
        lately = or_(_column.raised_at >= since, _column.notified_at >= since, _column.cleared_at >= since)
        return await self._read(select(rows.alert).where(or_(_column.cleared_at.is_(None), lately)))

    async def between(self, since: float, until: float) -> list[Alert]:
        raised = _column.raised_at
        return await self._read(select(rows.alert).where(raised >= since, raised < until))

    async def acknowledge(self, identity: str, by: Acknowledgement) -> bool:
        done = await self._connection.execute(
            update(rows.alert)
            .where(_column.id == identity, _column.acknowledged_at.is_(None), _column.cleared_at.is_(None))
            .values(acknowledged_at=by.at, acknowledged_by=by.by, note=by.note)
        )
        return done.rowcount == 1

    async def acknowledged(self, identities: Collection[str]) -> dict[str, Acknowledgement]:
        found: dict[str, Acknowledgement] = {}
        for part in chunks(identities):
            query = select(rows.alert).where(_column.id.in_(part), _column.acknowledged_at.is_not(None))
            for alert in await self._read(query):
                if alert.acknowledged is not None:
                    found[alert.id] = alert.acknowledged
        return found

    async def _read(self, query: Select[Any]) -> list[Alert]:
        result = await self._connection.execute(query.order_by(_column.raised_at, _column.id))
        return [_alert(row) for row in result]


def _row(alert: Alert) -> dict[str, Any]:
    by = alert.acknowledged
    return {
        "id": alert.id,
        "kind": alert.kind.value,
        "subject": alert.subject,
        "label": alert.label,
        "text": alert.text,
        "since": alert.since,
        "raised_at": alert.raised_at,
        "notified": alert.notified,
        "notified_at": alert.notified_at,
        "cleared_at": alert.cleared_at,
        "acknowledged_at": by.at if by else None,
        "acknowledged_by": by.by if by else None,
        "note": by.note if by else None,
    }


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        id=row.id,
        kind=AlertKind(row.kind),
        subject=row.subject,
        label=row.label,
        text=row.text,
        since=row.since,
        raised_at=row.raised_at,
        notified=row.notified,
        notified_at=row.notified_at,
        cleared_at=row.cleared_at,
        acknowledged=None
        if row.acknowledged_at is None
        else Acknowledgement(at=row.acknowledged_at, by=row.acknowledged_by or "", note=row.note or ""),
    )
