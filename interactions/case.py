"""The case (応対履歴): what a citizen asked and what came of it. It may span calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from core.ids import CallId, OperatorId


@unique
class CaseStatus(StrEnum):
    IN_PROGRESS = "in_progress"
    """From the opening on; `Case.unwritten` tells whether somebody has written into it."""
    DONE = "done"
    ESCALATED = "escalated"
    """The city or a supervisor is asked (宇部 12(4))."""
    CALL_BACK = "awaiting_call_back"
    """The citizen is to be called back (松阪 2章2(4)キ)."""

    @property
    def label_ja(self) -> str:
        return {
            "in_progress": "対応中", "done": "完了", "escalated": "エスカレーション中",
            "awaiting_call_back": "折り返し待ち",
        }[self.value]  # fmt: skip


@unique
class TranscriptState(StrEnum):
    """Where the text of a call stands, as the case shows it."""

    NONE = "none"
    WAITING = "waiting"
    READY = "ready"
    UNAVAILABLE = "unavailable"
    """No text can be made of the recording: empty, damaged, or given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOn:
    """A transfer of the citizen, and what came of it."""

    at: float
    to: str
    """Extension of the directory; empty for a colleague."""
    label: str
    result: str
    """DIALSTATUS, empty when none was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """What a case takes over from a closed call; times are epoch seconds."""

    call_id: CallId
    caller: str | None
    """The number, or None when it is withheld or unknown."""
    line: str | None
    language: str | None
    menu_path: tuple[str, ...]
    operators: tuple[OperatorId, ...]
    started_at: float
    """When the first operator took the call."""
    ended_at: float
    transferred_to: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    transfers: tuple[HandedOn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One interaction record. `question` and `answer` are the operator's to write."""

    case_id: str
    calls: tuple[CallSummary, ...]
    """By time; empty only while it is joined into another case."""
    opened_at: float = 0.0
    """Epoch seconds; counts while there are no calls."""
    status: CaseStatus = CaseStatus.IN_PROGRESS
    category: str | None = None
    tags: tuple[str, ...] = ()
    transcript: TranscriptState = TranscriptState.NONE
    question: str = ""
    answer: str = ""
    complaint: bool = False
    mistaken_guidance: bool = False
    """The citizen was told something wrong."""
    confidential: bool = False
    """Seen by those whose case it is, supervisors and the city's administrators only (`interactions.access`)."""
    satisfaction: int | None = None
    """1 (poor) to 5 (good), from a survey; None without one."""
    department: str = ""
    """Extension of the directory whose matter it is; empty while nobody at the city is asked."""
    version: int = 1
    """Counts what people changed; see `interactions.case_edit`."""
    edited_by: str = ""
    edited_at: float | None = None
    joined_into: str | None = None
    """The case that has taken over this one's calls."""

    @property
    def first(self) -> CallSummary:
        return self.calls[0]

    @property
    def started_at(self) -> float:
        """When its first talk began."""
        return self.calls[0].started_at if self.calls else self.opened_at

    @property
    def operators(self) -> tuple[OperatorId, ...]:
        """Everyone who talked with the citizen, in order, once."""
        return tuple(dict.fromkeys(operator for call in self.calls for operator in call.operators))

    @property
    def departments(self) -> tuple[str, ...]:
        """Extensions whose matter it is or was: asked in writing, or handed the citizen."""
        handed = (transfer.to for call in self.calls for transfer in call.transfers)
        return tuple(dict.fromkeys(name for name in (self.department, *handed) if name))

    @property
    def unwritten(self) -> bool:
        """Whether nobody has written yet what it was about."""
        return not self.question.strip() and not self.answer.strip()


def case_id_of(call: CallId) -> str:
    """The id of the case that a call opens; the same call always opens the same case."""
    return f"i-{call.removeprefix('c-')}"


def open_case(summary: CallSummary, category_of: Callable[[str], str | None] = lambda line: line) -> Case:
    """The first record of an answered call.

    Args:
        summary: the call.
        category_of: the category's id for a service line, as the city's profile says.
    """
    return Case(
        case_id=case_id_of(summary.call_id),
        calls=(summary,),
        opened_at=summary.started_at,
        category=category_of(summary.line) if summary.line else None,
        transcript=TranscriptState.WAITING if summary.recordings else TranscriptState.NONE,
    )


def with_transcript(case: Case, state: TranscriptState) -> Case:
    """The case after its transcript came to `state`."""
    return replace(case, transcript=state)
