"""Whose turn it is: which pending call-back may take which free operator now.

Call-backs stand in one order of need with the callers who hold the line, and operators are matched to that order
from its head. So a call-back gets an operator only where everybody needier is served without them, and there are
never more call-backs under way than operators who were free for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from acd.callback import Callback
from acd.demand import Demand
from acd.routing import by_need, matching
from acd.view import Caller, FloorView, Seat
from core.ids import CallId, OperatorId, QueueName

_CHANNEL = "callback/"
"""Stands for the channel of a caller who has put the receiver down. Sorts after real ones: on equal need whoever
holds the line comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """This call-back to this operator."""

    call: CallId
    operator: OperatorId


def turns(
    view: FloorView,
    due: Iterable[Callback],
    *,
    queue_of: Callable[[Callback], QueueName],
    priorities: Mapping[QueueName, int],
    limits: Mapping[QueueName, float],
    becoming_free: Collection[OperatorId] = (),
) -> list[Turn]:
    """The call-backs to start now.

    Args:
        view: the floor of this moment.
        due: call-backs that may be offered (`callback.is_due`, hours allowed).
        queue_of: the queue of the stage of relaxation that a caller would be in who had waited since the entry.
        priorities: of demands, for the order of need (`routing.by_need`).
        limits: waits that must not be passed, by demand.
        becoming_free: operators whose wrap-up is over and who are about to be made ready.
    """
    pending = [
        Caller(
            channel=f"{_CHANNEL}{callback.call}",
            call=callback.call,
            queue=queue_of(callback),
            demand=callback.demand,
            since=callback.entered_at,
        )
        for callback in due
    ]
    if not pending:
        return []
    unserved = [caller for caller in view.callers if caller.ringing_at is None]
    ordered = by_need([*unserved, *pending], view.at, priorities, limits)
    meant = matching(ordered, _free(view.seats, becoming_free))
    return [
        Turn(call=caller.call, operator=operator)
        for operator, caller in meant.items()
        if caller.call is not None and caller.channel.startswith(_CHANNEL)
    ]


def _free(
    seats: Iterable[Seat], becoming_free: Collection[OperatorId]
) -> list[tuple[OperatorId, frozenset[QueueName]]]:
    """The queues each free operator may serve now; the least loaded first."""

    def serves(seat: Seat) -> frozenset[QueueName]:
        if seat.operator in becoming_free:
            return frozenset(seat.queues)
        if seat.state != "ready":
            return frozenset()
        return frozenset(queue for queue, offered in seat.queues.items() if offered)

    ranked = sorted(
        seats, key=lambda seat: (seat.load.calls, seat.load.handled_s, seat.last_ended_at, seat.operator)
    )
    return [(seat.operator, queues) for seat in ranked if (queues := serves(seat))]


def stage_queue(demand: Demand, waited_s: float) -> QueueName:
    """The queue of the stage that a caller of this demand is in after so long a wait."""
    reached = [stage for stage in demand.stages if stage.after_s <= waited_s]
    return (reached or demand.stages[:1])[-1].queue
