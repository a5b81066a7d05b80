"""The papers the city gets, from the ledger of this instance."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from core.clock import TOKYO
from ivr.spoken import say_timetable
from reports.daily import CityFacts, daily_report
from reports.render import render_daily_csv, render_daily_html
from runtime.install.asterisk import find_asterisk
from runtime.instance import Instance
from runtime.records import Records, prove, wire_kept
from services.city import CityProfile

LONG_WAIT_S = 300.0
"""千葉 7(5)オ(イ) names five minutes; where a city's profile names its own limit, that one counts."""


def city_facts(profile: CityProfile, day: date) -> CityFacts:
    """What a report has to know of the city on `day`."""
    targets = profile.acd.targets
    return CityFacts(
        city=profile.city.name_ja,
        centre=profile.city.centre_ja,
        answer_rate_target=targets.answer_rate,
        answer_rate_definition=profile.reports.answer_rate_definition,
        short_abandon_s=float(targets.short_abandon_s),
        long_wait_s=float(targets.wait_alert_s or LONG_WAIT_S),
        line_names={line.id: line.name_ja for line in profile.acd.lines},
        operator_names={person.id: person.name_ja for person in profile.demo.operators},
        opening=say_timetable(profile.hours, "ja"),
        target_source=profile.city.spec if targets.answer_rate is not None else "",
    )


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
    proof = None
    if wire_kept(instance.profile, since):
        proof = await prove(instance.settings, instance.profile, database, since, until)
    await database.close()
    asterisk = find_asterisk(instance.settings.tools)
    report = daily_report(
        city_facts(instance.profile, day),
        day,
        calls,
        instance.clock.city_time_of,
        made_at=instance.clock.city_now(),
        reconciliation=proof,
        versions={"Asterisk": asterisk.version} if asterisk else {},
    )
    return render_daily_html(report) if format_ == "html" else render_daily_csv(report)
