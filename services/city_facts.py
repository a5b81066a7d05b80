"""What the papers have to know of the city, from its profile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from ivr.spoken import say_timetable
from reports.daily import CityFacts
from services.city import CityProfile
from services.ports import UnitOfWorkFactory

LONG_WAIT_S = 300
"""千葉 7(5)オ(イ) names five minutes; where a city's profile names its own limit, that one counts."""


def city_facts(profile: CityProfile, day: date) -> CityFacts:
    """What a report has to know of the city; `day` is its last one, whose definition of 応答率 it shows."""
    targets = profile.acd.targets
    return CityFacts(
        city=profile.city.name_ja,
        centre=profile.city.centre_ja,
        answer_rate_target=targets.answer_rate,
        answer_rate_definition=profile.reports.rule_on(day),
        answer_rate_rules=profile.reports.rules,
        short_abandon_s=targets.short_abandon_s,
        long_wait_s=targets.wait_alert_s or LONG_WAIT_S,
        line_names={line.id: line.name_ja for line in profile.acd.lines},
        operator_names={person.id: person.name_ja for person in profile.demo.operators},
        opening=say_timetable(profile.hours, "ja"),
        target_source=profile.city.spec if targets.answer_rate is not None else "",
    )


async def named_facts(profile: CityProfile, day: date, reading: UnitOfWorkFactory) -> CityFacts:
    """The same, with the operators' names as the centre keeps them."""
    facts = city_facts(profile, day)
    async with reading() as unit:
        names = {str(each.id): each.name for each in await unit.operators.list() if each.name}
    return replace(facts, operator_names={**facts.operator_names, **names})
