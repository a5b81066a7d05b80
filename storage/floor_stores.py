"""Why offers went where they went, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.events import ExplainOffer, Ranked
from acd.view import Load
from core.ids import CallId, OperatorId, QueueName
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
