"""The calls behind a figure of the board: exactly those that were counted, by the definitions of the reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from desk.routes import Table
from desk.visit import Form, Visit
from ledger.calls import Call
from reports.answer_rates import AnswerRateRule, offered
from reports.metrics import answered, counted, incoming
from reports.tally import tally_of
from services.access import Permission

table = Table()
MOST = 500


class Wanted(Form):
    """Which figure."""

    kind: Annotated[Literal["incoming", "answered", "offered", "waited"], Field(title="数え方")] = "incoming"
    line: Annotated[str, Field(title="回線", max_length=32)] = ""
    hour: Annotated[int | None, Field(title="時", ge=0, le=23)] = None


@dataclass(frozen=True, slots=True)
class Figure:
    """How calls are counted for one figure."""

    name_ja: str
    text_ja: Callable[[AnswerRateRule], str]
    counts: Callable[[Call, AnswerRateRule], bool]


# One call's tally says whether it counts, so a list can never differ from its figure.
FIGURES = {
    "incoming": Figure(
        "入電", lambda _: "市の番号に着いた電話のすべてです。", lambda call, _: incoming(tally_of([call])) == 1
    ),
    "answered": Figure(
        "応答", lambda _: "オペレーターと話した電話です。", lambda call, _: answered(tally_of([call])) == 1
    ),
    "offered": Figure(
        "応答率の分母",
        lambda rule: f"応答率は {rule.text_ja}。分母に入る電話です。",
        lambda call, rule: offered(tally_of([call]), rule) == 1,
    ),
    "waited": Figure(
        "待ち時間", lambda _: "オペレーターを待った電話です。待ちの長い順に並べます。",
        lambda call, _: tally_of([call]).waits.count == 1,
    ),
}  # fmt: skip


@table.get("/board/calls", Permission.FLOOR_WATCH, "数字のもとの通話", query=Wanted)
async def calls(visit: Visit) -> web.StreamResponse:
    wanted, desk = visit.query(Wanted), visit.desk
    hub, figure = desk.hub, FIGURES[wanted.kind]
    found = [
        call
        for call in counted(hub.day)
        if (not wanted.line or call.line == wanted.line)
        and (wanted.hour is None or desk.clock.city_time_of(call.arrived_at).hour == wanted.hour)
        and figure.counts(call, hub.rule)
    ]
    if wanted.kind == "waited":
        found.sort(key=lambda call: -(call.wait_s or 0.0))
    else:
        found.sort(key=lambda call: -call.arrived_at)
    async with desk.reading() as unit:
        names = {str(each.id): each.name for each in await unit.operators.list()}
    return desk.looks.page(
        "board/calls.html", visit, what=figure.name_ja, text=figure.text_ja(hub.rule), calls=found[:MOST],
        total=len(found), open=sum(call.disposition is None for call in found), counted_at=hub.counted_at,
        line=hub.words.line(wanted.line), hour=wanted.hour, names=names, words=hub.words,
    )  # fmt: skip
