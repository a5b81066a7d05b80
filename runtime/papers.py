"""The papers the city gets, from the ledger of this instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from core.clock import TOKYO
from interactions.ticket import Ticket, TicketKind
from reports.daily import Outreach, daily_report
from reports.render import render_daily_csv, render_daily_html
from reports.render_evenness import render_evenness_csv, render_evenness_html
from reports.render_shortfall import render_shortfall_csv, render_shortfall_html
from runtime.floor_papers import draft_path, evenness_of, keep_draft, shortfall_of
from runtime.install.asterisk import find_asterisk
from runtime.instance import Instance
from runtime.records import Records, prove_day, wire_kept
from runtime.remembered import desk_origin
from services.city_facts import named_facts


async def daily_paper(city: str | None, day: date, format_: str) -> str:
    """`report daily`: the day as HTML or CSV, after taking in what is on disk."""
    instance = Instance.open(city=city)
    database = instance.database
    await database.migrate()
    await Records(instance.settings, instance.profile, database, instance.clock).take_in()
    since = datetime(day.year, day.month, day.day, tzinfo=TOKYO).timestamp()
    until = since + timedelta(days=1).total_seconds()
    async with database.reading() as unit:
        calls = await unit.calls.between(since, until)
        tickets = await unit.tickets.between(since, until)
    facts = await named_facts(instance.profile, day, database.reading)
    proof = None
    if wire_kept(instance.profile, since):
        proof = await prove_day(instance.settings, instance.profile, database, instance.clock, day)
    await database.close()
    staffing = instance.profile.acd.staffing
    calls_out = staffing is not None and staffing.outbound is not None
    asterisk = find_asterisk(instance.settings.tools)
    report = daily_report(
        facts,
        day,
        calls,
        instance.clock.city_time_of,
        made_at=instance.clock.city_now(),
        reconciliation=proof,
        versions={"Asterisk": asterisk.version} if asterisk else {},
        outreach=outreach_of(tickets, instance.clock.city_time_of) if calls_out else None,
    )
    desk = desk_origin(instance.settings)
    return render_daily_html(report, desk) if format_ == "html" else render_daily_csv(report)


def outreach_of(tickets: Iterable[Ticket], city_time_of: Callable[[float], datetime]) -> list[Outreach]:
    """The calls to offices and homes among what was written down."""
    return [
        Outreach(
            at=city_time_of(each.opened_at),
            facility=each.person,
            content=each.content,
            result=each.result,
            by=each.owner,
        )
        for each in tickets
        if each.kind is TicketKind.OUTREACH
    ]


async def evenness_paper(city: str | None, day: date, format_: str) -> str:
    """`report evenness`: the ISO week of `day`, after taking in what is on disk."""
    instance = await ready_instance(city)
    try:
        report = await evenness_of(instance.profile, instance.database, instance.clock, day)
    finally:
        await instance.database.close()
    desk = desk_origin(instance.settings)
    return render_evenness_html(report, desk) if format_ == "html" else render_evenness_csv(report)


async def shortfall_paper(
    city: str | None, first_day: date, last_day: date, format_: str, *, save: bool, say: Callable[[str], None]
) -> str:
    """`report shortfall`: the period as HTML or CSV; with `save` the page is also kept as a draft to be edited."""
    instance = await ready_instance(city)
    try:
        report = await shortfall_of(instance.profile, instance.database, instance.clock, first_day, last_day)
    finally:
        await instance.database.close()
    page = render_shortfall_html(report, desk_origin(instance.settings))
    if save:
        path = draft_path(instance.settings, first_day, last_day)
        kept = keep_draft(path, page)
        say(f"案を置きました: {path}" if kept else f"書き込みのある案があるため、そのままにしました: {path}")
    return page if format_ == "html" else render_shortfall_csv(report)


async def ready_instance(city: str | None) -> Instance:
    """The instance with everything from disk in its ledger."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
    return instance
