"""How long each waiting caller will still wait, by playing the present floor forward.

Simple, explainable and on the careful side: operators who are busy take as long as the slower of the recent calls,
freed operators take the neediest caller they may serve at that moment, nobody new signs in and nobody hangs up.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from acd.demand import Demand
from acd.routing import need_of
from acd.view import Caller, FloorView, Seat
from core.ids import OperatorId, QueueName, demand_of

RemainingWaits = Callable[[FloorView], Mapping[str, float]]
"""Seconds from the view's moment until each caller (by channel) talks to somebody; infinite where nobody may."""

QUANTILE = 0.7
"""Of recent handling times. Above the middle, so that the guard acts rather too early than too late."""
LEAST_SAMPLES = 3
USUAL_HANDLING_S = 240.0
"""Talk and wrap-up while too little is known of today: the middle of the mean talks in the cities' profiles."""
LIMIT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Plays a floor of these demands forward; called with a view it is a `RemainingWaits`."""

    demands: tuple[Demand, ...]
    wrap_up_s: Mapping[QueueName, float] = field(default_factory=dict)
    """By demand."""
    limits_s: Mapping[QueueName, float] = field(default_factory=dict)
    """The wait that must not be passed, by demand; it decides about need."""

    def __call__(self, view: FloorView) -> dict[str, float]:
        play = _Play(self, view)
        return play.run()


class _Play:
    def __init__(self, outlook: Outlook, view: FloorView) -> None:
        self._view = view
        self._demands = {demand.name: demand for demand in outlook.demands}
        self._wrap_up, self._limits = outlook.wrap_up_s, outlook.limits_s
        self._samples = {demand: sorted(times) for demand, times in view.handling_s.items()}
        self._all = sorted(time for times in view.handling_s.values() for time in times)

    def run(self) -> dict[str, float]:
        now = self._view.at
        found = {caller.channel: 0.0 for caller in self._view.callers if caller.ringing_at is not None}
        waiting = {caller.channel: caller for caller in self._view.callers if caller.ringing_at is None}
        seats = {seat.operator: seat for seat in self._view.seats if seat.on_duty}
        # Of several who are free at once, whoever may serve less goes first: as the floor's matching does.
        free = [(now + self._busy_s(seat), len(seat.queues), operator) for operator, seat in seats.items()]
        heapq.heapify(free)
        while waiting and free:
            at, breadth, operator = heapq.heappop(free)
            seat = seats[operator]
            mine = [caller for caller in waiting.values() if self._queue_at(caller, at) in seat.queues]
            if not mine:
                later = self._opens_at(seat, list(waiting.values()), at)
                if later is not None:
                    heapq.heappush(free, (later, breadth, operator))
                continue
            taken = max(mine, key=lambda caller: (self._need(caller, at), -caller.since, caller.channel))
            del waiting[taken.channel]
            found[taken.channel] = at - now
            heapq.heappush(free, (at + self._handling_s(taken.demand), breadth, operator))
        return found | dict.fromkeys(waiting, math.inf)

    def _need(self, caller: Caller, at: float) -> float:
        demand = self._demands.get(caller.demand)
        limit = self._limits.get(caller.demand) or (demand.wait_limit_s if demand else LIMIT_S)
        return need_of(at - caller.since, priority=demand.priority if demand else 0, limit_s=limit)

    # ---- stages -----------------------------------------------------------------------------------

    def _queue_at(self, caller: Caller, at: float) -> QueueName:
        """Where the dialplan's own timer will have led the caller by then."""
        demand = self._demands.get(caller.demand)
        if demand is None:
            return caller.queue
        reached = [stage.queue for stage in demand.stages if stage.after_s <= at - caller.since]
        places = [stage.queue for stage in demand.stages]
        here = places.index(caller.queue) if caller.queue in places else 0
        return places[max(here, len(reached) - 1)]

    def _opens_at(self, seat: Seat, waiting: Sequence[Caller], at: float) -> float | None:
        """When the first of these callers will have relaxed so far that this operator may serve them."""
        moments = [
            caller.since + stage.after_s
            for caller in waiting
            if caller.demand in self._demands
            for stage in self._demands[caller.demand].stages
            if stage.queue in seat.queues and caller.since + stage.after_s > at
        ]
        return min(moments, default=None)

    # ---- service ----------------------------------------------------------------------------------

    def _busy_s(self, seat: Seat) -> float:
        """Seconds until this operator can take the next call."""
        elapsed = max(0.0, self._view.at - seat.since)
        demand = demand_of(seat.talking_in) if seat.talking_in else None
        match seat.state:
            case "talking":
                return self._left_s(demand, elapsed)
            case "wrapup":
                known = self._wrap_up.get(demand) if demand else None
                whole = max(self._wrap_up.values(), default=0.0) if known is None else known
                return max(0.0, whole - elapsed)
            case "ringing":
                return self._handling_s(self._rung_for(seat.operator))
            case _:
                return 0.0

    def _rung_for(self, operator: OperatorId) -> QueueName | None:
        return next((c.demand for c in self._view.callers if c.ringing_at == operator), None)

    def _times(self, demand: QueueName | None) -> Sequence[float]:
        mine = self._samples.get(demand, []) if demand else []
        for times in (mine, self._all):
            if len(times) >= LEAST_SAMPLES:
                return times
        return ()

    def _handling_s(self, demand: QueueName | None) -> float:
        times = self._times(demand)
        return _quantile(times) if times else USUAL_HANDLING_S

    def _left_s(self, demand: QueueName | None, elapsed: float) -> float:
        """What is left of a talk that has lasted so long: calls that were over by then are no guide."""
        longer = [time for time in self._times(demand) if time > elapsed]
        if longer:
            return _quantile(longer) - elapsed
        usual = self._handling_s(demand)
        return usual - elapsed if usual > elapsed else usual / 2


def _quantile(ordered: Sequence[float]) -> float:
    return ordered[math.ceil(QUANTILE * len(ordered)) - 1]
