"""What happens next: a heap of moments. Nothing is polled, so time costs only where something happens."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """Actions in order of time; those of one moment in the order in which they were entered."""

    __slots__ = ("_entered", "_heap", "now")

    def __init__(self, start: float = 0.0) -> None:
        self.now = start
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._entered = 0

    def at(self, moment: float, action: Callable[..., None], *values: Any) -> None:
        """Do `action(*values)` at `moment` (seconds); now, when that has passed."""
        self._entered += 1
        heapq.heappush(self._heap, (max(moment, self.now), self._entered, action, values))

    def run(self, around: tuple[Callable[[], None], Callable[[], None]] | None = None) -> None:
        """Until nothing is left.

        Args:
            around: done before and after every action, at its moment.
        """
        heap, pop = self._heap, heapq.heappop
        if around is None:
            while heap:
                self.now, _, action, values = pop(heap)
                action(*values)
            return
        before, after = around
        while heap:
            self.now, _, action, values = pop(heap)
            before()
            action(*values)
            after()
