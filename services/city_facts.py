"""What the papers have to know of the city, from its profile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from acd.demand import Demand
from ivr.spoken import say_timetable
from reports.daily import CityFacts
from reports.evenness import SkillGroup
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
        menu_names=menu_names(profile),
        opening=say_timetable(profile.hours, "ja"),
        target_source=profile.city.spec if targets.answer_rate is not None else "",
    )


def menu_names(profile: CityProfile) -> dict[str, str]:
    """Menus in words: the first one, by the line it belongs to, or by its place."""
    lines = {line.id: line.name_ja for line in profile.acd.lines}
    names = {}
    for place, menu in enumerate(profile.ivr.menus, start=1):
        if menu.id == profile.ivr.start:
            names[menu.id] = "はじめのメニュー"
        else:
            names[menu.id] = (
                f"「{lines[menu.id]}」のメニュー" if menu.id in lines else f"{place}番目のメニュー"
            )
    return names


async def named_facts(profile: CityProfile, day: date, reading: UnitOfWorkFactory) -> CityFacts:
    """The same, with the operators' names as the centre keeps them."""
    facts = city_facts(profile, day)
    async with reading() as unit:
        names = {str(each.id): each.name for each in await unit.operators.list() if each.name}
    return replace(facts, operator_names={**facts.operator_names, **names})


def skill_groups(profile: CityProfile) -> tuple[SkillGroup, ...]:
    """Everything, each line, each further language, and each topic that a line asks for."""
    acd = profile.acd
    demands = [demand for demand, _line in acd.demands()]
    names = {"ja": "日本語", "en": "英語"}

    def group(identity: str, name: str, found: Iterable[Demand]) -> SkillGroup:
        return SkillGroup(id=identity, name_ja=name, demands=frozenset(demand.name for demand in found))

    groups = [group("all", "すべての業務", demands)]
    if len(acd.lines) > 1:
        groups += [
            group(line.id, line.name_ja, [d for d in demands if d.line == line.id]) for line in acd.lines
        ]
    first = {line.languages[0] for line in acd.lines}
    for language in sorted({demand.language for demand in demands} - first):
        name = f"{names.get(language, language)}での対応"
        groups.append(group(language, name, [d for d in demands if d.language == language]))
    for skill in acd.skills:
        topic = group(skill.id, skill.name_ja, [d for d in demands if skill.id in d.stages[0].least])
        if topic.demands:
            groups.append(topic)
    return tuple(groups)


def department_names(profile: CityProfile) -> dict[str, str]:
    """Departments by extension."""
    return {entry.extension: entry.name_ja for entry in profile.acd.directory}
