"""Who comes first among those who may serve: the least loaded in this shift, ties to the higher level.

The order is handed to the switch as penalties in steps of 10, so the next offer needs no question to the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.ids import OperatorId

PENALTY_STEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What an operator has carried since signing in."""

    operator: OperatorId
    level: int
    """Skill level 1–5 for the queue in question; 5 is the most experienced."""
    calls: int
    handled_s: float
    last_ended_at: float
    """Epoch seconds; 0 before the first call."""


def order_of_offers(loads: Iterable[Load]) -> Mapping[OperatorId, int]:
    """Operator → penalty. Fewest calls first, then the higher level, then fewest handled minutes, then longest idle."""
    ranked = sorted(
        loads,
        key=lambda load: (load.calls, -load.level, load.handled_s // 60, load.last_ended_at, load.operator),
    )
    return {load.operator: PENALTY_STEP * rank for rank, load in enumerate(ranked, start=1)}
