"""The calls behind a figure of a report or of the board, each leading to its case.

Who may see the board but not the reports opens what the board shows: its figures, of days of this month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field

from core.errors import ToritsugiError
from desk.guard import Refused, dress
from desk.live_calls import LIVE, live_calls
from desk.openapi import BASE
from desk.routes import Table
from desk.visit import Day, Form, Visit
from interactions.access import Action, allowed
from ledger.calls import Call
from reports.behind import lost_by, offered_by
from reports.call_list import csv_head, csv_line
from reports.cells import day_text
from reports.daily import CallRow, call_row
from reports.opening import NO_LINE_CHOSEN, Opening, named
from reports.period import call_cells
from services.access import Permission
from services.city_facts import named_facts
from services.figure_calls import FigureCalls
from services.figure_searches import FigureSearches, title_of_searches
from services.proofs import proven

table = Table()
READ, WATCH = Permission.REPORT_READ, Permission.FLOOR_WATCH
ROWS = 100
BOARD = frozenset({"incoming", "answered", "offered", "lost", "open", "longest_wait"})
"""Counts that the board shows, without their arguments."""
MOST_DAYS = 800
MOST_PAGE = 100_000


class Asked(Form):
    """Which figure, of which part of which days."""

    metric: Annotated[str, Field(title="指標", min_length=1, max_length=6000)]
    """A name of `reports.behind`, with its arguments; calls named one by one may be a few hundred."""
    first: Annotated[Day, Field(title="この日から")]
    last: Annotated[Day | None, Field(title="この日まで")] = None
    """The first day itself when it is left out."""
    hour: Annotated[int | None, Field(title="時", ge=0, le=23)] = None
    line: Annotated[str | None, Field(title="用件", max_length=64)] = None
    """Of the profile; `-` for calls that chose none."""
    page: Annotated[int, Field(title="ページ", ge=1, le=MOST_PAGE)] = 1
    format: Annotated[str, Field(title="形式", pattern="^(html|csv)$")] = "html"

    @property
    def opening(self) -> Opening:
        """Raises ToritsugiError when the days cannot be."""
        last = self.last or self.first
        if not self.first <= last <= self.first + timedelta(days=MOST_DAYS):
            raise ToritsugiError(
                "期間が逆か、長すぎます",
                where="この日から、この日まで",
                cure=f"{MOST_DAYS}日までの期間を書く",
            )
        line = "" if self.line == NO_LINE_CHOSEN else self.line
        return Opening(metric=self.metric, first=self.first, last=last, hour=self.hour, line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One call of the list, and where it leads for this visitor."""

    row: CallRow
    path: tuple[str, ...]
    """What the caller chose in the menu, in words."""
    case: str = ""
    """Case to open; empty without one, or when they may not."""
    heard: bool = False
    """Whether they may hear it there."""

    @property
    def at(self) -> str:
        return f"{self.row.at.month}/{self.row.at.day} {self.row.at:%H:%M:%S}"


def figure_calls(visit: Visit) -> FigureCalls:
    desk = visit.desk
    return FigureCalls(desk.reading, desk.clock, desk.profile)


def may_open(visit: Visit, asked: Asked) -> bool:
    """Whether they may see the calls of this figure."""
    opening, today = asked.opening, visit.desk.clock.city_now().date()
    if opening.metric in LIVE and not visit.may(WATCH):
        return False
    if visit.may(READ):
        return True
    shown = opening.metric in LIVE or opening.metric.partition(":")[0] in BOARD
    return shown and asked.format == "html" and today.replace(day=1) <= opening.first <= opening.last <= today


@table.get("/reports/calls", (READ, WATCH), "数字の元になった通話", query=Asked)
async def calls(visit: Visit) -> web.StreamResponse:
    asked = visit.query(Asked)
    opening, figures, desk = asked.opening, figure_calls(visit), visit.desk
    if not may_open(visit, asked):
        raise Refused(
            "この数字の通話は見られません", where="数字の元になった通話", cure="報告を見られる人に頼む"
        )
    told: int | None = None
    if opening.metric in LIVE:
        title, (told, known) = LIVE[opening.metric], await live_calls(desk, opening)
        opening = Opening(metric=named(known), first=opening.first, last=opening.last, line=opening.line)
    else:
        title = figures.title(opening)
    await visit.note("report.calls", asked.metric[:200], first=str(opening.first), last=str(opening.last))
    if asked.format == "csv":
        return await as_csv(visit, opening, title)
    read_at, rule = desk.clock.epoch(), desk.hub.rule
    page = await page_of(figures, opening, asked.page)
    shown = await listed(visit, page.calls, opening.last)
    async with desk.reading() as unit:
        state = await proven(unit, desk.clock, opening.first, opening.last)
    return desk.looks.page(
        "reports/calls.html",
        visit,
        title=title,
        days=day_text(opening.first)
        if opening.first == opening.last
        else f"{day_text(opening.first)} から {day_text(opening.last)} まで",
        opening=opening,
        line=desk.hub.words.line(opening.line) if opening.line else opening.line,
        number=page.number,
        figure=page.figure,
        waited_for=0 if told is None else told - page.number,
        open=page.open,
        read_at=read_at,
        state=state,
        rule=rule.text_ja if opening.metric in (offered_by(rule), lost_by(rule)) else "",
        rows=ROWS,
        listed=shown,
        page=asked.page,
        pages=max(1, -(-page.number // ROWS)),
        query=urlencode(
            {key: value for key, value in visit.request.query.items() if key != "page"}, safe=":,"
        ),
    )


@table.get("/reports/searches", READ, "数字の元になった検索", query=Asked)
async def searches(visit: Visit) -> web.StreamResponse:
    """The searches of the knowledge base that a figure counts; their words are masked."""
    asked, desk = visit.query(Asked), visit.desk
    opening = asked.opening
    title = title_of_searches(opening.metric)
    await visit.note(
        "report.searches", opening.metric[:200], first=str(opening.first), last=str(opening.last)
    )
    found = await FigureSearches(desk.reading, desk.clock).behind(opening)
    begin = ROWS * (asked.page - 1)
    if begin and begin >= len(found):
        raise ToritsugiError("そのページはありません", where="ページ", cure="1 から開く")
    async with desk.reading() as unit:
        names = {user.name: user.display for user in await unit.users.all()}
        texts = await unit.faq.latest()
    questions = {entry: version.content.question for entry, version in texts.items()}
    return desk.looks.page(
        "reports/searches.html",
        visit,
        title=title,
        days=day_text(opening.first)
        if opening.first == opening.last
        else f"{day_text(opening.first)} から {day_text(opening.last)} まで",
        number=len(found),
        rows=ROWS,
        listed=[
            (
                f"{at.month}/{at.day} {at:%H:%M:%S}",
                each,
                [questions.get(entry, entry) for entry in each.used or each.clicked],
                names.get(each.actor, each.actor),
            )
            for each in found[begin : begin + ROWS]
            for at in (desk.clock.city_time_of(each.at),)
        ],
        page=asked.page,
        pages=max(1, -(-len(found) // ROWS)),
        query=urlencode(
            {key: value for key, value in visit.request.query.items() if key != "page"}, safe=":,"
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOfCalls:
    """One page, and what all pages hold together."""

    number: int
    figure: int
    """What the calls make."""
    open: int
    """Calls whose end is not known yet."""
    calls: Sequence[Call]


async def page_of(figures: FigureCalls, opening: Opening, page: int) -> PageOfCalls:
    """One page of the calls.

    Raises:
        ToritsugiError: there is no such page.
    """
    skipped, number, figure, still_open, mine = ROWS * (page - 1), 0, 0, 0, list[Call]()
    async for call, times in figures.counted(opening):
        if skipped <= number < skipped + ROWS:
            mine.append(call)
        number, figure, still_open = number + 1, figure + times, still_open + (call.disposition is None)
    if not mine and page > 1:
        raise ToritsugiError("そのページはありません", where="ページ", cure="1 から開く")
    return PageOfCalls(number=number, figure=figure, open=still_open, calls=mine)


async def listed(visit: Visit, calls: Sequence[Call], day: date) -> list[Listed]:
    """The calls as a report shows them, with the cases that the visitor may open."""
    facts = await named_facts(visit.desk.profile, day, visit.desk.reading)
    city_time_of = visit.desk.clock.city_time_of
    found = []
    async with visit.desk.reading() as unit:
        for call in calls:
            row, path = call_row(call, facts, city_time_of), visit.desk.hub.words.path(call)
            case = await unit.cases.of_call(call.call_id) if visit.may(Permission.CASE_READ) else None
            if case is None or not allowed(visit.person, Action.VIEW, case):
                found.append(Listed(row=row, path=path))
                continue
            may_hear = visit.may(Permission.RECORDING_HEAR) and allowed(visit.person, Action.HEAR, case)
            found.append(
                Listed(row=row, path=path, case=case.case_id, heard=may_hear and bool(call.recordings))
            )
    return found


async def as_csv(visit: Visit, opening: Opening, title: str) -> web.StreamResponse:
    """Every call of the list as a file, written while it is read."""
    facts = await named_facts(visit.desk.profile, opening.last, visit.desk.reading)
    clock = visit.desk.clock
    figures = figure_calls(visit)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="calls.csv"',
        }
    )
    dress(visit.desk, response)
    await response.prepare(visit.request)
    await response.write(csv_head(title, opening).encode())
    async for call in figures.behind(opening):
        await response.write(csv_line(call_cells(call, facts, clock.city_time_of)).encode())
    await response.write_eof()
    return response


class CallOut(BaseModel):
    """One call; `at` is ISO text in Japan's time, lengths are seconds."""

    call: str
    at: str
    caller: str
    line: str
    result: str
    operators: str
    wait_s: float | None
    talk_s: float | None
    case: str
    """Empty without one, or when it may not be opened."""


class CallsOut(BaseModel):
    """One page of the calls behind a figure, and how many there are."""

    title: str
    number: int
    figure: int
    """What the paper shows: other than `number` where a call counts more than once, or several calls as one number."""
    calls: list[CallOut]


@table.get(f"{BASE}/reports/calls", READ, "数字の元になった通話", data=True, query=Asked, answer=CallsOut)
async def calls_out(visit: Visit) -> web.StreamResponse:
    asked = visit.query(Asked)
    opening, figures = asked.opening, figure_calls(visit)
    title = figures.title(opening)
    await visit.note("report.calls", opening.metric[:200], first=str(opening.first), last=str(opening.last))
    page = await page_of(figures, opening, asked.page)
    shown = [
        CallOut(
            call=each.row.call_id,
            at=each.row.at.isoformat(timespec="seconds"),
            caller=each.row.caller,
            line=each.row.line,
            result=each.row.result,
            operators=each.row.operators,
            wait_s=each.row.wait_s,
            talk_s=each.row.talk_s,
            case=each.case,
        )
        for each in await listed(visit, page.calls, opening.last)
    ]
    told = CallsOut(title=title, number=page.number, figure=page.figure, calls=shown)
    return web.json_response(told.model_dump(mode="json"))
