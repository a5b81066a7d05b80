"""What calls have been like lately: how long operators are busy with one, and how soon waiting callers give up.

Learnt from the floor's own events, and from the ledger at a start, so that a restart forgets nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.ids import QueueName, demand_of, language_of

Seconds = NDArray[np.float64]

KEPT = 200
"""Calls remembered of each demand; older ones say little about today."""
ENOUGH = 12
"""Calls that make a distribution. A demand with fewer borrows those of its line, then those of the whole centre."""
TABLE = 256
"""Length of a table of handling times."""
TAIL = 6
"""Fewer entries of a table beyond the time already passed say nothing about the rest."""
LEAST_SPREAD = 0.1
"""Of the smoothing, in natural logarithms: a tenth of a handling time."""
DECIDED_S = 5.0
"""Who leaves a queue for a talk or for the next stage is there within this time."""
PATIENCE_S = 300.0
"""Mean patience that is assumed before the first caller has given up, worth one who did."""


def _stratified(count: int) -> Seconds:
    """Standard normal quantiles in a fixed disorder, so that neighbours in a list of calls get unlike ones."""
    normal = NormalDist()
    values = np.array([normal.inv_cdf((place + 0.5) / count) for place in range(count)])
    return np.random.default_rng(1).permutation(values)


_NORMAL = _stratified(TABLE)


class Handling:
    """How long an operator is busy with one call (talk and wrap-up, seconds)."""

    def __init__(self, seconds: Sequence[float]) -> None:
        """`seconds` are past calls, at least one.

        Each stands for a small log-normal of its own (a kernel estimate with Silverman's width): thirty calls are
        thirty numbers, and the next one will be another.
        """
        logs = np.log(np.maximum(1.0, np.asarray(seconds, dtype=float)))
        width = max(LEAST_SPREAD, 0.9 * float(logs.std()) * len(logs) ** -0.2)
        self.mean_s = float(np.mean(seconds))
        self._table = np.sort(np.exp(np.resize(logs, TABLE) + width * _NORMAL))

    def rest(self, passed_s: float, shares: Seconds) -> Seconds:
        """Quantiles of what remains after `passed_s` seconds, at each of `shares` (0 to 1, exclusive).

        Beyond anything known the rest is taken to be as long as a whole call on average, whenever one looks.
        """
        first = int(np.searchsorted(self._table, passed_s, side="right"))
        left = TABLE - first
        if left < TAIL:
            return -self.mean_s * np.log1p(-shares)
        rest: Seconds = self._table[first + (shares * left).astype(int)] - passed_s
        return rest


@dataclass(frozen=True, slots=True)
class _Leaving:
    demand: QueueName
    at: float
    waited_s: float
    over: bool


@dataclass(slots=True)
class _Patience:
    gave_up: float = 1.0
    waited_s: float = PATIENCE_S


class Experience:
    """What is known of each demand."""

    def __init__(self) -> None:
        self._calls: dict[QueueName, deque[float]] = {}
        self._patience: dict[QueueName, _Patience] = {}
        self._handling: dict[QueueName | None, Handling | None] = {}
        self._leaving: dict[str, _Leaving] = {}

    def handled(self, demand: QueueName, seconds: float) -> None:
        """A call kept an operator busy for so long."""
        self._calls.setdefault(demand, deque(maxlen=KEPT)).append(seconds)
        self._handling.clear()

    def waited(self, demand: QueueName, seconds: float, *, gave_up: bool) -> None:
        """A caller's wait has ended after so long."""
        known = self._patience.setdefault(demand, _Patience())
        known.waited_s += max(0.0, seconds)
        known.gave_up += gave_up

    def left(self, caller: str, demand: QueueName, at: float, *, waited_s: float, over: bool) -> None:
        """A caller has left a queue: for a talk, for the next stage, or for good.

        Args:
            at: epoch seconds.
            over: the wait limit had come, so leaving was not the caller's choice.
        """
        self._leaving[caller] = _Leaving(demand, at, waited_s, over)

    def came_back(self, caller: str) -> None:
        """They only went to another queue."""
        self._leaving.pop(caller, None)

    def answered(self, caller: str) -> None:
        """They went to an operator."""
        gone = self._leaving.pop(caller, None)
        if gone is not None:
            self.waited(gone.demand, gone.waited_s, gave_up=False)

    def settle(self, now: float) -> None:
        """Who left some seconds ago and turned up nowhere has hung up."""
        for caller, gone in list(self._leaving.items()):
            if now - gone.at >= DECIDED_S:
                del self._leaving[caller]
                self.waited(gone.demand, gone.waited_s, gave_up=not gone.over)

    def handling(self, demand: QueueName | None) -> Handling | None:
        """Handling times of this demand, or of a call of which nothing is known; None when it would be a guess."""
        if demand not in self._handling:
            calls = self._calls_like(demand)
            self._handling[demand] = Handling(calls) if len(calls) >= ENOUGH else None
        return self._handling[demand]

    def _calls_like(self, demand: QueueName | None) -> list[float]:
        everything = [each for calls in self._calls.values() for each in calls]
        if demand is None:
            return everything
        own = list(self._calls.get(demand, ()))
        if len(own) >= ENOUGH:
            return own
        line = _line(demand)
        of_line = [each for other, calls in self._calls.items() if _line(other) == line for each in calls]
        return of_line if len(of_line) >= ENOUGH else everything

    def gives_up_per_s(self, demand: QueueName) -> float:
        """Share of the waiting who give up in a second: those who did, over all the time that was waited.

        One rate for the whole wait is the maximum likelihood estimate for exponential patience under censoring.
        """
        known = self._patience.get(demand) or _Patience()
        return known.gave_up / known.waited_s


def _line(demand: QueueName) -> str:
    return demand_of(demand).removesuffix(f"-{language_of(demand)}")
