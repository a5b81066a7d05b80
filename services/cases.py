"""From closed calls to interaction records (応対履歴) and transcription jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from core.clock import Clock
from core.ids import CallId
from interactions.case import CallSummary, HandedOn, TranscriptState, open_case, with_transcript
from interactions.case_edit import transcript_of
from interactions.ticket import Ticket, TicketKind, TicketState, ticket_id_of
from ledger.calls import Call, CallbackTry, Disposition
from services.case_events import CaseEvents
from services.ports import JobState, Transcript, TranscriptJob, UnitOfWork, UnitOfWorkFactory

MARGIN_S = 0.5
"""Kept on both sides of a talk: the moment of the bridge and the recording's first sample differ a little."""

TRANSCRIPT_STATES = {
    JobState.DONE: TranscriptState.READY,
    JobState.EMPTY: TranscriptState.UNAVAILABLE,
    JobState.DAMAGED: TranscriptState.UNAVAILABLE,
    JobState.FAILED: TranscriptState.UNAVAILABLE,
}


class TicketKeeper:
    """Proposes a call-back request for each citizen whom a department did not take and nobody of it talked with later.

    A person decides whether it is needed: the operator may have helped after all.

    Args:
        due_of: deadline for a moment (`OpeningHours.end_of_next_day`), epoch seconds.
        line_name: how people call a line.
    """

    def __init__(self, due_of: Callable[[float], float], line_name: Callable[[str], str]) -> None:
        self._due_of, self._line_name = due_of, line_name

    async def after_fold(self, unit: UnitOfWork, calls: Sequence[Call]) -> None:
        """For `LedgerSync(also=[…])`: runs in the ledger's own transaction."""
        for call in calls:
            for ticket in proposals(call, self._due_of, self._line_name):
                await unit.tickets.add(ticket)


def proposals(call: Call, due_of: Callable[[float], float], line_name: Callable[[str], str]) -> list[Ticket]:
    """One proposal for each department that a closed call was handed to in vain."""
    if call.open or call.ended_at is None:
        return []
    reached = {segment.to for segment in call.staff}
    # Who was asked for has been stood in for when a deputy took the call; a deputy in vain is no second request.
    reached |= {transfer.in_place_of for transfer in call.handed_on if transfer.to in reached}
    in_vain = {
        transfer.to: transfer
        for transfer in call.handed_on
        if transfer.result in _NOT_TAKEN and transfer.to not in reached and not transfer.in_place_of
    }
    line = line_name(call.line) if call.line else ""
    return [
        Ticket(
            ticket_id=ticket_id_of(call.call_id, extension),
            kind=TicketKind.CALL_BACK,
            opened_at=call.ended_at,
            due_at=due_of(call.ended_at),
            content=f"「{line}」の件で転送しましたが、つながりませんでした（{_NOT_TAKEN[transfer.result]}）。",
            department=extension,
            number=(call.caller.number or "") if call.caller else "",
            call=call.call_id,
            state=TicketState.PROPOSED,
        )
        for extension, transfer in in_vain.items()
    ]


_NOT_TAKEN = {
    "BUSY": "話し中", "NOANSWER": "応答なし", "REFUSED": "応答なし", "CHANUNAVAIL": "不通", "CONGESTION": "不通",
    "CLOSED": "受付時間外",
}  # fmt: skip


class CaseKeeper:
    """Makes one case and one transcription job for every answered call, once however often it is told.

    Args:
        clock: when a job is first due.
        category_of: the category's id for a service line (`InteractionsSection.category_of`).
        default_language: of calls whose language is unknown.
        events: tells other systems.
    """

    def __init__(
        self,
        clock: Clock,
        category_of: Callable[[str], str | None] = lambda line: line,
        default_language: str = "ja",
        events: CaseEvents | None = None,
    ) -> None:
        self._clock, self._category_of, self._language = clock, category_of, default_language
        self._events = events or CaseEvents()

    async def after_fold(self, unit: UnitOfWork, calls: Sequence[Call]) -> None:
        """For `LedgerSync(also=[keeper.after_fold])`: runs in the ledger's own transaction."""
        for call in calls:
            talked = call.callback is not None and call.callback.talk is not None
            if not call.open and (call.disposition is Disposition.ANSWERED or talked):
                await self._keep(unit, call)
            if not call.open:
                await self._events.call_closed(unit, call)

    async def _keep(self, unit: UnitOfWork, call: Call) -> None:
        summary = summary_of(call)
        case = open_case(summary, self._category_of)
        if await unit.cases.add(case):
            await self._events.opened(unit, case, self._clock.epoch())
        else:
            await self._refresh(unit, summary)
        if call.recordings:
            await unit.jobs.add(job_of(call, self._clock.epoch(), self._language))

    async def _refresh(self, unit: UnitOfWork, summary: CallSummary) -> None:
        """Later facts (a transfer's result) reach the case; what people wrote into it stays."""
        case = await unit.cases.of_call(summary.call_id, lock=True)
        if case is not None:
            calls = tuple(summary if each.call_id == summary.call_id else each for each in case.calls)
            if calls != case.calls:
                await unit.cases.put(replace(case, calls=calls))


async def attach_transcript(
    uow: UnitOfWorkFactory,
    call: CallId,
    transcripts: Sequence[Transcript],
    state: JobState,
    *,
    now: float,
    error: str = "",
    next_try_at: float | None = None,
    also: Callable[[UnitOfWork], Awaitable[None]] | None = None,
) -> None:
    """Store a job's outcome, its texts and the state that the case shows, all or nothing.

    Args:
        call: the job's call.
        transcripts: one a side; empty unless `state` is DONE.
        state: WAITING with `next_try_at` (epoch seconds) is a retry.
        now: epoch seconds.
        error: what went wrong, for `status`.
        next_try_at: see `state`.
        also: what else belongs into the same transaction.
    """
    async with uow() as unit:
        job = await unit.jobs.get(call)
        if job is not None and job.state is JobState.EMPTY and transcripts:
            return  # the call was erased while it was transcribed
        for transcript in transcripts:
            await unit.transcripts.put(transcript)
        if also is not None:
            await also(unit)
        await unit.jobs.finish(call, state, now=now, error=error, next_try_at=next_try_at)
        case = await unit.cases.of_call(call, lock=True)
        if case is not None:
            states = await unit.jobs.states([each.call_id for each in case.calls])
            shown = {**states, call: state}.values()
            best = transcript_of(TRANSCRIPT_STATES.get(each, TranscriptState.WAITING) for each in shown)
            await unit.cases.put(with_transcript(case, best))


def summary_of(call: Call) -> CallSummary:
    """What the case takes over.

    Raises:
        ValueError: the call is open, and nobody talked with the citizen, then or when calling back.
    """
    talk = call.callback.talk if call.callback else None
    if talk is not None and talk.talk_started_at is not None and talk.ended_at is not None:
        return CallSummary(
            call_id=call.call_id,
            caller=call.callback.to if call.callback else None,
            line=call.line,
            language=call.language,
            menu_path=call.menu_path,
            operators=(talk.operator,),
            started_at=talk.talk_started_at,
            ended_at=talk.ended_at,
            transferred_to=_transferred_to(call),
            recordings=(callback_recording(call, talk),),
            transfers=_transfers(call),
        )
    if call.ended_at is None or not call.segments:
        raise ValueError(f"no answered and closed call: {call.call_id}")
    return CallSummary(
        call_id=call.call_id,
        caller=call.caller.number if call.caller else None,
        line=call.line,
        language=call.language,
        menu_path=call.menu_path,
        operators=call.operators,
        started_at=call.segments[0].started_at,
        ended_at=call.ended_at,
        transferred_to=_transferred_to(call),
        recordings=call.recordings,
        transfers=_transfers(call),
    )


def _transfers(call: Call) -> tuple[HandedOn, ...]:
    return tuple(HandedOn(at=t.at, to=t.to, label=t.label, result=t.result) for t in call.handed_on)


def _transferred_to(call: Call) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.label or t.to for t in call.handed_on if t.label or t.to))


def callback_recording(call: Call, talk: CallbackTry) -> str:
    """Base name of the recording of a call-back's talk (docs/dialplan-contract.md)."""
    return f"{call.call_id}-cb{talk.attempt}"


def job_of(call: Call, now: float, default_language: str = "ja") -> TranscriptJob:
    """The transcription job of a recorded call: only the talk with operators, not the menu and the music."""
    talk = call.callback.talk if call.callback else None
    if talk is not None:
        return TranscriptJob(
            call_id=call.call_id,
            base=callback_recording(call, talk),
            language=call.language or default_language,
            ranges=((0.0, None),),
            next_try_at=now,
        )
    start = call.recorded_from if call.recorded_from is not None else call.arrived_at
    ranges = tuple(
        (
            round(max(0.0, segment.started_at - start - MARGIN_S), 3),
            None if segment.ended_at is None else round(max(0.0, segment.ended_at - start + MARGIN_S), 3),
        )
        for segment in call.segments
    )
    return TranscriptJob(
        call_id=call.call_id,
        base=call.recordings[0],
        language=call.language or default_language,
        ranges=ranges,
        next_try_at=now,
    )
