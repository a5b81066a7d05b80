"""Who waits: since when, how needy, and when they hear their position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from acd.events import CallerJoined, CallerLeft, TellWaiting
from acd.experience import Experience
from acd.members import Waiting
from acd.promise import promise
from acd.routing import by_need
from acd.rules import FloorRules
from acd.view import Caller, FloorView
from acd.waiting import Service, remaining_waits
from core.ids import OperatorId, QueueName, demand_of

REMEMBERED = 2000
"""Callers who have left a queue are remembered up to this many, for the place they keep when they come back."""


class WaitingRoom:
    """All waiting callers of one floor."""

    def __init__(self, rules: FloorRules, experience: Experience) -> None:
        self.experience = experience
        self.waiting: dict[str, Waiting] = {}
        """By channel."""
        self._left: dict[str, Waiting] = {}
        """Who has left a queue, so that coming back (a stage, a transfer, a reconnect) keeps the place."""
        self.learn(rules)

    def learn(self, rules: FloorRules) -> None:
        """Take new rules."""
        self._rules = rules
        self._demands = {demand.name: demand for demand in rules.demands}
        self._priorities = {demand.name: demand.priority for demand in rules.demands}
        self._limits = {demand.name: rules.limit_s(demand.name) for demand in rules.demands}

    # ---- who waits ------------------------------------------------------------------------------------

    def joined(self, event: CallerJoined) -> None:
        """Somebody entered a queue, for the first time or again."""
        self.experience.came_back(event.caller)
        known = self.waiting.get(event.caller) or self._left.pop(event.caller, None)
        if known is None or (event.call and known.call and event.call != known.call):
            # Unknown, or a switch that has started anew gives its channels their old names again.
            known = Waiting(event.caller, event.queue, event.at, event.call)
        known.queue, known.call = event.queue, event.call or known.call
        if event.since is not None:
            known.joined_at = min(known.joined_at, event.since)
        self.waiting[event.caller] = known

    def left(self, event: CallerLeft) -> bool:
        """Somebody left a queue; False when that is an old story, because they wait in another one by now."""
        known = self.waiting.get(event.caller)
        if known is not None and known.queue != event.queue:
            return False
        self.leave(event.caller, event.at)
        return True

    def leave(self, caller: str, at: float | None = None) -> None:
        """`at` is when they left; None when nobody saw it."""
        gone = self.waiting.pop(caller, None)
        if gone is None:
            return
        self._left[caller] = gone
        demand = self._demands.get(demand_of(gone.queue))
        if at is not None and demand is not None:
            over = at - gone.joined_at >= demand.wait_limit_s - 1.0
            self.experience.left(caller, demand.name, at, waited_s=at - gone.joined_at, over=over)
        while len(self._left) > REMEMBERED:
            del self._left[next(iter(self._left))]

    def forget_all(self) -> None:
        """Before a snapshot tells who waits; places are kept."""
        for caller in list(self.waiting):
            self.leave(caller)

    def callers(self, ringing: Mapping[str, OperatorId]) -> tuple[Caller, ...]:
        """Everybody, oldest first. `ringing` tells whose telephone rings for which channel."""
        return tuple(
            caller.seen(ringing.get(caller.caller))
            for caller in sorted(self.waiting.values(), key=lambda c: (c.joined_at, c.caller))
        )

    def needy(self, now: float, ringing: Mapping[str, OperatorId]) -> list[Caller]:
        """Those for whom nobody's telephone rings, neediest first."""
        return self._by_need(self.callers(ringing), now)

    # ---- what they are told ---------------------------------------------------------------------------

    def word_due(self, caller: Waiting) -> float:
        """When this caller should next hear the position."""
        first_s, every_s = self._rules.words.get(
            demand_of(caller.queue), (self._rules.first_word_after_s, self._rules.word_every_s)
        )
        return caller.joined_at + first_s if caller.told_at is None else caller.told_at + every_s

    def due(self, now: float) -> list[Waiting]:
        """Callers to whom a word is due."""
        self.experience.settle(now)
        return [caller for caller in self.waiting.values() if now >= self.word_due(caller)]

    def words(self, due: list[Waiting], view: FloorView, needy: list[Caller]) -> Iterator[TellWaiting]:
        """What these callers are told."""
        waits = remaining_waits(view, needy, self._service())
        places = _places(view)
        for caller in due:
            likely = waits.get(caller.caller)
            said = promise([] if likely is None else likely.tolist(), view.at, caller.promised)
            caller.told_at, caller.promised = view.at, said or caller.promised
            yield TellWaiting(
                caller=caller.caller,
                queue=caller.queue,
                position=places[caller.caller],
                minutes=said.minutes if said is not None else None,
            )

    def wait_from_outside(
        self, view: FloorView, demand: QueueName, since: float, ahead: Iterable[tuple[QueueName, float]]
    ) -> tuple[int, int] | None:
        """As `Floor.wait_from_outside`."""
        outside = [
            Caller(channel=f"outside-{n}", call=None, queue=queue, demand=queue, since=entered)
            for n, (queue, entered) in enumerate([(demand, since), *ahead])
        ]
        callers = sorted([*view.callers, *outside], key=lambda caller: (caller.since, caller.channel))
        needy = self._by_need(callers, view.at)
        waits = remaining_waits(replace(view, callers=tuple(callers)), needy, self._service())
        likely = waits.get(outside[0].channel)
        said = promise([] if likely is None else likely.tolist(), view.at, None)
        return said.minutes if said is not None else None

    def _service(self) -> Service:
        return Service(demands=self._demands, wrap_up_s=self._rules.wrap_up_s, experience=self.experience)

    def _by_need(self, callers: Iterable[Caller], now: float) -> list[Caller]:
        unserved = [caller for caller in callers if caller.ringing_at is None]
        return by_need(unserved, now, self._priorities, self._limits)


def _places(view: FloorView) -> dict[str, int]:
    """Every caller's place in the line of their demand, from 1, by channel."""
    places: dict[str, int] = {}
    lengths: dict[QueueName, int] = {}
    for caller in view.callers:
        lengths[caller.demand] = lengths.get(caller.demand, 0) + 1
        places[caller.channel] = lengths[caller.demand]
    return places
