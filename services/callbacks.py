"""Call-backs kept in step with the disk: what the ledger learns of a booking or a try becomes the call-back's state,
in the ledger's own transaction.

The booking itself is a line in CEL, written by the dialplan. So it is whole or not at all, however the engine ends,
and reading the line again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from acd.callback import (
    Callback,
    CallbackCommand,
    CallbackEvent,
    CallbackRules,
    CallbackState,
    CitizenRung,
    OperatorMissed,
    TalkBegun,
    TryOver,
    Withdrawn,
    advance,
)
from acd.callback_profile import CallbackHours
from core.clock import Clock
from core.ids import OperatorId, QueueName, demand_of, language_of
from core.phone import callable_number
from ledger import calls as ledger
from ledger.calls import Call
from services.ports import UnitOfWork

CALLED_AGAIN_WITHIN_S = 14 * 86_400.0
"""A booking that may still be open is no older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkNews:
    """A call-back's talk, for whoever counts what operators carry. `ended_at` is None while it lasts."""

    operator: OperatorId
    demand: QueueName
    channel: str
    """Uniqueid of the operator's leg."""
    started_at: float
    ended_at: float | None


Act = Callable[[Sequence[CallbackCommand]], None]
Tell = Callable[[TalkNews], None]


class CallbackKeeper:
    """For `LedgerSync(also=[keeper.after_fold])`.

    Args:
        act: takes the commands that follow from what the disk told.
        tell: hears of talks begun and ended.
    """

    def __init__(self, rules: CallbackRules, hours: CallbackHours, clock: Clock) -> None:
        self._rules, self._hours, self._clock = rules, hours, clock
        self.act: Act = _nothing
        self.tell: Tell = _nothing

    async def after_fold(self, unit: UnitOfWork, calls: Sequence[Call]) -> None:
        """Bring the call-backs up to what these changed calls say. It may be told of a call many times."""
        for call in calls:
            if call.callback is not None:
                await self._follow(unit, call, call.callback)
            if call.queue is not None:
                await self._called_again(unit, call)

    async def _follow(self, unit: UnitOfWork, call: Call, told: ledger.Callback) -> None:
        callback = await unit.callbacks.get(call.call_id)
        if callback is None:
            callback = await self._new(unit, call, told)
            if callback is None:
                return
        before = callback
        for event in events_of(told, callback):
            callback = self._step(callback, event)
        if callback != before:
            await unit.callbacks.put(callback)
            self._tell_talk(told, before, callback)

    async def _new(self, unit: UnitOfWork, call: Call, told: ledger.Callback) -> Callback | None:
        number = callable_number(told.to)
        if number is None:
            return None  # erased by now, or written by nobody of ours: never dialled
        caller = call.caller.number if call.caller else None
        numbers = {each for each in (number, caller) if each}
        demand = demand_of(told.queue)
        related = [
            each
            for each in await unit.callbacks.with_number(numbers, told.booked_at - CALLED_AGAIN_WITHIN_S)
            if demand_of(each.demand) == demand and each.call != call.call_id
        ]
        # Whoever called again and books anew has waited since the first call.
        entered = min([told.entered_at, *(each.entered_at for each in related if each.by == call.call_id)])
        callback = Callback(
            call=call.call_id,
            number=number,
            caller=caller,
            demand=demand,
            entered_at=entered,
            booked_at=told.booked_at,
            expires_at=self._hours.expiry(self._clock.city_time_of(told.booked_at)).timestamp(),
            since=told.booked_at,
            next_at=told.booked_at,
        )
        if any(each.state.is_open and each.number == number for each in related):
            # The earlier one has the better place; the citizen is called once.
            callback = replace(callback, state=CallbackState.CANCELLED, reason="duplicate")
        await unit.callbacks.put(callback)
        return callback

    async def _called_again(self, unit: UnitOfWork, call: Call) -> None:
        number = call.caller.number if call.caller else None
        if number is None or call.queue is None:
            return
        since = call.arrived_at - CALLED_AGAIN_WITHIN_S
        for callback in await unit.callbacks.with_number({number}, since):
            later = callback.call != call.call_id and call.arrived_at > callback.booked_at
            if later and callback.state.is_open and _same_line(callback.demand, call.queue):
                gone = self._step(
                    callback, Withdrawn(at=call.arrived_at, reason="called_again", by=call.call_id)
                )
                if gone != callback:
                    await unit.callbacks.put(gone)

    def _step(self, callback: Callback, event: CallbackEvent) -> Callback:
        after, commands = advance(callback, event, self._rules)
        if commands:
            self.act(commands)
        return after

    def _tell_talk(self, told: ledger.Callback, before: Callback, after: Callback) -> None:
        if after.state is before.state and after.over == before.over:
            return
        for each in told.tries:
            if each.talk_started_at is None or each.channel is None or each.attempt <= before.over:
                continue
            self.tell(
                TalkNews(
                    operator=each.operator,
                    demand=after.demand,
                    channel=each.channel,
                    started_at=each.talk_started_at,
                    ended_at=each.ended_at,
                )
            )


def events_of(told: ledger.Callback, callback: Callback) -> list[CallbackEvent]:
    """What the disk knows about a call-back's tries, in order of time."""
    events: list[CallbackEvent] = []
    for gone in told.not_taken:
        # Only the offer that is being made now: an earlier one has been dealt with.
        if callback.operator == gone.operator and gone.at >= callback.since:
            events.append(OperatorMissed(at=gone.at))
    for each in told.tries:
        events.append(CitizenRung(at=each.at, operator=each.operator, attempt=each.attempt))
        if each.talk_started_at is not None:
            events.append(TalkBegun(at=each.talk_started_at, operator=each.operator, attempt=each.attempt))
        if each.ended_at is not None:
            events.append(
                TryOver(
                    at=each.ended_at,
                    operator=each.operator,
                    attempt=each.attempt,
                    result=each.result,
                    talk_s=each.talk_s,
                )
            )
    return sorted(events, key=lambda event: event.at)


def _same_line(one: QueueName, other: QueueName) -> bool:
    """Whether two queues belong to one service line, in whatever language and at whatever stage."""
    first, second = demand_of(one), demand_of(other)
    return first.removesuffix(f"-{language_of(first)}") == second.removesuffix(f"-{language_of(second)}")


def _nothing(_news: object) -> None:
    """Nobody listens."""
