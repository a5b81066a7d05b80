"""Cases out to files and back: CSV for people, JSON Lines for programs. Streams, checks rights, audits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace

from core.clock import Clock
from core.errors import ToritsugiError
from core.masking import mask_text
from interactions import case_csv
from interactions.access import Action, NotAllowed, Person, Scope, allowed, require, scope_of
from interactions.case import Case
from interactions.case_csv import CsvInvalid, CsvRow
from interactions.case_edit import edited
from interactions.record import case_record
from services.case_desk import version_of
from services.case_events import CaseEvents
from services.ports import AuditEntry, UnitOfWork, UnitOfWorkFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many rows did what."""

    created: int = 0
    changed: int = 0
    same: int = 0


class CaseExchange:
    """The use cases.

    Args:
        uow: writes.
        reading: sees one moment, so that an export is of one moment however long it takes.
        clock: for the audit.
        categories: ids that a case may be sorted into; empty takes any.
        events: tells other systems.
    """

    def __init__(
        self,
        uow: UnitOfWorkFactory,
        reading: UnitOfWorkFactory,
        clock: Clock,
        *,
        categories: Collection[str] = (),
        events: CaseEvents | None = None,
    ) -> None:
        self._uow, self._reading, self._clock = uow, reading, clock
        self._categories, self._events = frozenset(categories), events or CaseEvents()

    async def export(
        self, person: Person, format_: str, since: float, until: float, *, numbers: bool = False
    ) -> AsyncIterator[str]:
        """The cases whose first talk began in `[since, until)` as text, piece by piece.

        Args:
            format_: `csv` or `jsonl`.
            numbers: with telephone numbers, for who may see all of them.

        Raises:
            NotAllowed: the person may not.
        """
        require(person, Action.EXPORT)
        if numbers and scope_of(person, Action.SEE_NUMBER) is not Scope.ALL:
            raise NotAllowed(
                f"{person.role.label_ja}の権限では電話番号を出力できません", cure="番号を伏せて出力する"
            )
        asked = {"format": format_, "since": since, "until": until, "numbers": numbers}
        async with self._uow() as unit:
            await self._audit(unit, person, "case.export", asked)
        count = 0
        if format_ == "csv":
            yield case_csv.head()
        async with self._reading() as unit:
            async for page in unit.cases.stream(since, until):
                ids = [case.case_id for case in page]
                notes, faqs = await unit.cases.notes(ids), await unit.cases.faqs(ids)
                lines = []
                for case in page:
                    if not allowed(person, Action.EXPORT, case):
                        continue
                    thread, used = notes.get(case.case_id, []), faqs.get(case.case_id, [])
                    if format_ == "csv":
                        lines.append(case_csv.row(case, thread, used, numbers=numbers))
                    else:
                        record = case_record(case, thread, used, numbers=numbers)
                        lines.append(json.dumps(record, ensure_ascii=False) + "\n")
                count += len(lines)
                yield "".join(lines)
        async with self._uow() as unit:
            await self._audit(unit, person, "case.exported", {**asked, "cases": count})

    async def take_in(self, person: Person, data: bytes, where: str) -> Imported:
        """A CSV file as `export` wrote it and a person changed it: all rows, or none.

        A row of a case that is there changes it, if nobody has changed it since the export; a row of one that is not
        there makes it. What the file does not hold (numbers, the thread) stays.

        Raises:
            CsvInvalid: rows that cannot be read or stored, each with its reason.
            NotAllowed: the person may write no case.
        """
        require(person, Action.EDIT)
        rows = case_csv.read(data, where, self._categories)
        problems: list[str] = []
        done = {"created": 0, "changed": 0, "same": 0}
        async with self._uow() as unit:
            for row in rows:
                try:
                    done[await self._take(unit, person, row)] += 1
                except ToritsugiError as problem:
                    problems.append(f"{row.line} 行: {problem.message}")
            if problems:
                # Leaving the block by an error undoes every row.
                raise CsvInvalid(problems, where)
            await self._audit(unit, person, "case.import", {"file": where, **done})
        return Imported(**done)

    async def _take(self, unit: UnitOfWork, person: Person, row: CsvRow) -> str:
        at = self._clock.epoch()
        case = await unit.cases.get(row.case_id, lock=True)
        if case is None:
            await self._make(unit, person, row, at)
            return "created"
        require(person, Action.EDIT, case)
        change = row.change
        # The file holds masked words where whoever exported it saw no numbers: those are not what was written.
        if change.question == mask_text(case.question):
            change = replace(change, question=None)
        if change.answer == mask_text(case.answer):
            change = replace(change, answer=None)
        if edited(case, change, expected=case.version, at=at, by=person.name) is case:
            return "same"
        if row.version is None:
            raise ToritsugiError("版がありません", cure="版の列を消さずに取り込む")
        after = edited(case, change, expected=row.version, at=at, by=person.name)
        if case.version == 1:
            await unit.cases.add_version(version_of(case, at=case.started_at, by=""))
        await unit.cases.add_version(version_of(after, at=at, by=person.name))
        await unit.cases.put(after)
        await self._audit(unit, person, "case.edit", {"version": after.version, "import": True}, row.case_id)
        await self._events.changed(unit, case, after, at)
        return "changed"

    async def _make(self, unit: UnitOfWork, person: Person, row: CsvRow, at: float) -> None:
        if not row.calls:
            raise ToritsugiError("ここにない応対で、開始日時も通話もありません", cure="開始日時を書く")
        for call in row.calls:
            if (other := await unit.cases.of_call(call.call_id)) is not None:
                raise ToritsugiError(f"通話 {call.call_id} は {other.case_id} のものです", cure="行を消す")
        bare = Case(case_id=row.case_id, calls=row.calls, opened_at=row.calls[0].started_at, version=0)
        case = edited(bare, row.change, expected=0, at=at, by=person.name)
        case = replace(case, version=1, edited_at=at, edited_by=person.name)
        require(person, Action.EDIT, case)
        await unit.cases.add(case)
        await self._events.opened(unit, case, at)

    async def _audit(
        self, unit: UnitOfWork, person: Person, action: str, detail: dict[str, object], subject: str = ""
    ) -> None:
        await unit.audit.add(
            AuditEntry(
                at=self._clock.epoch(), actor=person.name, action=action, subject=subject,
                detail={"role": person.role.value, **detail},
            )
        )  # fmt: skip
