"""The formulas of Erlang: B (no waiting), C (all wait for ever), and A with patience, exact.

Loads are in erlangs (calls per hour x handling time in hours), times in seconds, probabilities 0 to 1. Sources: A. K.
Erlang (1917) for B and C; C. Palm (1946) and Mandelbaum & Zeltyn for A. The wait of a caller who finds k others
waiting is a sum of exponential times whose rates rise by the rate of impatience, that is minus the logarithm of a beta
variable; so the share answered in time needs no integral.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_TAIL = 1e-18
_MOST_STATES = 2_000_000


def erlang_b(load: float, servers: int) -> float:
    """The share of callers who find all `servers` busy, when nobody waits.

    Raises:
        ValueError: a negative load or number of servers.
    """
    _check(load, servers)
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = load * blocked / (server + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """The share of callers who wait, when everybody waits as long as it takes; 1 when the load cannot be carried.

    Raises:
        ValueError: a negative load or number of servers.
    """
    _check(load, servers)
    if load >= servers:
        return 1.0 if load > 0 or servers == 0 else 0.0
    blocked = erlang_b(load, servers)
    return servers * blocked / (servers - load * (1.0 - blocked))


def service_level_c(load: float, servers: int, handling_s: float, within_s: float) -> float:
    """The share answered within `within_s`, by Erlang C; 0 when the load cannot be carried."""
    if load >= servers:
        return 0.0 if load > 0 else 1.0
    return 1.0 - erlang_c(load, servers) * math.exp(-(servers - load) * within_s / handling_s)


def speed_of_answer_c(load: float, servers: int, handling_s: float) -> float:
    """The mean wait, by Erlang C; infinite when the load cannot be carried."""
    if load >= servers:
        return math.inf if load > 0 else 0.0
    return erlang_c(load, servers) * handling_s / (servers - load)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What comes in: a Poisson stream, exponential handling times and patience."""

    calls_per_hour: float
    handling_s: float
    """Talk and after-call work."""
    patience_s: float = math.inf
    """Mean time after which a waiting caller gives up; infinite: never."""
    places: int | None = None
    """Callers who may wait at once; None: any number."""

    def __post_init__(self) -> None:
        if self.calls_per_hour < 0 or self.handling_s <= 0 or self.patience_s <= 0:
            raise ValueError("calls must not be negative, handling time and patience must be positive")
        if self.places is not None and self.places < 0:
            raise ValueError("places must not be negative")

    @property
    def load(self) -> float:
        """Erlangs."""
        return self.calls_per_hour * self.handling_s / 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """A centre in balance, by the exact model (Erlang A, with places where they are few).

    Shares are of all callers.
    """

    traffic: Traffic
    seats: int
    waits: float
    """Who finds nobody free and waits."""
    abandoned: float
    blocked: float
    """Who finds no place to wait."""
    occupancy: float
    """Of the seats' time."""
    mean_wait_s: float
    """Of all who were not blocked, whatever became of them."""
    queueing: tuple[float, ...]
    """Probability of 0, 1, 2, ... callers waiting while every seat is taken, as an arriving caller finds it."""

    @property
    def answered(self) -> float:
        return max(0.0, 1.0 - self.abandoned - self.blocked)

    def within(self, seconds: float) -> float:
        """The share of all callers who are answered within `seconds`."""
        at_once = 1.0 - self.waits - self.blocked
        if self.seats == 0:
            return max(0.0, at_once)
        served_per_s = self.seats / self.traffic.handling_s
        enterable = self.queueing if self.traffic.places is None else self.queueing[: self.traffic.places]
        if math.isinf(self.traffic.patience_s):
            return at_once + _in_time_patient(enterable, served_per_s * seconds)
        ratio = served_per_s * self.traffic.patience_s
        return at_once + _in_time(enterable, ratio, math.exp(-seconds / self.traffic.patience_s))


def steady_state(traffic: Traffic, seats: int) -> Steady:
    """The balance of `traffic` on `seats`.

    Raises:
        ValueError: it never balances: endless patience, endless places and too few seats.
    """
    load = traffic.load
    _check(load, seats)
    patient = math.isinf(traffic.patience_s)
    if patient and traffic.places is None and load >= seats and load > 0:
        raise ValueError("the load cannot be carried: callers would wait for ever")
    served = seats / traffic.handling_s
    leaving = 0.0 if patient else 1.0 / traffic.patience_s
    arriving = traffic.calls_per_hour / 3600.0
    # States up to the last seat weigh 1 in all; the one with every seat taken weighs Erlang's B of it.
    weights = [erlang_b(load, seats)]
    while len(weights) <= (traffic.places if traffic.places is not None else _MOST_STATES):
        rate = served + len(weights) * leaving
        weights.append(weights[-1] * arriving / rate if rate > 0 else 0.0)
        if weights[-1] < _TAIL and arriving < rate:
            break
    whole = 1.0 + math.fsum(weights[1:])
    queueing = tuple(weight / whole for weight in weights)
    full = traffic.places is not None and len(queueing) == traffic.places + 1
    blocked = queueing[-1] if full else 0.0
    waiting = math.fsum(number * share for number, share in enumerate(queueing))
    abandoned = waiting * leaving / arriving if arriving > 0 else 0.0
    entering = arriving * (1.0 - blocked)
    return Steady(
        traffic=traffic,
        seats=seats,
        waits=math.fsum(queueing) - blocked,
        abandoned=abandoned,
        blocked=blocked,
        occupancy=load * (1.0 - abandoned - blocked) / seats if seats else 0.0,
        mean_wait_s=waiting / entering if entering > 0 else 0.0,
        queueing=queueing,
    )


def _in_time(queueing: tuple[float, ...], ratio: float, cut: float) -> float:
    """Of those who wait: answered before they lose patience and before the time is up.

    With k callers ahead the wait is -ln X of patience, X ~ Beta(ratio, k + 1), and who waits so long is still there
    with probability X. So the share is E[X; X >= cut] = ratio / (ratio + k + 1) x P(Beta(ratio + 1, k + 1) >= cut).
    """
    a = ratio + 1.0
    below = cut**a  # I_cut(a, 1)
    term = below * (1.0 - cut) * a  # of the next step: cut^a (1 - cut)^b / (b B(a, b)), b = 1
    total = []
    for ahead, share in enumerate(queueing):
        total.append(share * ratio / (ratio + ahead + 1) * max(0.0, 1.0 - below))
        below += term
        b = ahead + 2
        term *= (1.0 - cut) * (a + b - 1) / b
    return math.fsum(total)


def _in_time_patient(queueing: tuple[float, ...], expected: float) -> float:
    """The same with endless patience: k + 1 seats must come free in time, a Poisson number with mean `expected`."""
    fewer, term, total = 0.0, math.exp(-expected), []
    for ahead, share in enumerate(queueing):
        fewer += term
        term *= expected / (ahead + 1)
        total.append(share * max(0.0, 1.0 - fewer))
    return math.fsum(total)


def _check(load: float, servers: int) -> None:
    if load < 0 or servers < 0:
        raise ValueError("load and servers must not be negative")
