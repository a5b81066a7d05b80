"""The opening hours as a calendar, and what somebody who calls at a moment hears."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.hours import OpeningHours
from core.hours_profile import WEEKDAYS_JA
from desk.routes import Table
from desk.visit import Form, Visit
from services.access import Permission
from services.city_text import describe_hours

table = Table()


class Wanted(Form):
    """Which month, and which moment of the city's clock."""

    month: Annotated[str, Field(title="月", pattern=r"^(20\d\d|21\d\d)-(0[1-9]|1[0-2])$|^$")] = ""
    at: Annotated[str, Field(title="日時", max_length=19)] = ""
    language: Annotated[str, Field(title="言語", max_length=8)] = "ja"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCell:
    """One day of the calendar."""

    day: date
    hours: tuple[str, ...]
    """`8:30–17:15`; empty when it is closed."""
    why: str
    """Why it is closed, or what makes it another day than usual."""


def weeks_of(hours: OpeningHours, first: date) -> list[list[DayCell | None]]:
    """The weeks of a month, Monday first; None stands for days of other months."""
    month = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return [[_cell(hours, day) if day.month == first.month else None for day in week] for week in month]


def _cell(hours: OpeningHours, day: date) -> DayCell:
    plan = hours.plan(day)
    why = "" if plan.reason is None else plan.reason.label_ja
    return DayCell(
        day=day,
        hours=tuple(f"{_clock(each.opens)}–{_clock(each.closes)}" for each in plan.intervals),
        why=plan.name or why,
    )


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


def moment_of(text: str) -> datetime:
    """What a date field sends, as a moment of Japan. Raises ToritsugiError."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=TOKYO)
    except ValueError as problem:
        raise ToritsugiError("日時が読めません", where="日時", cure="例: 2026-12-30T16:30") from problem
    if not 2000 <= moment.year <= 2199:
        raise ToritsugiError("調べられない年です", where="日時", cure="2000 年から 2199 年までにする")
    return moment


@table.get("/board/hours", Permission.FLOOR_WATCH, "受付時間", query=Wanted)
async def hours(visit: Visit) -> web.StreamResponse:
    wanted, desk = visit.query(Wanted), visit.desk
    now = desk.clock.city_now()
    at = moment_of(wanted.at) if wanted.at else now
    first = date.fromisoformat(f"{wanted.month}-01") if wanted.month else at.date().replace(day=1)
    notice, closure = desk.control.notice(), desk.control.closure()
    told = describe_hours(desk.profile, at, wanted.language, closure).splitlines()
    # Who finds the centre closed hears nothing else (`ivr.session`).
    runs = notice is not None and (notice.until is None or at < notice.until)
    runs = runs and desk.profile.hours.state_at(at, closure).open
    return desk.looks.page(
        "board/hours_page.html", visit, weeks=weeks_of(desk.profile.hours, first), first=first,
        before=first - timedelta(days=1), after=first + timedelta(days=31), weekdays=WEEKDAYS_JA,
        today=now.date(), at=at, head=told[0], told=_pairs(told[1:]), language=wanted.language,
        spoken=desk.profile.ivr.languages, notice=notice if runs else None, texts=desk.profile.prompts.texts["ja"],
    )  # fmt: skip


def _pairs(lines: Sequence[str]) -> list[tuple[str, str]]:
    """`理由: 祝日` as name and value."""
    parted = (line.partition(": ") for line in lines)
    return [(name, value) for name, _, value in parted]
