"""The day that is played: who calls when, about what. Pure and seeded; the same seed gives the same day.

Arrivals follow the hours of the city's specification. The city's clock runs fast, so that a working day fits into
a minute or two; talk is not compressed, so one conversation spans hours of the city's time.
"""

from __future__ import annotations

import bisect
import math
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import ToritsugiError
from demo.ends.identity import CallerIdentity, known, withheld
from demo.people import CitizenPlan, Intent
from demo.profile import DemoSection
from demo.script import GENERAL
from demo.talks import UNKNOWN_TOPICS, talks_about

_REAL_S_PER_CALL = 4.5
_SHORTEST_DAY_S = 30.0
_TO_HOURS_CHECK_S = 26.0
"""Real seconds from a caller's INVITE to the moment the city looks at the clock: greeting and languages."""
_AFTER_CLOSING_S = 1.0
_UNKNOWN_EVERY = 3
"""Assumed: so often a caller asks what nothing in the knowledge base answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something citizens call about."""

    id: str
    keys: str
    weight: float
    self_service: bool = False
    """The keys lead to an announcement, not to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShape:
    """What the profile says about the day: aware datetimes of the city, shares between 0 and 1."""

    opens: datetime
    closes: datetime
    hour_weights: Mapping[int, float]
    errands: Sequence[Errand]
    english: float = 0.05
    mispress: float = 0.06
    silent: float = 0.05
    withheld: float = 0.08
    has_english: bool = True
    wrong_key: str = "8"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One caller: `after_s` real seconds from the start of the day's play, `at` by the city's clock."""

    after_s: float
    at: datetime
    citizen: CitizenPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """`city_start` and `speed` belong into the city's clock (`core.clock.ScaledClock`)."""

    city_start: datetime
    speed: float
    calls: tuple[PlannedCall, ...]


def shape_of(
    section: DemoSection,
    *,
    opens: datetime,
    closes: datetime,
    self_service_keys: Collection[str],
    wrong_key: str,
    has_english: bool = True,
) -> DayShape:
    """The shape that a profile's `[demo]` gives.

    Args:
        opens, closes: of the telephone service on `section.date`, aware.
        self_service_keys: those key sequences among the intents that lead to an announcement.
        wrong_key: a key that the first menu does not offer.
    """
    return DayShape(
        opens=opens,
        closes=closes,
        hour_weights={int(hour): weight for hour, weight in section.hour_weights.items()},
        errands=[
            Errand(
                id=intent.id,
                keys=intent.keys,
                weight=intent.per_month,
                self_service=intent.keys in self_service_keys,
            )
            for intent in section.intents
        ],
        english=section.english,
        mispress=section.mispress,
        silent=section.silent,
        withheld=section.withheld,
        has_english=has_english,
        wrong_key=wrong_key,
    )


def plan_day(shape: DayShape, n_calls: int, seed: int, *, speed: float | None = None) -> DayPlan:
    """A day of `n_calls`.

    From eleven calls on, the mix holds at least one of each intent (self-service and English where the city has
    them). `speed` is city seconds a real second; by default the day lasts about five real seconds a call.

    Raises:
        ToritsugiError: no errand leads to a person, or the day is too short for that speed.
    """
    if not any(not errand.self_service for errand in shape.errands):
        raise ToritsugiError(
            "オペレーターにつながる用件がありません", where="demo.intents", cure="一つ加える"
        )
    chance = random.Random(seed)
    open_s = (shape.closes - shape.opens).total_seconds()
    window_s = max(_SHORTEST_DAY_S, n_calls * _REAL_S_PER_CALL)
    pace = speed if speed is not None else open_s / (window_s + _TO_HOURS_CHECK_S)
    # Who calls later than this would find the city closed by the time its clock is looked at.
    last_call = open_s - _TO_HOURS_CHECK_S * pace
    if last_call <= 0:
        raise ToritsugiError(
            f"この速さ({pace:g}倍)では、一日が短すぎます", where="--speed", cure="小さい値にする"
        )
    intents = _intents(shape, n_calls, chance)
    inside = sum(1 for intent in intents if intent is not Intent.AFTER_HOURS)
    moments = iter(_arrivals(shape, inside, chance, last_call))
    talks = _Talks()
    calls = []
    for number, intent in enumerate(intents):
        late = open_s + _AFTER_CLOSING_S * pace * (1 + number % 5)
        city_s = late if intent is Intent.AFTER_HOURS else next(moments)
        calls.append(
            PlannedCall(
                after_s=city_s / pace,
                at=shape.opens + timedelta(seconds=city_s),
                citizen=_citizen(shape, intent, number, chance, talks),
            )
        )
    return DayPlan(
        city_start=shape.opens, speed=pace, calls=tuple(sorted(calls, key=lambda call: call.after_s))
    )


def _intents(shape: DayShape, count: int, chance: random.Random) -> list[Intent]:
    """One of each kind first, then by the profile's shares; slow callers come first in the day."""
    kinds = [Intent.SILENT, Intent.MISPRESS, Intent.ABANDON, Intent.HANG_UP_IN_MENU, Intent.AFTER_HOURS]
    if shape.has_english:
        kinds.append(Intent.ENGLISH)
    if any(errand.self_service for errand in shape.errands):
        kinds.append(Intent.SELF_SERVICE)
    # Six people are to be answered, whatever else a small day holds.
    answered = sum(1 for intent in kinds if intent in {Intent.SILENT, Intent.MISPRESS, Intent.ENGLISH})
    chosen = ([Intent.BOOK] * (5 - answered) + [Intent.ASK] + kinds)[:count]
    while len(chosen) < count:
        chosen.append(_random_intent(shape, chance))
    last = [intent for intent in chosen if intent is Intent.AFTER_HOURS]
    slow = [intent for intent in chosen if intent is Intent.SILENT]
    rest = [intent for intent in chosen if intent not in {Intent.AFTER_HOURS, Intent.SILENT}]
    chance.shuffle(rest)
    # A silent caller hears everything twice before reaching a person: last in the day would make it long.
    return slow + rest + last


def _random_intent(shape: DayShape, chance: random.Random) -> Intent:
    shares = [
        (shape.english if shape.has_english else 0.0, Intent.ENGLISH),
        (shape.mispress, Intent.MISPRESS),
        (shape.silent, Intent.SILENT),
        (0.05, Intent.HANG_UP_IN_GREETING),
        (0.05, Intent.HANG_UP_IN_MENU),
        (0.05, Intent.ABANDON),
    ]
    drawn = chance.random()
    for share, intent in shares:
        drawn -= share
        if drawn < 0:
            return intent
    errand = _draw(shape.errands, chance)
    return Intent.SELF_SERVICE if errand.self_service else chance.choice([Intent.BOOK, Intent.ASK])


def _draw(errands: Sequence[Errand], chance: random.Random) -> Errand:
    return chance.choices(list(errands), [errand.weight for errand in errands])[0]


def _arrivals(shape: DayShape, count: int, chance: random.Random, limit: float) -> list[float]:
    """Seconds after opening, ascending: the hours' weights, one caller in each equal share of the day."""
    step = 60.0
    edges = [0.0]
    for index in range(max(1, math.ceil(limit / step))):
        moment = shape.opens + timedelta(seconds=index * step)
        edges.append(edges[-1] + shape.hour_weights.get(moment.hour, 0.0))
    total = edges[-1]
    if total <= 0:
        return sorted(chance.uniform(0, limit) for _ in range(count))
    arrivals = []
    for number in range(count):
        share = (number + chance.random()) / count * total
        index = min(bisect.bisect_right(edges, share), len(edges) - 1)
        width = edges[index] - edges[index - 1]
        inside = (share - edges[index - 1]) / width if width else 0.0
        arrivals.append(min(limit, (index - 1 + inside) * step))
    return sorted(arrivals)


class _Talks:
    """Hands out talks: the wordings of a topic in turn, and among every three callers one with a question that the
    city's knowledge base does not answer, each such topic twice before the next.
    """

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()

    def next(self, topic: str) -> str:
        self._told[""] += 1
        if self._told[""] % _UNKNOWN_EVERY == 0:
            topic = UNKNOWN_TOPICS[(self._told[""] // _UNKNOWN_EVERY - 1) // 2 % len(UNKNOWN_TOPICS)]
        names = talks_about(topic)
        self._told[topic] += 1
        return names[(self._told[topic] - 1) % len(names)]


def _citizen(
    shape: DayShape, intent: Intent, number: int, chance: random.Random, talks: _Talks
) -> CitizenPlan:
    wanted = [errand for errand in shape.errands if errand.self_service is (intent is Intent.SELF_SERVICE)]
    errand = _draw(wanted or shape.errands, chance)
    identity, shown = _identity(shape, number, chance)
    topic = GENERAL if intent is Intent.SILENT else errand.id
    if intent in {Intent.BOOK, Intent.ASK, Intent.MISPRESS}:
        topic = talks.next(errand.id)
    silent = intent in {Intent.SILENT, Intent.HANG_UP_IN_GREETING, Intent.HANG_UP_IN_MENU}
    return CitizenPlan(
        intent=intent,
        topic=topic,
        language="en" if intent is Intent.ENGLISH else "ja",
        keys="" if silent or intent is Intent.AFTER_HOURS else errand.keys,
        wrong_key=shape.wrong_key,
        identity=identity,
        shown=shown,
        # Shorter than any operator's hand needs to the receiver, so that this one surely leaves.
        patience_s=chance.uniform(0.6, 1.1) if intent is Intent.ABANDON else 120.0,
        seed=chance.randrange(1 << 30),
        operator_hangs_up=chance.random() < 0.2,
    )


def _identity(shape: DayShape, number: int, chance: random.Random) -> tuple[CallerIdentity, str]:
    """A number of its own for every caller, from a range that nobody has (0700), or a withheld one."""
    if chance.random() < shape.withheld:
        return withheld(), "withheld"
    digits = f"0700{number:03d}{chance.randrange(10_000):04d}"
    return known(digits), digits
