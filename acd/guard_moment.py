"""One view of the floor with its forecast, and the questions that the guard's steps ask of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from acd.guard_profile import GuardStepSection
from acd.guard_steps import GuardRules, GuardStep, GuardWhy
from acd.outlook import RemainingWaits
from acd.view import Caller, FloorView, Seat
from core.facts.dialplan import PauseReason
from core.ids import OperatorId

STANDS_BY = f"paused:{PauseReason.RESERVE}"


class Moment:
    """One view with its forecast, and the questions that steps ask of it."""

    def __init__(self, rules: GuardRules, view: FloorView, remaining: Mapping[str, float]) -> None:
        self.rules, self.view = rules, view
        self._remaining = remaining
        self._demands = {demand.name: demand for demand in rules.demands}

    def without(self, group: str, remaining: RemainingWaits) -> Moment:
        """The same moment as if this group stood by."""
        seats = tuple(seat for seat in self.view.seats if self.rules.groups.get(seat.operator) != group)
        view = replace(self.view, seats=seats)
        return Moment(self.rules, view, remaining(view))

    def waited(self, caller: Caller) -> float:
        return self.view.at - caller.since

    def left(self, caller: Caller) -> float:
        return self._remaining.get(caller.channel, math.inf)

    def expected(self, caller: Caller) -> float:
        """The whole wait; whoever nobody may serve waits until the dialplan's own limit."""
        demand = self._demands.get(caller.demand)
        most = demand.wait_limit_s if demand else self.rules.limit_s(caller.demand)
        return max(self.waited(caller), min(most, self.waited(caller) + self.left(caller)))

    def passes(self, caller: Caller) -> bool:
        """By the forecast. Reaching the limit is passing it: 千葉 7(5)オ(イ) says 5分以上."""
        return self.waited(caller) + self.left(caller) >= self.rules.limit_s(caller.demand)

    def line(self, caller: Caller) -> str:
        demand = self._demands.get(caller.demand)
        return demand.line if demand else caller.demand.rpartition("-")[0]

    def concerns(self, step: GuardStepSection, caller: Caller) -> bool:
        return not step.lines or self.line(caller) in step.lines

    def why(self, step: GuardStepSection, caller: Caller) -> GuardWhy | None:
        if step.waited_s is not None and self.waited(caller) >= step.waited_s:
            return GuardWhy.WAITED
        soon = self.rules.limit_s(caller.demand) - self.waited(caller)
        if step.within_s is not None and soon <= step.within_s and self.passes(caller):
            return GuardWhy.PREDICTED
        return None

    def counts(self, step: GuardStepSection) -> dict[str, list[Caller]]:
        """Waiting callers as the step counts them: one number for all of its lines, or one for each line."""
        counted: dict[str, list[Caller]] = {}
        for caller in self.view.callers:
            if self.concerns(step, caller):
                name = self.line(caller) if step.counted == "line" else ""
                counted.setdefault(name, []).append(caller)
        return counted

    def before(self, caller: Caller) -> Sequence[Caller]:
        """The caller and everybody of the same demand and stage who came before them, oldest first."""
        line = [each for each in self.view.callers if each.queue == caller.queue and each.ringing_at is None]
        return [each for each in line if each is caller or each.since <= caller.since]

    def gains(self, caller: Caller) -> bool:
        """Whether a later stage would bring somebody on duty who may not serve the caller now."""
        demand = self._demands.get(caller.demand)
        if demand is None:
            return False
        later = [stage.queue for stage in demand.stages]
        later = later[later.index(caller.queue) + 1 :] if caller.queue in later else []
        return any(
            queue in seat.queues
            for seat in self.view.seats
            if seat.on_duty and caller.queue not in seat.queues
            for queue in later
        )

    def _of(self, group: str) -> Iterator[Seat]:
        return (seat for seat in self.view.seats if self.rules.groups.get(seat.operator) == group)

    def standing_by(self, group: str) -> tuple[OperatorId, ...]:
        return tuple(seat.operator for seat in self._of(group) if seat.state == STANDS_BY)

    def taking_calls(self, group: str) -> tuple[OperatorId, ...]:
        return tuple(seat.operator for seat in self._of(group) if seat.on_duty)

    def record(self, act: str, place: int, why: GuardWhy, caller: Caller | None) -> GuardStep:
        on_duty = [seat for seat in self.view.seats if seat.on_duty]
        record = GuardStep(
            at=self.view.at,
            act=str(act),
            rung=place + 1,
            why=why,
            waiting=len(self.view.callers),
            on_duty=len(on_duty),
        )
        if caller is None:
            return record
        left = self.left(caller)
        return replace(
            record,
            demand=caller.demand,
            caller=caller.channel,
            call=caller.call,
            waited_s=self.waited(caller),
            remaining_s=None if math.isinf(left) else left,
            limit_s=self.rules.limit_s(caller.demand),
            on_duty=sum(caller.queue in seat.queues for seat in on_duty),
        )
