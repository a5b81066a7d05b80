"""Who takes whom: which caller needs taking most, and which free operator is meant for which caller.

The switch makes the offers. What is decided here is in which queue a freed operator is opened first, so that the
switch's next offer goes to the caller who needs it most, across all queues.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from acd.view import Caller
from core.ids import OperatorId, QueueName

PRIORITY_WORTH_S = 60.0
"""One step of a line's priority counts as much as this many seconds of waiting."""
NEAR_FROM = 0.5
NEAR_WORTH = 1.0
"""From this share of the limit on, waiting counts up to `1 + NEAR_WORTH` times, reached at the limit itself."""


def need_of(waited_s: float, *, priority: int, limit_s: float) -> float:
    """How much a caller needs taking; more is needier. Rises with the wait, so equals are taken in order.

    Args:
        waited_s: since the first entry.
        priority: of the line, 0 to 20.
        limit_s: the wait that must not be passed.
    """
    near = max(0.0, waited_s - NEAR_FROM * limit_s) / ((1.0 - NEAR_FROM) * limit_s)
    return waited_s * (1.0 + NEAR_WORTH * min(1.0, near)) + PRIORITY_WORTH_S * priority


def by_need(
    callers: Iterable[Caller],
    now: float,
    priorities: Mapping[QueueName, int],
    limits: Mapping[QueueName, float],
) -> list[Caller]:
    """Callers, neediest first. `priorities` and `limits` are by demand."""
    return sorted(
        callers,
        key=lambda caller: (
            -need_of(
                now - caller.since,
                priority=priorities.get(caller.demand, 0),
                limit_s=limits.get(caller.demand, 300.0),
            ),
            caller.since,
            caller.channel,
        ),
    )


def matching(
    callers: Sequence[Caller], free: Sequence[tuple[OperatorId, Collection[QueueName]]]
) -> dict[OperatorId, Caller]:
    """Which free operator is meant for which caller.

    Nobody is left out for the sake of someone less needy, and as many are served as the operators' queues allow:
    each caller, neediest first, gets an operator, for whom earlier callers may move to another one (augmenting
    paths). Among several, the operator who comes first in `free` is tried first.

    Args:
        callers: neediest first.
        free: operators with the queues they may serve, first in the order of offers first.
    """
    taken: dict[OperatorId, Caller] = {}
    for caller in callers:
        if len(taken) == len(free):
            break
        _place(caller, free, taken, set())
    return taken


def _place(
    caller: Caller,
    free: Sequence[tuple[OperatorId, Collection[QueueName]]],
    taken: dict[OperatorId, Caller],
    tried: set[OperatorId],
) -> bool:
    mine = [operator for operator, queues in free if caller.queue in queues and operator not in tried]
    for operator in mine:
        if operator not in taken:
            taken[operator] = caller
            return True
    for operator in mine:
        if operator in tried:
            continue
        tried.add(operator)
        if _place(taken[operator], free, taken, tried):
            taken[operator] = caller
            return True
    return False
