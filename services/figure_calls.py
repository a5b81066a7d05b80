"""The calls behind a figure, from the ledger, a day at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

from core.clock import TOKYO, Clock
from ledger.calls import Call
from reports.answer_rates import offered
from reports.behind import BY_CONTRACT, FOLLOWED, LONGEST, TOPIC, count_of, stands, title_of, waited_longest
from reports.daily import CityFacts
from reports.opening import Opening
from reports.resolution import AGAIN_DAYS, Following
from reports.tally import milliseconds
from services.city import CityProfile
from services.city_facts import city_facts
from services.ports import UnitOfWorkFactory

DAY = timedelta(days=1)


def city_moment(clock: Clock, day: date) -> float:
    """The real moment at which a day of the city's clock begins."""
    return clock.epoch_of(datetime(day.year, day.month, day.day, tzinfo=TOKYO))


class FigureCalls:
    """Lists what a figure counts, by the figure's own count.

    Args:
        profile: its contract's definition on the last day counts.
    """

    def __init__(self, reading: UnitOfWorkFactory, clock: Clock, profile: CityProfile) -> None:
        self._reading, self._clock, self._profile = reading, clock, profile

    def _facts_of(self, day: date) -> CityFacts:
        return city_facts(self._profile, day)

    def title(self, opening: Opening) -> str:
        """What is listed, in words. Raises ToritsugiError when there is no such count."""
        if opening.metric.startswith(TOPIC):
            topic = opening.metric.removeprefix(TOPIC)
            names = {each.id: each.name_ja for each in self._profile.interactions.categories}
            what = "すべての応対" if topic == "*" else f"分類「{names.get(topic, '分類なし')}」の応対"
            return f"{what}（応対ごとに最初の通話）"
        return title_of(opening.metric, self._facts_of(opening.last))

    async def behind(self, opening: Opening) -> AsyncIterator[Call]:
        """Every call that the figure counts, by arrival.

        Raises:
            ToritsugiError: there is no such count.
        """
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
        if metric in ("callers", "repeaters"):
            left = following.numbers(2 if metric == "repeaters" else 1)
            incoming = count_of("incoming", self._facts_of(opening.last))
            async for call, inside in self._within(opening):
                number = call.caller.number if call.caller else None
                if number in left and stands(incoming, call):
                    left.discard(number)
                    if inside:
                        yield call
            return
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
