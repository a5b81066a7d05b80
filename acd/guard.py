"""The five-minute guard: sees a wait that will be too long, and climbs a ladder before it is.

A fold: the floor's view in, commands and their records out. Each caller climbs the profile's ladder by themselves,
one step at a time; what is called in is shared by all and goes back when it is calm without it. Steps that count
heads (`waiting`) stand beside the ladder and wait for no other step.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from acd.guard_moment import STANDS_BY, Moment
from acd.guard_profile import GuardAct, GuardStepSection
from acd.guard_steps import (
    SEND_BACK,
    BringIn,
    GuardCommand,
    GuardRules,
    GuardStep,
    GuardWhy,
    OfferCallback,
    OverflowCaller,
    RelaxCaller,
    SendBack,
)
from acd.outlook import RemainingWaits
from acd.view import Caller, FloorView
from core.ids import OperatorId

ASK_AGAIN_S = 3.0
"""An operator who was called in or sent back and is not yet, is asked again after this long."""
REMEMBERED_S = 120.0
"""Between two stages of a demand a caller is in no queue for a moment."""


@dataclass(slots=True)
class _Climb:
    """How far one caller has come."""

    taken: set[int] = field(default_factory=set)
    passed: set[int] = field(default_factory=set)
    """Steps that had nothing to do for this caller."""
    last_at: float = -math.inf
    seen_at: float = 0.0


@dataclass(slots=True)
class _CalledIn:
    since: float
    by_hand: bool = False
    calm_since: float | None = None


class Guard:
    """Folds views into steps. `observe` expects a view once or twice a second."""

    def __init__(
        self, rules: GuardRules, remaining: RemainingWaits, *, offers_callbacks: bool = False
    ) -> None:
        self.rules, self.remaining = rules, remaining
        self.offers_callbacks = offers_callbacks
        """Whether a call-back can be offered at all; without, the ladder goes on past that step."""
        self._climbs: dict[str, _Climb] = {}
        self._called_in: dict[str, _CalledIn] = {}
        self._told: dict[tuple[int, str], float | None] = {}
        """Alerts by number of callers: since when it has been calm again, None while it is not."""
        self._in_force: dict[str, GuardStep] = {}
        self._asked: dict[OperatorId, float] = {}
        self._begun = False

        self.expected_s: Mapping[str, float] = {}
        """Whole wait by the forecast of the last look, by the caller's channel; at most until the wait limit."""

    @property
    def in_force(self) -> tuple[GuardStep, ...]:
        """The last step for each caller who still waits, for each group called in, and for the number waiting."""
        return tuple(self._in_force.values())

    @property
    def called_in(self) -> frozenset[str]:
        """Groups whose people take calls now."""
        return frozenset(self._called_in)

    def observe(self, view: FloorView, by_hand: Collection[str] = ()) -> list[GuardCommand]:
        """What to do now.

        Args:
            view: the floor; its moments must not go back.
            by_hand: groups that a person has called in; they stay until that person takes it back.
        """
        self._begin(view)
        moment = Moment(self.rules, view, self.remaining(view))
        commands: list[GuardCommand] = [*self._hands(moment, set(by_hand))]
        for caller in view.callers:
            climb = self._climbs.setdefault(caller.channel, _Climb())
            climb.seen_at = view.at
            commands += self._climbed(moment, caller, climb)
        for place, step in enumerate(self.rules.steps):
            if step.waiting is not None:
                commands += self._counted(moment, place, step)
        commands += self._calmed(moment)
        commands += self._people(view)
        self.expected_s = {each.channel: moment.expected(each) for each in view.callers}
        self._keep_in_force(view, commands)
        for channel in [
            each for each, climb in self._climbs.items() if view.at > climb.seen_at + REMEMBERED_S
        ]:
            del self._climbs[channel]
        return commands

    def _keep_in_force(self, view: FloorView, commands: Iterable[GuardCommand]) -> None:
        for command in commands:
            if isinstance(command, GuardStep):
                self._in_force[command.subject] = command
        waiting = {caller.channel for caller in view.callers}
        self._in_force = {
            subject: step
            for subject, step in self._in_force.items()
            if (step.group in self._called_in if step.group else step.caller in waiting or not step.caller)
            and (step.group or step.caller or self._told)
        }

    def _begin(self, view: FloorView) -> None:
        """After a restart nobody knows who had been called in: whoever of a group takes calls was."""
        if self._begun:
            return
        self._begun = True
        for seat in view.seats:
            group = self.rules.groups.get(seat.operator)
            if group and seat.on_duty:
                self._called_in.setdefault(group, _CalledIn(view.at))

    # ---- a caller's way up ------------------------------------------------------------------------

    def _climbed(self, moment: Moment, caller: Caller, climb: _Climb) -> Iterator[GuardCommand]:
        for place, step in enumerate(self.rules.steps):
            if place in climb.taken or place in climb.passed:
                continue
            if (step.within_s is None and step.waited_s is None) or not moment.concerns(step, caller):
                continue
            why = moment.why(step, caller)
            # A telephone rings for them: nothing is better than that, and no step may take it away.
            if why is None or caller.ringing_at is not None:
                return
            if moment.view.at < climb.last_at + self.rules.settle_s:
                return
            yield from self._taken(moment, place, step, caller, why)

    def _taken(
        self, moment: Moment, place: int, step: GuardStepSection, caller: Caller, why: GuardWhy
    ) -> Iterator[GuardCommand]:
        """One step for one caller. What has nothing to do is passed by, and the next step may follow at once."""
        climb = self._climbs[caller.channel]
        record = moment.record(step.act, place, why, caller)
        match step.act:
            case GuardAct.RELAX if moment.gains(caller):
                yield from self._relaxed(moment, place, caller, record)
                return
            case GuardAct.OFFER_CALLBACK if self.offers_callbacks:
                yield record
                yield OfferCallback(caller=caller.channel, call=caller.call, queue=caller.queue)
            case GuardAct.OVERFLOW:
                yield record
                yield OverflowCaller(caller=caller.channel, queue=caller.queue)
            case GuardAct.ALERT:
                yield record
            case GuardAct.CALL_IN:
                group = step.group or ""
                known = self._called_in.get(group)
                if known is None:
                    yield self._called(moment, record, group)
                climb.taken.add(place)
                if moment.standing_by(group) or moment.taking_calls(group):
                    since = moment.view.at if known is None else known.since
                    climb.last_at = max(climb.last_at, since)
                return
            case _:
                climb.passed.add(place)
                return
        climb.taken.add(place)
        climb.last_at = moment.view.at

    def _relaxed(
        self, moment: Moment, place: int, caller: Caller, record: GuardStep
    ) -> Iterator[GuardCommand]:
        """The caller, and whoever stands before them in the same demand: nobody is passed over by it."""
        for each in moment.before(caller):
            climb = self._climbs.setdefault(each.channel, _Climb())
            if each is caller or (place not in climb.taken and moment.gains(each)):
                mine = record if each is caller else moment.record(GuardAct.RELAX, place, GuardWhy.WITH, each)
                climb.taken.add(place)
                climb.last_at, climb.seen_at = moment.view.at, moment.view.at
                yield mine
                yield RelaxCaller(caller=each.channel, queue=each.queue)

    # ---- counting heads ---------------------------------------------------------------------------

    def _counted(self, moment: Moment, place: int, step: GuardStepSection) -> Iterator[GuardCommand]:
        for name, callers in moment.counts(step).items():
            if len(callers) <= (step.waiting or 0):
                continue
            record = moment.record(step.act, place, GuardWhy.WAITING, None)
            if step.act is GuardAct.CALL_IN:
                if step.group and step.group not in self._called_in:
                    yield self._called(moment, record, step.group)
            elif step.act is GuardAct.ALERT:
                if (place, name) not in self._told:
                    yield record
                self._told[(place, name)] = None
            else:
                for caller in callers:
                    climb = self._climbs[caller.channel]
                    if place not in climb.taken | climb.passed and caller.ringing_at is None:
                        yield from self._taken(moment, place, step, caller, GuardWhy.WAITING)

    # ---- groups -----------------------------------------------------------------------------------

    def _hands(self, moment: Moment, by_hand: set[str]) -> Iterator[GuardStep]:
        for group, called in self._called_in.items():
            if called.by_hand and group not in by_hand:
                # Whether they are needed is the guard's question again.
                called.by_hand, called.calm_since = False, None
        for group in sorted(by_hand & set(self.rules.groups.values())):
            if group in self._called_in:
                self._called_in[group].by_hand = True
            else:
                record = moment.record(GuardAct.CALL_IN, -1, GuardWhy.BY_HAND, None)
                yield self._called(moment, record, group)
                self._called_in[group].by_hand = True

    def _called(self, moment: Moment, record: GuardStep, group: str) -> GuardStep:
        self._called_in[group] = _CalledIn(moment.view.at)
        return replace(record, group=group, operators=moment.standing_by(group))

    def _calmed(self, moment: Moment) -> Iterator[GuardStep]:
        now = moment.view.at
        for group, called in list(self._called_in.items()):
            if called.by_hand or self._needed(moment, group):
                called.calm_since = None
                continue
            called.calm_since = now if called.calm_since is None else called.calm_since
            if now - called.calm_since >= self.rules.calm_s:
                del self._called_in[group]
                places = {place for place, step in enumerate(self.rules.steps) if step.group == group}
                for climb in self._climbs.values():
                    # Who still waits may call for them again.
                    climb.taken -= places
                record = moment.record(SEND_BACK, min(places, default=-1), GuardWhy.CALM, None)
                yield replace(record, group=group, operators=moment.taking_calls(group))
        for key, calm_since in list(self._told.items()):
            place, name = key
            step = self.rules.steps[place]
            if len(moment.counts(step).get(name, ())) > self.rules.calm_below(step):
                self._told[key] = None
            elif calm_since is None:
                self._told[key] = now
            elif now - calm_since >= self.rules.calm_s:
                del self._told[key]

    def _needed(self, moment: Moment, group: str) -> bool:
        """Whether anybody would still wait too long if this group went back now."""
        steps = [step for step in self.rules.steps if step.group == group]
        without = moment.without(group, self.remaining)
        for step in steps:
            if step.waiting is not None and any(
                len(callers) > self.rules.calm_below(step) for callers in moment.counts(step).values()
            ):
                return True
            for caller in moment.view.callers:
                if not moment.concerns(step, caller):
                    continue
                if step.within_s is not None and without.passes(caller):
                    return True
                if step.waited_s is not None and without.waited(caller) >= step.waited_s:
                    return True
        return False

    def _people(self, view: FloorView) -> Iterator[BringIn | SendBack]:
        """Whoever is not where their group is: signed in meanwhile, or an action was lost."""
        coming: list[OperatorId] = []
        going: list[OperatorId] = []
        for seat in view.seats:
            group = self.rules.groups.get(seat.operator)
            wanted = group is None or group in self._called_in
            # Never from a break, a talk or wrap-up: only between standing by and free.
            if not (seat.state == STANDS_BY and wanted) and not (seat.state == "ready" and not wanted):
                self._asked.pop(seat.operator, None)
                continue
            if view.at < self._asked.get(seat.operator, -math.inf) + ASK_AGAIN_S:
                continue
            self._asked[seat.operator] = view.at
            (coming if wanted else going).append(seat.operator)
        if coming:
            yield BringIn(operators=tuple(coming))
        if going:
            yield SendBack(operators=tuple(going))
