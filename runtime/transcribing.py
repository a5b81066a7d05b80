"""The transcription process: takes jobs from the database, has them done in children, attaches the text."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.clock import SystemClock
from core.errors import ToritsugiError
from core.settings import Settings, settings_from
from runtime.instance import Instance
from runtime.providers import provider_of
from runtime.sealing import RecordingSealer
from services.cases import attach_transcript
from services.muting import HOUR_S, Muter, mutes_of
from services.ports import JobState, Transcript, TranscriptJob, UnitOfWork
from services.providing import keep_provided_summary
from services.recordings import RecordingKeeper, call_of
from services.speech_ports import MuteState, RecordingMute
from services.understanding import keep_understanding
from speech import jobs as rules
from speech.conversation import sentences
from speech.dictionary import vocabulary
from speech.engines import Engines
from speech.models import fetch_models, models_dir
from speech.profile import ProviderTask, SpeechSection
from speech.transcript import Transcript as Heard
from speech.transcript import transcribe_paths as transcribe_files
from speech.worker import ChildTranscriber
from storage.database import Database

log = logging.getLogger(__name__)

WORKERS_VARIABLE = "TORITSUGI_TRANSCRIBERS"
IDLE_S = 0.5
STALE_S = 1800.0
WAKE_EVERY_S = 30.0
LOOK_EVERY_S = 5.0


def model_folders(settings: Settings) -> list[Path]:
    """Where models lie: the instance's own folder first, then what `models fetch` brought."""
    return [settings.home / "models", models_dir(settings.tools)]


def muter_of(settings: Settings, database: Database, speech: SpeechSection) -> Muter:
    """The muter of this instance's recordings."""
    return Muter(
        folder=settings.recordings,
        uow=database.uow,
        reading=database.reading,
        clock=SystemClock(),
        rules=speech.mute,
        node=settings.node,
    )


def workers_of_this_node() -> int:
    """How many recordings this node transcribes side by side; with 0 its recordings wait."""
    text = os.environ.get(WORKERS_VARIABLE, "")
    if not text:
        return max(1, (os.cpu_count() or 2) // 2)
    if not text.isdigit() or not 0 <= int(text) <= 64:
        raise ToritsugiError(
            f"数ではありません: {text!r}", where=WORKERS_VARIABLE, cure="0 から 64 の数を書く"
        )
    return int(text)


async def run_transcriber(city: str | None) -> None:
    """The transcriber process: started by the parent, ends on SIGTERM."""
    instance = Instance.open(city=city)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    workers = [
        Worker(
            f"{instance.settings.node}-{os.getpid()}-{number}",
            instance.settings,
            instance.database,
            instance.profile.speech,
            mutes=number == 0,
        )
        for number in range(workers_of_this_node())
    ]
    try:
        async with instance.database.uow() as unit:
            await unit.jobs.release(instance.settings.node)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(worker.run()) for worker in workers]
            await stop.wait()
            for worker in workers:
                worker.close()
            for task in tasks:
                task.cancel()
    finally:
        await instance.database.close()


class Worker:
    """Takes one job at a time.

    Args:
        speech: the city's rules and words.
        mutes: whether it proves muted recordings when there is nothing to transcribe; one of a process does.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        database: Database,
        speech: SpeechSection | None = None,
        *,
        mutes: bool = False,
    ) -> None:
        self._name, self._settings, self._database = name, settings, database
        self._speech, self._mutes = speech or SpeechSection(), mutes
        self._child = ChildTranscriber(
            model_folders(settings), vocabulary=vocabulary(self._speech.dictionary)
        )
        self._muter = muter_of(settings, database, self._speech)
        self._looked_at = 0.0
        self._unheard: set[str] = set()
        self._recordings = RecordingKeeper(
            settings.recordings, database.uow, SystemClock(), RecordingSealer(settings).seal
        )
        self._woken_at = 0.0

    def close(self) -> None:
        """End the child process; a job in its hands is claimed again later."""
        self._child.close()

    async def run(self) -> None:
        """For ever; a fault of the database or of one job costs one round."""
        while True:
            try:
                busy = await self._round()
            except Exception:
                # The job stays claimed and is taken up again when the claim is stale.
                log.exception("a round of transcription failed")
                busy = False
            if not busy:
                await asyncio.sleep(IDLE_S)

    async def _round(self) -> bool:
        now = time.time()
        async with self._database.uow() as unit:
            if now - self._woken_at > WAKE_EVERY_S:
                self._woken_at = now
                await unit.jobs.wake_no_model(list(self._child.languages()))
            job = await unit.jobs.claim(self._name, now, STALE_S)
            closed = job is not None and bool(await unit.recordings.known([job.base]))
        if job is None:
            return self._mutes and await self._prove(now)
        if not closed and not await self._left_open(job):
            async with self._database.uow() as unit:
                await unit.jobs.put_back(job.call_id, now + IDLE_S)
            return False
        await self._do(job)
        return True

    async def _prove(self, now: float) -> bool:
        """Mute what an earlier process left, and hear one muted recording again; whether there was one."""
        if now - self._looked_at < LOOK_EVERY_S:
            return False
        await self._muter.mute_due()
        waiting = [base for base in await self._muter.to_scan() if base not in self._unheard]
        if not waiting:
            self._looked_at = now
            return False
        try:
            state = await self._muter.scan(
                waiting[0], self._child.transcribe, await self._language(waiting[0])
            )
        except ToritsugiError as problem:
            # `recordings scan` tries it again; the others must not wait for it.
            log.warning("a muted recording was not heard again: %s", problem)
            self._unheard.add(waiting[0])
            return False
        if state is MuteState.DUE:
            self._looked_at = now + WAKE_EVERY_S  # there is no model yet
            return False
        if state is MuteState.LEFT:
            log.error("a secret is still heard in %s after it was muted; somebody has to listen", waiting[0])
        return True

    async def _language(self, base: str) -> str:
        async with self._database.reading() as unit:
            job = await unit.jobs.get(call_of(base))
        return job.language if job else "ja"

    async def _left_open(self, job: TranscriptJob) -> bool:
        """Whether the Asterisk that wrote the recording was killed; then its rows are stored here."""
        if not self._recordings.abandoned(job.base):
            return False
        await self._recordings.store([job.base], lost=[job.base])
        return True

    async def _do(self, job: TranscriptJob) -> None:
        folder = self._settings.recordings
        task = rules.TranscriptionJob(
            base=job.base,
            citizen_path=folder / f"{job.base}-citizen.wav",
            line_path=folder / f"{job.base}-line.wav",
            language=job.language,
            ranges=tuple((start, float("inf") if end is None else end) for start, end in job.ranges),
            attempts=job.attempts,
        )
        try:
            heard = await asyncio.to_thread(self._child.transcribe, task)
        except ToritsugiError as problem:
            await self._failed(job, task, str(problem))
            return
        now = time.time()

        async def keep_more(unit: UnitOfWork) -> None:
            await keep_understanding(unit, job.call_id, heard, self._speech.quality, now)
            for mute in await self._due(unit, job, heard, now):
                await unit.mutes.merge(mute)

        await attach_transcript(
            self._database.uow,
            job.call_id,
            _texts(job, heard, now) if heard.state is rules.JobState.DONE else [],
            JobState(heard.state.value),
            now=now,
            error=heard.reason,
            also=keep_more,
        )
        await self._muter.mute_due()
        if heard.state is rules.JobState.DONE:
            await self._ask_outside(job, heard)

    async def _ask_outside(self, job: TranscriptJob, heard: Heard) -> None:
        provider = provider_of(self._settings, self._speech, ProviderTask.SUMMARY)
        said = list(sentences((s.side, s.text, s.start_s, s.end_s) for s in heard.segments if s.text))
        if provider is not None and said:
            await keep_provided_summary(self._database.uow, job.call_id, provider, said)

    async def _due(
        self, unit: UnitOfWork, job: TranscriptJob, heard: Heard, now: float
    ) -> list[RecordingMute]:
        files = [file for file in await unit.recordings.of_call(job.call_id) if file.base == job.base]
        ended = max(((file.started_at or now) + (file.duration_s or 0.0) for file in files), default=now)
        mute = self._speech.mute
        kinds = [kind.value for kind in mute.kinds]
        return mutes_of(job.call_id, job.base, heard.segments, kinds, ended + mute.within_hours * HOUR_S)

    async def _failed(self, job: TranscriptJob, task: rules.TranscriptionJob, reason: str) -> None:
        now = time.time()
        after = rules.failed(replace(task, attempts=job.attempts), now, reason)
        log.warning("transcription of %s failed (try %d): %s", job.base, job.attempts, reason)
        await attach_transcript(
            self._database.uow,
            job.call_id,
            [],
            JobState(after.state.value),
            now=now,
            error=reason,
            next_try_at=after.due_at if after.state is rules.JobState.WAITING else None,
        )


def _texts(job: TranscriptJob, heard: Heard, now: float) -> list[Transcript]:
    sides: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for side in ("citizen", "line"):
        sides[side] = []
    for segment in heard.segments:
        sides[segment.side].append(
            {
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "text": segment.text,
                "kana": segment.kana,
                "confidence": segment.confidence,
                "words": [
                    {
                        "start_s": word.start_s,
                        "end_s": word.end_s,
                        "text": word.text,
                        "confidence": word.confidence,
                        **({"unsure": True} if word.unsure else {}),
                    }
                    for word in segment.words
                ],
                "hidden": [asdict(hidden) for hidden in segment.hidden],
            }
        )
    return [
        Transcript(
            call_id=job.call_id,
            side=side,
            text=" ".join(part["text"] for part in parts if part["text"]),
            segments=parts,
            engine=heard.engine,
            made_at=now,
        )
        for side, parts in sides.items()
    ]


def transcribe_paths(paths: list[Path], language: str) -> Iterator[dict[str, Any]]:
    """`transcribe PATH…`: rows of side, start_s, end_s, text, confidence; a bad file becomes a row with `error`.

    The two sides of one recording are taken together, so that a question of one side explains the answer of
    the other when secrets are masked.
    """
    engines = Engines(model_folders(settings_from()))
    for group in _conversations(paths):
        try:
            yield from transcribe_files(group, engines, language)
        except ToritsugiError as problem:
            yield {"file": str(group[0]), "error": str(problem)}


def _conversations(paths: list[Path]) -> list[list[Path]]:
    together: dict[Path, list[Path]] = {}
    for path in paths:
        base = path.with_name(path.stem.removesuffix("-citizen").removesuffix("-line"))
        together.setdefault(base, []).append(path)
    return list(together.values())


def fetch_all_models(say: Callable[[str], None]) -> None:
    """`models fetch`."""
    report = fetch_models(settings_from().tools, lambda what, share: None)
    for note in report.notes:
        say(note)
    for choice in report.choices:
        say(str(choice))
