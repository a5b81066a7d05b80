"""The transcriber is killed at random moments, again and again: no job is lost, none is done twice, no secret stays."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from core.ids import CallId
from core.settings import PROJECT_ROOT, settings_from
from services.ports import JobState, RecordingFile, TranscriptJob
from services.speech_ports import MuteState
from speech.audio import write_telephone_wav
from speech.muting import quiet
from storage import rows
from storage.database import Database

pytestmark = pytest.mark.contract

JOBS, KILLS = 16, 4
SECRET = (0.4, 0.8)
TRANSCRIBER = """
import asyncio, os, random, sys, time
from core.settings import settings_from
from runtime.transcribing import Worker
from speech.jobs import JobState
from speech.transcript import Transcript, TranscriptSegment
from speech.words import Hidden
from storage.database import Database


class Child:
    def transcribe(self, job):
        time.sleep(random.uniform(0.0, 0.02))
        if not job.ranges:  # a scan hears the whole file, which is muted by then
            return Transcript(base=job.base, language=job.language, state=JobState.DONE)
        return Transcript(
            base=job.base, language=job.language, state=JobState.DONE,
            segments=(
                TranscriptSegment(
                    side="citizen", start_s=0.0, end_s=1.0, kana="", confidence=0.9,
                    text="予約をお願いしたいんですが、番号は［マイナンバー］です",
                    hidden=(Hidden(start_s=0.4, end_s=0.8, kind="my_number"),),
                ),
            ),
        )


async def main():
    settings = settings_from()
    database = Database(settings.database_url)
    async with database.uow() as unit:
        await unit.jobs.release(settings.node)
    workers = [Worker(f"{settings.node}-{os.getpid()}-{n}", settings, database, mutes=not n) for n in range(2)]
    for worker in workers:
        worker._child = Child()
    print("ready", flush=True)
    await asyncio.gather(*(worker.run() for worker in workers))


asyncio.run(main())
"""


def bases() -> list[str]:
    return [f"c-n1-17952284{number:02d}.1" for number in range(JOBS)]


async def prepared(database: Database, folder: Path) -> None:
    await database.migrate()
    folder.mkdir(parents=True)
    async with database.uow() as unit:
        for number, base in enumerate(bases()):
            for side in ("citizen", "line"):
                path = folder / f"{base}-{side}.wav"
                write_telephone_wav(path, np.full(8000, 900, dtype=np.int16))
                await unit.recordings.put(
                    RecordingFile(
                        base=base, side=side, call_id=CallId(base), path=str(path), state="closed",
                        duration_s=1.0, started_at=float(number),
                    )
                )  # fmt: skip
            await unit.jobs.add(
                TranscriptJob(call_id=CallId(base), base=base, language="ja", ranges=((0.0, None),))
            )


def started(home: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", TRANSCRIBER], cwd=PROJECT_ROOT, stdout=subprocess.PIPE,
        env={**os.environ, **home, "PYTHONPATH": str(PROJECT_ROOT)},
    )  # fmt: skip


@pytest.mark.timeout(180)
async def test_no_job_is_lost_none_done_twice_and_every_secret_is_silent(tmp_path: Path) -> None:
    home = {"TORITSUGI_HOME": str(tmp_path / "home"), "TORITSUGI_NODE": "n1"}
    settings = settings_from(home)
    database = Database(settings.database_url)
    await prepared(database, settings.recordings)
    chance, kills = random.Random(20261127), 0
    while True:
        child = started(home)
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            if kills < KILLS:
                await asyncio.sleep(chance.uniform(0.01, 0.25))
            else:
                await done(database)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
            if child.stdout:
                child.stdout.close()
        kills += 1
        if kills > KILLS:
            break
    async with database.reading() as unit:
        states = await unit.jobs.states([CallId(base) for base in bases()])
        mutes = await unit.mutes.of_calls([CallId(base) for base in bases()])
        counted = {
            table.name: await unit.connection.scalar(select(func.count()).select_from(table))
            for table in (rows.transcript, rows.call_insight, rows.quality_check, rows.recording_mute)
        }
    await database.close()
    assert set(states.values()) == {JobState.DONE}
    assert counted == {
        "transcript": 2 * JOBS,
        "call_insight": JOBS,
        "quality_check": JOBS,
        "recording_mute": JOBS,
    }
    assert {mute.state for mute in mutes} == {MuteState.PROVEN}
    assert all(quiet(settings.recordings / f"{base}-citizen.wav", [SECRET]) for base in bases())


async def done(database: Database) -> None:
    while True:
        async with database.reading() as unit:
            counts = await unit.jobs.counts()
            mutes = await unit.mutes.counts(0.0)
        if counts == {JobState.DONE: JOBS} and mutes.get(MuteState.PROVEN.value) == JOBS:
            return
        await asyncio.sleep(0.05)
