"""Cases: found, read with their transcript and thread, heard; each of these is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO

from aiohttp import web
from pydantic import Field

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.ids import CallId
from core.masking import mask_number
from core.phone import normalise_number
from core.sealed import open_plain
from desk.earlier import earlier_cases
from desk.guard import NotFound, Refused, dress
from desk.looks import flash, spaced
from desk.pages.entry import redirect
from desk.routes import Table
from desk.visit import MOST_NUMBER, Day, Form, Visit
from interactions.access import Action, NotAllowed, allowed
from interactions.case import CallSummary, Case, CaseStatus
from interactions.search import CaseQuery, Facet, FacetCounts
from ledger.calls import Call
from services.access import Permission
from services.case_desk import CaseView
from services.ports import JobState, RecordingFile, Transcript
from services.recordings import SIDES, RecordingState, call_of
from services.speech_ports import CallInsight

table = Table()
READ, HEAR = Permission.CASE_READ, Permission.RECORDING_HEAR
PAGE = 50
USUAL_DAYS = 7
NUMBER_DAYS = 366
"""Looked back when no first day is named, with a number."""
PIECE = 256 * 1024
PLAYABLE = (RecordingState.CLOSED.value, RecordingState.UNFINISHED.value)
SIDE_NAMES = {"citizen": "市民の声", "line": "市民に聞こえた音"}
CASE = "/cases/{case:i-[A-Za-z0-9.-]{3,90}}"
DONE = {
    "note": "書き込みました。",
    "tags": "タグを改めました。",
    "join": "まとめました。通話と書いたことは、この応対に移りました。",
    "split": "分けました。これが分けた応対です。",
}


class Search(Form):
    """What to look for; every field may be left out."""

    first: Annotated[Day | None, Field(title="この日から")] = None
    last: Annotated[Day | None, Field(title="この日まで")] = None
    words: Annotated[str, Field(title="言葉", max_length=200)] = ""
    number: Annotated[str, Field(title="電話番号", max_length=32)] = ""
    """A whole number."""
    operator: Annotated[str, Field(title="オペレーター", max_length=8)] = ""
    category: Annotated[str, Field(title="分類", max_length=64)] = ""
    status: Annotated[str, Field(title="状態", max_length=32)] = ""
    flag: Annotated[str, Field(title="印", max_length=32)] = ""
    after: Annotated[int | None, Field(title="続き", ge=0, le=MOST_NUMBER)] = None
    """Of the page before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One stretch of a transcript."""

    side: str
    start_s: float
    text: str
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Cases, newest first."""

    cases: tuple[Case, ...]
    after: int | None = None
    counts: FacetCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPart:
    """One call of a case, with what hangs on it."""

    summary: CallSummary
    call: Call | None
    said: Sequence[Said]
    job: JobState | None
    recordings: Sequence[RecordingFile]
    heard: CallInsight | None
    """What the machine made of the transcript."""


async def found(visit: Visit, search: Search) -> Page:
    """One page of the cases that the visitor may see. Every search is audited."""
    number = normalise_number(search.number) if search.number else ""
    if number is None:
        raise ToritsugiError("電話番号として読めません", where="電話番号", cure="市外局番から書く")
    first, last = period(visit, search)
    facets = {
        Facet.OPERATOR: search.operator,
        Facet.CATEGORY: search.category,
        Facet.STATUS: search.status,
        Facet.FLAG: search.flag,
    }
    query = CaseQuery(
        words=search.words,
        number=number,
        values={facet: (value,) for facet, value in facets.items() if value},
        since=_real(visit, first),
        until=_real(visit, last + timedelta(days=1)),
        after=search.after,
        limit=PAGE,
    )
    hits = await visit.desk.cases.search(visit.person, query)
    return Page(cases=hits.cases, after=hits.after, counts=hits.counts)


def period(visit: Visit, search: Search) -> tuple[date, date]:
    """First and last day that are looked at. Raises ToritsugiError."""
    last = search.last or visit.desk.clock.city_now().date()
    first = search.first or last - timedelta(days=(NUMBER_DAYS if search.number else USUAL_DAYS) - 1)
    if first > last:
        raise ToritsugiError("はじめの日が後になっています", where="期間", cure="日を入れかえる")
    return first, last


def _real(visit: Visit, day: date) -> float:
    """The real moment at which a day of the city's clock begins."""
    clock = visit.desk.clock
    start = datetime(day.year, day.month, day.day, tzinfo=TOKYO)
    now = clock.epoch()
    # A demonstration's clock runs faster: one real second is so many of the city's.
    speed = (clock.city_time_of(now) - clock.city_time_of(now - 1.0)).total_seconds()
    return now - (clock.city_now() - start).total_seconds() / speed


def number_of(visit: Visit) -> Callable[[Case, str | None], str]:
    """A caller's number as this visitor may see it."""

    def shown(case: Case, number: str | None) -> str:
        if not number:
            return "–"
        return spaced(number) if allowed(visit.person, Action.SEE_NUMBER, case) else mask_number(number)

    return shown


@table.get("/cases", READ, "応対履歴", query=Search)
async def cases(visit: Visit) -> web.StreamResponse:
    search, desk = visit.query(Search), visit.desk
    page = await found(visit, search)
    first, last = period(visit, search)
    async with desk.reading() as unit:
        names = {str(each.id): each.name for each in await unit.operators.list()}
    return desk.looks.page(
        "cases/list.html",
        visit,
        page=page,
        search=search,
        names=names,
        first=first,
        last=last,
        number_of=number_of(visit),
        categories={each.id: each.name_ja for each in desk.profile.interactions.categories},
        statuses=list(CaseStatus),
        counts={facet.value: dict(values) for facet, values in page.counts.values.items()}
        if page.counts
        else {},
        following={**visit.request.query, "after": page.after},
    )


async def view_of(visit: Visit, case_id: str) -> CaseView:
    """The case as the visitor may see it. Raises NotFound, also for one that they may not see."""
    try:
        return await visit.desk.cases.view(visit.person, case_id)
    except NotAllowed:
        raise
    except ToritsugiError as problem:
        raise NotFound("応対履歴がありません", where="応対履歴", cure="一覧から選ぶ") from problem


def said(transcripts: Iterable[Transcript]) -> list[Said]:
    """What both sides said, in order."""
    parts = [
        Said(
            side=transcript.side,
            start_s=float(segment["start_s"]),
            text=str(segment["text"]),
            confidence=segment.get("confidence"),
        )
        for transcript in transcripts
        for segment in transcript.segments
    ]
    return sorted(parts, key=lambda part: (part.start_s, part.side))


@table.get(CASE, READ, "応対履歴")
async def case_page(visit: Visit) -> web.StreamResponse:
    desk = visit.desk
    view = await view_of(visit, visit.request.match_info["case"])
    may_hear = visit.may(HEAR) and Action.HEAR in view.may
    parts = []
    async with desk.reading() as unit:
        names = {str(each.id): each.name for each in await unit.operators.list()}
        calls = await unit.calls.get([each.call_id for each in view.case.calls])
        insights = await unit.insights.of_calls([each.call_id for each in view.case.calls])
        for summary in view.case.calls:
            job = await unit.jobs.get(summary.call_id)
            recordings = await unit.recordings.of_call(summary.call_id) if may_hear else []
            parts.append(
                CallPart(
                    summary=summary,
                    call=calls.get(summary.call_id),
                    said=said(await unit.transcripts.of_call(summary.call_id)),
                    job=job.state if job else None,
                    recordings=[each for each in recordings if each.state in PLAYABLE],
                    heard=insights.get(summary.call_id),
                )
            )
    may_edit = Action.EDIT in view.may and visit.may(Permission.CASE_WRITE) and not view.case.joined_into
    return desk.looks.page(
        "cases/case.html",
        visit,
        view=view,
        case=view.case,
        parts=parts,
        names=names,
        words=desk.hub.words,
        number_of=number_of(visit),
        may_note=Action.NOTE in view.may,
        may_edit=may_edit,
        others=await _same_number(visit, view.case) if may_edit else (),
        categories={each.id: each.name_ja for each in desk.profile.interactions.categories},
        departments={entry.extension: entry.name_ja for entry in desk.profile.acd.directory},
        sides=SIDE_NAMES,
        jobs=_JOB_WORDS,
        done=flash(DONE, visit.request.query.get("done", "")),
    )


async def _same_number(visit: Visit, case: Case) -> tuple[Case, ...]:
    """Other cases of the caller, which may belong together with this one."""
    number = next((call.caller for call in case.calls if call.caller), "")
    if not number or not allowed(visit.person, Action.SEE_NUMBER, case):
        return ()
    found = await earlier_cases(visit.desk, visit.person, number)
    return tuple(each for each in found if each.case_id != case.case_id and each.joined_into is None)


_JOB_WORDS = {
    JobState.WAITING: "文字起こしの順番を待っています。",
    JobState.RUNNING: "文字起こしをしています。",
    JobState.NO_MODEL: "この言語の音声認識モデルがまだありません。",
    JobState.EMPTY: "録音に音がありません。",
    JobState.DAMAGED: "録音が壊れています。",
    JobState.FAILED: "文字起こしができませんでした。",
    JobState.DONE: "",
}


@table.get("/calls/{call:c-[A-Za-z0-9.-]{3,90}}", READ, "通話の応対履歴へ")
async def case_of_call(visit: Visit) -> web.StreamResponse:
    async with visit.desk.reading() as unit:
        case = await unit.cases.of_call(CallId(visit.request.match_info["call"]))
    if case is None:
        raise NotFound("応対履歴がありません", where="応対履歴", cure="通話が終わってから開く")
    return redirect(f"/cases/{case.case_id}")


class Note(Form):
    text: Annotated[str, Field(title="書き込み", min_length=1, max_length=20_000)]


@table.post(f"{CASE}/notes", READ, "応対履歴に書き込む")
async def note(visit: Visit) -> web.StreamResponse:
    sent, case_id = await visit.form(Note), visit.request.match_info["case"]
    await view_of(visit, case_id)
    await visit.desk.cases.note(visit.person, case_id, sent.text)
    return redirect(f"/cases/{case_id}?done=note")


# ---- hearing --------------------------------------------------------------------------------------


@table.get("/recordings/{base:c-[A-Za-z0-9.-]{3,90}}/{side:citizen|line}.wav", HEAR, "録音を聞く", data=True)
async def hear(visit: Visit) -> web.StreamResponse:
    recording, case = await recording_of(
        visit, visit.request.match_info["base"], visit.request.match_info["side"]
    )
    # The row may be of another machine, where the home lay elsewhere.
    path = (visit.desk.recordings / Path(recording.path).name).resolve()
    missing = NotFound("録音がありません", where="録音", cure="保存期間が過ぎていないか確かめる")
    # What the row says is not believed blindly: nothing outside the folder of recordings is ever sent.
    if not path.is_relative_to(visit.desk.recordings.resolve()):
        raise missing
    try:
        file = await asyncio.to_thread(open_plain, path)
    except FileNotFoundError as problem:
        raise missing from problem
    try:
        size = await asyncio.to_thread(file.seek, 0, 2)
        first, last, status = _range(visit.request.headers.get("Range", ""), size)
        if first == 0 or not visit.desk.noted_hearing(visit.me, recording):
            # A player asks for one recording in many pieces: the first of them, wherever it begins, is the hearing.
            await visit.note("case.hear", case.case_id, recording=recording.base, side=recording.side)
            visit.desk.note_hearing(visit.me, recording)
        return await _sent(visit, file, first, last, size, status)
    finally:
        await asyncio.to_thread(file.close)


def _range(asked: str, size: int) -> tuple[int, int, int]:
    """First and last byte to send, and the status; a range that cannot be read counts as none."""
    unit, _, text = asked.partition("=")
    start, dash, end = text.partition("-")
    digits = start + end
    # A number of more digits than any size is not even read.
    if (
        unit.strip() != "bytes"
        or not dash
        or not (digits.isascii() and digits.isdecimal())
        or len(digits) > 30
    ):
        return 0, size - 1, 200
    if start:
        first, last = int(start), min(int(end) if end else size - 1, size - 1)
    else:
        first, last = max(0, size - int(end)), size - 1
    if first > last:
        raise Refused("その範囲はありません", where="Range", cure="長さを確かめる", status=416)
    return first, last, 206


async def _sent(
    visit: Visit, file: BinaryIO, first: int, last: int, size: int, status: int
) -> web.StreamResponse:
    response = web.StreamResponse(
        status=status, headers={"Content-Type": "audio/wav", "Accept-Ranges": "bytes"}
    )
    response.content_length = last - first + 1
    if status == 206:
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    dress(visit.desk, response)
    await response.prepare(visit.request)
    await asyncio.to_thread(file.seek, first)
    left = last - first + 1
    while left > 0:
        piece = await asyncio.to_thread(file.read, min(PIECE, left))
        if not piece:
            break
        await response.write(piece)
        left -= len(piece)
    await response.write_eof()
    return response


async def recording_of(visit: Visit, base: str, side: str) -> tuple[RecordingFile, Case]:
    """A recording that the visitor may hear, and its case.

    Raises:
        NotFound: there is none.
        NotAllowed: it is not theirs to hear.
    """
    missing = NotFound("録音がありません", where="録音", cure="一覧から選ぶ")
    if side not in SIDES:
        raise missing
    try:
        call = call_of(base)
    except ValueError as problem:
        raise missing from problem
    async with visit.desk.reading() as unit:
        files = await unit.recordings.of_call(call)
        case = await unit.cases.of_call(call)
    recording = next((each for each in files if (each.base, each.side) == (base, side)), None)
    if recording is None or recording.state not in PLAYABLE or case is None:
        raise missing
    if not allowed(visit.person, Action.HEAR, case):
        await visit.note("case.hear_refused", case.case_id)
        raise Refused("この録音は聞けません", where=case.case_id, cure="権限のある人に頼む")
    return recording, case
