"""Callers whom no telephone can reach: whoever serves their queue is signed in, and every telephone is gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from acd.view import Caller, FloorView
from core.ids import QueueName

AWAY_S = 30.0
"""A telephone in a browser is back within seconds of its desk; a caller who is told that nobody is there has gone."""
FORGOTTEN_S = 60.0
"""After so long without a caller nobody has looked, and what was so then says nothing."""
AT_WORK = ("ringing", "talking", "wrapup")


def at_work(view: FloorView) -> frozenset[QueueName]:
    """Queues of which somebody rings, talks or wraps up: a telephone is there."""
    return frozenset(queue for seat in view.seats if seat.state in AT_WORK for queue in seat.queues)


def in_doubt(view: FloorView) -> frozenset[QueueName]:
    """Queues in which somebody waits although nobody of theirs is at work: either all have a break, or no telephone
    is there."""
    rung = {caller.queue for caller in view.callers if caller.ringing_at is not None}
    return frozenset(caller.queue for caller in view.callers) - at_work(view) - rung


@dataclass(slots=True)
class AwayWatch:
    """Remembers since when every telephone of a queue is gone."""

    _since: dict[QueueName, tuple[float, float]] = field(default_factory=dict)
    """From when, and seen last."""

    def observe(self, view: FloorView, gone: Mapping[QueueName, Collection[bool]]) -> list[Caller]:
        """Who has waited for a telephone long enough.

        Args:
            gone: of the queues that were looked at, whether each signed-in operator's telephone is gone. A queue
                without operators is the switch's own matter: it lets its callers go at once.
        """
        at = view.at
        for queue in at_work(view):
            self._since.pop(queue, None)
        for queue, telephones in gone.items():
            if telephones and all(telephones):
                since, seen = self._since.get(queue, (at, at))
                self._since[queue] = (since if at - seen <= FORGOTTEN_S else at, at)
            else:
                self._since.pop(queue, None)
        return [
            caller
            for caller in view.callers
            if caller.queue in gone
            and caller.queue in self._since
            and at - self._since[caller.queue][0] >= AWAY_S
        ]
