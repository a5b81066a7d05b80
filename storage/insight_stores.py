"""Muted recordings, what was understood of calls, and their quality, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId
from services.ports import JobState
from services.speech_ports import CallInsight, MuteState, QualityCheck, RecordingMute
from storage import rows
from storage.sql import chunks, upsert

_HEARD = (JobState.DONE.value, JobState.EMPTY.value, JobState.DAMAGED.value)


class SqlMutes:
    """`services.speech_ports.MuteStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def merge(self, mute: RecordingMute) -> None:
        known = await self.get(mute.base, mute.side)
        if known is None:
            await self.put(mute)
            return
        spans = tuple(sorted({*known.spans, *mute.spans}))
        if spans != known.spans:
            values = _values(known) | {"spans": [list(span) for span in spans], "state": MuteState.DUE.value}
            await upsert(self._connection, rows.recording_mute, [values])

    async def put(self, mute: RecordingMute) -> None:
        await upsert(self._connection, rows.recording_mute, [_values(mute)])

    async def get(self, base: str, side: str) -> RecordingMute | None:
        column = rows.recording_mute.c
        found = await self._read(select(rows.recording_mute).where(column.base == base, column.side == side))
        return found[0] if found else None

    async def of_call(self, call: CallId) -> list[RecordingMute]:
        return await self.of_calls([call])

    async def of_calls(self, calls: Collection[CallId]) -> list[RecordingMute]:
        found: list[RecordingMute] = []
        for part in chunks(calls):
            query = select(rows.recording_mute).where(rows.recording_mute.c.call_id.in_(part))
            found += await self._read(query)
        return found

    async def in_state(
        self, states: Collection[MuteState], node: str, limit: int | None
    ) -> list[RecordingMute]:
        column = rows.recording_mute.c
        query = select(rows.recording_mute).where(
            column.state.in_([state.value for state in states]),
            column.base.startswith(f"c-{node}-", autoescape=True),
        )
        return await self._read(query.limit(limit))

    async def counts(self, now: float) -> dict[str, int]:
        column = rows.recording_mute.c
        result = await self._connection.execute(select(column.state, func.count()).group_by(column.state))
        counts = {str(state): int(number) for state, number in result}
        late = select(func.count()).where(column.state == MuteState.DUE.value, column.due_at < now)
        return {**counts, "overdue": await self._connection.scalar(late) or 0}

    async def unheard(self, before: float) -> list[str]:
        file, job = rows.recording.c, rows.transcript_job.c
        query = (
            select(file.base)
            .outerjoin(rows.transcript_job, job.base == file.base)
            .where(file.started_at < before, job.state.is_(None) | job.state.not_in(_HEARD))
            .distinct()
            .order_by(file.base)
        )
        return list(await self._connection.scalars(query))

    async def _read(self, query: Select[Any]) -> list[RecordingMute]:
        column = rows.recording_mute.c
        result = await self._connection.execute(query.order_by(column.due_at, column.base, column.side))
        return [_mute_of(row) for row in result]


def _values(mute: RecordingMute) -> dict[str, Any]:
    values = {column.name: getattr(mute, column.name) for column in rows.recording_mute.columns}
    return values | {"spans": [list(span) for span in mute.spans], "state": mute.state.value}


def _mute_of(row: Row[Any]) -> RecordingMute:
    values = dict(row._mapping)
    values["spans"] = tuple((start, end, kind) for start, end, kind in values["spans"])
    values["state"] = MuteState(values["state"])
    return RecordingMute(**values)


class SqlInsights:
    """`services.speech_ports.InsightStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, insight: CallInsight) -> None:
        values = {column.name: getattr(insight, column.name) for column in rows.call_insight.columns}
        await upsert(self._connection, rows.call_insight, [values | {"record": dict(insight.record)}])

    async def of_calls(self, calls: Collection[CallId]) -> dict[CallId, CallInsight]:
        found: dict[CallId, CallInsight] = {}
        for part in chunks(calls):
            query = select(rows.call_insight).where(rows.call_insight.c.call_id.in_(part))
            for row in await self._connection.execute(query):
                found[CallId(row.call_id)] = CallInsight(**row._mapping)
        return found


class SqlQuality:
    """`services.speech_ports.QualityStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, check: QualityCheck) -> None:
        values = {column.name: getattr(check, column.name) for column in rows.quality_check.columns}
        values |= {"record": dict(check.record), "overruled": dict(check.overruled)}
        await upsert(self._connection, rows.quality_check, [values])

    async def get(self, call: CallId) -> QualityCheck | None:
        found = await self._read(select(rows.quality_check).where(rows.quality_check.c.call_id == call))
        return found[0] if found else None

    async def between(self, since: float, until: float) -> Sequence[QualityCheck]:
        at = rows.quality_check.c.at
        return await self._read(select(rows.quality_check).where(at >= since, at < until))

    async def _read(self, query: Select[Any]) -> list[QualityCheck]:
        column = rows.quality_check.c
        result = await self._connection.execute(query.order_by(column.at, column.call_id))
        return [QualityCheck(**row._mapping) for row in result]
