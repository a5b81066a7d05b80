"""How long those who wait will still wait: the floor played forward many times, always with the same dice.

A run draws for every busy operator when they will be free and for every caller ahead when they would give up, then
gives each caller, neediest first, the earliest operator who may serve them. docs/algorithms/waiting.md tells why so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acd.demand import Demand
from acd.experience import Experience, Seconds
from acd.view import Caller, FloorView, Seat
from core.ids import QueueName, demand_of

RUNS = 200
ANSWER_S = 4.0
"""From a free operator to the conversation: the offer, the ringing, picking up."""
_SHARES: Seconds = (np.arange(RUNS) + 0.5) / RUNS
_DICE = np.random.default_rng(1)
_DECKS = [_DICE.permutation(RUNS) for _ in range(101)]
_EACH = np.arange(RUNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is known besides the view."""

    demands: Mapping[QueueName, Demand]
    """By name."""
    wrap_up_s: Mapping[QueueName, float]
    """By demand."""
    experience: Experience


def remaining_waits(view: FloorView, needy: Sequence[Caller], service: Service) -> dict[str, Seconds]:
    """The waits of these callers, by channel: seconds from the view's moment, ascending, one a run.

    Args:
        needy: callers whom nobody is being rung for, neediest first.

    Returns:
        only those of whom something is known: somebody on duty may serve them, now or at a later stage of their
        demand, and enough calls have been seen to tell when the operators will be free.
    """
    seats = [seat for seat in view.seats if seat.on_duty and seat.queues]
    known = [_free_after(seat, view, service) for seat in seats]
    free = np.array([_deal(each, place) for place, each in enumerate(known) if each is not None])
    if len(free) < len(seats) or not seats:
        return {}
    dealt = len(seats)
    members = {
        queue: np.array([queue in seat.queues for seat in seats])
        for queue in {queue for seat in seats for queue in seat.queues}
    }
    waits: dict[str, Seconds] = {}
    for caller in needy:
        opens = _opens(caller, view.at, members, service.demands.get(caller.demand))
        handling = service.experience.handling(caller.demand)
        if handling is None or not np.isfinite(opens).any():
            continue
        starts = np.maximum(free, opens[:, np.newaxis])
        chosen = starts.argmin(axis=0)
        begins = starts[chosen, _EACH] + ANSWER_S
        waits[caller.channel] = np.sort(begins)
        patience = _deal(-np.log1p(-_SHARES) / service.experience.gives_up_per_s(caller.demand), dealt)
        busy = _deal(handling.rest(0.0, _SHARES), dealt + 1)
        dealt += 2
        # Who gives up before their turn leaves the operator to the next caller.
        stays = patience >= begins
        free[chosen[stays], _EACH[stays]] = (begins + busy)[stays]
    return waits


def _deal(quantiles: Seconds, number: int) -> Seconds:
    """Each run its quantile, every quantile once (a Latin hypercube), so that few runs suffice."""
    return quantiles[_DECKS[number % len(_DECKS)]]


def _free_after(seat: Seat, view: FloorView, service: Service) -> Seconds | None:
    """Quantiles of the seconds until this operator can be offered a call; None when nothing tells."""
    passed_s = max(0.0, view.at - seat.since)
    wrap_up_s = _wrap_up_s(seat, service)
    match seat.state:
        case "wrapup":
            return np.full(RUNS, max(0.0, wrap_up_s - passed_s))
        case "talking":
            handling = service.experience.handling(demand_of(seat.talking_in) if seat.talking_in else None)
            # A call is its talk and its wrap-up, and the talk alone has taken `passed_s` so far.
            return None if handling is None else wrap_up_s + handling.rest(passed_s + wrap_up_s, _SHARES)
        case "ringing":
            caller = next((each for each in view.callers if each.ringing_at == seat.operator), None)
            handling = service.experience.handling(caller.demand if caller is not None else None)
            return None if handling is None else ANSWER_S + handling.rest(0.0, _SHARES)
        case _:
            return np.zeros(RUNS)


def _wrap_up_s(seat: Seat, service: Service) -> float:
    queues = [seat.talking_in] if seat.talking_in else list(seat.queues)
    return max((service.wrap_up_s.get(demand_of(queue), 0.0) for queue in queues), default=0.0)


def _opens(
    caller: Caller, now: float, members: Mapping[QueueName, NDArray[np.bool_]], demand: Demand | None
) -> Seconds:
    """Seconds until each operator may serve the caller: 0, or the caller's next stages; infinity for never."""
    steps = [(caller.queue, 0.0)]
    if demand is not None:
        later = demand.stages[demand.stage_of(caller.queue) + 1 :]
        steps += [(stage.queue, max(0.0, caller.since + stage.after_s - now)) for stage in later]
    opens = np.full(len(next(iter(members.values()))), np.inf)
    for queue, after_s in reversed(steps):
        if queue in members:
            opens[members[queue]] = after_s
    return opens
