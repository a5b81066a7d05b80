"""From the files on disk to the calls in the database: what the tails tell is stored, and the calls it
touches are folded anew.

Facts, calls and tail positions of a batch are one transaction, so a crash anywhere leaves either all or
nothing of it, and reading the batch again changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from core.clock import Clock
from core.ids import CallId, OperatorId
from ledger.calls import Call
from ledger.facts import (
    Connected,
    Fact,
    OperatorPaused,
    OperatorSignedOut,
    OperatorUnpaused,
    SwitchStarted,
)
from ledger.fold import fold_call
from services.ports import TailBatch, Tails, UnitOfWork, UnitOfWorkFactory

WRAP_UP_HORIZON_S = 12 * 3600.0
"""After-call work is looked for this long after a call began; then what is not known stays unknown."""

_OPERATOR_FACTS = (OperatorPaused, OperatorUnpaused, OperatorSignedOut)


AfterFold = Callable[[UnitOfWork, Sequence[Call]], Awaitable[None]]
"""What else has to be true of calls that changed, in the same transaction. It may be told of a call many
times.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What one run changed."""

    at: float
    """When the files had been read to their end."""
    facts: int
    """Facts read; ones already stored are counted too."""
    changed: tuple[Call, ...]
    """Calls that were folded anew and differ from what was stored."""
    closed: tuple[Call, ...]
    """Among them, calls that were not known to be closed before."""


class LedgerSync:
    """Keeps the calls in step with the disk. One runs at a time for a database."""

    def __init__(
        self, tails: Tails, uow: UnitOfWorkFactory, clock: Clock, also: Sequence[AfterFold] = ()
    ) -> None:
        """`also` runs with every batch, so that a crash cannot part a closed call from its case and its job.
        """
        self._tails, self._uow, self._clock, self._also = tails, uow, clock, tuple(also)

    async def catch_up(self, limit: int = 2000) -> SyncResult:
        """Store everything that the files hold beyond the stored positions, a batch at a time."""
        async with self._uow() as unit:
            positions = await unit.tails.positions()
        facts, changed, closed = 0, dict[CallId, Call](), dict[CallId, Call]()
        async for batch in self._tails.batches(positions, limit):
            result = await self.store(batch)
            facts += result.facts
            changed |= {call.call_id: call for call in result.changed}
            closed |= {call.call_id: call for call in result.closed}
        # A later batch may have told more about a call that an earlier one closed.
        latest = tuple(changed.get(call_id, call) for call_id, call in closed.items())
        return SyncResult(at=self._clock.epoch(), facts=facts, changed=tuple(changed.values()), closed=latest)

    async def store(self, batch: TailBatch) -> SyncResult:
        """Store one batch in one transaction."""
        async with self._uow() as unit:
            await unit.facts.add(batch.facts)
            touched = await self._touched(unit, batch.facts)
            before = await unit.calls.get(touched)
            after = await self._folded(unit, touched)
            changed = tuple(call for call in after if before.get(call.call_id) != call)
            await unit.calls.put(changed)
            if changed:
                for also in self._also:
                    await also(unit, changed)
            await unit.tails.save(batch.positions)
        closed = tuple(
            call
            for call in changed
            if not call.open and (call.call_id not in before or before[call.call_id].open)
        )
        return SyncResult(at=self._clock.epoch(), facts=len(batch.facts), changed=changed, closed=closed)

    async def _touched(self, unit: UnitOfWork, facts: Collection[Fact]) -> set[CallId]:
        touched = {fact.call for fact in facts if fact.call is not None}
        if any(isinstance(fact, SwitchStarted) for fact in facts):
            touched |= {call.call_id for call in await unit.calls.open_calls()}
        operators = {fact.operator for fact in facts if isinstance(fact, _OPERATOR_FACTS)}
        if operators:
            earliest = min(fact.at for fact in facts if isinstance(fact, _OPERATOR_FACTS))
            for call in await unit.calls.wrap_up_pending(earliest - WRAP_UP_HORIZON_S):
                if operators & set(call.operators):
                    touched.add(call.call_id)
        return touched

    async def _folded(self, unit: UnitOfWork, touched: Collection[CallId]) -> list[Call]:
        if not touched:
            return []
        by_call: dict[CallId, list[Fact]] = {call: [] for call in touched}
        for fact in await unit.facts.of_calls(touched):
            if fact.call is not None:
                by_call[fact.call].append(fact)
        known = [fact for own in by_call.values() for fact in own]
        if not known:
            return []
        first = min(fact.at for fact in known)
        restarts = await unit.facts.restarts(first)
        operators = {fact.operator for fact in known if isinstance(fact, Connected)}
        last = max(fact.at for fact in known) + WRAP_UP_HORIZON_S
        pauses = await unit.facts.of_operators(operators, first - 2, last) if operators else []
        calls = (fold_call([*own, *restarts, *_about(pauses, own)]) for own in by_call.values() if own)
        return [call for call in calls if call is not None]


def _about(pauses: Iterable[Fact], own: Collection[Fact]) -> list[Fact]:
    """The pauses of the operators who took this call, from its beginning on."""
    operators: set[OperatorId] = {fact.operator for fact in own if isinstance(fact, Connected)}
    if not operators:
        return []
    begun = min(fact.at for fact in own) - 2
    return [
        fact
        for fact in pauses
        if isinstance(fact, _OPERATOR_FACTS)
        and fact.operator in operators
        and begun <= fact.at <= begun + WRAP_UP_HORIZON_S
    ]
