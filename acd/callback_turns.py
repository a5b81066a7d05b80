"""Whose turn it is: which pending call-back may take which free operator now.

Call-backs stand in one order of need with the callers who wait on the line. Operators are matched to that order
from its head, so a call-back gets an operator only where everybody needier is served without them, and there are
never more call-backs under way than operators who were free for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from acd.callback import Callback
from acd.view import FloorView, Seat
from core.ids import CallId, OperatorId, QueueName

Need = Callable[[QueueName, float], float]
"""How much a caller of a demand who entered at a moment needs to be served; more comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """This call-back to this operator."""

    call: CallId
    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    need: float
    is_callback: bool
    since: float
    name: str
    queue: QueueName
    call: CallId | None


def turns(
    view: FloorView,
    due: Iterable[Callback],
    *,
    queue_of: Callable[[Callback], QueueName],
    need: Need,
    becoming_free: Collection[OperatorId] = (),
) -> list[Turn]:
    """The call-backs to start now.

    Args:
        view: the floor of this moment.
        due: call-backs that may be offered (`callback.is_due`, hours allowed).
        queue_of: the queue of the stage of relaxation that a caller would be in who had waited since the entry.
        need: the order that waiting callers are served in.
        becoming_free: operators whose wrap-up is over and who are about to be made ready.
    """
    free = _free(view, becoming_free)
    wishes = [
        _Wish(
            need=need(caller.demand, caller.since),
            is_callback=False,
            since=caller.since,
            name=caller.channel,
            queue=caller.queue,
            call=None,
        )
        for caller in view.callers
        if caller.ringing_at is None
    ] + [
        _Wish(
            need=need(callback.demand, callback.entered_at),
            is_callback=True,
            since=callback.entered_at,
            name=callback.call,
            queue=queue_of(callback),
            call=callback.call,
        )
        for callback in due
    ]
    # On equal need whoever holds the receiver comes first.
    wishes.sort(key=lambda wish: (-wish.need, wish.is_callback, wish.since, wish.name))
    taken: dict[OperatorId, _Wish] = {}
    for wish in wishes:
        _seat(wish, free, taken, set())
    return [
        Turn(call=wish.call, operator=operator) for operator, wish in taken.items() if wish.call is not None
    ]


def _free(
    view: FloorView, becoming_free: Collection[OperatorId]
) -> Mapping[OperatorId, frozenset[QueueName]]:
    """Queues each free operator may serve now; the least loaded first."""

    def serves(seat: Seat) -> frozenset[QueueName]:
        if seat.operator in becoming_free:
            return frozenset(seat.queues)
        if seat.state != "ready":
            return frozenset()
        return frozenset(queue for queue, offered in seat.queues.items() if offered)

    ranked: Sequence[Seat] = sorted(
        view.seats, key=lambda seat: (seat.load.calls, seat.load.handled_s, seat.last_ended_at, seat.operator)
    )
    return {seat.operator: queues for seat in ranked if (queues := serves(seat))}


def _seat(
    wish: _Wish,
    free: Mapping[OperatorId, frozenset[QueueName]],
    taken: dict[OperatorId, _Wish],
    tried: set[OperatorId],
) -> bool:
    """Give the wish an operator, moving needier ones to another of theirs where that makes room."""
    for operator, queues in free.items():
        if wish.queue not in queues or operator in tried:
            continue
        tried.add(operator)
        holder = taken.get(operator)
        if holder is None or _seat(holder, free, taken, tried):
            taken[operator] = wish
            return True
    return False
