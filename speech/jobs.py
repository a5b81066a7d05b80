"""The life of a transcription job, as pure functions; where jobs are kept is a port.

waiting → running → done | empty | damaged | no_model | waiting (another try) | failed. A job in `no_model` runs again
when a model for its language has arrived; a running job whose lease has passed belongs to whoever claims it next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from speech.transcript import Transcript

ATTEMPTS = 5
"""After so many tries a job is `failed`, and a person decides."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 30.0, 3600.0


@unique
class JobState(StrEnum):
    """Where a job stands. Stored, and shown by `status`."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    NO_MODEL = "no_model"
    EMPTY = "empty"
    """Both files hold no sound at all."""
    DAMAGED = "damaged"
    """No file can be read; reading it again would not help."""
    FAILED = "failed"

    @property
    def label_ja(self) -> str:
        return {
            JobState.WAITING: "待機中",
            JobState.RUNNING: "処理中",
            JobState.DONE: "完了",
            JobState.NO_MODEL: "モデル待ち",
            JobState.EMPTY: "音声なし",
            JobState.DAMAGED: "破損",
            JobState.FAILED: "失敗",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionJob:
    """One recording to transcribe: both sides of one call."""

    base: str
    """Base name of the recording, the job's identity."""
    citizen_path: Path
    line_path: Path
    language: str
    ranges: tuple[tuple[float, float], ...] = ()
    """Seconds from the recording's start in which citizen and operator talk; empty: everywhere. Hold music and
    prompts lie outside."""
    state: JobState = JobState.WAITING
    attempts: int = 0
    due_at: float = 0.0
    """Epoch seconds before which the job rests."""
    lease_until: float = 0.0
    """Epoch seconds until which a running job belongs to its worker."""
    reason: str = ""
    """Why the job is in its state, for people."""


def claimable(job: TranscriptionJob, now: float, languages: Collection[str]) -> bool:
    """Whether a worker may take `job` at `now`; `languages` are those with a model."""
    if job.state is JobState.WAITING:
        return job.due_at <= now
    if job.state is JobState.RUNNING:
        return job.lease_until <= now
    return job.state is JobState.NO_MODEL and job.language in languages


def claimed(job: TranscriptionJob, now: float, lease_s: float) -> TranscriptionJob:
    """`job` in a worker's hands. A job taken over from a dead worker counts one more try."""
    return replace(
        job, state=JobState.RUNNING, attempts=job.attempts + 1, lease_until=now + lease_s, reason=""
    )


def finished(job: TranscriptionJob, state: JobState, reason: str = "") -> TranscriptionJob:
    """`job` at its end: `done`, `empty`, `damaged` or `no_model` (which gives the try back)."""
    attempts = job.attempts - 1 if state is JobState.NO_MODEL else job.attempts
    return replace(job, state=state, attempts=attempts, lease_until=0.0, reason=reason)


def failed(job: TranscriptionJob, now: float, reason: str) -> TranscriptionJob:
    """`job` after a try that went wrong: waiting again (30 s, 2 min, 8 min, …, an hour), at last `failed`."""
    if job.attempts >= ATTEMPTS:
        return replace(job, state=JobState.FAILED, lease_until=0.0, reason=reason)
    pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 4.0 ** max(0, job.attempts - 1))
    return replace(job, state=JobState.WAITING, due_at=now + pause, lease_until=0.0, reason=reason)


def recovered(job: TranscriptionJob, now: float) -> TranscriptionJob:
    """A job found running when its only worker starts anew: ready at once, or given up after too many tries."""
    reason = "処理が途中で止まった"
    if job.attempts >= ATTEMPTS:
        return replace(job, state=JobState.FAILED, lease_until=0.0, reason=reason)
    return replace(job, state=JobState.WAITING, due_at=now, lease_until=0.0, reason=reason)


class JobStore(Protocol):
    """Where jobs are kept. Called from one worker thread; each method is one transaction.

    It is synchronous: a worker is a process of its own. An asynchronous store wraps itself in an `asyncio.Runner`.
    """

    def claim(self, now: float, languages: Collection[str], lease_s: float) -> TranscriptionJob | None:
        """Take the `claimable` job that is due longest, as `claimed`; None when there is none. Two workers never
        get the same job."""
        ...

    def finish(self, job: TranscriptionJob, transcript: Transcript) -> None:
        """Keep the transcript and put the job into the transcript's state (`finished`)."""
        ...

    def fail(self, job: TranscriptionJob, now: float, reason: str) -> None:
        """Put the job back, or give it up (`failed`)."""
        ...

    def recover(self, now: float) -> int:
        """Put every running job of this node back (`recovered`); called by the node's worker at its start.

        Returns how many there were.
        """
        ...


class MemoryJobStore:
    """A `JobStore` in memory, for tests and for `transcribe` on the spot."""

    def __init__(self, jobs: Iterable[TranscriptionJob] = ()) -> None:
        self.jobs: dict[str, TranscriptionJob] = {job.base: job for job in jobs}
        self.transcripts: dict[str, Transcript] = {}

    def claim(self, now: float, languages: Collection[str], lease_s: float) -> TranscriptionJob | None:
        ready = [job for job in self.jobs.values() if claimable(job, now, languages)]
        if not ready:
            return None
        job = claimed(min(ready, key=lambda job: (job.due_at, job.base)), now, lease_s)
        self.jobs[job.base] = job
        return job

    def finish(self, job: TranscriptionJob, transcript: Transcript) -> None:
        self.transcripts[job.base] = transcript
        self.jobs[job.base] = finished(job, transcript.state, transcript.reason)

    def fail(self, job: TranscriptionJob, now: float, reason: str) -> None:
        self.jobs[job.base] = failed(job, now, reason)

    def recover(self, now: float) -> int:
        lost = [job for job in self.jobs.values() if job.state is JobState.RUNNING]
        self.jobs |= {job.base: recovered(job, now) for job in lost}
        return len(lost)
