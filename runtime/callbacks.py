"""The engine's part in call-backs once they are booked: whose turn it is, and ringing the operator.

What has happened is read from the database, where the ledger keeps it in step with the disk
(`services.callbacks`); what is to happen is stored before it is done. So an engine that dies at any moment leaves
either nothing, or a try that the next one finds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from acd.callback import (
    Callback,
    CallbackCommand,
    CallbackEvent,
    CallbackState,
    Expired,
    GiveBack,
    OperatorMissed,
    OperatorRung,
    Passing,
    RingOperator,
    StopRinging,
    Withdrawn,
    advance,
    is_due,
)
from acd.callback_turns import Turn, stage_queue, turns
from acd.events import FloorCommand, MakeReady, OfferMissed, TalkEnded, TalkStarted
from acd.view import FloorView
from core.clock import Clock
from core.facts.dialplan import PauseReason
from core.hours import Emergency
from core.ids import CallId, OperatorId, QueueName
from runtime.floor_loop import FloorLoop
from services.callbacks import CallbackKeeper, TalkNews
from services.city import CityProfile
from storage.database import Database
from telephony.ami import callback as switch
from telephony.ami.errors import AmiBadValue, AmiError
from telephony.ami.events import AmiEvent, OriginateResponse
from telephony.ami.session import AmiSession

log = logging.getLogger(__name__)

TICK_S = 0.2
READ_EVERY_S = 1.0
HOLD_TRIES = 15
HOLD_EVERY_S = 0.1
ORPHAN_S = 3.0
"""An operator held for a call-back that nobody knows of is given back after so long."""
REMEMBERED = 2000


class CallbackDesk:
    """One for an engine."""

    def __init__(
        self,
        *,
        profile: CityProfile,
        clock: Clock,
        ami: AmiSession,
        loop: FloorLoop,
        database: Database,
        keeper: CallbackKeeper,
        emergency: Callable[[], Emergency | None],
    ) -> None:
        self._profile, self._clock, self._ami, self._loop = profile, clock, ami, loop
        self._database = database
        self._section = profile.acd.callback
        self._rules = self._section.rules()
        self._hours = self._section.hours(profile.hours)
        self._emergency = emergency
        self._demands = {demand.name: demand for demand, _line in profile.acd.demands()}
        self._open: dict[CallId, Callback] = {}
        self._read_at = float("-inf")
        self._starting: dict[OperatorId, CallId] = {}
        """Turns that are being stored and rung."""
        self._ringing: dict[str, CallId] = {}
        """Call by the action id of the Originate."""
        self._orphans: dict[OperatorId, float] = {}
        self._told: dict[tuple[str, bool], None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        keeper.act, keeper.tell = self._act, self._talk_news
        loop.listeners.append(self._heard)
        loop.diverters.append(self._diverted)

    @property
    def pending(self) -> tuple[Callback, ...]:
        """Call-backs not at their end, by the caller's first entry."""
        return tuple(sorted(self._open.values(), key=lambda each: (each.entered_at, each.call)))

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._tick()
            except Exception:
                # What is stored is stored; the next tick finds it.
                log.exception("call-backs could not be looked at")
                await asyncio.sleep(READ_EVERY_S)

    def look(self) -> None:
        """Something was written that may concern call-backs: read them at the next tick."""
        self._read_at = float("-inf")

    # ---- whose turn it is -----------------------------------------------------------------------------

    async def _tick(self) -> None:
        now = self._clock.epoch()
        if now - self._read_at >= READ_EVERY_S:
            await self._read()
            self._read_at = now
        for callback in list(self._open.values()):
            await self._pass(callback, now)
        if not self._ami.connected:
            return
        self._give_back_orphans(now)
        for turn in self._turns(now):
            self._begin(turn)

    async def _read(self) -> None:
        before = self._open
        async with self._database.reading() as unit:
            self._open = {callback.call: callback for callback in await unit.callbacks.open()}
            for callback in before.values():
                if callback.state is not CallbackState.OPERATOR_RINGING or callback.call in self._open:
                    continue
                # Cancelled by a command, or by another process that took the ledger further.
                found = await unit.callbacks.get(callback.call)
                if callback.operator and found and found.state is CallbackState.CANCELLED:
                    self._act([StopRinging(call=callback.call, operator=callback.operator)])

    async def _pass(self, callback: Callback, now: float) -> None:
        event: CallbackEvent = Passing(at=now)
        if self._clock.city_now().timestamp() >= callback.expires_at:
            event = Expired(at=now)
        if advance(callback, event, self._rules)[0] != callback:
            await self._apply(callback.call, event)

    def _turns(self, now: float, becoming_free: Collection[OperatorId] = ()) -> list[Turn]:
        taken = set(self._starting.values())
        due = [each for each in self._open.values() if is_due(each, now) and each.call not in taken]
        if not due or not self._may_call():
            return []
        floor = self._loop.floor
        return turns(
            self._without_busy(floor.view(now)),
            due,
            queue_of=lambda callback: self._queue_of(callback, now),
            priorities={name: demand.priority for name, demand in self._demands.items()},
            limits={name: floor.rules.limit_s(name) for name in self._demands},
            becoming_free=becoming_free,
        )

    def _may_call(self) -> bool:
        now = self._clock.city_now()
        return self._hours.may_call(now) and self._profile.hours.state_at(now, self._emergency()).open

    def _without_busy(self, view: FloorView) -> FloorView:
        """The switch's word about an operator whom we have just taken may still be on its way."""
        busy = {each.operator for each in self._open.values()} | self._starting.keys()
        return replace(view, seats=tuple(seat for seat in view.seats if seat.operator not in busy))

    def _queue_of(self, callback: Callback, now: float) -> QueueName:
        demand = self._demands.get(callback.demand)
        return callback.demand if demand is None else stage_queue(demand, now - callback.entered_at)

    def _diverted(self, commands: Sequence[FloorCommand]) -> Sequence[FloorCommand]:
        """A freed operator may be meant for a call-back rather than for who holds the line."""
        freed = {each.operator for each in commands if isinstance(each, MakeReady) and each.why in _FREED}
        if not freed:
            return commands
        meant = [turn for turn in self._turns(self._clock.epoch(), freed) if turn.operator in freed]
        for turn in meant:
            self._begin(turn)
        gone = {turn.operator for turn in meant}
        return [each for each in commands if not (isinstance(each, MakeReady) and each.operator in gone)]

    def _begin(self, turn: Turn) -> None:
        self._starting[turn.operator] = turn.call
        self._spawn(self._started(turn))

    async def _started(self, turn: Turn) -> None:
        try:
            await self._apply(turn.call, OperatorRung(at=self._clock.epoch(), operator=turn.operator))
        finally:
            self._starting.pop(turn.operator, None)

    async def _apply(self, call: CallId, event: CallbackEvent) -> None:
        """Store what follows from an event, then do it."""
        async with self._database.uow() as unit:
            callback = await unit.callbacks.get(call)
            if callback is None:
                return
            after, commands = advance(callback, event, self._rules)
            if after != callback:
                await unit.callbacks.put(after)
        if after.state.is_open:
            self._open[call] = after
        else:
            self._open.pop(call, None)
        if after.state is not callback.state:
            log.info("call-back of %s: %s %s", call, after.state, after.reason)
        self._act(commands)

    # ---- doing it ---------------------------------------------------------------------------------------

    def _act(self, commands: Sequence[CallbackCommand]) -> None:
        self.look()
        for command in commands:
            match command:
                case RingOperator():
                    self._spawn(self._ring(command))
                case GiveBack():
                    self._give_back(command.operator, command.why)
                case StopRinging():
                    self._spawn(self._stop(command))

    async def _ring(self, wanted: RingOperator) -> None:
        try:
            if await self._held(wanted):
                reply = await switch.ring(
                    self._ami, wanted, offer_s=self._rules.offer_s, ring_s=float(self._section.ring_s)
                )
                if reply.success:
                    self._ringing[reply.fields["actionid"]] = wanted.call
                    return
                log.warning("operator %s not rung for a call-back: %s", wanted.operator, reply.message)
        except AmiBadValue as problem:
            log.error("call-back of %s is never dialled: %s", wanted.call, problem)
            await self.withdraw(wanted.call, "bad_number")
            return
        except AmiError as problem:
            # Whether it was sent is unknown: the time it would ring decides (`acd.callback.OFFER_SLACK_S`).
            log.warning("operator %s not rung for a call-back: %s", wanted.operator, problem)
            return
        await self._apply(wanted.call, OperatorMissed(at=self._clock.epoch()))

    async def _held(self, wanted: RingOperator) -> bool:
        """Whether the operator is ours and idle, by the switch's own word."""
        queue = self._queue_of(self._open[wanted.call], self._clock.epoch())
        await switch.hold(self._ami, wanted.operator)
        for _ in range(HOLD_TRIES):
            held = await switch.is_held(self._ami, wanted.operator, queue)
            if held is not None:
                return held
            await asyncio.sleep(HOLD_EVERY_S)
        return False

    async def _stop(self, command: StopRinging) -> None:
        try:
            await switch.stop_ringing(self._ami, command.call, command.operator)
        except AmiError as problem:
            log.warning("operator %s still rings for a cancelled call-back: %s", command.operator, problem)
        self._give_back(command.operator, "callback_cancelled")

    def _give_back(self, operator: OperatorId, why: str) -> None:
        member = self._loop.floor.members.get(operator)
        if member is not None and member.paused != PauseReason.MISSED:
            self._loop.do([MakeReady(operator=operator, queues=(), talk=member.talk, why=why)])

    def _give_back_orphans(self, now: float) -> None:
        busy = {each.operator for each in self._open.values()} | self._starting.keys()
        held = {
            operator
            for operator, member in self._loop.floor.members.items()
            if member.paused == PauseReason.CALLBACK and operator not in busy
        }
        self._orphans = {operator: self._orphans.get(operator, now) for operator in held}
        for operator, since in self._orphans.items():
            if now - since >= ORPHAN_S:
                self._orphans[operator] = now
                self._give_back(operator, "callback_unknown")

    # ---- news -------------------------------------------------------------------------------------------

    def _heard(self, event: AmiEvent) -> None:
        """An Originate came to its end: the operator answered, or not."""
        if not isinstance(event, OriginateResponse):
            return
        call = self._ringing.pop(event.action_id, None)
        if call is not None and not event.success:
            self._spawn(self._not_answered(call, event.at))

    async def _not_answered(self, call: CallId, at: float) -> None:
        callback = self._open.get(call)
        if callback is not None and callback.operator is not None:
            missed = OfferMissed(at=at, operator=callback.operator, queue=callback.demand)
            self._loop.do(self._loop.floor.handle(missed))
        await self._apply(call, OperatorMissed(at=at))

    def _talk_news(self, news: TalkNews) -> None:
        """The floor counts a call-back's talk like any other."""
        floor = self._loop.floor
        if (news.channel, False) not in self._told:
            _remember(self._told, (news.channel, False))
            started = TalkStarted(
                at=news.started_at, operator=news.operator, queue=news.demand, caller="", talk=news.channel
            )
            self._loop.do(floor.handle(started))
        if news.ended_at is not None and (news.channel, True) not in self._told:
            _remember(self._told, (news.channel, True))
            ended = TalkEnded(
                at=news.ended_at,
                operator=news.operator,
                queue=news.demand,
                talk_s=news.ended_at - news.started_at,
            )
            self._loop.do(floor.handle(ended))

    async def withdraw(self, call: CallId, reason: str) -> None:
        """Cancel a booking."""
        await self._apply(call, Withdrawn(at=self._clock.epoch(), reason=reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await work
            except Exception:
                log.exception("a call-back's step failed")

        task = asyncio.ensure_future(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_FREED = frozenset({"wrapup_over", "missed_once", "no_offer"})
"""Why the floor makes an operator ready by itself (`MakeReady.why`)."""


def _remember(memory: dict[Any, None], key: object) -> None:
    memory[key] = None
    while len(memory) > REMEMBERED:
        del memory[next(iter(memory))]
