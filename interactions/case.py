"""The case (応対履歴): what a citizen asked and what came of it. It may span calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from core.ids import CallId, OperatorId


@unique
class CaseStatus(StrEnum):
    DRAFT = "draft"
    """Made by the system when the call closed; an operator has not written into it yet."""
    OPEN = "open"
    CLOSED = "closed"

    @property
    def label_ja(self) -> str:
        return {"draft": "未記入", "open": "対応中", "closed": "完了"}[self.value]


@unique
class TranscriptState(StrEnum):
    """Where the text of a call stands, as the case shows it."""

    NONE = "none"
    WAITING = "waiting"
    READY = "ready"
    UNAVAILABLE = "unavailable"
    """No text can be made of the recording: empty, damaged, or given up."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One interaction record. `question` and `answer` are the operator's to write."""

    case_id: str
    calls: tuple[CallSummary, ...]
    status: CaseStatus = CaseStatus.DRAFT
    category: str | None = None
    transcript: TranscriptState = TranscriptState.NONE
    question: str = ""
    answer: str = ""

    @property
    def first(self) -> CallSummary:
        return self.calls[0]


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
        category=category_of(summary.line) if summary.line else None,
        transcript=TranscriptState.WAITING if summary.recordings else TranscriptState.NONE,
    )


def with_transcript(case: Case, state: TranscriptState) -> Case:
    """The case after its transcript came to `state`."""
    return replace(case, transcript=state)
