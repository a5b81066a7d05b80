"""Two published call-centre simulations and the Erlang formulas, as traces for our simulator.

SimpleMSK and Bilingual are examples of the ContactCenters library (Université de Montréal, Apache-2.0); parameters and
results are facts from its example and result files (1,000 replications). A group of operators is a skill with a level
here; SimpleMSK's "first group 0, then group 1" is a demand with two stages, the second a millisecond later; "a freed
operator takes whoever has waited longest" is our order of need with equal priorities and no limit. Bilingual chooses
evenly at random among all free operators of a caller's two groups (`selectUniform` in its source), so there the floor's
order of offers is not handed over and the switch throws the dice.

Few days suffice, because the part of the variance that is known exactly is not left to chance:

- SimpleMSK multiplies all of a day's arrivals by one Gamma(28.7, 28.7) factor, which makes most of the variance. Day
  `i` of `n` takes the factor at a point of the `i`-th of `n` equally likely strata.
- Bilingual's weeks come in pairs: the second week draws its hourly numbers of callers from 1 - u where the first drew
  from u (antithetic), and results are corrected by what is known of the arrivals: their number, that of the first
  hours, and its variance over the days (control variates).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from acd.demand import Demand, Stage
from acd.simulation.centre import Centre, DemandRules
from acd.simulation.trace import Trace, TraceCall, TraceOperator
from core.ids import LineId, OperatorId, QueueName, queue_name

MINUTE = 60.0
HOUR = 3600.0
AT_ONCE_S = 0.001


def demand_of_groups(line: str, *leasts: int) -> DemandRules:
    """A demand served by operators with level `leasts[0]` first, a millisecond later by those with `leasts[1]`."""
    return DemandRules(
        demand=Demand(
            line=LineId(line),
            language="ja",
            priority=0,
            wait_limit_s=math.inf,
            stages=tuple(
                Stage(queue=queue_name(line, "ja", place + 1), after_s=AT_ONCE_S * place, least={line: least})
                for place, least in enumerate(leasts)
            ),
        )
    )


def poisson(mean: float, u: float) -> int:
    """The least number that a Poisson variable of this mean does not exceed with probability `u` or more."""
    low, high = 0, int(mean + 40.0 * math.sqrt(mean) + 40.0)
    while low < high:
        middle = (low + high) // 2
        if 1.0 - _gamma_below(middle + 1.0, mean) >= u:
            high = middle
        else:
            low = middle + 1
    return low


# ---- SimpleMSK ------------------------------------------------------------------------------------------------

MSK_PERIOD_S = 2 * HOUR
MSK_RATES = ((4.2, 5.3, 3.2), (5.1, 4.3, 4.8), (6.3, 5.2, 4.8))
"""Callers a minute: type by period."""
MSK_SERVICE = (0.5, 0.6, 0.4)
MSK_PATIENCE = (0.3, 0.4, 0.2)
"""Rates a minute, by the period of arrival."""
MSK_STAFF = ((12, 18, 9), (15, 20, 11))
"""Operators of groups 0 and 1 by period."""
MSK_BUSYNESS = 28.7
MSK_TARGET_S = 20.0
MSK_PUBLISHED = {
    "served": (4270.2, 4324.5),
    "abandoned": (876.1, 944.5),
    "service_level": (0.494, 0.509),
    "occupancy_group_0": (0.877, 0.884),
}
MSK_CENTRE = Centre(
    demands=(demand_of_groups("a", 1), demand_of_groups("b", 2, 1), demand_of_groups("c", 1)),
    recheck_s=0.0,
    retry_s=0.0,
)


def gamma_quantile(shape: float, u: float) -> float:
    """Quantile of Gamma(shape, rate shape), by bisection on a series of the lower incomplete gamma function."""
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if _gamma_below(shape, middle * shape) < u:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _gamma_below(shape: float, x: float) -> float:
    """Probability that a Gamma variable of this shape and rate 1 is below `x`."""
    if x <= 0.0:
        return 0.0
    term = total = 1.0 / shape
    step = shape
    while term > total * 1e-15:
        step += 1.0
        term *= x / step
        total += term
    return total * math.exp(-x + shape * math.log(x) - math.lgamma(shape))


def msk_days(days: int, seed: int) -> Iterator[Trace]:
    """`days` days, one from each stratum of the busyness."""
    for day in range(days):
        dice = random.Random(f"msk {seed} {days} {day}")
        yield msk_day(gamma_quantile(MSK_BUSYNESS, (day + dice.random()) / days), dice)


def msk_day(busyness: float, dice: random.Random) -> Trace:
    """One day of this busyness."""
    drawn: list[tuple[float, int]] = []
    for kind, rates in enumerate(MSK_RATES):
        for period, rate in enumerate(rates):
            mean = rate * busyness * MSK_PERIOD_S / MINUTE
            drawn += [
                ((period + dice.random()) * MSK_PERIOD_S, kind) for _ in range(poisson(mean, dice.random()))
            ]
    calls = []
    for number, (at, kind) in enumerate(sorted(drawn)):
        period = int(at / MSK_PERIOD_S)
        calls.append(
            TraceCall(
                number=number,
                at_s=at,
                demand=QueueName(f"{'abc'[kind]}-ja"),
                service_s=dice.expovariate(MSK_SERVICE[period]) * MINUTE,
                patience_s=dice.expovariate(MSK_PATIENCE[period]) * MINUTE,
            )
        )
    skills = ({"a": 1, "b": 2}, {"b": 1, "c": 1})
    operators = []
    for group, staff in enumerate(MSK_STAFF):
        for place in range(max(staff)):
            # Here in the periods whose staff is larger than their place; the last period's stay to the end.
            here = [period for period, size in enumerate(staff) if place < size]
            until = math.inf if here[-1] == len(staff) - 1 else (here[-1] + 1) * MSK_PERIOD_S
            operators.append(
                TraceOperator(
                    operator=OperatorId(f"{group}{place:02d}"),
                    skills=skills[group],
                    shifts=((here[0] * MSK_PERIOD_S, min(until, 4 * MSK_PERIOD_S)),),
                )
            )
    return Trace(calls=tuple(calls), operators=tuple(operators))


# ---- Bilingual ------------------------------------------------------------------------------------------------

BILINGUAL_DAYS = 5
BILINGUAL_OPENS, BILINGUAL_CLOSES = 8, 17
BILINGUAL_FIRST_HOUR, BILINGUAL_LATER = 100.0, 50.0
BILINGUAL_EXPECTED = 2 * BILINGUAL_DAYS * (BILINGUAL_FIRST_HOUR + 8 * BILINGUAL_LATER)
BILINGUAL_CONTROLS = {
    "control_calls": BILINGUAL_EXPECTED,
    "control_first_hours": BILINGUAL_DAYS * 2 * BILINGUAL_FIRST_HOUR,
    "control_crowded_first_hours": BILINGUAL_DAYS * 2 * BILINGUAL_FIRST_HOUR,
}
"""Expectations of `bilingual_controls`."""
BILINGUAL_SERVICE = ((3.0, 7.0), (4.0, 6.0))
BILINGUAL_PATIENCE = 2.0
BILINGUAL_CALLS_AGAIN = 0.75
BILINGUAL_AFTER_S = 20 * MINUTE
BILINGUAL_TARGET_S = 60.0
BILINGUAL_GROUPS = (("e", 7, {"e": 1}), ("s", 7, {"s": 1}), ("b", 4, {"e": 1, "s": 1}))
BILINGUAL_PUBLISHED = {
    "arrived": (5105.0, 5115.3),
    "retrials": (105.8, 108.5),
    "served": (4962.9, 4971.5),
    "abandoned": (141.2, 144.5),
    "in_target": (4892.8, 4901.0),
    "service_level": (0.9786, 0.9802),
    "occupancy_english": (0.4756, 0.4768),
    "occupancy_spanish": (0.4758, 0.4770),
    "occupancy_bilingual": (0.6319, 0.6331),
}
BILINGUAL_CENTRE = Centre(
    demands=(demand_of_groups("e", 1), demand_of_groups("s", 1)),
    recheck_s=0.0,
    retry_s=0.0,
    lines_in=40,
)


def bilingual_week(pair: int, second: bool, seed: int) -> Trace:
    """One week of an antithetic pair."""
    shared = random.Random(f"bilingual {seed} {pair}")
    dice = random.Random(f"bilingual {seed} {pair} {second}")
    drawn: list[tuple[float, int]] = []
    for day in range(BILINGUAL_DAYS):
        for hour in range(BILINGUAL_OPENS, BILINGUAL_CLOSES):
            mean = BILINGUAL_FIRST_HOUR if hour == BILINGUAL_OPENS else BILINGUAL_LATER
            for kind in range(2):
                u = shared.random()
                count = poisson(mean, 1.0 - u if second else u)
                begin = (24 * day + hour) * HOUR
                drawn += [(begin + dice.random() * HOUR, kind) for _ in range(count)]
    calls = tuple(_bilingual_call(number, at, kind, dice) for number, (at, kind) in enumerate(sorted(drawn)))
    shifts = tuple(
        ((24 * day + BILINGUAL_OPENS) * HOUR, (24 * day + BILINGUAL_CLOSES) * HOUR)
        for day in range(BILINGUAL_DAYS)
    )
    return Trace(
        calls=calls,
        operators=tuple(
            TraceOperator(operator=OperatorId(f"{name}{place}"), skills=skills, shifts=shifts)
            for name, size, skills in BILINGUAL_GROUPS
            for place in range(size)
        ),
    )


def bilingual_controls(week: Trace) -> dict[str, float]:
    """First arrivals, those in the first hours, and how much these differ from day to day: what crowds the queue."""
    opens = [(24 * day + BILINGUAL_OPENS) * HOUR for day in range(BILINGUAL_DAYS)]
    first = [sum(begin <= call.at_s < begin + HOUR for call in week.calls) for begin in opens]
    return {
        "control_calls": float(len(week.calls)),
        "control_first_hours": float(sum(first)),
        "control_crowded_first_hours": sum((count - 2 * BILINGUAL_FIRST_HOUR) ** 2 for count in first),
    }


def _bilingual_call(number: int, at: float, kind: int, dice: random.Random) -> TraceCall:
    return TraceCall(
        number=number,
        at_s=at,
        demand=QueueName(f"{'es'[kind]}-ja"),
        service_s=dice.uniform(*BILINGUAL_SERVICE[kind]) * MINUTE,
        patience_s=dice.expovariate(1.0 / BILINGUAL_PATIENCE) * MINUTE,
    )


@dataclass(slots=True)
class CallsAgain:
    """Bilingual's callers who gave up and call again, with the patience and the question that they had."""

    dice: random.Random
    next_number: int
    waited_before: dict[int, float]
    """Seconds in the queue on earlier calls, by call: a caller's time in queues adds up."""

    def __call__(self, call: TraceCall, now: float) -> TraceCall | None:
        if self.dice.random() >= BILINGUAL_CALLS_AGAIN:
            return None
        again = replace(call, number=self.next_number, at_s=now + BILINGUAL_AFTER_S)
        self.waited_before[again.number] = self.waited_before.get(call.number, 0.0) + now - call.at_s
        self.next_number += 1
        return again


# ---- Erlang ---------------------------------------------------------------------------------------------------


def erlang_b(load: float, servers: int) -> float:
    """Blocking probability of M/M/n/n."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """Probability of waiting in M/M/n."""
    b = erlang_b(load, servers)
    return servers * b / (servers - load * (1.0 - b))


def queue_trace(
    *,
    calls: int,
    per_minute: float,
    service_min: float,
    servers: int,
    seed: int,
    patience_min: float = math.inf,
    hours: float = math.inf,
) -> Trace:
    """M/M/n(+M): `calls` callers, or those of `hours`, into one queue with `servers` operators."""
    dice = random.Random(f"queue {seed} {per_minute} {servers} {patience_min}")
    found: list[TraceCall] = []
    at = dice.expovariate(per_minute) * MINUTE
    while len(found) < calls and at < hours * HOUR:
        found.append(
            TraceCall(
                number=len(found),
                at_s=at,
                demand=QueueName("a-ja"),
                service_s=dice.expovariate(1.0 / service_min) * MINUTE,
                patience_s=math.inf
                if math.isinf(patience_min)
                else dice.expovariate(1.0 / patience_min) * MINUTE,
            )
        )
        at += dice.expovariate(per_minute) * MINUTE
    return Trace(
        calls=tuple(found),
        operators=tuple(
            TraceOperator(operator=OperatorId(f"{n:03d}"), skills={"a": 1}, shifts=((0.0, at + 10 * HOUR),))
            for n in range(servers)
        ),
    )


def queue_centre(places: int | None = None) -> Centre:
    """One queue whose callers look at once; `places` callers may wait."""
    rules = demand_of_groups("a", 1)
    return Centre(
        demands=(rules if places is None else DemandRules(demand=rules.demand, max_waiting=places),),
        recheck_s=0.0,
        retry_s=0.0,
    )
