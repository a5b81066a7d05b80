"""The calls behind a figure of a report or of the board, each leading to its case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field

from core.errors import ToritsugiError
from desk.guard import dress
from desk.openapi import BASE
from desk.routes import Table
from desk.visit import Day, Form, Visit
from interactions.access import Action, allowed
from ledger.calls import Call
from reports.call_list import csv_head, csv_line
from reports.cells import day_text
from reports.daily import CallRow, call_row
from reports.opening import NO_LINE_CHOSEN, Opening
from reports.period import call_cells
from services.access import Permission
from services.city_facts import named_facts
from services.figure_calls import FigureCalls
from services.figure_searches import FigureSearches, title_of_searches

table = Table()
READ = Permission.REPORT_READ
ROWS = 100
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


@table.get("/reports/calls", READ, "数字の元になった通話", query=Asked)
async def calls(visit: Visit) -> web.StreamResponse:
    asked = visit.query(Asked)
    opening, figures, desk = asked.opening, figure_calls(visit), visit.desk
    title = figures.title(opening)
    await visit.note("report.calls", opening.metric[:200], first=str(opening.first), last=str(opening.last))
    if asked.format == "csv":
        return await as_csv(visit, opening)
    number, figure, mine = await page_of(figures, opening, asked.page)
    shown = await listed(visit, mine, opening.last)
    return desk.looks.page(
        "reports/calls.html",
        visit,
        title=title,
        days=day_text(opening.first)
        if opening.first == opening.last
        else f"{day_text(opening.first)} から {day_text(opening.last)} まで",
        opening=opening,
        line=desk.hub.words.line(opening.line) if opening.line else opening.line,
        number=number,
        figure=figure,
        rows=ROWS,
        listed=shown,
        page=asked.page,
        pages=max(1, -(-number // ROWS)),
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


async def page_of(figures: FigureCalls, opening: Opening, page: int) -> tuple[int, int, list[Call]]:
    """How many calls there are, the figure that they make, and those of one page.

    Raises:
        ToritsugiError: there is no such page.
    """
    skipped, number, figure, mine = ROWS * (page - 1), 0, 0, list[Call]()
    async for call, times in figures.counted(opening):
        if skipped <= number < skipped + ROWS:
            mine.append(call)
        number, figure = number + 1, figure + times
    if not mine and page > 1:
        raise ToritsugiError("そのページはありません", where="ページ", cure="1 から開く")
    return number, figure, mine


async def listed(visit: Visit, calls: Sequence[Call], day: date) -> list[Listed]:
    """The calls as a report shows them, with the cases that the visitor may open."""
    facts = await named_facts(visit.desk.profile, day, visit.desk.reading)
    city_time_of = visit.desk.clock.city_time_of
    found = []
    async with visit.desk.reading() as unit:
        for call in calls:
            row = call_row(call, facts, city_time_of)
            case = await unit.cases.of_call(call.call_id) if visit.may(Permission.CASE_READ) else None
            if case is None or not allowed(visit.person, Action.VIEW, case):
                found.append(Listed(row=row))
                continue
            may_hear = visit.may(Permission.RECORDING_HEAR) and allowed(visit.person, Action.HEAR, case)
            found.append(Listed(row=row, case=case.case_id, heard=may_hear and bool(call.recordings)))
    return found


async def as_csv(visit: Visit, opening: Opening) -> web.StreamResponse:
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
    await response.write(csv_head(figures.title(opening), opening).encode())
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
    number, figure, mine = await page_of(figures, opening, asked.page)
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
        for each in await listed(visit, mine, opening.last)
    ]
    told = CallsOut(title=title, number=number, figure=figure, calls=shown)
    return web.json_response(told.model_dump(mode="json"))
