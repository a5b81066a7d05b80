"""The papers that need operators' time: evenness of a week, and the shortfall of a period with its drafts on disk."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from core.clock import TOKYO, Clock
from core.hours import OpeningHours
from core.ids import OperatorId, demand_of
from core.settings import Settings
from ledger.calls import Call
from ledger.facts import Fact
from ledger.presence import presences
from reports.evenness import EvennessReport, Explained, LoadBy, evenness_report, week_of
from reports.render_shortfall import render_shortfall_html
from reports.shortfall import ShortfallReport, shortfall_report
from runtime.remembered import desk_origin
from services.city import CityProfile
from services.city_facts import city_facts, skill_groups
from services.ports import UnitOfWork
from storage.database import Database

log = logging.getLogger(__name__)

DAY_S = 86_400.0
USUAL_WEEKS = 8
"""So far back is looked for what is usual at an hour of a weekday."""
SIGNED_IN_BEFORE_S = 31 * 86_400.0
"""Who signed in longer before the first day of a paper, and never out, is not seen."""
DRAFTED = "reports.shortfall_looked_at"
"""The setting that holds the last month (`2026-10`) for which a draft was considered."""


def midnight(day: date) -> float:
    """When a day began in Japan, epoch seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO).timestamp()


def _days(since: float, until: float) -> Iterator[tuple[float, float]]:
    """The period in pieces of a day: reading it at once would hold up the loop that calls run in."""
    while since < until:
        yield since, min(since + DAY_S, until)
        since += DAY_S


async def _calls(unit: UnitOfWork, since: float, until: float) -> list[Call]:
    return [call for piece in _days(since, until) for call in await unit.calls.between(*piece)]


async def _presence_facts(unit: UnitOfWork, since: float, until: float) -> list[Fact]:
    pieces = _days(since - SIGNED_IN_BEFORE_S, until)
    return [fact for piece in pieces for fact in await unit.facts.presence(*piece)]


async def _names(unit: UnitOfWork) -> dict[OperatorId, str]:
    return {OperatorId(each.id): each.name for each in await unit.operators.list()}


async def evenness_of(profile: CityProfile, database: Database, clock: Clock, day: date) -> EvennessReport:
    """The evenness of the ISO week that `day` lies in, up to now."""
    monday, sunday = week_of(day)
    since, until = midnight(monday), min(midnight(sunday + timedelta(days=1)), clock.epoch())
    async with database.reading() as unit:
        calls = await _calls(unit, since, until)
        told = await _presence_facts(unit, since, until)
        names = await _names(unit)
        offers = await unit.offers.between(since, until)
    return await asyncio.to_thread(
        evenness_report,
        city=profile.city.name_ja,
        centre=profile.city.centre_ja,
        day=day,
        groups=skill_groups(profile),
        calls=calls,
        presence=presences(told, until),
        since=since,
        until=until,
        city_time_of=clock.city_time_of,
        names=names,
        load_by=LoadBy(profile.acd.even_by.value),
        made_at=clock.city_now(),
        explained=[Explained(demand=demand_of(offer.queue), deviation=offer.deviation) for offer in offers],
    )


async def shortfall_of(
    profile: CityProfile, database: Database, clock: Clock, first_day: date, last_day: date
) -> ShortfallReport:
    """Where calls were lost from `first_day` to `last_day`, up to now."""
    since = midnight(first_day)
    until = min(midnight(last_day + timedelta(days=1)), clock.epoch())
    before = midnight(first_day - timedelta(weeks=USUAL_WEEKS))
    async with database.reading() as unit:
        calls = await _calls(unit, before, until)
        told = await _presence_facts(unit, before, until)
        restarts = [fact for fact in await unit.facts.restarts(since) if fact.at < until]
    return await asyncio.to_thread(
        shortfall_report,
        city_facts(profile, last_day),
        first_day,
        last_day,
        calls=calls,
        presence=await asyncio.to_thread(presences, told, until),
        shared=restarts,
        opening_s=lambda day, hour: opening_s(profile.hours, day, hour),
        city_time_of=clock.city_time_of,
        epoch_of=lambda day, hour: midnight(day) + 3600.0 * hour,
        made_at=clock.city_now(),
    )


def opening_s(hours: OpeningHours, day: date, hour: int) -> float:
    """Seconds of an hour of a day in which the telephone is to be staffed."""
    begin, end = 60 * hour, 60 * hour + 60
    return 60.0 * sum(
        max(0, min(end, each.closes) - max(begin, each.opens)) for each in hours.plan(day).intervals
    )


def month_of(day: date) -> tuple[date, date]:
    """First and last day of the month that `day` lies in."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def draft_path(settings: Settings, first_day: date, last_day: date) -> Path:
    """Where the draft of a period lies: `shortfall-2026-10.html` for a month, with the day for a day."""
    if (first_day, last_day) == month_of(first_day):
        name = f"{first_day:%Y-%m}"
    else:
        name = first_day.isoformat() if first_day == last_day else f"{first_day}--{last_day}"
    return settings.reports / f"shortfall-{name}.html"


def keep_draft(path: Path, text: str) -> bool:
    """Write a draft, unless somebody has written in the one that is there; whether it was written."""
    mark = path.with_name(f".{path.name}.sha256")
    if path.exists() and (
        not mark.exists() or mark.read_text(encoding="ascii") != _digest(path.read_bytes())
    ):
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = text.encode("utf-8")
    # The mark first: killed in between, the draft counts as edited and stays.
    partial = path.with_name(f".{path.name}.new")
    partial.write_bytes(data)
    mark.write_text(_digest(data), encoding="ascii")
    partial.replace(path)
    return True


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def draft_last_month(
    settings: Settings, profile: CityProfile, database: Database, clock: Clock
) -> Path | None:
    """Once after a month's end: the draft of its shortfall, when it missed the target; where it lies."""
    first, last = month_of(clock.city_now().date().replace(day=1) - timedelta(days=1))
    month = f"{first:%Y-%m}"
    async with database.reading() as unit:
        if await unit.settings.get(DRAFTED) == month:
            return None
    path: Path | None = None
    if profile.acd.targets.answer_rate is not None:
        report = await shortfall_of(profile, database, clock, first, last)
        if report.missed:
            path = draft_path(settings, first, last)
            if keep_draft(path, render_shortfall_html(report, desk_origin(settings))):
                log.warning("the answer rate of %s missed its target: a report is drafted in %s", month, path)
            else:
                log.info("a report on %s is there already and was edited: %s stays", month, path)
    async with database.uow() as unit:
        await unit.settings.put(DRAFTED, month)
    return path
