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
from ledger.operators import SLACK_S
from services.ports import LogBatch, LogReader, OpenLogs, TailPosition, UnitOfWork, UnitOfWorkFactory

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
        self,
        open_logs: OpenLogs,
        uow: UnitOfWorkFactory,
        clock: Clock,
        *,
        node: str,
        also: Sequence[AfterFold] = (),
    ) -> None:
        """`also` runs with every batch, so that a crash cannot part a closed call from its case and its job."""
        self._open, self._uow, self._clock, self._node = open_logs, uow, clock, node
        self._also = tuple(also)
        self._readers: Sequence[LogReader] | None = None

    async def catch_up(self, limit: int = 500) -> SyncResult:
        """Store everything that the logs hold beyond the stored positions, `limit` lines a transaction.

        After an exception, whatever was not stored is read again the next time.
        """
        results: list[SyncResult] = []
        try:
            readers = await self._opened()
            readers = await self._opened()
            while await self._step(readers, limit, results):
                pass
        except BaseException:
            # The readers are ahead of what is stored.
            self.close()
            raise
        changed = {call.call_id: call for result in results for call in result.changed}
        closed = dict.fromkeys(call.call_id for result in results for call in result.closed)
        return SyncResult(
            at=self._clock.epoch(),
            facts=sum(result.facts for result in results),
            changed=tuple(changed.values()),
            # A later batch may have told more about a call that an earlier one closed.
            closed=tuple(changed[call_id] for call_id in closed),
        )

    async def _step(self, readers: Sequence[LogReader], limit: int, results: list[SyncResult]) -> bool:
        """One batch of every log; False when there was nothing new.

        Read in order and stored in reverse: the end of a call in CEL, read first, must not close it before
        what queue_log had said of it until then is known, or it would count as another kind of call for a
        moment.
        """
        batches = [(reader.kind, reader.read(limit)) for reader in readers]
        fresh = [(kind, batch) for kind, batch in reversed(batches) if batch.lines]
        for kind, batch in fresh:
            results.append(await self.store(kind, batch))
        return bool(fresh)

    async def store(self, kind: str, batch: LogBatch) -> SyncResult:
        """Store one batch of the log `kind` in one transaction."""
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
            if batch.position is not None:
                position = batch.position.as_text()
                await unit.tails.save([TailPosition(node=self._node, log=kind, position=position)])
        closed = tuple(
            call
            for call in changed
            if not call.open and (call.call_id not in before or before[call.call_id].open)
        )
        return SyncResult(at=self._clock.epoch(), facts=len(batch.facts), changed=changed, closed=closed)

    def close(self) -> None:
        """Let go of the log files; the next run opens them again at the stored positions."""
        for reader in self._readers or ():
            reader.close()
        self._readers = None

    async def _opened(self) -> Sequence[LogReader]:
        if self._readers is None:
            async with self._uow() as unit:
                stored = await unit.tails.positions()
            saved = {each.log: each.position for each in stored if each.node == self._node}
            self._readers = self._open(saved)
        return self._readers

    async def _touched(self, unit: UnitOfWork, facts: Collection[Fact]) -> set[CallId]:
        touched = {fact.call for fact in facts if fact.call is not None}
        if any(isinstance(fact, SwitchStarted) for fact in facts):
            touched |= {call.call_id for call in await unit.calls.open_calls()}
        pauses = [fact for fact in facts if isinstance(fact, _OPERATOR_FACTS)]
        if pauses:
            operators = {fact.operator for fact in pauses}
            first, last = min(fact.at for fact in pauses), max(fact.at for fact in pauses)
            # A change of reason is an unpause and a pause; a batch may end between the two, and then the
            # first looks like the end of the work until the second is read.
            for call in await unit.calls.wrap_up_pending(
                first - WRAP_UP_HORIZON_S, settled_since=first - SLACK_S, until=last + SLACK_S
            ):
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
