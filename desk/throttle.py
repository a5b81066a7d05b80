"""Slows down guessing: wrong tries per name and per address, forgotten after a while. Names need not exist."""

from __future__ import annotations

from collections import deque

NAME_TRIES = 5
ADDRESS_TRIES = 20
WINDOW_S = 900.0
MOST_KEPT = 20_000
"""Names and addresses remembered; the oldest give way."""


class Throttle:
    """Wrong tries of this process. Times are epoch seconds."""

    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], deque[float]] = {}

    def shut(self, name: str, address: str, now: float) -> bool:
        """Whether this name or this address has had its tries."""
        return (
            len(self._lately(("name", name), now)) >= NAME_TRIES
            or len(self._lately(("address", address), now)) >= ADDRESS_TRIES
        )

    def wrong(self, name: str, address: str, now: float) -> frozenset[str]:
        """Count a wrong try; says what it shut just now: `name`, `address`, both or neither."""
        shut = set()
        for what, value, most in (("name", name, NAME_TRIES), ("address", address, ADDRESS_TRIES)):
            tries = self._lately((what, value), now)
            tries.append(now)
            self._tries[(what, value)] = tries
            if len(tries) == most:
                shut.add(what)
        while len(self._tries) > MOST_KEPT:
            self._tries.pop(next(iter(self._tries)))
        return frozenset(shut)

    def right(self, name: str) -> None:
        """The name's tries are forgotten; the address's are not, or one known account would open it for guessing."""
        self._tries.pop(("name", name), None)

    def _lately(self, key: tuple[str, str], now: float) -> deque[float]:
        tries = self._tries.pop(key, deque())
        while tries and tries[0] <= now - WINDOW_S:
            tries.popleft()
        if tries:
            self._tries[key] = tries
        return tries
