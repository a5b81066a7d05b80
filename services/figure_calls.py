"""The calls behind a figure, from the ledger, a day at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date

from core.clock import Clock
from core.ids import CallId
from ledger.calls import Call
from reports.answer_rates import offered
from reports.behind import (
    BY_CONTRACT,
    FOLLOWED,
    LONGEST,
    TOPIC,
    count_of,
    stands,
    title_of,
    unknown,
    waited_longest,
)
from reports.daily import CityFacts
from reports.evenness import carried_in
from reports.opening import Opening
from reports.quality import legs_in, route_name
from reports.resolution import AGAIN_DAYS, Following
from reports.tally import milliseconds
from services.city import CityProfile
from services.city_facts import city_facts, department_names, skill_groups
from services.faq_ports import UseKind
from services.ports import UnitOfWorkFactory
from services.proofs import DAY, city_moment
from speech.quality import outcomes

OWN = ("carried", "legs", "theme", "entry", "named")
"""Figures of papers with counts of their own: `carried_by`, `legs_in`, items of the checklist, uses of an entry, and
calls named one by one."""


class FigureCalls:
    """Lists what a figure counts, by the figure's own count.

    Args:
        profile: its contract's definition on the last day counts.
    """

    def __init__(self, reading: UnitOfWorkFactory, clock: Clock, profile: CityProfile) -> None:
        self._reading, self._clock, self._profile = reading, clock, profile
        self._groups = {group.id: group for group in skill_groups(profile)}

    def _facts_of(self, day: date) -> CityFacts:
        return city_facts(self._profile, day)

    def title(self, opening: Opening) -> str:
        """What is listed, in words. Raises ToritsugiError when there is no such count."""
        kind = opening.metric.partition(":")[0]
        if kind in OWN:
            return self._own_title(kind, opening)
        if opening.metric.startswith(TOPIC):
            topic = opening.metric.removeprefix(TOPIC)
            names = {each.id: each.name_ja for each in self._profile.interactions.categories}
            what = "すべての応対" if topic == "*" else f"分類「{names.get(topic, '分類なし')}」の応対"
            return f"{what}（応対ごとに最初の通話）"
        return title_of(opening.metric, self._facts_of(opening.last))

    def _own_title(self, kind: str, opening: Opening) -> str:
        rest = opening.metric.partition(":")[2]
        what, _, name = rest.partition(":")
        try:
            match kind:
                case "carried":
                    return carried_in(opening.metric, self._groups)[0]
                case "legs":
                    title, route, _times = legs_in(opening.metric)
                    return f"{title}（{route_name(route, department_names(self._profile))}）"
                case "theme":
                    done = {"missed": "できていない項目がある", "checked": "確かめた"}[what]
                    titles = {item.id: item.name_ja for item in self._profile.speech.quality.items}
                    return f"研修のテーマ「{titles.get(name, name)}」：{done}電話"
                case "named":
                    return "FAQ の不足とされた電話"
                case _:
                    return f"項目 {name} を{UseKind(what).label_ja}した応対（応対ごとに最初の通話）"
        except (KeyError, ValueError) as problem:
            raise unknown(opening.metric) from problem

    async def behind(self, opening: Opening) -> AsyncIterator[Call]:
        """Every call that the figure counts, by arrival. Raises as `counted`."""
        async for call, _times in self.counted(opening):
            yield call

    async def counted(self, opening: Opening) -> AsyncIterator[tuple[Call, int]]:
        """Every call of the figure by arrival, with how often it stands in it; the sum of these is the figure.

        Once, but for figures of talks, offers and legs, of which a call has several, and for figures of numbers: of
        a number's calls the first one stands for all.

        Raises:
            ToritsugiError: there is no such count.
        """
        kind, _, rest = opening.metric.partition(":")
        if kind in ("carried", "legs"):
            async for found in self._several(kind, opening):
                yield found
        elif kind in ("theme", "entry"):
            async for found in self._recorded(kind, opening):
                yield found
        elif kind == "named":
            async with self._reading() as unit:
                known = await unit.calls.get([CallId(each) for each in rest.split(",")])
            for call in sorted(known.values(), key=lambda each: (each.arrived_at, each.call_id)):
                yield call, 1
        elif opening.metric in ("callers", "repeaters"):
            async for found in self._numbers(opening):
                yield found
        else:
            async for call in self._once(opening):
                yield call, 1

    async def _several(self, kind: str, opening: Opening) -> AsyncIterator[tuple[Call, int]]:
        try:
            if kind == "carried":
                _, times = carried_in(opening.metric, self._groups)
            else:
                _, _, times = legs_in(opening.metric)
        except (KeyError, ValueError) as problem:
            raise unknown(opening.metric) from problem
        async for call, inside in self._within(opening):
            if inside and (number := times(call)):
                yield call, number

    async def _recorded(self, kind: str, opening: Opening) -> AsyncIterator[tuple[Call, int]]:
        """Calls known by what was written down about them: checks of their quality, uses of an entry."""
        what, _, name = opening.metric.partition(":")[2].partition(":")
        if what not in (("missed", "checked") if kind == "theme" else list(UseKind)):
            raise unknown(opening.metric)
        day = opening.first
        async with self._reading() as unit:
            while day <= opening.last:
                begin, end = (city_moment(self._clock, each) for each in (day, day + DAY))
                found = Counter[CallId]()
                if kind == "theme":
                    for check in await unit.quality.between(begin, end):
                        for item, done in outcomes(check.record, check.overruled):
                            found[check.call_id] += item["id"] == name and (what == "checked" or not done)
                else:
                    uses = [each for each in await unit.faq.uses(begin, end, name) if each.kind == what]
                    cases = {
                        case.case_id: case
                        for case in await unit.cases.many(sorted({each.case_id for each in uses}))
                    }
                    for use in uses:
                        if (case := cases.get(use.case_id)) is not None and case.calls:
                            found[case.calls[0].call_id] += 1
                known = await unit.calls.get([call_id for call_id, times in found.items() if times])
                for call in sorted(known.values(), key=lambda each: (each.arrived_at, each.call_id)):
                    yield call, found[call.call_id]
                day += DAY

    async def _numbers(self, opening: Opening) -> AsyncIterator[tuple[Call, int]]:
        """All calls of the numbers that called, or called again; each number counts with its first one."""
        following = Following(
            city_moment(self._clock, opening.first), city_moment(self._clock, opening.last + DAY)
        )
        async for call, _ in self._within(opening, AGAIN_DAYS):
            following.add(call)
        following.result()
        mine = following.numbers(2 if opening.metric == "repeaters" else 1)
        left = set(mine)
        incoming = count_of("incoming", self._facts_of(opening.last))
        async for call, inside in self._within(opening):
            number = call.caller.number if call.caller else None
            if number in mine and inside and stands(incoming, call):
                yield call, int(number in left)
                left.discard(number)

    async def _once(self, opening: Opening) -> AsyncIterator[Call]:
        if opening.metric.startswith(TOPIC):
            found = self._of_topic(opening)
        elif opening.metric in FOLLOWED:
            found = self._followed(opening)
        elif opening.metric == LONGEST:
            found = self._longest(opening)
        else:
            found = self._counted(opening)
        async for call in found:
            yield call

    async def _within(self, opening: Opening, more_days: int = 0) -> AsyncIterator[tuple[Call, bool]]:
        """The calls of the period by arrival, and whether they lie in the part that is asked for."""
        day = opening.first
        async with self._reading() as unit:
            while day <= opening.last + more_days * DAY:
                calls = await unit.calls.between(
                    city_moment(self._clock, day), city_moment(self._clock, day + DAY)
                )
                for call in calls:
                    local = self._clock.city_time_of(call.arrived_at)
                    yield call, opening.holds(local.date(), local.hour, call.line or "")
                day += DAY

    async def _counted(self, opening: Opening) -> AsyncIterator[Call]:
        facts = self._facts_of(opening.last)
        by_contract = opening.metric == BY_CONTRACT
        count = count_of("offered" if by_contract else opening.metric, facts)
        async for call, inside in self._within(opening):
            if inside and by_contract:
                rule = facts.rule_on(self._clock.city_time_of(call.arrived_at).date())
                if stands(lambda tally, rule=rule: offered(tally, rule), call):  # type: ignore[misc]
                    yield call
            elif inside and stands(count, call):
                yield call

    async def _longest(self, opening: Opening) -> AsyncIterator[Call]:
        queued = count_of("queued", self._facts_of(opening.last))
        longest = -1
        async for call, inside in self._within(opening):
            if inside and stands(queued, call):
                longest = max(longest, milliseconds(call.wait_s or 0.0))
        async for call, inside in self._within(opening):
            if inside and waited_longest(call, longest):
                yield call

    async def _followed(self, opening: Opening) -> AsyncIterator[Call]:
        """Estimates that look at the days after."""
        settled: list[Call] = []
        metric = opening.metric
        answered = count_of("answered", self._facts_of(opening.last))

        def keep(call: Call, resolved: bool) -> None:
            if stands(answered, call) and (resolved or metric == "answered_known"):
                settled.append(call)

        following = Following(
            city_moment(self._clock, opening.first), city_moment(self._clock, opening.last + DAY), keep
        )
        async for call, _ in self._within(opening, AGAIN_DAYS):
            following.add(call)
        following.result()
        for call in settled:
            local = self._clock.city_time_of(call.arrived_at)
            if opening.holds(local.date(), local.hour, call.line or ""):
                yield call

    async def _of_topic(self, opening: Opening) -> AsyncIterator[Call]:
        day, topic = opening.first, opening.metric.removeprefix(TOPIC)
        known_topics = {each.id for each in self._profile.interactions.categories}
        async with self._reading() as unit:
            while day <= opening.last:
                begin, end = (city_moment(self._clock, each) for each in (day, day + DAY))
                firsts = [
                    case.calls[0].call_id
                    for case in await unit.cases.between(begin, end)
                    if case.calls
                    and (
                        topic == "*"
                        or (case.category == topic if topic else case.category not in known_topics)
                    )
                ]
                known = await unit.calls.get(firsts)
                for call_id in firsts:
                    if call_id in known:
                        yield known[call_id]
                day += DAY
