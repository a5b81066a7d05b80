"""The life of a transcription job, as values and a pure rule; where jobs are kept is `services.ports.JobStore`.

waiting → running → done | empty | damaged | no_model | waiting (another try) | failed. A job in `no_model` runs again
when a model for its language has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from pathlib import Path

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
    """Tries so far, the running one included."""
    due_at: float = 0.0
    """Epoch seconds before which the job rests."""
    reason: str = ""
    """Why the job is in its state, for people."""


def failed(job: TranscriptionJob, now: float, reason: str) -> TranscriptionJob:
    """`job` after a try that went wrong: waiting again (30 s, 2 min, 8 min, …, an hour), at last `failed`."""
    if job.attempts >= ATTEMPTS:
        return replace(job, state=JobState.FAILED, reason=reason)
    pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 4.0 ** max(0, job.attempts - 1))
    return replace(job, state=JobState.WAITING, due_at=now + pause, reason=reason)
