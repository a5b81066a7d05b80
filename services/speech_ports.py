"""What is kept of a call's recording and transcript besides them: muted stretches, what was understood, quality."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, Protocol

from core.ids import CallId


@unique
class MuteState(StrEnum):
    DUE = "due"
    """A secret is audible."""
    MUTED = "muted"
    PROVEN = "proven"
    """Muted, and transcribed again without a secret in it."""
    LEFT = "left"
    """Muted several times, and a secret is still heard: a person has to listen."""
    GONE = "gone"
    """The file is not there any more."""
    UNREADABLE = "unreadable"
    """The file is damaged; nobody hears anything in it either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMute:
    """Where one side of a recording has to be silent. Times are seconds from its start, or epoch seconds."""

    base: str
    side: str
    call_id: CallId
    spans: tuple[tuple[float, float, str], ...]
    """Start, end and kind of each secret (a `speech.redact.Secret`), as heard, without margins."""
    due_at: float
    """By when it has to be silent."""
    state: MuteState = MuteState.DUE
    muted_at: float | None = None
    scanned_at: float | None = None
    rounds: int = 0
    """How often a scan found something more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInsight:
    """What was understood of a call's transcript (`speech.insight`), as JSON values, masked like it."""

    call_id: CallId
    made_at: float
    method: str
    """Who made it: the version of our own rules, or a provider's name."""
    record: Mapping[str, Any]
    """`summary`, `tags`, `questions`, `complaint`; each entry carries the sentences it rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCheck:
    """How a call was handled, by the profile's checklist."""

    call_id: CallId
    at: float
    """When the call began."""
    operator: str
    line: str
    score: float | None
    """0…100 as it counts: a supervisor's word before the machine's; None when nothing applied."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Items with their evidence and measures (`speech.quality`)."""
    overruled: Mapping[str, Any] = field(default_factory=dict)
    """By item: what a supervisor says, who, when and why."""


class MuteStore(Protocol):
    async def merge(self, mute: RecordingMute) -> None:
        """Store it, its stretches added to those known; due again when one of them is new."""
        ...

    async def put(self, mute: RecordingMute) -> None:
        """Insert or replace."""
        ...

    async def get(self, base: str, side: str) -> RecordingMute | None: ...

    async def of_call(self, call: CallId) -> list[RecordingMute]: ...

    async def of_calls(self, calls: Collection[CallId]) -> list[RecordingMute]: ...

    async def in_state(
        self, states: Collection[MuteState], node: str, limit: int | None
    ) -> list[RecordingMute]:
        """Those of this node's recordings, the one due first before the others."""
        ...

    async def counts(self, now: float) -> dict[str, int]:
        """How many in each state, and `overdue`: still audible after their time."""
        ...

    async def unheard(self, before: float) -> list[str]:
        """Bases of recordings that began before a moment and were never transcribed: nobody knows what is in them."""
        ...


class InsightStore(Protocol):
    async def put(self, insight: CallInsight) -> None: ...

    async def of_calls(self, calls: Collection[CallId]) -> dict[CallId, CallInsight]: ...


class QualityStore(Protocol):
    async def put(self, check: QualityCheck) -> None: ...

    async def get(self, call: CallId) -> QualityCheck | None: ...

    async def between(self, since: float, until: float) -> Sequence[QualityCheck]:
        """Those of calls that began in `[since, until)`, in order."""
        ...
