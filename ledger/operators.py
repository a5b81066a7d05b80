"""Operators' states as the disk tells them: how long after-call work lasted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from core.facts.dialplan import PauseReason
from core.ids import OperatorId
from ledger.calls import Segment
from ledger.facts import Fact, OperatorPaused, OperatorSignedOut, OperatorUnpaused

SLACK_S = 2.0
"""queue_log writes whole seconds: a pause may seem to begin this much before or after what it belongs to."""

_BUSY = {PauseReason.TALKING.value, PauseReason.WRAP_UP.value}

OperatorFact = OperatorPaused | OperatorUnpaused | OperatorSignedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyPeriod:
    """From the connect of a call to the end of its after-call work; `ended_at` is None while it lasts."""

    operator: OperatorId
    started_at: float
    ended_at: float | None


def busy_periods(facts: Iterable[Fact]) -> list[BusyPeriod]:
    """Talking and after-call work of each operator, joined into one period, in order of time.

    The member subroutine pauses with `talking` at connect, the engine changes the reason to `wrapup` when the
    call ends, and the first unpause in any queue (or a break, or signing out) ends it. With
    `log_unpause_on_reason_change` a change of reason is logged as an unpause and a pause in the same second;
    that is no end. With a dead engine the reason stays `talking` until the operator's ready code: the same
    period.
    """
    by_operator: dict[OperatorId, list[OperatorFact]] = defaultdict(list)
    for fact in sorted(set(facts), key=_order):
        if isinstance(fact, OperatorFact):
            by_operator[fact.operator].append(fact)
    periods = [period for history in by_operator.values() for period in _periods_of(history)]
    return sorted(periods, key=lambda period: (period.started_at, period.operator))


def _order(fact: Fact) -> tuple[float, str, str, int]:
    return (fact.at, fact.source.node, fact.source.file, fact.source.offset)


def _periods_of(history: list[OperatorFact]) -> Iterable[BusyPeriod]:
    started: float | None = None
    for position, fact in enumerate(history):
        if isinstance(fact, OperatorPaused) and fact.reason in _BUSY:
            if fact.reason == PauseReason.TALKING and started is not None and fact.at > started + SLACK_S:
                # A second call without a word between: the first one's work ended unseen, at the latest now.
                yield BusyPeriod(operator=fact.operator, started_at=started, ended_at=fact.at)
                started = fact.at
            started = fact.at if started is None else started
        elif started is not None and not (
            isinstance(fact, OperatorUnpaused) and _only_a_new_reason(history, position)
        ):
            yield BusyPeriod(operator=fact.operator, started_at=started, ended_at=fact.at)
            started = None
    if started is not None:
        yield BusyPeriod(operator=history[-1].operator, started_at=started, ended_at=None)


def _only_a_new_reason(history: list[OperatorFact], position: int) -> bool:
    moment = history[position].at
    for later in history[position + 1 :]:
        if later.at > moment:
            return False
        if isinstance(later, OperatorPaused):
            return later.reason == PauseReason.WRAP_UP
    return False


def wrap_up_of(segment: Segment, periods: Iterable[BusyPeriod]) -> float | None:
    """Seconds of after-call work that followed a segment; None while it lasts or when nothing tells."""
    if segment.ended_at is None:
        return None
    first, last = segment.started_at - SLACK_S, segment.ended_at + SLACK_S
    mine = [
        period
        for period in periods
        if period.operator == segment.operator and first <= period.started_at <= last
    ]
    if not mine:
        return None
    nearest = min(mine, key=lambda period: abs(period.started_at - segment.started_at))
    return None if nearest.ended_at is None else max(0.0, nearest.ended_at - segment.ended_at)
