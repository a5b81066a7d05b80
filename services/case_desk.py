"""What people do with interaction records: look, write, join, split, find. Every access is checked and audited.

A desk, a command and an API sit on this; they say who asks, and get values of the domain. Each use is one transaction:
the change, its version, its line in the audit, and what other systems are told are stored together or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from core.clock import Clock
from core.errors import ToritsugiError
from core.ids import CallId
from core.masking import mask_number, mask_text
from interactions.access import Action, Person, allowed, require
from interactions.case import Case, CaseStatus, TranscriptState, case_id_of
from interactions.case_edit import (
    CONTENT,
    Change,
    FaqUse,
    Note,
    changed_fields,
    checked_note,
    edited,
    joined,
    split,
    transcript_of,
)
from interactions.search import CaseQuery, FacetCounts, sought_of
from interactions.search_words import Synonyms, no_synonyms
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep
from services.case_events import CaseEvents
from services.case_ports import CaseDraft, CaseVersion
from services.cases import TRANSCRIPT_STATES
from services.ports import AuditEntry, UnitOfWork, UnitOfWorkFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as one person sees it."""

    case: Case
    notes: tuple[Note, ...]
    faqs: tuple[FaqUse, ...]
    joined: tuple[str, ...]
    """Cases whose calls it has taken over."""
    may: frozenset[Action]
    """What the person may do with it."""
    draft: CaseDraft | None
    """What the person was writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of cases, newest first."""

    cases: tuple[Case, ...]
    after: int | None
    counts: FacetCounts | None


class CaseDesk:
    """The use cases.

    Args:
        uow: writes.
        clock: the moments of changes.
        categories: ids that a case may be sorted into; empty takes any.
        departments: extensions that a case may be handed to; empty takes any.
        due_of: deadline of a request to the city that is opened at a moment, both epoch seconds.
        events: tells other systems.
        synonyms: for the search.
    """

    def __init__(
        self,
        uow: UnitOfWorkFactory,
        clock: Clock,
        *,
        due_of: Callable[[float], float],
        categories: Collection[str] = (),
        departments: Collection[str] = (),
        events: CaseEvents | None = None,
        synonyms: Synonyms = no_synonyms,
    ) -> None:
        self._uow, self._clock, self._due_of = uow, clock, due_of
        self._categories, self._departments = frozenset(categories), frozenset(departments)
        self._events, self._synonyms = events or CaseEvents(), synonyms

    # ---- looking ----------------------------------------------------------------------------------

    async def view(self, person: Person, case_id: str) -> CaseView:
        """The case, its thread, and what the person may do with it. Numbers are masked by whoever shows it.

        Raises:
            ToritsugiError: no such case.
            NotAllowed: the person may not see it; that is audited too.
        """
        async with self._checked(person, Action.VIEW, case_id) as (unit, case):
            drafts = await unit.cases.drafts(case_id)
            return CaseView(
                case=case,
                notes=tuple((await unit.cases.notes([case_id])).get(case_id, ())),
                faqs=tuple((await unit.cases.faqs([case_id])).get(case_id, ())),
                joined=tuple(each.case_id for each in await unit.cases.joined_into(case_id)),
                may=frozenset(action for action in Action if allowed(person, action, case)),
                draft=next((draft for draft in drafts if draft.person == person.name), None),
            )

    async def history(self, person: Person, case_id: str) -> list[CaseVersion]:
        """What was saved, oldest first."""
        async with self._checked(person, Action.VIEW, case_id, "case.history") as (unit, _case):
            return await unit.cases.versions(case_id)

    async def numbers(self, person: Person, case_id: str) -> dict[CallId, str]:
        """Callers' numbers by call, for who may see them."""
        async with self._checked(person, Action.SEE_NUMBER, case_id) as (_unit, case):
            return {call.call_id: call.caller for call in case.calls if call.caller}

    async def recordings(self, person: Person, case_id: str) -> tuple[str, ...]:
        """Names of the case's recordings, for who may hear them."""
        async with self._checked(person, Action.HEAR, case_id) as (_unit, case):
            return tuple(name for call in case.calls for name in call.recordings)

    async def search(self, person: Person, query: CaseQuery, *, counts: bool = True) -> Found:
        """A page of the cases that the person may view. The words are audited, with long numbers masked."""
        require(person, Action.VIEW)
        if query.number:
            require(person, Action.SEE_NUMBER)
        async with self._uow() as unit:
            index = unit.cases.index
            sought = sought_of(query, person, index.normalise, self._synonyms)
            hits = await index.search(query, sought, counts=counts)
            found = await unit.cases.many(hits.case_ids)
            detail = {
                "words": mask_text(query.words),
                "number": mask_number(query.number) if query.number else "",
                "facets": {facet.value: list(values) for facet, values in query.values.items() if values},
                "hits": len(found),
            }
            await self._note(unit, person, "case.search", "", detail)
        visible = tuple(case for case in found if allowed(person, Action.VIEW, case))
        return Found(cases=visible, after=hits.after, counts=hits.counts)

    # ---- writing ----------------------------------------------------------------------------------

    async def edit(
        self, person: Person, case_id: str, change: Change, *, expected: int, keep_draft: bool = False
    ) -> Case:
        """Save a change that was made on version `expected`, and drop the person's draft, or keep it (`keep_draft`)
        as one of the version that is made.

        A complaint, a mistaken guidance and an awaited call-back open a request to the city.

        Raises:
            CaseConflict: somebody else has saved in between; the draft stays.
            ToritsugiError: a value cannot be.
        """
        self._known(change)
        async with self._checked(person, Action.EDIT, case_id, "case.edit", lock=True, noted=False) as (
            unit,
            case,
        ):
            after = edited(case, change, expected=expected, at=self._clock.epoch(), by=person.name)
            await self._save(unit, person, case, after, "case.edit")
            await self._tickets(unit, person, case, after)
            if keep_draft:
                drafts = await unit.cases.drafts(case_id)
                mine = next((draft for draft in drafts if draft.person == person.name), None)
                if mine is not None and mine.base_version == expected:
                    await unit.cases.put_draft(replace(mine, base_version=after.version))
            else:
                await unit.cases.drop_draft(case_id, person.name)
            return after

    async def note(self, person: Person, case_id: str, text: str) -> Note:
        """A remark in the thread of operators and city."""
        async with self._checked(person, Action.NOTE, case_id, lock=True) as (unit, case):
            side = "city" if person.of_the_city else "operator"
            note = Note(
                note_id=f"n-{secrets.token_hex(8)}", at=self._clock.epoch(), by=person.name, side=side,
                text=checked_note(text),
            )  # fmt: skip
            await unit.cases.add_note(case.case_id, note)
            await self._events.updated(unit, case, note.at)
            return note

    async def join(self, person: Person, target_id: str, source_id: str) -> Case:
        """Give the calls and words of `source_id` to `target_id`."""
        at = self._clock.epoch()
        async with self._uow() as unit:
            held = {each: await self._held(unit, each) for each in sorted({target_id, source_id})}
            for case in held.values():
                require(person, Action.EDIT, case)
            target, left = joined(held[target_id], held[source_id], at=at, by=person.name)
            await self._save(unit, person, held[source_id], left, "case.join")
            await self._save(unit, person, held[target_id], target, "case.join")
            await unit.cases.move(source_id, target_id)
            await unit.cases.reindex([target_id])
            return target

    async def split(self, person: Person, case_id: str, calls: Collection[CallId]) -> tuple[Case, Case]:
        """Give some calls of a case back to the case that they had opened, or to a new one."""
        at = self._clock.epoch()
        async with self._uow() as unit:
            case = await self._held(unit, case_id)
            require(person, Action.EDIT, case)
            first = min(
                (c for c in case.calls if c.call_id in calls), key=lambda c: c.started_at, default=None
            )
            before = await unit.cases.get(case_id_of(first.call_id), lock=True) if first else None
            stay, new = split(case, calls, before, at=at, by=person.name)
            stay = replace(stay, transcript=await self._transcript(unit, stay))
            new = replace(new, transcript=await self._transcript(unit, new))
            await self._save(unit, person, case, stay, "case.split")
            if before is None:
                await unit.cases.add(new)
                await self._events.opened(unit, new, at)
                await self._note(unit, person, "case.split", new.case_id, {"version": new.version})
            else:
                await self._save(unit, person, before, new, "case.split")
            for other in await unit.cases.joined_into(case_id):
                if other.case_id in {case_id_of(call.call_id) for call in new.calls}:
                    await unit.cases.put(replace(other, joined_into=new.case_id))
            return stay, new

    # ---- while writing ----------------------------------------------------------------------------

    async def save_draft(
        self, person: Person, case_id: str, base_version: int, content: Mapping[str, Any]
    ) -> None:
        """Keep what the person is writing; the case itself stays. The case may not be opened yet."""
        require(person, Action.NOTE)
        async with self._uow() as unit:
            case = await unit.cases.get(case_id)
            if case is not None:
                require(person, Action.NOTE, case)
            await unit.cases.put_draft(
                CaseDraft(
                    case_id=case_id, person=person.name, base_version=base_version, saved_at=self._clock.epoch(),
                    content=content,
                )
            )  # fmt: skip

    async def draft(self, person: Person, case_id: str) -> CaseDraft | None:
        """What the person was writing; nobody else's."""
        async with self._uow() as unit:
            drafts = await unit.cases.drafts(case_id)
        return next((draft for draft in drafts if draft.person == person.name), None)

    async def drop_draft(self, person: Person, case_id: str) -> None:
        async with self._uow() as unit:
            await unit.cases.drop_draft(case_id, person.name)

    async def faq(
        self, person: Person, case_id: str, article: str, version: int, *, used: bool = False
    ) -> None:
        """Remember that an article was shown, or used for the answer; the case may not be opened yet."""
        require(person, Action.NOTE)
        now = self._clock.epoch()
        async with self._uow() as unit:
            case = await unit.cases.get(case_id)
            if case is not None:
                require(person, Action.NOTE, case)
            await unit.cases.add_faq(
                FaqUse(
                    case_id=case_id, article=article, version=version, shown_at=now,
                    used_at=now if used else None, by=person.name,
                )
            )  # fmt: skip

    # ---- parts ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _checked(
        self,
        person: Person,
        action: Action,
        case_id: str,
        name: str = "",
        *,
        lock: bool = False,
        noted: bool = True,
    ) -> AsyncIterator[tuple[UnitOfWork, Case]]:
        """One transaction on a case that the person may do this to; a refusal is audited as well."""
        name = name or f"case.{action}"
        async with self._uow() as unit:
            case = await self._held(unit, case_id, lock=lock)
            if allowed(person, action, case):
                if noted:
                    await self._note(unit, person, name, case_id, {})
                yield unit, case
                return
            await self._note(unit, person, name, case_id, {"refused": True})
        require(person, action, case)

    async def _held(self, unit: UnitOfWork, case_id: str, *, lock: bool = True) -> Case:
        case = await unit.cases.get(case_id, lock=lock)
        if case is None:
            raise ToritsugiError(
                f"ない応対です: {case_id}", where="応対番号", cure="toritsugi cases search で確かめる"
            )
        return case

    async def _save(self, unit: UnitOfWork, person: Person, before: Case, after: Case, action: str) -> None:
        if before == after:
            return
        at = after.edited_at if after.edited_at is not None else self._clock.epoch()
        if before.version == 1:
            await unit.cases.add_version(version_of(before, at=before.started_at, by=""))
        await unit.cases.add_version(version_of(after, at=at, by=person.name))
        await unit.cases.put(after)
        detail = {"version": after.version, "fields": list(changed_fields(before, after))}
        await self._note(unit, person, action, after.case_id, detail)
        await self._events.changed(unit, before, after, at)

    async def _note(
        self, unit: UnitOfWork, person: Person, action: str, subject: str, detail: Mapping[str, Any]
    ) -> None:
        await unit.audit.add(
            AuditEntry(
                at=self._clock.epoch(), actor=person.name, action=action, subject=subject,
                detail={"role": person.role.value, **detail},
            )
        )  # fmt: skip

    def _known(self, change: Change) -> None:
        for name, value, known in (
            ("分類", change.category, self._categories),
            ("担当課", change.department, self._departments),
        ):
            if value and known and value not in known:
                raise ToritsugiError(
                    f"ない{name}です: {value}", where=name, cure=f"次のどれか: {', '.join(sorted(known))}"
                )

    async def _transcript(self, unit: UnitOfWork, case: Case) -> TranscriptState:
        states = await unit.jobs.states([call.call_id for call in case.calls])
        return transcript_of(
            TRANSCRIPT_STATES.get(state, TranscriptState.WAITING) for state in states.values()
        )

    async def _tickets(self, unit: UnitOfWork, person: Person, before: Case, after: Case) -> None:
        wanted = [
            kind
            for kind, now, then in (
                (TicketKind.COMPLAINT, after.complaint, before.complaint),
                (TicketKind.WRONG_GUIDANCE, after.mistaken_guidance, before.mistaken_guidance),
                (
                    TicketKind.CALL_BACK,
                    after.status is CaseStatus.CALL_BACK,
                    before.status is CaseStatus.CALL_BACK,
                ),
            )
            if now and not then
        ]
        if not wanted:
            return
        at = self._clock.epoch()
        calls = {call.call_id for call in after.calls}
        pending = {ticket.kind for ticket in await unit.tickets.open() if ticket.call in calls}
        for kind in wanted:
            if kind in pending:
                continue
            first = after.calls[0] if after.calls else None
            ticket = Ticket(
                ticket_id=f"t-{after.case_id.removeprefix('i-')[:60]}-{kind}-{after.version}",
                kind=kind,
                opened_at=at,
                due_at=self._due_of(at),
                content=after.question.strip() or f"応対 {after.case_id} を見る",
                department=after.department,
                number=(first.caller or "") if first else "",
                call=first.call_id if first else None,
                steps=(TicketStep(at=at, by=person.name, state=TicketState.OPEN),),
            )
            await unit.tickets.add(ticket)


def version_of(case: Case, *, at: float, by: str) -> CaseVersion:
    """The case as it is saved: content and ids of calls as plain JSON values."""
    content = {name: getattr(case, name) for name in CONTENT}
    record = {
        **content,
        "status": case.status.value,
        "tags": list(case.tags),
        "calls": [call.call_id for call in case.calls],
        "joined_into": case.joined_into,
    }
    return CaseVersion(case_id=case.case_id, version=case.version, at=at, by=by, record=record)
