"""When operators were there and could be offered calls, from disk facts alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from core.facts.dialplan import PauseReason
from core.ids import OperatorId, QueueName
from ledger.facts import Fact, OperatorPaused, OperatorSignedIn, OperatorSignedOut, OperatorUnpaused

_BUSY = {PauseReason.TALKING.value, PauseReason.WRAP_UP.value}

PresenceFact = OperatorSignedIn | OperatorSignedOut | OperatorPaused | OperatorUnpaused


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A stretch of time in which nothing changed for one operator."""

    operator: OperatorId
    started_at: float
    ended_at: float
    queues: frozenset[QueueName]
    """Where they were signed in; never empty."""
    away: str
    """Why they were offered nothing though signed in and not at work on a call: `break1`, `missed`, …; or empty."""

    @property
    def available(self) -> bool:
        """Whether they took calls: ready, ringing, talking or wrapping up."""
        return not self.away


def presences(facts: Iterable[Fact], until: float) -> list[Presence]:
    """Every stretch in which an operator was signed in to some queue, by operator and time.

    A pause for a call (`talking`, `wrapup`) is work and no absence. Any other pause is one, until an unpause in any
    queue or a call: a supervisor may take calls in one queue only. A restart of the switch signs nobody out
    (`persistentmembers`).

    Args:
        facts: in any order and any number of times; others than operators' are passed over. Who signed in before the
            first fact is not known.
        until: what lasts is taken to last until then.
    """
    by_operator: dict[OperatorId, list[PresenceFact]] = defaultdict(list)
    for fact in sorted(set(facts), key=_order):
        if isinstance(fact, PresenceFact) and fact.at < until:
            by_operator[fact.operator].append(fact)
    return [
        stretch
        for operator in sorted(by_operator)
        for stretch in _of_one(operator, by_operator[operator], until)
    ]


def _order(fact: Fact) -> tuple[float, str, str, int]:
    return (fact.at, fact.source.node, fact.source.file, fact.source.offset)


def _of_one(operator: OperatorId, history: Sequence[PresenceFact], until: float) -> Iterable[Presence]:
    queues: set[QueueName] = set()
    away, since = "", 0.0
    for place, fact in enumerate(history):
        state = (frozenset(queues), away)
        match fact:
            case OperatorSignedIn():
                if not queues:
                    away = ""
                queues.add(fact.queue)
            case OperatorSignedOut():
                queues.discard(fact.queue)
            case OperatorPaused():
                away = "" if fact.reason in _BUSY else fact.reason or "paused"
            case OperatorUnpaused() if not _reason_changes(history, place):
                away = ""
        if (frozenset(queues), away) != state:
            if state[0] and fact.at > since:
                yield Presence(
                    operator=operator, started_at=since, ended_at=fact.at, queues=state[0], away=state[1]
                )
            since = fact.at
    if queues and until > since:
        yield Presence(
            operator=operator, started_at=since, ended_at=until, queues=frozenset(queues), away=away
        )


def _reason_changes(history: Sequence[PresenceFact], place: int) -> bool:
    """Whether a pause of the same second follows: a changed reason is logged as unpause and pause."""
    for later in history[place + 1 :]:
        if later.at > history[place].at:
            return False
        if isinstance(later, OperatorPaused):
            return True
    return False


def available_s(
    stretches: Iterable[Presence],
    since: float,
    until: float,
    *,
    operator: OperatorId | None = None,
    queues: Collection[QueueName] | None = None,
) -> float:
    """Seconds of taking calls within `[since, until)`, summed over operators.

    Args:
        operator: only this one.
        queues: only while signed in to one of these.
    """
    wanted = None if queues is None else frozenset(queues)
    return sum(
        max(0.0, min(until, stretch.ended_at) - max(since, stretch.started_at))
        for stretch in stretches
        if stretch.available
        and (operator is None or stretch.operator == operator)
        and (wanted is None or not wanted.isdisjoint(stretch.queues))
    )


def unattended_s(
    stretches: Iterable[Presence],
    since: float,
    until: float,
    *,
    queues: Collection[QueueName] | None = None,
) -> float:
    """Seconds within `[since, until)` in which nobody took calls (of one of `queues`)."""
    wanted = None if queues is None else frozenset(queues)
    parts = sorted(
        (max(since, stretch.started_at), min(until, stretch.ended_at))
        for stretch in stretches
        if stretch.available and (wanted is None or not wanted.isdisjoint(stretch.queues))
    )
    alone, reached = 0.0, since
    for begin, end in parts:
        if end <= begin:
            continue
        alone += max(0.0, begin - reached)
        reached = max(reached, end)
    return alone + max(0.0, until - reached)
