"""Interaction records in SQL (`services.case_ports.CaseStore`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId
from interactions.case import CallSummary, Case, CaseStatus, HandedOn, TranscriptState
from interactions.case_edit import FaqUse, Note
from interactions.search import entry_of
from interactions.search_words import Normaliser
from services.case_ports import CaseDraft, CaseVersion
from storage import rows
from storage.case_search import SqlCaseIndex
from storage.sql import chunks, insert_new, upsert

_case, _link = rows.interaction.c, rows.interaction_call.c
_note, _faq, _draft, _version = (
    rows.interaction_note.c, rows.interaction_faq.c, rows.case_draft.c, rows.interaction_version.c,
)  # fmt: skip
_SAME = (
    "category", "question", "answer", "complaint", "mistaken_guidance", "confidential", "satisfaction", "department",
    "version", "edited_by", "edited_at", "joined_into",
)  # fmt: skip
"""Columns that are called as in `Case` and hold the same."""
PAGE = 200
_OF_A_CASE = (
    rows.interaction, rows.interaction_call, rows.interaction_version, rows.interaction_note, rows.interaction_faq,
    rows.case_draft,
)  # fmt: skip


class SqlCases:
    """`services.case_ports.CaseStore`; whatever changes a case here changes its entry in the index too."""

    def __init__(self, connection: AsyncConnection, normalise: Normaliser) -> None:
        self._connection, self._normalise = connection, normalise
        self.index = SqlCaseIndex(connection, normalise)

    async def add(self, case: Case) -> bool:
        added = await insert_new(self._connection, rows.interaction, _case_row(case), ["case_id"])
        if added:
            await upsert(self._connection, rows.interaction_call, _link_rows(case))
            await self._index([case])
        return added

    async def add_many(self, cases: Sequence[Case]) -> None:
        if not cases:
            return
        await self._connection.execute(insert(rows.interaction), [_case_row(case) for case in cases])
        links = [row for case in cases for row in _link_rows(case)]
        if links:
            await self._connection.execute(insert(rows.interaction_call), links)
        await self.index.add([entry_of(case, (), self._normalise) for case in cases])

    async def put(self, case: Case) -> None:
        await upsert(self._connection, rows.interaction, [_case_row(case)])
        await upsert(self._connection, rows.interaction_call, _link_rows(case))
        await self._index([case])

    async def get(self, case_id: str, *, lock: bool = False) -> Case | None:
        query = select(rows.interaction).where(_case.case_id == case_id)
        found = await self._read(query.with_for_update() if lock else query)
        return found[0] if found else None

    async def many(self, case_ids: Sequence[str]) -> list[Case]:
        found: dict[str, Case] = {}
        for part in chunks(case_ids):
            for case in await self._read(select(rows.interaction).where(_case.case_id.in_(part))):
                found[case.case_id] = case
        return [found[each] for each in case_ids if each in found]

    async def of_call(self, call: CallId, *, lock: bool = False) -> Case | None:
        wanted = select(_link.case_id).where(_link.call_id == call).scalar_subquery()
        query = select(rows.interaction).where(_case.case_id == wanted)
        cases = await self._read(query.with_for_update() if lock else query)
        return cases[0] if cases else None

    async def between(self, since: float, until: float) -> list[Case]:
        query = select(rows.interaction).where(
            _case.started_at >= since, _case.started_at < until, _case.joined_into.is_(None)
        )
        return await self._read(query.order_by(_case.started_at))

    async def joined_into(self, case_id: str) -> list[Case]:
        return await self._read(select(rows.interaction).where(_case.joined_into == case_id))

    async def stream(self, since: float, until: float) -> AsyncIterator[list[Case]]:
        """By time, in pages, so that memory stays flat whatever the number."""
        last: tuple[float, str] = (since, "")
        while True:
            later = (_case.started_at > last[0]) | ((_case.started_at == last[0]) & (_case.case_id > last[1]))
            query = select(rows.interaction).where(
                _case.started_at >= last[0], _case.started_at < until, later, _case.joined_into.is_(None)
            )
            page = await self._read(query.order_by(_case.started_at, _case.case_id).limit(PAGE))
            if not page:
                return
            yield page
            last = (page[-1].started_at, page[-1].case_id)

    async def _read(self, query: Select[Any]) -> list[Case]:
        found = (await self._connection.execute(query)).all()
        calls: dict[str, list[dict[str, Any]]] = {}
        for part in chunks([row.case_id for row in found]):
            links = await self._connection.execute(
                select(_link.case_id, _link.summary).where(_link.case_id.in_(part)).order_by(_link.position)
            )
            for case_id, summary in links:
                calls.setdefault(case_id, []).append(summary)
        return [_case_of(row, calls.get(row.case_id, [])) for row in found]

    # ---- what hangs on a case ---------------------------------------------------------------------

    async def add_version(self, version: CaseVersion) -> None:
        await upsert(self._connection, rows.interaction_version, [asdict(version)])

    async def versions(self, case_id: str) -> list[CaseVersion]:
        query = select(rows.interaction_version).where(_version.case_id == case_id).order_by(_version.version)
        return [CaseVersion(**row._mapping) for row in await self._connection.execute(query)]

    async def add_note(self, case_id: str, note: Note) -> None:
        await self._connection.execute(insert(rows.interaction_note), [{"case_id": case_id, **asdict(note)}])
        await self.reindex([case_id])

    async def notes(self, case_ids: Collection[str]) -> dict[str, list[Note]]:
        found: dict[str, list[Note]] = {}
        for part in chunks(case_ids):
            query = (
                select(rows.interaction_note).where(_note.case_id.in_(part)).order_by(_note.at, _note.note_id)
            )
            for row in await self._connection.execute(query):
                values = dict(row._mapping)
                found.setdefault(values.pop("case_id"), []).append(Note(**values))
        return found

    async def put_note(self, case_id: str, note: Note) -> None:
        """Replace a remark's text, for retention alone."""
        await upsert(self._connection, rows.interaction_note, [{"case_id": case_id, **asdict(note)}])

    async def add_faq(self, use: FaqUse) -> None:
        known = {"case_id": use.case_id, "article": use.article, "version": use.version}
        row = asdict(use)
        if (
            not await insert_new(self._connection, rows.interaction_faq, row, list(known))
            and use.used_at is not None
        ):
            await self._connection.execute(
                update(rows.interaction_faq)
                .where(*(_faq[name] == value for name, value in known.items()), _faq.used_at.is_(None))
                .values(used_at=use.used_at, by=use.by)
            )

    async def faqs(self, case_ids: Collection[str]) -> dict[str, list[FaqUse]]:
        found: dict[str, list[FaqUse]] = {}
        for part in chunks(case_ids):
            query = select(rows.interaction_faq).where(_faq.case_id.in_(part))
            for row in await self._connection.execute(
                query.order_by(_faq.shown_at, _faq.article, _faq.version)
            ):
                found.setdefault(row.case_id, []).append(FaqUse(**row._mapping))
        return found

    async def move(self, from_: str, to: str) -> None:
        """Give a case's remarks and FAQ log to another."""
        await self._connection.execute(
            update(rows.interaction_note).where(_note.case_id == from_).values(case_id=to)
        )
        for use in (await self.faqs([from_])).get(from_, []):
            await self.add_faq(FaqUse(**{**asdict(use), "case_id": to}))
        await self._connection.execute(delete(rows.interaction_faq).where(_faq.case_id == from_))

    async def put_draft(self, draft: CaseDraft) -> None:
        await upsert(self._connection, rows.case_draft, [asdict(draft)])

    async def drafts(self, case_id: str) -> list[CaseDraft]:
        query = select(rows.case_draft).where(_draft.case_id == case_id).order_by(_draft.saved_at)
        return [CaseDraft(**row._mapping) for row in await self._connection.execute(query)]

    async def drafts_of(self, person: str) -> list[CaseDraft]:
        query = select(rows.case_draft).where(_draft.person == person).order_by(_draft.saved_at)
        return [CaseDraft(**row._mapping) for row in await self._connection.execute(query)]

    async def every_draft(self) -> list[CaseDraft]:
        query = select(rows.case_draft).order_by(_draft.saved_at)
        return [CaseDraft(**row._mapping) for row in await self._connection.execute(query)]

    async def drop_draft(self, case_id: str, person: str) -> None:
        await self._connection.execute(
            delete(rows.case_draft).where(_draft.case_id == case_id, _draft.person == person)
        )

    async def forget(self, case_ids: Collection[str]) -> None:
        """Delete cases with everything that hangs on them, and what was joined into them."""
        gone = list(case_ids)
        for part in chunks(case_ids):
            found = select(_case.case_id).where(_case.joined_into.in_(part))
            gone += list(await self._connection.scalars(found))
        await self.index.drop(gone)
        for part in chunks(gone):
            for table in _OF_A_CASE:
                await self._connection.execute(delete(table).where(table.c.case_id.in_(part)))
            event = rows.webhook_event
            await self._connection.execute(delete(event).where(event.c.subject.in_(part)))

    # ---- the index --------------------------------------------------------------------------------

    async def reindex(self, case_ids: Collection[str]) -> None:
        """Make the entries of these cases anew."""
        for part in chunks(case_ids, PAGE):
            await self._index(await self.many(list(part)))

    async def _index(self, cases: Iterable[Case]) -> None:
        listed = list(cases)
        notes = await self.notes([case.case_id for case in listed])
        calls = [call.call_id for case in listed for call in case.calls]
        said, tags = await self._said(calls), await self._auto_tags(calls)
        entries = [
            entry_of(
                case,
                [
                    *(note.text for note in notes.get(case.case_id, ())),
                    *(text for call in case.calls for text in said.get(call.call_id, ())),
                ],
                self._normalise,
                dict.fromkeys(tag for call in case.calls for tag in tags.get(call.call_id, ())),
            )
            for case in listed
            if case.joined_into is None
        ]
        await self.index.drop([case.case_id for case in listed])
        await self.index.add(entries)

    async def _said(self, calls: Collection[CallId]) -> dict[str, list[str]]:
        text = rows.transcript.c
        found: dict[str, list[str]] = {}
        for part in chunks(calls):
            query = select(text.call_id, text.text).where(text.call_id.in_(part)).order_by(text.side)
            for call_id, said in await self._connection.execute(query):
                found.setdefault(call_id, []).append(said)
        return found

    async def _auto_tags(self, calls: Collection[str]) -> dict[str, list[str]]:
        insight = rows.call_insight.c
        found: dict[str, list[str]] = {}
        for part in chunks(calls):
            query = select(insight.call_id, insight.record).where(insight.call_id.in_(part))
            for call_id, record in await self._connection.execute(query):
                found[call_id] = [str(tag["tag"]) for tag in record.get("tags", ())]
        return found


def _case_row(case: Case) -> dict[str, Any]:
    return {
        **{name: getattr(case, name) for name in _SAME},
        "case_id": case.case_id,
        "status": case.status.value,
        "transcript": case.transcript.value,
        "tags": list(case.tags),
        "started_at": case.started_at,
    }


def _link_rows(case: Case) -> list[dict[str, Any]]:
    return [
        {
            "call_id": summary.call_id,
            "case_id": case.case_id,
            "position": position,
            "summary": asdict(summary),
        }
        for position, summary in enumerate(case.calls)
    ]


def _case_of(row: Row[Any], summaries: list[dict[str, Any]]) -> Case:
    return Case(
        **{name: getattr(row, name) for name in _SAME},
        case_id=row.case_id,
        calls=tuple(_summary_of(summary) for summary in summaries),
        opened_at=row.started_at,
        status=CaseStatus(row.status),
        tags=tuple(row.tags),
        transcript=TranscriptState(row.transcript),
    )


def _summary_of(values: Mapping[str, Any]) -> CallSummary:
    transfers = tuple(HandedOn(**each) for each in values.get("transfers", ()))
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    row: dict[str, Any] = {**values, **lists, "transfers": transfers}
    return CallSummary(**row)
