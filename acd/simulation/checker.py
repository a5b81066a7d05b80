"""An independent reader of the switch's log: was any offer made that must not be made?

It knows the centre's rules and the trace, and nothing of the switch model's own guards or of the floor: who rings,
talks, wraps up or rests is worked out again from what happened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from acd.demand import Skills
from acd.simulation.centre import Centre, DemandRules
from acd.simulation.log import Happening, What
from acd.simulation.trace import Trace
from core.ids import OperatorId, QueueName

_SLACK_S = 1e-6


@dataclass(slots=True)
class _Person:
    skills: Skills
    here: bool = False
    ringing_for: int | None = None
    talking_to: int | None = None
    wraps_up_until: float = -math.inf
    resting: bool = False
    missed_in_a_row: int = 0
    given_back_at: float = -math.inf
    free_unasked_at: float = -math.inf
    """When they last became free in all queues at once without the engine: by a code, or by a caller's hanging up."""


@dataclass(slots=True)
class _Caller:
    demand: DemandRules
    since: float
    stage: int
    ringing: bool = False
    rang_until: float = -math.inf


@dataclass(slots=True)
class SafetyCheck:
    """Reads happenings in order; `problems` stays empty while all is well."""

    centre: Centre
    trace: Trace
    order_matters: bool = True
    """Whether it is a problem that a later caller of a demand is offered before an earlier one."""
    problems: list[str] = field(default_factory=list)
    offers: int = 0
    _people: dict[OperatorId, _Person] = field(default_factory=dict)
    _waiting: dict[int, _Caller] = field(default_factory=dict)
    _stages: dict[QueueName, tuple[DemandRules, int]] = field(default_factory=dict)
    _first_entry: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._people = {person.operator: _Person(person.skills) for person in self.trace.operators}
        for rules in self.centre.demands:
            for place, stage in enumerate(rules.demand.stages):
                self._stages[stage.queue] = (rules, place)

    def __call__(self, happening: Happening, /) -> None:
        match happening.what:
            case What.ENTERED:
                self._entered(happening)
            case What.OFFERED:
                self._offered(happening)
            case What.HUNG_UP | What.OVERFLOW | What.MOVED_ON:
                self._gone(happening)
            case What.REFUSED:
                pass
            case _:
                self._of_person(happening)

    def _entered(self, happening: Happening) -> None:
        at, _, call, _, queue = happening
        if call is None or queue is None:
            return
        rules, stage = self._stages[queue]
        since = self._first_entry.setdefault(call, at)
        stages = rules.demand.stages
        reached = max(place for place, each in enumerate(stages) if each.after_s <= at - since + _SLACK_S)
        for place in range(reached, stage):
            if any(p.here and stages[place].served_by(p.skills) for p in self._people.values()):
                self._found(happening, f"relaxed to stage {stage + 1} although stage {place + 1} is served")
        if stage < reached:
            self._found(happening, f"still at stage {stage + 1} after {at - since:.1f} s")
        self._waiting[call] = _Caller(rules, since, stage)

    def _offered(self, happening: Happening) -> None:
        at, _, call, operator, queue = happening
        if call is None or operator is None or queue is None:
            return
        self.offers += 1
        person, caller = self._people[operator], self._waiting.get(call)
        if person.ringing_for is not None:
            self._found(happening, f"rung twice at once, already for call {person.ringing_for}")
        if person.talking_to is not None:
            self._found(happening, "offered a call while talking")
        if at < person.wraps_up_until - _SLACK_S:
            self._found(happening, f"offered a call {person.wraps_up_until - at:.3f} s before wrap-up ends")
        if person.resting or not person.here:
            self._found(happening, "offered a call on a break or signed out")
        if person.missed_in_a_row >= self.centre.missed_before_pause:
            self._found(happening, "offered a call although held back")
        if caller is None or caller.ringing:
            self._found(happening, "offered a caller who does not wait or is being offered already")
            return
        if not caller.demand.demand.stages[caller.stage].served_by(person.skills):
            self._found(happening, f"offered a demand they may not serve at stage {caller.stage + 1}")
        if self.order_matters:
            self._passed_over(happening, caller)
        person.ringing_for, caller.ringing = call, True

    def _passed_over(self, happening: Happening, caller: _Caller) -> None:
        """A later caller of the same demand is offered only when somebody else is free for each earlier one.

        Left out are those who are being rung, and for whom it has just rung in vain: app_queue lets them try again
        after `retry` seconds. And an operator whom no engine made ready is free in all queues in the same moment: a
        newcomer of another stage may be faster than the look of somebody who waits.
        """
        if happening.operator is None:
            return
        if (
            happening.at
            <= self._people[happening.operator].free_unasked_at + self.centre.recheck_s + _SLACK_S
        ):
            return
        earlier = [
            other
            for other in self._waiting.values()
            if other.demand is caller.demand
            and other.since < caller.since
            and not other.ringing
            and happening.at > other.rang_until + self.centre.retry_s + _SLACK_S
            and self._served(other)
        ]
        if not earlier:
            return
        needed = min(other.stage for other in earlier)
        free = sum(
            1
            for person in self._people.values()
            if self._free(person, happening.at)
            and caller.demand.demand.stages[needed].served_by(person.skills)
        )
        if free <= len(earlier):
            self._found(happening, f"passed over {len(earlier)} earlier callers with {free} operators free")

    def _served(self, caller: _Caller) -> bool:
        """Whether anybody of the caller's stage is signed in; otherwise they move on at their next look."""
        stage = caller.demand.demand.stages[caller.stage]
        return any(person.here and stage.served_by(person.skills) for person in self._people.values())

    @staticmethod
    def _free(person: _Person, at: float) -> bool:
        return (
            person.here
            and not person.resting
            and person.ringing_for is None
            and person.talking_to is None
            and at >= person.wraps_up_until - _SLACK_S
            and at >= person.given_back_at
        )

    def _gone(self, happening: Happening) -> None:
        if happening.call is None:
            return
        self._waiting.pop(happening.call, None)
        for person in self._people.values():
            if person.ringing_for == happening.call:
                if happening.what is not What.HUNG_UP:
                    self._found(happening, "moved on while a telephone rang")
                person.ringing_for, person.free_unasked_at = None, happening.at

    def _of_person(self, happening: Happening) -> None:
        at, what, call, operator, queue = happening
        if operator is None:
            return
        person = self._people[operator]
        match what:
            case What.SIGNED_IN:
                person.here, person.resting, person.missed_in_a_row = True, False, 0
                person.free_unasked_at = at
            case What.SIGNED_OUT:
                person.here = False
            case What.BREAK:
                person.resting = True
            case What.BACK:
                person.resting, person.missed_in_a_row = False, 0
                person.free_unasked_at = at
                person.wraps_up_until = -math.inf
            case What.MISSED if call is not None:
                self._matches(happening, person)
                person.ringing_for = None
                person.missed_in_a_row += 1
                person.given_back_at = at + self.centre.give_back_after_s
                self._waiting[call].ringing, self._waiting[call].rang_until = False, at
            case What.ANSWERED if call is not None:
                self._matches(happening, person)
                person.ringing_for, person.talking_to, person.missed_in_a_row = None, call, 0
                self._waiting.pop(call, None)
            case What.ENDED if queue is not None:
                person.talking_to = None
                person.wraps_up_until = at + self._stages[queue][0].wrap_up_s
            case _:
                pass

    def _matches(self, happening: Happening, person: _Person) -> None:
        if person.ringing_for != happening.call:
            self._found(happening, f"no such offer, rings for {person.ringing_for}")

    def _found(self, happening: Happening, what: str) -> None:
        self.problems.append(
            f"{happening.at:.3f} call {happening.call} operator {happening.operator} {happening.queue}: {what}"
        )
