"""What the use cases of interaction records need kept, beside what `services.ports` names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Protocol

from core.ids import CallId
from interactions.case import Case
from interactions.case_edit import FaqUse, Note
from interactions.search import CaseQuery, Hits
from interactions.search_words import Both, Normaliser


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVersion:
    """A case as it was saved. `record` holds plain JSON values: its content and the ids of its calls."""

    case_id: str
    version: int
    at: float
    by: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDraft:
    """What somebody was writing and has not saved. `content` holds plain JSON values of a `case_edit.Change`."""

    case_id: str
    """Of a case that may not be opened yet: the call is still going on."""
    person: str
    base_version: int
    """The version that the person saw."""
    saved_at: float
    content: Mapping[str, Any]


@unique
class EventState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    """Given up; a person may have it tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """Something that another system is to be told, once for each system."""

    event_id: str
    endpoint: str
    kind: str
    subject: str
    """Case or call."""
    at: float
    body: Mapping[str, Any]
    state: EventState = EventState.WAITING
    tries: int = 0
    next_try_at: float = 0.0
    ended_at: float | None = None
    error: str = ""


class CaseIndex(Protocol):
    """Where cases are found by words and facets."""

    @property
    def normalise(self) -> Normaliser: ...

    async def search(self, query: CaseQuery, sought: Both | None, *, counts: bool) -> Hits:
        """One page, newest first, and the counts of all hits when they are asked for.

        Args:
            sought: the tree of `interactions.search.sought_of`; None finds every case.
        """
        ...


class CaseStore(Protocol):
    @property
    def index(self) -> CaseIndex: ...

    async def add(self, case: Case) -> bool:
        """Store a new case with its calls; False when it is there already."""
        ...

    async def add_many(self, cases: Sequence[Case]) -> None:
        """Store cases that are not there, with their calls, quickly."""
        ...

    async def put(self, case: Case) -> None:
        """Replace the case, its calls and what the index holds of it. Who may meet another writer locks it first."""
        ...

    async def get(self, case_id: str, *, lock: bool = False) -> Case | None:
        """The case; with `lock` nobody else changes it until this transaction ends."""
        ...

    async def many(self, case_ids: Sequence[str]) -> list[Case]:
        """Those that are there, in this order."""
        ...

    async def of_call(self, call: CallId, *, lock: bool = False) -> Case | None: ...

    async def between(self, since: float, until: float) -> list[Case]:
        """Those whose first talk began in `[since, until)`, by time; not those joined into another."""
        ...

    async def joined_into(self, case_id: str) -> list[Case]: ...

    def stream(self, since: float, until: float) -> AsyncIterator[list[Case]]:
        """As `between`, in pages."""
        ...

    async def add_version(self, version: CaseVersion) -> None: ...

    async def versions(self, case_id: str) -> list[CaseVersion]:
        """What was saved, oldest first; empty while nobody has changed the case."""
        ...

    async def add_note(self, case_id: str, note: Note) -> None: ...

    async def put_note(self, case_id: str, note: Note) -> None:
        """Replace a remark's text, for retention alone."""
        ...

    async def notes(self, case_ids: Collection[str]) -> dict[str, list[Note]]:
        """The thread of each, oldest first; cases without remarks are left out."""
        ...

    async def add_faq(self, use: FaqUse) -> None:
        """Store that an article was shown; the first use of it is remembered with it."""
        ...

    async def faqs(self, case_ids: Collection[str]) -> dict[str, list[FaqUse]]: ...

    async def move(self, from_: str, to: str) -> None:
        """Give a case's remarks and FAQ log to another."""
        ...

    async def put_draft(self, draft: CaseDraft) -> None: ...

    async def drafts(self, case_id: str) -> list[CaseDraft]: ...

    async def drafts_of(self, person: str) -> list[CaseDraft]:
        """What a person has begun, oldest first."""
        ...

    async def every_draft(self) -> list[CaseDraft]: ...

    async def drop_draft(self, case_id: str, person: str) -> None: ...

    async def reindex(self, case_ids: Collection[str]) -> None:
        """Make what the index holds of these cases anew."""
        ...


class OutboxStore(Protocol):
    """What other systems are to be told, written in the transaction in which it happened."""

    async def add(self, events: Collection[OutboxEvent]) -> None:
        """Store them; one whose id is there stays as it is."""
        ...

    async def put(self, event: OutboxEvent) -> None: ...

    async def due(self, now: float, limit: int) -> list[OutboxEvent]:
        """Waiting ones whose time has come, oldest first."""
        ...

    async def get(self, event_id: str) -> OutboxEvent | None: ...

    async def listed(self, states: Collection[EventState], limit: int) -> list[OutboxEvent]:
        """Newest first."""
        ...

    async def counts(self) -> dict[tuple[str, EventState], int]:
        """How many by endpoint and state."""
        ...

    async def of_subjects(self, subjects: Collection[str]) -> list[OutboxEvent]: ...
