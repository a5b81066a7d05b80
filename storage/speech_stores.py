"""Recordings, transcription jobs and transcripts in SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId
from services.ports import JobState, RecordingFile, Transcript, TranscriptJob
from storage import rows
from storage.sql import chunks, insert_new, upsert


class SqlRecordings:
    """`services.ports.RecordingStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, recording: RecordingFile) -> None:
        values = {column.name: getattr(recording, column.name) for column in rows.recording.columns}
        await upsert(self._connection, rows.recording, [values])

    async def of_call(self, call: CallId) -> list[RecordingFile]:
        return await self._read(select(rows.recording).where(rows.recording.c.call_id == call))

    async def between(self, since: float, until: float) -> list[RecordingFile]:
        started = rows.recording.c.started_at
        return await self._read(select(rows.recording).where(started >= since, started < until))

    async def known(self, bases: Collection[str]) -> set[str]:
        found: set[str] = set()
        base = rows.recording.c.base
        for part in chunks(bases):
            found |= set(await self._connection.scalars(select(base).where(base.in_(part)).distinct()))
        return found

    async def _read(self, query: Select[Any]) -> list[RecordingFile]:
        result = await self._connection.execute(query.order_by(rows.recording.c.base, rows.recording.c.side))
        return [RecordingFile(**row._mapping) for row in result]


class SqlJobs:
    """`services.ports.JobStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, job: TranscriptJob) -> bool:
        values = {column.name: getattr(job, column.name) for column in rows.transcript_job.columns}
        values |= {"ranges": [list(part) for part in job.ranges], "state": job.state.value}
        return await insert_new(self._connection, rows.transcript_job, values, ["call_id"])

    async def claim(self, worker: str, now: float, stale_after_s: float) -> TranscriptJob | None:
        job = rows.transcript_job.c
        waiting = (job.state == JobState.WAITING.value) & (job.next_try_at <= now)
        orphaned = (job.state == JobState.RUNNING.value) & (job.claimed_at <= now - stale_after_s)
        # Two workers may look at once: the second one's lock finds the row taken and goes on to the next.
        query = (
            select(job.call_id)
            .where(waiting | orphaned)
            .order_by(job.next_try_at, job.call_id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        call_id = await self._connection.scalar(query)
        if call_id is None:
            return None
        await self._connection.execute(
            update(rows.transcript_job)
            .where(job.call_id == call_id)
            .values(
                state=JobState.RUNNING.value, claimed_by=worker, claimed_at=now, attempts=job.attempts + 1
            )
        )
        return await self.get(CallId(call_id))

    async def finish(
        self, call: CallId, state: JobState, *, now: float, error: str = "", next_try_at: float | None = None
    ) -> None:
        await self._connection.execute(
            update(rows.transcript_job)
            .where(rows.transcript_job.c.call_id == call)
            .values(
                state=state.value,
                error=error,
                claimed_by="",
                claimed_at=None,
                next_try_at=now if next_try_at is None else next_try_at,
            )
        )

    async def put_back(self, call: CallId, due: float) -> None:
        job = rows.transcript_job.c
        await self._connection.execute(
            update(rows.transcript_job)
            .where(job.call_id == call)
            .values(
                state=JobState.WAITING.value,
                attempts=job.attempts - 1,
                claimed_by="",
                claimed_at=None,
                next_try_at=due,
            )
        )

    async def get(self, call: CallId) -> TranscriptJob | None:
        query = select(rows.transcript_job).where(rows.transcript_job.c.call_id == call)
        row = (await self._connection.execute(query)).one_or_none()
        return _job_of(row) if row else None

    async def states(self, calls: Collection[CallId]) -> dict[CallId, JobState]:
        found: dict[CallId, JobState] = {}
        job = rows.transcript_job.c
        for part in chunks(calls):
            result = await self._connection.execute(
                select(job.call_id, job.state).where(job.call_id.in_(part))
            )
            found |= {CallId(row.call_id): JobState(row.state) for row in result}
        return found

    async def counts(self) -> dict[JobState, int]:
        state = rows.transcript_job.c.state
        result = await self._connection.execute(select(state, func.count()).group_by(state))
        return {JobState(name): number for name, number in result}

    async def wake_no_model(self, languages: Collection[str]) -> int:
        job = rows.transcript_job.c
        result = await self._connection.execute(
            update(rows.transcript_job)
            .where(job.state == JobState.NO_MODEL.value, job.language.in_(list(languages)))
            .values(state=JobState.WAITING.value)
        )
        return result.rowcount

    async def release(self, node: str) -> int:
        job = rows.transcript_job.c
        result = await self._connection.execute(
            update(rows.transcript_job)
            .where(
                job.state == JobState.RUNNING.value, job.claimed_by.startswith(f"{node}-", autoescape=True)
            )
            .values(state=JobState.WAITING.value)
        )
        return result.rowcount


def _job_of(row: Row[Any]) -> TranscriptJob:
    values = dict(row._mapping)
    values["ranges"] = tuple((first, last) for first, last in values["ranges"])
    values["state"] = JobState(values["state"])
    return TranscriptJob(**values)


class SqlTranscripts:
    """`services.ports.TranscriptStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, transcript: Transcript) -> None:
        values = {column.name: getattr(transcript, column.name) for column in rows.transcript.columns}
        values["segments"] = [dict(segment) for segment in transcript.segments]
        await upsert(self._connection, rows.transcript, [values])

    async def of_call(self, call: CallId) -> list[Transcript]:
        query = select(rows.transcript).where(rows.transcript.c.call_id == call)
        result = await self._connection.execute(query.order_by(rows.transcript.c.side))
        return [Transcript(**row._mapping) for row in result]
