"""Why offers went where they went, and who changed what, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.events import ExplainOffer, Ranked
from acd.view import Load
from core.ids import CallId, OperatorId, QueueName
from services.ports import AuditEntry
from storage import rows


class SqlOffers:
    """`services.ports.OfferStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, offers: Collection[ExplainOffer]) -> None:
        if offers:
            await self._connection.execute(insert(rows.offer), [_offer_row(offer) for offer in offers])

    async def between(self, since: float, until: float) -> list[ExplainOffer]:
        offer = rows.offer.c
        query = select(offer.record).where(offer.at >= since, offer.at < until).order_by(offer.at, offer.id)
        return [_offer_of(record) for record in await self._connection.scalars(query)]

    async def of_call(self, call: CallId) -> list[ExplainOffer]:
        offer = rows.offer.c
        query = select(offer.record).where(offer.call_id == call).order_by(offer.at, offer.id)
        return [_offer_of(record) for record in await self._connection.scalars(query)]


def _offer_row(offer: ExplainOffer) -> dict[str, Any]:
    return {
        "call_id": offer.call,
        "at": offer.at,
        "operator": offer.operator,
        "queue": offer.queue,
        "deviation": offer.deviation,
        "record": asdict(offer),
    }


def _offer_of(record: Mapping[str, Any]) -> ExplainOffer:
    ranking = tuple(
        Ranked(**{**ranked, "operator": OperatorId(ranked["operator"]), "load": Load(**ranked["load"])})
        for ranked in record["ranking"]
    )
    return ExplainOffer(**{**record, "queue": QueueName(record["queue"]), "ranking": ranking})


class SqlAudit:
    """`services.ports.AuditStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry) -> None:
        await self._connection.execute(insert(rows.audit), [{**asdict(entry), "detail": dict(entry.detail)}])

    async def between(self, since: float, until: float) -> list[AuditEntry]:
        audit = rows.audit.c
        query = (
            select(audit.at, audit.actor, audit.action, audit.subject, audit.detail)
            .where(audit.at >= since, audit.at < until)
            .order_by(audit.at, audit.id)
        )
        return [AuditEntry(**row._mapping) for row in await self._connection.execute(query)]
