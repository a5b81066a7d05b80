"""Small centres and traces for the simulator's tests."""

from __future__ import annotations

import math

from acd.demand import Demand, Stage
from acd.simulation.centre import Centre, DemandRules
from acd.simulation.log import Happening, What
from acd.simulation.trace import Trace, TraceCall, TraceOperator
from core.ids import LineId, OperatorId, QueueName, queue_name

DAY = (0.0, 5_000.0)


def rules(
    line: str = "card",
    *,
    asks: tuple[tuple[float, dict[str, int]], ...] | None = None,
    wrap_up_s: float = 0.0,
    ring_s: float = 20.0,
    limit_s: float = 600.0,
    max_waiting: int = 1000,
    priority: int = 0,
) -> DemandRules:
    stages = tuple(
        Stage(queue=queue_name(line, "ja", place), after_s=after_s, least=least)
        for place, (after_s, least) in enumerate(asks or ((0.0, {line: 1}),), start=1)
    )
    demand = Demand(line=LineId(line), language="ja", priority=priority, wait_limit_s=limit_s, stages=stages)
    return DemandRules(demand=demand, wrap_up_s=wrap_up_s, ring_s=ring_s, max_waiting=max_waiting)


def centre(*demands: DemandRules, recheck_s: float = 1.0) -> Centre:
    return Centre(demands=demands or (rules(),), recheck_s=recheck_s)


def call(
    number: int,
    at_s: float,
    *,
    line: str = "card",
    service_s: float = 60.0,
    patience_s: float = math.inf,
    answer_s: dict[str, float] | None = None,
) -> TraceCall:
    return TraceCall(
        number=number,
        at_s=at_s,
        demand=QueueName(f"{line}-ja"),
        service_s=service_s,
        patience_s=patience_s,
        answer_s={OperatorId(op): value for op, value in (answer_s or {}).items()},
    )


def operator(
    number: str, skills: dict[str, int] | None = None, **spans: tuple[tuple[float, float], ...]
) -> TraceOperator:
    return TraceOperator(
        operator=OperatorId(number),
        skills=skills or {"card": 1},
        shifts=spans.get("shifts", (DAY,)),
        breaks=spans.get("breaks", ()),
    )


def trace(calls: list[TraceCall], *operators: TraceOperator) -> Trace:
    return Trace(calls=tuple(calls), operators=operators or (operator("1"),))


class Log:
    """All happenings, to be asked."""

    def __init__(self) -> None:
        self.all: list[Happening] = []

    def __call__(self, happening: Happening, /) -> None:
        self.all.append(happening)

    def of(self, what: What) -> list[Happening]:
        return [happening for happening in self.all if happening.what is what]

    def operators(self, what: What = What.OFFERED) -> list[str]:
        return [str(happening.operator) for happening in self.of(what)]
