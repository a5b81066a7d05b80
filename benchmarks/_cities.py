"""The five cities' days for the simulator: who calls when, and who answers, from `[demo]` and `[acd]` of the profiles.

Assumed here, because no specification says it: conversations are lognormal with a coefficient of variation of 1 (as in
published call-centre data), patience is exponential, whoever is rung picks up after 2 to 8 s or misses the offer (2 %;
both are drawn for the call, so that no policy is lucky with it), everybody has one hour of lunch between 11 and 15
o'clock, a weekend day has half the calls of a weekday, and signing in takes a few minutes in any order.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from acd.demand import skills_of
from acd.simulation.centre import Centre, DemandRules
from acd.simulation.trace import Trace, TraceCall, TraceOperator
from core.ids import LineId, OperatorId
from ivr.flow import Flow, ToLine, ToMenu
from services.city import CityProfile

WEEKDAYS = 21
"""Working days of a month."""
WEEKEND_DAYS = 9
WEEKEND_SHARE = 0.5
PICKS_UP_S = (2.0, 8.0)
MISSES = 0.02
VARIATION = 1.0
LUNCH_S = 3600.0
LUNCH_FROM, LUNCH_UNTIL = 11 * 3600.0, 15 * 3600.0
STAYS_S = 900.0
"""Operators stay this long after closing for those who still wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One intent that leads to a person."""

    line: str
    keys: str
    per_month: float
    mean_talk_s: float


def centre_of(profile: CityProfile) -> Centre:
    """The profile's demands as the simulator takes them."""
    return Centre(
        demands=tuple(
            DemandRules(
                demand=demand,
                wrap_up_s=float(line.wrap_up_s),
                ring_s=float(line.ring_s),
                max_waiting=line.max_waiting,
            )
            for demand, line in profile.acd.demands()
        ),
        missed_before_pause=profile.acd.missed_offers_before_pause,
    )


def errands(profile: CityProfile) -> list[Errand]:
    """Intents whose keys lead to a line."""
    found = []
    for intent in profile.demo.intents:
        line = _line(profile.flow, intent.keys)
        if line is not None:
            found.append(
                Errand(
                    line=line, keys=intent.keys, per_month=intent.per_month, mean_talk_s=intent.mean_talk_s
                )
            )
    return found


def _line(flow: Flow, keys: str) -> str | None:
    menu = flow.menus[flow.start]
    for key in keys:
        match menu.choices.get(key):
            case ToMenu(name):
                menu = flow.menus[name]
            case ToLine() as to:
                return str(to.line)
            case _:
                return None
    return None


def open_days(profile: CityProfile) -> int:
    """Days a week on which the telephone is staffed."""
    plan = profile.hours.period_of(profile.demo.date)
    return sum(1 for day in range(7) if plan.week[day])


def calls_a_weekday(profile: CityProfile) -> float:
    """Expected callers who reach a queue on a weekday."""
    days = WEEKDAYS + (WEEKEND_SHARE * WEEKEND_DAYS if open_days(profile) == 7 else 0.0)
    return sum(errand.per_month for errand in errands(profile)) / days


def trace_of(profile: CityProfile, *, load: float, seed: int) -> Trace:
    """One weekday. `load` multiplies the specification's volume. Seconds count from midnight."""
    dice = random.Random(f"{profile.city.id} {load} {seed}")
    (shift,) = profile.hours.plan(profile.demo.date).intervals
    opens, closes = shift.opens * 60.0, shift.closes * 60.0
    people = profile.demo.operators
    operators = [OperatorId(person.id) for person in people]
    calls: list[TraceCall] = []
    for at in _arrivals(profile, opens, closes, load * calls_a_weekday(profile), dice):
        wanted = errands(profile)
        errand = dice.choices(wanted, [each.per_month for each in wanted])[0]
        language = "en" if dice.random() < profile.demo.english else "ja"
        calls.append(
            TraceCall(
                number=len(calls) + 1,
                at_s=at,
                demand=profile.flow.queue(LineId(errand.line), language),
                service_s=lognormal(errand.mean_talk_s, VARIATION, dice),
                patience_s=dice.expovariate(1.0 / profile.demo.mean_patience_s),
                answer_s=dict.fromkeys(operators, dice.uniform(*PICKS_UP_S)),
                missed=sum(1 for _ in iter(lambda: dice.random() < MISSES, False)),
                keys=errand.keys,
            )
        )
    return Trace(
        calls=tuple(calls),
        operators=tuple(
            TraceOperator(
                operator=OperatorId(person.id),
                skills=skills_of(person.lines, person.languages),
                shifts=((opens - dice.uniform(30.0, 300.0), closes + STAYS_S),),
                breaks=(_lunch(place, len(people)),),
            )
            for place, person in enumerate(people)
        ),
    )


def _arrivals(
    profile: CityProfile, opens: float, closes: float, expected: float, dice: random.Random
) -> list[float]:
    """A Poisson process whose rate follows the profile's hours."""
    hours = {int(hour): weight for hour, weight in profile.demo.hour_weights.items()}
    spans = []
    for hour, weight in sorted(hours.items()):
        begin, end = max(opens, hour * 3600.0), min(closes, (hour + 1) * 3600.0)
        if end > begin:
            spans.append((begin, end, weight))
    total = sum(weight * (end - begin) for begin, end, weight in spans)
    found: list[float] = []
    for begin, end, weight in spans:
        rate = expected * weight / total
        at = begin + dice.expovariate(rate)
        while at < end:
            found.append(at)
            at += dice.expovariate(rate)
    return found


def lognormal(mean: float, variation: float, dice: random.Random) -> float:
    """A positive duration with this mean and coefficient of variation."""
    spread = math.log(1.0 + variation**2)
    return dice.lognormvariate(math.log(mean) - spread / 2.0, math.sqrt(spread))


def _lunch(place: int, people: int) -> tuple[float, float]:
    begin = LUNCH_FROM + (LUNCH_UNTIL - LUNCH_FROM - LUNCH_S) * place / max(1, people - 1)
    return begin, begin + LUNCH_S
