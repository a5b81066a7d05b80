"""100,000 simulated offers with callers waiting in every queue and AMI late by 0 to 500 ms: is one of them wrong?

Three lines in two languages, each with three stages; twelve operators of mixed skills who take breaks, sign out and in
again and miss one offer in twelve; more callers than they can serve. The production floor steers the simulated switch,
every word and every order late by its own delay. An independent reader of the log (`acd.simulation.checker`) works out
again who rings, talks, wraps up or rests.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

from acd.demand import Demand, Stage
from acd.events import ExplainOffer, FloorCommand
from acd.simulation.centre import Centre, DemandRules, Disturbance, Play
from acd.simulation.checker import SafetyCheck
from acd.simulation.log import Happening, What
from acd.simulation.play import play
from acd.simulation.trace import Trace, TraceCall, TraceOperator
from core.ids import LineId, OperatorId, QueueName, demand_of, queue_name

OFFERS = 100_000
DELAY_S = (0.0, 0.5)
LINES = ("booking", "card", "portal")
LANGUAGES = ("ja", "en")
OPERATORS = 12
HOURS = 4.0


def centre() -> Centre:
    """Six demands; each is relaxed after 20 and 45 seconds."""
    demands = []
    for place, line in enumerate(LINES):
        for language in LANGUAGES:
            stages = tuple(
                Stage(
                    queue=queue_name(line, language, stage), after_s=after, least={line: level, language: 1}
                )
                for stage, after, level in ((1, 0.0, 4), (2, 20.0, 2), (3, 45.0, 1))
            )
            demand = Demand(
                line=LineId(line), language=language, priority=place, wait_limit_s=180.0, stages=stages
            )
            demands.append(
                DemandRules(demand=demand, wrap_up_s=6.0 + 4.0 * place, ring_s=12.0, max_waiting=20)
            )
    return Centre(demands=tuple(demands), notices_after_s=40.0)


def trace(seed: int) -> Trace:
    """Four hours of it."""
    dice = random.Random(f"safety {seed}")
    operators = []
    for number in range(OPERATORS):
        known = LINES if number % 3 == 0 else tuple(dice.sample(LINES, 2))
        begin, ends = dice.uniform(0.0, 300.0), HOURS * 3600.0
        away = dice.uniform(3600.0, 7200.0)
        operators.append(
            TraceOperator(
                operator=OperatorId(str(101 + number)),
                skills={
                    **{line: dice.randint(1, 5) for line in known},
                    "ja": 5,
                    **({"en": 3} if number % 2 == 0 else {}),
                },
                # Everybody signs out for a while and comes back.
                shifts=((begin, away), (away + 600.0, ends)),
                breaks=tuple(
                    (at, at + 120.0) for at in (dice.uniform(600.0, 3000.0), dice.uniform(9000.0, ends))
                ),
            )
        )
    calls, at = [], 300.0
    while at < HOURS * 3600.0 - 600.0:
        at += dice.expovariate(1.0 / 1.8)
        calls.append(
            TraceCall(
                number=len(calls),
                at_s=at,
                demand=QueueName(f"{dice.choice(LINES)}-{dice.choices(LANGUAGES, (0.6, 0.4))[0]}"),
                service_s=dice.expovariate(1.0 / 25.0),
                patience_s=dice.expovariate(1.0 / 100.0),
                answer_s={
                    person.operator: math.inf if dice.random() < 1 / 12 else dice.uniform(0.5, 6.0)
                    for person in operators
                },
            )
        )
    return Trace(calls=tuple(calls), operators=tuple(operators))


class Crowding:
    """Counts the offers that were made while somebody waited in every demand's queues."""

    def __init__(self) -> None:
        self._in: dict[int, QueueName] = {}
        self.everywhere = 0

    def __call__(self, happening: Happening, /) -> None:
        call, queue = happening.call, happening.queue
        if call is None or queue is None:
            return
        match happening.what:
            case What.ENTERED:
                self._in[call] = demand_of(queue)
            case What.OFFERED:
                self.everywhere += len(set(self._in.values())) == len(LINES) * len(LANGUAGES)
            case What.ANSWERED | What.HUNG_UP | What.OVERFLOW:
                self._in.pop(call, None)
            case _:
                pass


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Until there have been enough offers."""
    del out
    wanted = OFFERS // 50 if quick else OFFERS
    where = centre()
    offers = crowded = days = 0
    problems: list[str] = []
    deviations: dict[str, int] = {}

    def explained(command: FloorCommand) -> None:
        if isinstance(command, ExplainOffer):
            deviations[command.deviation or "none"] = deviations.get(command.deviation or "none", 0) + 1

    while offers < wanted:
        day = trace(days)
        check, crowding = SafetyCheck(where, day, order_matters=False), Crowding()
        play(
            where,
            day,
            Play(seed=days, disturbance=Disturbance(delay_s=DELAY_S)),
            observers=[check, crowding],
            on_command=explained,
        )
        offers += check.offers
        crowded += crowding.everywhere
        problems += check.problems
        days += 1
    return {
        "offers": offers,
        "offers_with_callers_in_every_queue": crowded,
        "days": days,
        "ami_delay_s": list(DELAY_S),
        "problems": len(problems),
        "first_problems": problems[:10],
        "deviations_from_the_wish": dict(sorted(deviations.items())),
    }
