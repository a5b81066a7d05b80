"""What retention and erasure need from a store (`services.ports` holds the rest)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Protocol

from core.ids import CallId
from ledger.facts import Fact
from services.erasure import Erased, ErasureRecord, ExportEntry, Place, Subject, TableTraces

if TYPE_CHECKING:
    from services.ports import RecordingFile


class RetentionStore(Protocol):
    """What has had its time, and its end. `before` is epoch seconds and is compared with the call's end.

    Finding and deleting are apart, so that a long look needs no writing transaction; with a limit of None
    everything is found.
    """

    async def recordings(self, before: float, node: str, limit: int | None) -> list[RecordingFile]:
        """Recordings of `node` that ended before the moment."""
        ...

    async def drop_recordings(self, files: Collection[RecordingFile]) -> None: ...

    async def transcribed(self, before: float, limit: int | None) -> list[CallId]:
        """Calls that have a transcript or a transcription job."""
        ...

    async def drop_transcripts(self, calls: Collection[CallId]) -> None:
        """Their transcripts and jobs."""
        ...

    async def calls(self, before: float, limit: int | None) -> list[CallId]: ...

    async def facts_of(self, calls: Collection[CallId]) -> int:
        """How many facts these calls have."""
        ...

    async def drop_calls(self, calls: Collection[CallId]) -> int:
        """Delete the calls and everything that hangs on them; a case goes with its last call.

        Returns:
            how many facts went with them.
        """
        ...

    async def cases_without_call(self, before: float, limit: int | None) -> list[str]:
        """Cases from before the moment, none of whose calls is kept: imported ones."""
        ...

    async def drop_cases(self, cases: Collection[str]) -> None:
        """Delete them with everything that hangs on them."""
        ...

    async def loose_ends(self, calls: float, numbers: float) -> int:
        """How many drafts, events and FAQ lines `drop_loose_ends` would delete."""
        ...

    async def drop_loose_ends(self, calls: float, numbers: float) -> int:
        """Delete drafts and events from before `numbers`, and FAQ lines without a case from before `calls`."""
        ...

    async def facts_without_call(self, before: float, limit: int | None) -> list[int]:
        """Ids of facts from before the moment that belong to no call that is kept."""
        ...

    async def drop_facts(self, ids: Collection[int]) -> None: ...

    async def floor_records(self, before: float) -> int:
        """How many rows are kept of offers and of changes before the moment."""
        ...

    async def drop_floor_records(self, before: float, limit: int) -> int:
        """Delete at most `limit` of them; how many went."""
        ...

    async def calls_with_numbers(
        self, before: float, city_numbers: Collection[str], limit: int | None
    ) -> list[CallId]:
        """Calls that hold a person's number, or whose case does."""
        ...

    async def facts_with_numbers(
        self, before: float, city_numbers: Collection[str], limit: int | None
    ) -> list[Fact]:
        """Facts that hold a person's number, but those of calls that ended later."""
        ...

    async def drop_alerts(self, before: float) -> int:
        """Delete the alerts that were cleared before the moment; how many there were."""
        ...

    async def drop_tickets(self, before: float) -> int:
        """Delete the requests that ended before the moment; how many there were."""
        ...

    async def tickets_of(self, before: float) -> int:
        """How many `drop_tickets` would delete."""
        ...

    async def alerts_of(self, before: float) -> int:
        """How many `drop_alerts` would delete."""
        ...

    async def replace_facts(self, facts: Collection[Fact]) -> None:
        """Store new contents of facts that are there, known by their source and kind."""
        ...


class ErasureStore(Protocol):
    """One person's data in every table, and the records of what was erased and of what was written out."""

    async def calls_with(self, numbers: Collection[str]) -> set[CallId]:
        """Calls from these numbers, or in which a call-back to one was booked."""
        ...

    async def numbers_of(self, calls: Collection[CallId]) -> set[str]:
        """The numbers that are kept of these calls, the city's own included."""
        ...

    async def cases_of(self, calls: Collection[CallId]) -> set[str]: ...

    async def calls_of(self, cases: Collection[str]) -> set[CallId]: ...

    async def find(
        self,
        subject: Subject,
        city_numbers: Collection[str],
        progress: Callable[[str, int], None] | None = None,
    ) -> list[Place]:
        """Every row to delete, rewrite or clean, facts before their calls. Reads every row for a number."""
        ...

    def nothing(self) -> list[Erased]:
        """One entry a table with all counts at 0: what could be erased, and what stays in any case."""
        ...

    async def erase(
        self, subject: Subject, places: Collection[Place], city_numbers: Collection[str]
    ) -> list[Erased]:
        """Delete and rewrite these rows, and make anew what repeats them; what was done, by table."""
        ...

    async def traces(
        self, subject: Subject, progress: Callable[[str, int], None] | None = None
    ) -> list[TableTraces]:
        """What is left; empty after `erase`. Reads every row when a number was asked for."""
        ...

    async def written_numbers(self, progress: Callable[[str, int], None] | None = None) -> set[str]: ...

    async def add(self, record: ErasureRecord) -> None: ...

    async def records(self) -> list[ErasureRecord]:
        """All, by their moment."""
        ...

    async def add_export(self, entry: ExportEntry) -> None: ...

    async def exports(self) -> list[ExportEntry]:
        """All, in order."""
        ...
