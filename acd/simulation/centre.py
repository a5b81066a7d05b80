"""What is fixed about a simulated centre: its demands and the switch's settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique

from acd.demand import Demand
from core.ids import QueueName


@unique
class Strategy(StrEnum):
    """app_queue's own ways of choosing a member, and ours."""

    LEASTRECENT = "leastrecent"
    RRMEMORY = "rrmemory"
    FEWESTCALLS = "fewestcalls"
    RANDOM = "random"
    OURS = "ours"
    """The production floor sets penalties and readiness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRules:
    """What holds for one demand, seconds."""

    demand: Demand
    wrap_up_s: float = 0.0
    ring_s: float = math.inf
    """How long a telephone rings before the offer counts as missed."""
    max_waiting: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """One simulated centre."""

    demands: tuple[DemandRules, ...]
    recheck_s: float = 1.0
    """How often a waiting caller looks whether it is their turn: a second in app_queue, which cannot be set. 0 lets
    them look at once. In compressed time one second of the switch is longer."""
    retry_s: float = 1.0
    """After an offer that failed, until the caller looks again (`retry` of queues.conf)."""
    lines_in: float = math.inf
    """Callers connected or waiting at once; the next one is refused."""
    missed_before_pause: int = 2
    """Offers missed in a row until the operator stays paused ."""
    give_back_after_s: float = 3.0
    """How long a missed offer pauses an operator, in real seconds like `recheck_s`."""
    notices_after_s: float = 120.0
    """How long an operator who stays paused after missed offers takes to notice and to say ready again."""

    def by_demand(self) -> Mapping[QueueName, DemandRules]:
        return {rules.demand.name: rules for rules in self.demands}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What the path between engine and switch does to words and orders. All real seconds."""

    delay_s: tuple[float, float] = (0.0, 0.0)
    """Each word and each order is late by a time between these, drawn evenly; their order is kept."""
    tick_s: float = 0.2
    """How often the engine looks at the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """How a trace is played."""

    strategy: Strategy = Strategy.OURS
    disturbance: Disturbance = field(default_factory=Disturbance)
    ties: Strategy = Strategy.LEASTRECENT
    """With ours: how the switch chooses among members of equal penalty, as the queues are rendered."""
    order: bool = True
    """With ours: whether the order of offers reaches the switch. Without it all penalties are equal."""
    seed: int = 0
    """Of what the switch itself throws dice for: `random`, delays, what happens first of two at once."""
