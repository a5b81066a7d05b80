"""Papers of a period: one pass over the ledger, one paper, any format."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO

from core.errors import ToritsugiError
from core.masking import mask_number
from core.settings import settings_from
from interactions.ticket import Ticket, TicketKind
from reports.answer_rates import answers_needed, offered, short_by
from reports.availability import availability_of
from reports.cells import day_text, percent
from reports.city_papers import AVAILABILITY, DAILY, DEFAULT, FAQ, METER, SERVICE, build_paper
from reports.due import Span, span_of
from reports.formats import Format, csv_lines, html_parts, write_pdf, write_xlsx
from reports.metrics import answered
from reports.paper import Paper, Rows, Words
from reports.period import Period
from reports.profile import ReportSection
from reports.resolution import AGAIN_DAYS, Following
from reports.sections.material import CASE_COLUMNS, Complaint, HandledCase, Material, case_cells
from reports.sections.uptime import Uptime
from runtime.availability import read_minutes
from runtime.faq_material import faq_use, service_material
from runtime.floor_papers import midnight, month_of
from runtime.install.pango import ensure_pango
from runtime.instance import Instance
from runtime.papers import outreach_of
from runtime.remembered import desk_origin
from runtime.staffing import calls_by_day, open_times, ready
from services.city import CityProfile
from services.city_facts import named_facts

Say = Callable[[str], None]
DAY = timedelta(days=1)
METER_TITLE = "応答率メーター"
BY_MONTH = {
    "faq": ("FAQ の利用の報告", FAQ),
    "service": ("応対品質の報告", SERVICE),
    "availability": ("稼働率の報告", AVAILABILITY),
}
"""Monthly papers of every city, unless its profile has them in its own words."""
WITHHELD = "（限られた人だけが見る応対）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which paper, of which days."""

    kind: str
    title: str
    first_day: date
    last_day: date
    sections: tuple[str, ...]
    period_text: str


def wanted_paper(profile: CityProfile, kind: str, day: date) -> Wanted:
    """The paper of a kind whose period holds `day`.

    Raises:
        ToritsugiError: the city gets no such paper, or the day lies outside the contract.
    """
    if kind == "meter":
        first, last = month_of(day)
        return Wanted(
            kind=kind, title=METER_TITLE, first_day=first, last_day=last, sections=METER,
            period_text=f"{day.year}年{day.month}月",
        )  # fmt: skip
    if kind in BY_MONTH and all(each.kind != kind for each in profile.reports.papers):
        first, last = month_of(day)
        title, sections = BY_MONTH[kind]
        return Wanted(
            kind=kind, title=title, first_day=first, last_day=last, sections=sections,
            period_text=period_text(first, last),
        )  # fmt: skip
    if kind == "daily":
        own = next((each.sections for each in profile.reports.papers if each.kind == kind), ())
        return Wanted(
            kind=kind, title="日次報告書", first_day=day, last_day=day, sections=own or DAILY,
            period_text=day_text(day),
        )  # fmt: skip
    section = next((each for each in profile.reports.papers if each.kind == kind), None)
    if section is None:
        names = ", ".join(each.kind for each in profile.reports.papers)
        raise ToritsugiError(
            f"{profile.city.name_ja}にはない報告です: {kind}",
            where="種類",
            cure=f"次のどれか: meter, {', '.join(BY_MONTH)}, {names}",
        )
    first, last = days_of(profile, section, day)
    if first > last:
        raise ToritsugiError(
            f"{day} は契約期間（{profile.calendar.contract_from} から {profile.calendar.contract_to}）の外です",
            where="--date, --month",
            cure="契約期間の日を書く",
        )
    return Wanted(
        kind=kind, title=section.name_ja.partition("(")[0], first_day=first, last_day=last,
        sections=section.sections or DEFAULT, period_text=period_text(first, last),
    )  # fmt: skip


def days_of(profile: CityProfile, section: ReportSection, day: date) -> tuple[date, date]:
    """First and last day of the period that holds `day`, within the contract."""
    begin, end = profile.calendar.contract_from, profile.calendar.contract_to
    match span_of(section):
        case Span.DAY | Span.EVENT:
            first, last = day, day
        case Span.WEEK:
            first = day - timedelta(days=day.weekday())
            last = first + timedelta(days=6)
        case Span.MONTH:
            first, last = month_of(day)
        case Span.SO_FAR:
            first, last = begin, month_of(day)[1]
        case _:
            first, last = begin, end
    return max(first, begin), min(last, end)


def period_text(first: date, last: date) -> str:
    """`2026年6月`, or from day to day."""
    if (first, last) == month_of(first):
        return f"{first.year}年{first.month}月"
    return day_text(first) if first == last else f"{day_text(first)}から{day_text(last)}まで"


async def material_of(instance: Instance, wanted: Wanted, *, say: Say = lambda _: None) -> Material:
    """Everything counted for a paper, a day at a time."""
    profile, clock = instance.profile, instance.clock
    facts = await named_facts(profile, wanted.last_day, instance.database.reading)
    period = Period(
        city=facts,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        city_time_of=clock.city_time_of,
    )
    since, until = midnight(wanted.first_day), midnight(wanted.last_day + DAY)
    estimates = {"rates", "service_words"} & set(wanted.sections)
    following = Following(since, until) if estimates else None
    month = wanted.first_day.month
    async for calls in calls_by_day(
        instance.database, since, until + (AGAIN_DAYS * 86_400.0 if following else 0.0)
    ):
        for call in calls:
            period.add(call)
            if following is not None:
                following.add(call)
        if not calls or (local := clock.city_time_of(calls[-1].arrived_at)).date() > wanted.last_day:
            continue
        if local.month != month:
            month = local.month
            say(f"{local:%Y-%m} に入りました")
    material = Material(
        period=period,
        topics={each.id: each.name_ja for each in profile.interactions.categories},
        places=profile.reports.places,
        resolution=following.result() if following is not None else None,
    )
    if {"cases", "topics"} & set(wanted.sections):
        await _add_cases(instance, material, since, until)
    if any(name.startswith("faq") for name in wanted.sections):
        material.faq = await faq_use(instance, since, until)
    if "uptime" in wanted.sections:
        now = clock.epoch()
        measured = read_minutes(instance.settings, since, min(until, now))
        material.uptime = Uptime(
            found=availability_of(measured, since, max(since, min(until, now))),
            target=profile.reports.availability,
            city_time_of=clock.city_time_of,
        )
    if {"themes", "evenness", "service_words"} & set(wanted.sections):
        material.service = await service_material(instance, wanted.first_day, wanted.last_day, since, until)
    async with instance.database.reading() as unit:
        tickets = await unit.tickets.between(since, until)
    names = {entry.extension: entry.name_ja for entry in profile.acd.directory}
    material.complaints = [
        _complaint(each, clock.city_time_of, names)
        for each in tickets
        if each.kind in (TicketKind.COMPLAINT, TicketKind.WRONG_GUIDANCE)
    ]
    material.outreach = outreach_of(tickets, clock.city_time_of)
    return material


async def _add_cases(instance: Instance, material: Material, since: float, until: float) -> None:
    """The cases of the period, a day at a time."""
    names = material.period.city.operator_names
    counts: Counter[str] = Counter()
    material.cases = Rows(CASE_COLUMNS)
    async with instance.database.reading() as unit:
        while since < until:
            end = min(since + 86_400.0, until)
            for case in await unit.cases.between(since, end):
                if case.joined_into is not None:
                    continue
                counts[case.category or ""] += 1
                numbers = [call.caller for call in case.calls if call.caller]
                hidden = WITHHELD if case.confidential else None
                material.cases.append(
                    case_cells(
                        HandledCase(
                            at=instance.clock.city_time_of(case.started_at),
                            case_id=case.case_id,
                            caller=mask_number(numbers[0]) if numbers else "番号なし",
                            topic=material.topics.get(case.category or "", ""),
                            operator="→".join(names.get(each, each) for each in case.operators),
                            status=case.status.label_ja,
                            question=hidden or case.question,
                            answer=hidden or case.answer,
                        )
                    )
                )
            since = end
    material.topic_counts = counts


def _complaint(
    ticket: Ticket, city_time_of: Callable[[float], datetime], departments: Mapping[str, str]
) -> Complaint:
    told = [step.note for step in ticket.steps if step.note]
    return Complaint(
        at=city_time_of(ticket.opened_at),
        kind=ticket.kind.label_ja,
        content=ticket.content,
        department=departments.get(ticket.department, ticket.department),
        state=ticket.state.label_ja,
        handling=ticket.result or "、".join(told),
    )


# ---- the paper -----------------------------------------------------------------------------------


async def period_paper(instance: Instance, kind: str, day: date, say: Say = lambda _: None) -> Paper:
    """The paper of a kind whose period holds `day`.

    Raises:
        ToritsugiError: the city gets no such paper, or the period has no calls.
    """
    wanted = wanted_paper(instance.profile, kind, day)
    return await _paper(instance, wanted, say)


async def meter_of_day(instance: Instance, day: date, say: Say = lambda _: None) -> Paper:
    """The answer-rate meter of one day."""
    wanted = Wanted(
        kind="meter", title=METER_TITLE, first_day=day, last_day=day,
        sections=tuple(name for name in METER if name not in ("day_chart", "days")), period_text=day_text(day),
    )  # fmt: skip
    return await _paper(instance, wanted, say)


async def _paper(instance: Instance, wanted: Wanted, say: Say) -> Paper:
    material = await material_of(instance, wanted, say=say)
    period, now = material.period, instance.clock.city_now()
    if not period.cells and wanted.kind not in ("incident", "faq", "availability"):
        raise ToritsugiError(
            f"{wanted.period_text}の電話は台帳にありません",
            where="--date, --month",
            cure="電話のある期間を書くか、ledger export で確かめる",
        )
    notes = []
    if wanted.last_day >= now.date():
        notes.append("期間の途中までの数値です。")
    if still := period.whole.open:
        notes.append(f"まだ終わっていない電話が{still}件あります。")
    paper = build_paper(
        kind=wanted.kind,
        title=wanted.title,
        period_text=wanted.period_text,
        material=material,
        sections=wanted.sections,
        made_at=now,
        notes=notes,
        desk=desk_origin(instance.settings),
    )
    if wanted.kind == "meter":
        line = needed_text(instance.profile, period, now.date())
        if line:
            paper = replace(
                paper, blocks=(Words(id="needed", title="目標まで", lines=(line,)), *paper.blocks)
            )
    return paper


def needed_text(profile: CityProfile, period: Period, today: date) -> str:
    """How many answers the rest of the period needs; empty without a target, or on a day by itself.

    The rest is taken to bring, on each open day left, what an open day so far has brought.
    """
    target, tally = period.city.answer_rate_target, period.whole
    if target is None or period.first_day == period.last_day:
        return ""
    every = [
        period.first_day + timedelta(days=number)
        for number in range((period.last_day - period.first_day).days + 1)
    ]
    opened = [day for day in every if open_times(profile.hours, day)]
    left = [day for day in opened if day >= today]
    behind = len(opened) - len(left)
    so_far, whole = answered(tally), offered(tally, period.city.rule)
    if not left:
        missing = short_by(so_far, whole, target)
        if not missing:
            return f"目標の{percent(target)}に届いています（分母{whole:,}件、応答{so_far:,}件）。"
        return f"目標の{percent(target)}まで、応答が{missing:,}件足りませんでした。"
    if not behind:
        return "まだ見込みを立てるだけの日がありません。"
    coming = round(whole / behind * len(left))
    needed = answers_needed(so_far, whole, target, coming)
    rest = f"残り{len(left)}日に{coming:,}件を求められる見込みのうち"
    if needed is None:
        return f"{rest}、すべてに応答しても{percent(target)}には届きません。"
    return f"{rest}、あと{needed:,}件に応答すれば{percent(target)}に届きます。"


async def made_paper(
    city: str | None, kind: str, day: date, *, whole_month: bool, say: Say
) -> tuple[Instance, Paper]:
    """The paper, after taking in what is on disk; the instance is closed."""
    instance = await ready(city, say)
    try:
        if kind == "meter" and not whole_month:
            paper = await meter_of_day(instance, day, say)
        else:
            paper = await period_paper(instance, kind, day, say)
    finally:
        await instance.database.close()
    return instance, paper


def write_paper(paper: Paper, format_: Format, target: Path | None) -> None:
    """To a file, complete or not at all; or to stdout."""
    if target is None:
        write_format(paper, format_, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    write_whole(target, lambda file: write_format(paper, format_, file))


def write_whole(target: Path, write: Callable[[IO[bytes]], object]) -> None:
    """A file that is complete or not there: killed half-way, what stood there before is left.

    Raises:
        ToritsugiError: it cannot be written.
    """
    partial = target.with_name(f".{target.name}.new")
    try:
        with partial.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as problem:
        raise ToritsugiError(
            f"書けません: {target}", where="--out", cure="フォルダーと空きを確かめる"
        ) from problem
    finally:
        partial.unlink(missing_ok=True)


def write_format(paper: Paper, format_: Format, target: IO[bytes]) -> None:
    """One format of a paper."""
    match format_:
        case Format.HTML:
            for part in html_parts(paper):
                target.write(part.encode("utf-8"))
        case Format.CSV:
            for part in csv_lines(paper):
                target.write(part.encode("utf-8"))
        case Format.XLSX:
            write_xlsx(paper, target)
        case Format.PDF:
            ensure_pango(settings_from().tools)
            write_pdf(paper, target)
