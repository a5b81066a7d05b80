"""Which member app_queue rings: `calc_metric`, `find_best` and `store_next_rr` of apps/app_queue.c (22.10)."""

from __future__ import annotations

import random

from acd.simulation.centre import Strategy
from acd.simulation.state import Device, Line, Seat

PENALTY_WEIGHT = 1_000_000


def metric(strategy: Strategy, line: Line, seat: Seat, now: float, dice: random.Random) -> int:
    """Lower is rung first. Ranks of a strategy lie within one step of penalty.

    Args:
        now: seconds; the switch counts whole ones.
    """
    penalty = seat.penalty * PENALTY_WEIGHT
    match strategy:
        case Strategy.LEASTRECENT:
            last = seat.operator.last_ended
            return penalty + (0 if last is None else 1_000_000 - (int(now) - last))
        case Strategy.RRMEMORY:
            if seat.place < line.rr_place:
                return penalty + 1000 + seat.place
            if seat.place > line.rr_place:
                line.rr_wrapped = True
            return penalty + seat.place
        case Strategy.FEWESTCALLS:
            return penalty + seat.operator.calls
        case Strategy.RANDOM:
            return penalty + dice.randrange(1000)
        case Strategy.OURS:
            raise ValueError("the switch itself does not know our strategy")


def choose(strategy: Strategy, line: Line, now: float, dice: random.Random) -> tuple[Seat | None, int | None]:
    """The member to ring, None when nobody can be, and for `rrmemory` the best metric that was not tried.

    Of equals the one who joined last is rung: app_queue walks its list backwards.
    """
    best: Seat | None = None
    best_metric = 0
    for seat in line.seats:
        if seat.paused is None and seat.operator.device == Device.IDLE:
            value = metric(strategy, line, seat, now, dice)
            if best is None or value <= best_metric:
                best, best_metric = seat, value
    if strategy is not Strategy.RRMEMORY or best is None:
        return best, None
    # Those who cannot be rung and rank before the chosen one are tried in vain, and so count as tried.
    untried: int | None = None
    chosen = line.seats.index(best)
    for index, seat in enumerate(line.seats):
        value = metric(strategy, line, seat, now, dice)
        after = value > best_metric or (value == best_metric and index < chosen)
        if after and (untried is None or value < untried):
            untried = value
    return best, untried


def remember(line: Line, untried: int | None) -> None:
    """Where `rrmemory` begins next time, after an attempt that left `untried` as the best metric."""
    if untried is not None:
        line.rr_place = untried % 1000
    elif line.rr_wrapped:
        line.rr_place = 0
    else:
        line.rr_place += 1
    line.rr_wrapped = False
