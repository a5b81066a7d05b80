"""What has had its time, in SQL (`services.life_ports.RetentionStore`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId
from interactions.search_words import PLAIN, Normaliser
from ledger.codec import KINDS, encode_fact, kind_of
from ledger.facts import Arrived, CallbackBooked, CallRefused, Fact
from services.ports import RecordingFile
from storage import rows
from storage.audit_store import SqlAudit
from storage.case_stores import SqlCases
from storage.ledger_stores import read_facts
from storage.sql import chunks

_FLOOR_RECORDS = (rows.offer, rows.export_log, rows.faq_search)
_KINDS = sorted(KINDS)
_ended = func.coalesce(rows.call.c.ended_at, rows.call.c.arrived_at)


class SqlRetention:
    """`services.life_ports.RetentionStore`."""

    def __init__(self, connection: AsyncConnection, normalise: Normaliser = PLAIN) -> None:
        self._connection = connection
        self._audit = SqlAudit(connection)
        self._cases = SqlCases(connection, normalise)

    async def recordings(self, before: float, node: str, limit: int | None) -> list[RecordingFile]:
        file, call = rows.recording.c, rows.call.c
        ended = func.coalesce(file.started_at + func.coalesce(file.duration_s, 0.0), call.arrived_at)
        query = (
            select(rows.recording)
            .outerjoin(rows.call, call.call_id == file.call_id)
            .where(ended < before, file.base.startswith(f"c-{node}-", autoescape=True))
            .order_by(file.started_at, file.base, file.side)
            .limit(limit)
        )
        return [RecordingFile(**row._mapping) for row in await self._connection.execute(query)]

    async def drop_recordings(self, files: Collection[RecordingFile]) -> None:
        for table in (rows.recording, rows.recording_mute):
            key = tuple_(table.c.base, table.c.side)
            for part in chunks([(file.base, file.side) for file in files], 100):
                await self._connection.execute(delete(table).where(key.in_(part)))

    async def transcribed(self, before: float, limit: int | None) -> list[CallId]:
        call, text, job = rows.call.c, rows.transcript.c, rows.transcript_job.c
        found = union(
            select(text.call_id)
            .outerjoin(rows.call, call.call_id == text.call_id)
            .where(func.coalesce(_ended, text.made_at) < before),
            select(job.call_id)
            .outerjoin(rows.call, call.call_id == job.call_id)
            .where(func.coalesce(_ended, job.next_try_at) < before),
        ).limit(limit)
        return [CallId(value) for value in await self._connection.scalars(found)]

    async def drop_transcripts(self, calls: Collection[CallId]) -> None:
        for part in chunks(calls):
            for table in (rows.transcript, rows.transcript_job, rows.call_insight, rows.quality_check):
                await self._connection.execute(delete(table).where(table.c.call_id.in_(part)))

    async def calls(self, before: float, limit: int | None) -> list[CallId]:
        call = rows.call.c
        query = (
            select(call.call_id)
            .where(call.arrived_at < before, _ended < before)
            .order_by(call.arrived_at)
            .limit(limit)
        )
        return [CallId(value) for value in await self._connection.scalars(query)]

    async def facts_of(self, calls: Collection[CallId]) -> int:
        count = 0
        for part in chunks(calls):
            query = select(func.count()).select_from(rows.fact).where(rows.fact.c.call_id.in_(part))
            count += await self._connection.scalar(query) or 0
        return count

    async def drop_calls(self, calls: Collection[CallId]) -> int:
        facts = 0
        link = rows.interaction_call.c
        for part in chunks(calls):
            facts += (
                await self._connection.execute(delete(rows.fact).where(rows.fact.c.call_id.in_(part)))
            ).rowcount
            cases = list(
                await self._connection.scalars(select(link.case_id).where(link.call_id.in_(part)).distinct())
            )
            for table in (
                rows.recording,
                rows.recording_mute,
                rows.transcript,
                rows.transcript_job,
                rows.call_insight,
                rows.quality_check,
                rows.interaction_call,
                rows.faq_search,
                rows.call,
            ):
                await self._connection.execute(delete(table).where(table.c.call_id.in_(part)))
            await self._connection.execute(delete(rows.callback).where(rows.callback.c.call.in_(part)))
            event = rows.webhook_event
            await self._connection.execute(delete(event).where(event.c.subject.in_(part)))
            left: set[str] = set()
            for some in chunks(cases):
                left |= set(
                    await self._connection.scalars(select(link.case_id).where(link.case_id.in_(some)))
                )
            await self._cases.forget(set(cases) - left)
            await self._cases.reindex(left)
        return facts

    async def cases_without_call(self, before: float, limit: int | None) -> list[str]:
        case, link = rows.interaction.c, rows.interaction_call.c
        of_a_call = (
            select(link.case_id)
            .join(rows.call, rows.call.c.call_id == link.call_id)
            .where(link.case_id == case.case_id)
            .exists()
        )
        query = (
            select(case.case_id)
            .where(case.started_at < before, case.joined_into.is_(None), ~of_a_call)
            .order_by(case.started_at)
            .limit(limit)
        )
        return list(await self._connection.scalars(query))

    async def drop_cases(self, cases: Collection[str]) -> None:
        await self._cases.forget(cases)

    async def loose_ends(self, calls: float, numbers: float) -> int:
        found = 0
        for table, old in _loose(calls, numbers):
            query = select(func.count()).select_from(table).where(old)
            found += await self._connection.scalar(query) or 0
        return found

    async def drop_loose_ends(self, calls: float, numbers: float) -> int:
        found = 0
        for table, old in _loose(calls, numbers):
            found += (await self._connection.execute(delete(table).where(old))).rowcount
        return found

    async def floor_records(self, before: float) -> int:
        count = await self._audit.old(before)
        for table in _FLOOR_RECORDS:
            query = select(func.count()).select_from(table).where(table.c.at < before)
            count += await self._connection.scalar(query) or 0
        return count

    async def drop_floor_records(self, before: float, limit: int) -> int:
        gone = 0
        for table in _FLOOR_RECORDS:
            some = select(table.c.id).where(table.c.at < before).limit(limit - gone)
            ids = list(await self._connection.scalars(some))
            if ids:
                await self._connection.execute(delete(table).where(table.c.id.in_(ids)))
            gone += len(ids)
        # The oldest of the chain alone, so that what is left still hangs together.
        return gone + (await self._audit.prune(before, limit - gone) if gone < limit else 0)

    async def facts_without_call(self, before: float, limit: int | None) -> list[int]:
        fact = rows.fact.c
        kept = exists().where(rows.call.c.call_id == fact.call_id)
        # The kinds are named so that the index over kind and time serves.
        query = select(fact.id).where(fact.kind.in_(_KINDS), fact.at < before, ~kept).limit(limit)
        return list(await self._connection.scalars(query))

    async def drop_facts(self, ids: Collection[int]) -> None:
        for part in chunks(ids):
            await self._connection.execute(delete(rows.fact).where(rows.fact.c.id.in_(part)))

    async def calls_with_numbers(
        self, before: float, city_numbers: Collection[str], limit: int | None
    ) -> list[CallId]:
        call, link = rows.call.c, rows.interaction_call.c
        query = (
            select(call.call_id)
            .outerjoin(rows.interaction_call, link.call_id == call.call_id)
            .where(
                call.arrived_at < before,
                _ended < before,
                or_(
                    call.record[("caller", "number")].as_string().is_not(None),
                    _foreign(call.record["diverted_from"].as_string(), city_numbers),
                    call.record[("callback", "to")].as_string() != "",
                    link.summary["caller"].as_string().is_not(None),
                ),
            )
            .order_by(call.arrived_at)
            .limit(limit)
        )
        return [CallId(value) for value in await self._connection.scalars(query)]

    async def facts_with_numbers(
        self, before: float, city_numbers: Collection[str], limit: int | None
    ) -> list[Fact]:
        fact, call = rows.fact.c, rows.call.c
        arrived = and_(
            fact.kind == Arrived.__name__,
            or_(
                fact.payload[("caller", "number")].as_string().is_not(None),
                _foreign(fact.payload["diverted_from"].as_string(), city_numbers),
            ),
        )
        told = and_(
            fact.kind.in_([CallRefused.__name__, CallbackBooked.__name__]),
            fact.payload["to"].as_string() != "",
        )
        later = exists().where(call.call_id == fact.call_id, _ended >= before)
        query: Select[Any] = (
            select(rows.fact)
            .where(
                fact.kind.in_([kind.__name__ for kind in (Arrived, CallRefused, CallbackBooked)]),
                fact.at < before,
                or_(arrived, told),
                ~later,
            )
            .limit(limit)
        )
        return await read_facts(self._connection, query)

    async def drop_alerts(self, before: float) -> int:
        done = await self._connection.execute(delete(rows.alert).where(rows.alert.c.cleared_at < before))
        return done.rowcount

    async def drop_tickets(self, before: float) -> int:
        done = await self._connection.execute(delete(rows.ticket).where(rows.ticket.c.ended_at < before))
        return done.rowcount

    async def tickets_of(self, before: float) -> int:
        query = select(func.count()).select_from(rows.ticket).where(rows.ticket.c.ended_at < before)
        return await self._connection.scalar(query) or 0

    async def alerts_of(self, before: float) -> int:
        query = select(func.count()).select_from(rows.alert).where(rows.alert.c.cleared_at < before)
        return await self._connection.scalar(query) or 0

    async def replace_facts(self, facts: Collection[Fact]) -> None:
        column = rows.fact.c
        for fact in facts:
            await self._connection.execute(
                update(rows.fact)
                .where(
                    column.node == fact.source.node,
                    column.file == fact.source.file,
                    column.position == fact.source.offset,
                    column.kind == kind_of(fact),
                )
                .values(payload=encode_fact(fact))
            )


def _loose(calls: float, numbers: float) -> list[tuple[Table, ColumnElement[bool]]]:
    faq, case = rows.interaction_faq.c, rows.interaction.c.case_id
    without_case = ~exists().where(case == faq.case_id)
    return [
        (rows.case_draft, rows.case_draft.c.saved_at < numbers),
        (rows.webhook_event, rows.webhook_event.c.at < numbers),
        (rows.interaction_faq, (faq.shown_at < calls) & without_case),
    ]


def _foreign(number: ColumnElement[str], city_numbers: Collection[str]) -> ColumnElement[bool]:
    return and_(number.is_not(None), number.not_in(list(city_numbers)))
