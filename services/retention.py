"""How long what we keep is kept: the days of the city's profile as moments, what is taken out of a record whose
caller's number has had its time, and the run that deletes and erases in small batches.

Days count from a call's end. The run works in transactions of a few hundred rows, so that live work never waits
long; killed in the middle, it goes on the next time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.ids import CallId
from core.phone import Caller
from core.traces import without_number
from interactions.case import Case, TranscriptState, with_transcript
from interactions.profile import RetentionSection
from ledger.calls import Call
from ledger.facts import Arrived, CallbackBooked, CallRefused, Fact
from services.audit import Head
from services.ports import Transcript, UnitOfWork, UnitOfWorkFactory

log = logging.getLogger(__name__)

DAY_S = 86_400.0
RAW_LOG_DAYS = 62
"""想定: Asterisk's own logs and the copy of SIP stay for two months, so that a month's report can be proved, and
the ledger made anew, until the end of the next. They hold callers' numbers, so never longer than those.
"""
BATCH = 100
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOffs:
    """Moments (epoch seconds): what ended before them has had its time."""

    recordings: float
    transcripts: float
    calls: float
    caller_numbers: float
    raw_logs: float


def cut_offs(days: RetentionSection, now: float) -> CutOffs:
    """The moments that `days` mean at `now` (epoch seconds).

    Nothing outlives its call: a longer time for recordings, transcripts or numbers than for calls is cut to it.
    """

    def before(wanted: int) -> float:
        return now - min(wanted, days.calls) * DAY_S

    return CutOffs(
        recordings=before(days.recordings),
        transcripts=before(days.transcripts),
        calls=before(days.calls),
        caller_numbers=before(days.caller_numbers),
        raw_logs=before(min(RAW_LOG_DAYS, days.caller_numbers)),
    )


def erased_fact(fact: Fact, city_numbers: Collection[str]) -> Fact:
    """The fact without numbers of people; that there was a number, or why there was none, stays."""
    match fact:
        case Arrived():
            return replace(
                fact,
                caller=Caller(fact.caller.kind),
                diverted_from=_ours(fact.diverted_from, city_numbers),
            )
        case CallRefused() | CallbackBooked():
            return replace(fact, to="")
        case _:
            return fact


def erased_call(call: Call, city_numbers: Collection[str]) -> Call:
    """The call without numbers of people. A number of the city's that forwarded the call stays."""
    return replace(
        call,
        caller=Caller(call.caller.kind) if call.caller else None,
        diverted_from=_ours(call.diverted_from, city_numbers),
        callback=replace(call.callback, to="") if call.callback else None,
    )


def erased_case(case: Case, call: CallId, number: str | None) -> Case:
    """The case without the number of `call`'s caller, in what people wrote as well."""
    numbers = {number, *(each.caller for each in case.calls if each.call_id == call)}
    question, answer = case.question, case.answer
    for each in numbers:
        question, answer = without_number(question, each), without_number(answer, each)
    calls = tuple(replace(each, caller=None) if each.call_id == call else each for each in case.calls)
    return replace(case, calls=calls, question=question, answer=answer)


def erased_transcript(transcript: Transcript, number: str | None) -> Transcript:
    """The transcript without `number`; it should not be there, since transcripts are masked when they are made."""
    return replace(
        transcript,
        text=without_number(transcript.text, number),
        segments=[_without(segment, [number]) for segment in transcript.segments],
    )


def _without(value: Any, numbers: Sequence[str | None]) -> Any:
    """A JSON value without these numbers, wherever they stand in it."""
    if isinstance(value, str):
        for number in numbers:
            value = without_number(value, number)
        return value
    if isinstance(value, Mapping):
        return {key: _without(each, numbers) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without(each, numbers) for each in value]
    return value


def _ours(number: str | None, city_numbers: Collection[str]) -> str | None:
    return number if number in city_numbers else None


class Retention:
    """One run over the database and the recordings of one node.

    Args:
        reading: sees one moment and holds nobody up.
        uow: writes.
        node: recordings of other nodes lie on other machines and are left to them.
        city_numbers: the city's own, which are no personal data.
        anchor: notes outside the database up to where the audit was deleted.
        remove_recording: deletes one file of the recordings' folder by name; False when it was not there.
    """

    def __init__(
        self,
        reading: UnitOfWorkFactory,
        uow: UnitOfWorkFactory,
        *,
        node: str,
        city_numbers: Collection[str],
        remove_recording: Callable[[str], bool],
        anchor: Callable[[Head], None] = lambda head: None,
        batch: int = BATCH,
    ) -> None:
        self._reading, self._uow, self._node = reading, uow, node
        self._city_numbers = tuple(city_numbers)
        self._remove, self._anchor, self._batch = remove_recording, anchor, batch
        self._erased: set[CallId] = set()

    async def due(self, cut: CutOffs) -> Counter[str]:
        """What `run` would do, in the same counts; changes nothing."""
        async with self._reading() as unit:
            store = unit.retention
            calls = await store.calls(cut.calls, None)
            return Counter(
                recordings=len(await store.recordings(cut.recordings, self._node, None)),
                transcripts=len(await store.transcribed(cut.transcripts, None)),
                calls=len(calls),
                floor_records=await store.floor_records(cut.calls),
                facts=await store.facts_of(calls) + len(await store.facts_without_call(cut.calls, None)),
                caller_numbers=len(
                    set(await store.calls_with_numbers(cut.caller_numbers, self._city_numbers, None))
                    - set(calls)
                ),
                alerts=await store.alerts_of(cut.calls),
                tickets=await store.tickets_of(cut.caller_numbers),
                imported_cases=len(await store.cases_without_call(cut.calls, None)),
                loose_ends=await store.loose_ends(cut.calls, cut.caller_numbers),
            )

    async def run(self, cut: CutOffs) -> Counter[str]:
        """Delete and erase what is due; the counts of what was done."""
        self._erased.clear()
        done: Counter[str] = Counter(
            recordings=0,
            transcripts=0,
            calls=0,
            facts=0,
            floor_records=0,
            caller_numbers=0,
            alerts=0,
            tickets=0,
            imported_cases=0,
            loose_ends=0,
        )
        # Files before their call: with the call gone nothing would lead to them any more.
        for step in (
            self._recordings,
            self._transcripts,
            self._imported,
            self._calls,
            self._facts,
            self._floor_records,
            self._numbers,
            self._numbers_without_call,
        ):
            await self._all(step, cut, done)
        async with self._uow() as unit:
            done["alerts"] += await unit.retention.drop_alerts(cut.calls)
            done["loose_ends"] += await unit.retention.drop_loose_ends(cut.calls, cut.caller_numbers)
            done["tickets"] += await unit.retention.drop_tickets(cut.caller_numbers)
        return done

    async def _all(
        self, step: Callable[[CutOffs], Awaitable[Counter[str] | None]], cut: CutOffs, done: Counter[str]
    ) -> None:
        while (more := await step(cut)) is not None:
            done.update(more)
            await asyncio.sleep(PAUSE_S)

    async def _recordings(self, cut: CutOffs) -> Counter[str] | None:
        async with self._reading() as unit:
            files = await unit.retention.recordings(cut.recordings, self._node, self._batch)
        if not files:
            return None
        for file in files:
            await asyncio.to_thread(self._remove, file.path)
        async with self._uow() as unit:
            await unit.retention.drop_recordings(files)
        return Counter(recordings=len(files))

    async def _transcripts(self, cut: CutOffs) -> Counter[str] | None:
        async with self._reading() as unit:
            calls = await unit.retention.transcribed(cut.transcripts, self._batch)
        if not calls:
            return None
        async with self._uow() as unit:
            await unit.retention.drop_transcripts(calls)
            for call in calls:
                case = await unit.cases.of_call(call, lock=True)
                if case is None:
                    continue
                if not await self._has_text(unit, case):
                    await unit.cases.put(with_transcript(case, TranscriptState.NONE))
                # The search must lose the words too.
                await unit.cases.reindex([case.case_id])
        return Counter(transcripts=len(calls))

    async def _has_text(self, unit: UnitOfWork, case: Case) -> bool:
        for summary in case.calls:
            if await unit.transcripts.of_call(summary.call_id):
                return True
        return False

    async def _calls(self, cut: CutOffs) -> Counter[str] | None:
        async with self._reading() as unit:
            calls = await unit.retention.calls(cut.calls, self._batch)
        if not calls:
            return None
        async with self._uow() as unit:
            facts = await unit.retention.drop_calls(calls)
        return Counter(calls=len(calls), facts=facts)

    async def _imported(self, cut: CutOffs) -> Counter[str] | None:
        async with self._reading() as unit:
            cases = await unit.retention.cases_without_call(cut.calls, self._batch)
        if not cases:
            return None
        async with self._uow() as unit:
            await unit.retention.drop_cases(cases)
        return Counter(imported_cases=len(cases))

    async def _facts(self, cut: CutOffs) -> Counter[str] | None:
        async with self._reading() as unit:
            facts = await unit.retention.facts_without_call(cut.calls, self._batch)
        if not facts:
            return None
        async with self._uow() as unit:
            await unit.retention.drop_facts(facts)
        return Counter(facts=len(facts))

    async def _floor_records(self, cut: CutOffs) -> Counter[str] | None:
        async with self._uow() as unit:
            gone = await unit.retention.drop_floor_records(cut.calls, self._batch)
            if gone:
                # Before the commit: an anchor too many is harmless, one that is missing looks like a crime.
                self._anchor(await unit.audit.head())
        return Counter(floor_records=gone) if gone else None

    async def _numbers(self, cut: CutOffs) -> Counter[str] | None:
        async with self._reading() as unit:
            due = await unit.retention.calls_with_numbers(cut.caller_numbers, self._city_numbers, self._batch)
        if self._erased.issuperset(due):
            if due:
                log.error("%d calls still hold a number after it was erased", len(due))
            return None
        self._erased.update(due)
        async with self._uow() as unit:
            # The facts too, in the same transaction: a call that is folded again must not get its number back.
            facts = await unit.facts.of_calls(due)
            await unit.retention.replace_facts(self._changed(facts))
            calls = await unit.calls.get(due)
            await unit.calls.put([erased_call(call, self._city_numbers) for call in calls.values()])
            await unit.callbacks.forget(due)
            for call_id in due:
                call = calls.get(call_id)
                await self._erase_texts(unit, call_id, call.caller.number if call and call.caller else None)
        return Counter(caller_numbers=len(due))

    async def _erase_texts(self, unit: UnitOfWork, call: CallId, number: str | None) -> None:
        for event in await unit.outbox.of_subjects([call]):
            await unit.outbox.put(replace(event, body=_without(event.body, [number])))
        case = await unit.cases.of_call(call, lock=True)
        if case is not None:
            numbers = [number, *(each.caller for each in case.calls if each.call_id == call)]
            await unit.cases.put(erased_case(case, call, number))
            await self._erase_around(unit, case.case_id, numbers)
        for transcript in await unit.transcripts.of_call(call):
            erased = erased_transcript(transcript, number)
            if erased != transcript:
                await unit.transcripts.put(erased)
        for insight in (await unit.insights.of_calls([call])).values():
            record = _without(insight.record, [number])
            if record != insight.record:
                await unit.insights.put(replace(insight, record=record))
        check = await unit.quality.get(call)
        if check is not None:
            record, overruled = _without(check.record, [number]), _without(check.overruled, [number])
            if (record, overruled) != (check.record, check.overruled):
                await unit.quality.put(replace(check, record=record, overruled=overruled))

    async def _erase_around(self, unit: UnitOfWork, case_id: str, numbers: Sequence[str | None]) -> None:
        """In what hangs on a case: its history, its thread, drafts, and what other systems are told."""
        for version in await unit.cases.versions(case_id):
            await unit.cases.add_version(replace(version, record=_without(version.record, numbers)))
        for note in (await unit.cases.notes([case_id])).get(case_id, []):
            await unit.cases.put_note(case_id, replace(note, text=_without(note.text, numbers)))
        for draft in await unit.cases.drafts(case_id):
            await unit.cases.put_draft(replace(draft, content=_without(draft.content, numbers)))
        for event in await unit.outbox.of_subjects([case_id]):
            await unit.outbox.put(replace(event, body=_without(event.body, numbers)))
        await unit.cases.reindex([case_id])

    async def _numbers_without_call(self, cut: CutOffs) -> Counter[str] | None:
        """Numbers in facts that belong to no call: refused ones, operators' own, ones never folded."""
        async with self._reading() as unit:
            facts = await unit.retention.facts_with_numbers(
                cut.caller_numbers, self._city_numbers, self._batch
            )
        changed = self._changed(facts)
        if not changed:
            if facts:
                log.error("%d facts hold a number that is not known how to erase", len(facts))
            return None
        async with self._uow() as unit:
            await unit.retention.replace_facts(changed)
        return Counter()

    def _changed(self, facts: Sequence[Fact]) -> list[Fact]:
        erased = ((fact, erased_fact(fact, self._city_numbers)) for fact in facts)
        return [after for before, after in erased if after != before]
