"""The floor: who is signed in, ready, talking, wrapping up; who waits. Events in, commands out, nothing else.

The switch makes the offers. The floor ends wrap-ups, gives back operators after a missed offer or holds them back
after too many, opens a freed operator first where the neediest caller waits, keeps the order of offers even, says why
each offer went where it went, and when a waiting caller should hear their position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from acd.demand import Demand, Skills, queues_for
from acd.events import (
    AddToQueue,
    CallerJoined,
    CallerLeft,
    FloorCommand,
    FloorEvent,
    HoldBack,
    MakeReady,
    MemberJoined,
    MemberLeft,
    MemberPaused,
    MemberReady,
    OfferMade,
    OfferMissed,
    OrderHeld,
    RemoveFromQueue,
    SetOrder,
    TalkEnded,
    TalkNamed,
    TalkStarted,
    TellWaiting,
    Tick,
)
from acd.explain import explain
from acd.members import AUTO_PAUSE, Member, Waiting
from acd.order import LoadRule, carried_over, order_of_offers, penalties_for
from acd.routing import by_need, matching
from acd.view import Caller, FloorView, Load
from acd.waiting import expected_minutes
from core.facts.dialplan import PauseReason
from core.ids import OperatorId, QueueName, demand_of

RECENT_CALLS = 30
REORDER_S = 5.0
"""Loads are shares of time and drift; the order is looked at again this often."""
ASK_AGAIN_S = 3.0
"""An operator who was asked to be opened and is not, is asked again after this long."""
REMEMBERED = 2000
"""Callers who have left a queue are remembered up to this many, for the place they keep when they come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRules:
    """What the city's profile and the operators' skills say about offers and waiting."""

    demands: tuple[Demand, ...] = ()
    skills: Mapping[OperatorId, Skills] = field(default_factory=dict)
    wrap_up_s: Mapping[QueueName, float] = field(default_factory=dict)
    """By demand."""
    missed_before_pause: int = 2
    """Offers missed in a row until the operator stays paused (1 or more)."""
    load_rule: LoadRule = LoadRule.MINUTES
    limits_s: Mapping[QueueName, float] = field(default_factory=dict)
    """The wait that must not be passed, by demand; the demand's own limit where none is named."""
    staged_s: float = 2.0
    """How long a freed operator is open for the neediest caller's queue alone."""
    give_back_after_s: float = 3.0
    """How long an operator who missed an offer is passed over, so that it goes to somebody else first."""
    first_word_after_s: float = 20.0
    """Wait until the first word about the position."""
    word_every_s: float = 45.0
    words: Mapping[QueueName, tuple[float, float]] = field(default_factory=dict)
    """(`first_word_after_s`, `word_every_s`) of demands that differ."""

    def limit_s(self, demand: QueueName) -> float:
        """The wait of this demand that must not be passed."""
        named = self.limits_s.get(demand)
        if named is not None:
            return named
        return next((each.wait_limit_s for each in self.demands if each.name == demand), 300.0)


class Floor:
    """Folds events into the state of the centre and answers with commands."""

    def __init__(self, rules: FloorRules) -> None:
        self.members: dict[OperatorId, Member] = {}
        self.waiting: dict[str, Waiting] = {}
        self.last_shifts: dict[OperatorId, Load] = {}
        """What each operator had carried when they last signed out."""
        self.version = 0
        """Of the order of offers as wished."""
        self.held = 0
        """Of the order of offers as the switch has acknowledged it."""
        self._left: dict[str, Waiting] = {}
        """Who has left a queue, so that coming back (a stage, a transfer, a reconnect) keeps the place."""
        self._handling: dict[QueueName, deque[float]] = {}
        self._ordered_at = float("-inf")
        self._set_rules(rules)

    def _set_rules(self, rules: FloorRules) -> None:
        self.rules = rules
        self._priorities = {demand.name: demand.priority for demand in rules.demands}
        self._limits = {demand.name: rules.limit_s(demand.name) for demand in rules.demands}
        self._onward = {
            stage.queue: tuple(later.queue for later in demand.stages[place:])
            for demand in rules.demands
            for place, stage in enumerate(demand.stages)
        }
        """By queue: itself and the queues that its callers move on to."""

    # ---- what the others see ------------------------------------------------------------------------

    def view(self, at: float) -> FloorView:
        """The floor at this moment."""
        return FloorView(
            at=at,
            seats=tuple(self.members[operator].seat(at) for operator in sorted(self.members)),
            callers=self._callers(),
            handling_s={demand: tuple(recent) for demand, recent in self._handling.items()},
        )

    def _callers(self) -> tuple[Caller, ...]:
        ringing = {m.ringing: m.operator for m in self.members.values() if m.ringing}
        return tuple(
            caller.seen(ringing.get(caller.caller))
            for caller in sorted(self.waiting.values(), key=lambda c: (c.joined_at, c.caller))
        )

    @property
    def order_due_at(self) -> float:
        """When the order of offers is next looked at for drift."""
        return self._ordered_at + REORDER_S

    def next_due(self, now: float, *, order: bool = True) -> float | None:
        """When a `Tick` may next have something to say; None while nothing but an event can.

        Args:
            order: whether the order's drift counts.
        """
        moments = [self.order_due_at] if self.members and order else []
        for member in self.members.values():
            if member.asked_at is not None:
                moments.append(member.asked_at + ASK_AGAIN_S)
            elif member.state == "wrapup":
                moments.append(member.since + self._wrap_up_of(member))
            elif member.open_at is not None:
                moments.append(member.open_at)
        for caller in self.waiting.values():
            moments.append(self._word_due(caller))
        return max(now, min(moments)) if moments else None

    # ---- events ---------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget who is there before a fresh snapshot; what people have handled and were told stays."""
        for caller in list(self.waiting):
            self._leave(caller)
        for member in self.members.values():
            member.queues.clear()
            member.ringing = None

    def settle(self) -> None:
        """After a whole snapshot: who was not found in it has signed out while nobody watched."""
        for operator in [operator for operator, member in self.members.items() if not member.queues]:
            del self.members[operator]

    def learn(self, rules: FloorRules) -> list[FloorCommand]:
        """Take new rules; who is signed in joins and leaves queues at once, so that it holds for the next offer."""
        self._set_rules(rules)
        commands: list[FloorCommand] = []
        for member in self.members.values():
            wanted = set(queues_for(rules.demands, rules.skills.get(member.operator, {})))
            for queue in sorted(member.queues.keys() - wanted):
                commands.append(RemoveFromQueue(operator=member.operator, queue=queue))
            for queue in sorted(wanted - member.queues.keys()):
                commands.append(
                    AddToQueue(
                        operator=member.operator,
                        queue=queue,
                        penalty=member.penalty,
                        paused=None
                        if member.state in ("ready", "ringing") and member.paused != PauseReason.CALLBACK
                        else member.paused or "",
                    )
                )
        return commands

    def handle(self, event: FloorEvent) -> list[FloorCommand]:
        """Take one event in and say what to do."""
        match event:
            case CallerJoined():
                self._caller_joined(event)
            case CallerLeft():
                self._leave(event.caller)
                for member in self.members.values():
                    if member.ringing == event.caller:
                        # Gone while the telephone rang: app_queue tells nothing of the offer's end.
                        self._stops_ringing(member, event.at)
            case OrderHeld():
                self.held = max(self.held, event.version)
            case Tick():
                return [*self._drifted(event.at), *self._due_operators(event.at), *self._due_words(event.at)]
            case MemberJoined():
                return self._joined(event)
            case _:
                known = self.members.get(event.operator)
                if known is not None:
                    before = known.state
                    commands = self._of_member(known, event)
                    known.moved(before, event.at)
                    return commands
        return []

    def _of_member(
        self,
        member: Member,
        event: MemberLeft
        | MemberPaused
        | MemberReady
        | OfferMade
        | OfferMissed
        | TalkStarted
        | TalkNamed
        | TalkEnded,
    ) -> list[FloorCommand]:
        match event:
            case MemberLeft():
                member.queues.pop(event.queue, None)
                if not member.queues:
                    self.last_shifts[event.operator] = member.load(event.at)
                    del self.members[event.operator]
            case MemberPaused():
                self._paused(member, event)
            case MemberReady():
                self._ready(member, event)
            case OfferMade():
                explanation = self._explained(event)
                member.ringing = event.caller
                return [explanation]
            case OfferMissed():
                return self._missed(member, event)
            case TalkStarted():
                self._talk_started(member, event)
            case TalkNamed():
                member.talk = event.talk
            case TalkEnded():
                self._talk_ended(member, event)
        return []

    def _caller_joined(self, event: CallerJoined) -> None:
        known = self._left.pop(event.caller, None)
        if known is None:
            known = Waiting(event.caller, event.queue, event.at, event.call)
        known.queue, known.call = event.queue, event.call or known.call
        if event.since is not None:
            known.joined_at = min(known.joined_at, event.since)
        self.waiting[event.caller] = known

    def _leave(self, caller: str) -> None:
        gone = self.waiting.pop(caller, None)
        if gone is not None:
            self._left[caller] = gone
            while len(self._left) > REMEMBERED:
                del self._left[next(iter(self._left))]

    def _joined(self, event: MemberJoined) -> list[FloorCommand]:
        member = self.members.get(event.operator)
        if member is None:
            seconds, calls = carried_over(self.last_shifts, event.operator)
            member = self.members[event.operator] = Member(
                event.operator, event.at, since=event.at, carried_s=seconds, carried_calls=calls
            )
            member.penalty = event.penalty
        before = member.state if member.queues else ""
        member.queues[event.queue] = event.paused
        if event.paused is not None or not before:
            member.paused = event.paused
        if event.paused != PauseReason.TALKING or not event.in_call:
            # Whatever we saw begin is over, and nobody saw it end.
            member.talking_in = None
        if event.paused is not None:
            if event.paused == PauseReason.TALKING and not event.in_call:
                # The switch restarted during the talk and kept the pause but not the call.
                member.paused = member.queues[event.queue] = PauseReason.WRAP_UP
            elif event.paused == AUTO_PAUSE and member.open_at is None:
                # Missed while nobody watched: given back once, then counted again.
                member.open_at = event.at + self.rules.give_back_after_s
        kept = event.paused is not None and member.paused == event.paused
        member.moved(before, (event.paused_since if kept else None) or event.at)
        order = self._reorder(event.at)
        if event.penalty != member.penalty and not any(o.operator == member.operator for o in order):
            # The earlier penalty was set before the switch knew them in this queue.
            order.append(SetOrder(operator=member.operator, penalty=member.penalty, version=self.version))
        return list(order)

    def _paused(self, member: Member, event: MemberPaused) -> None:
        if event.queue in member.queues:
            member.queues[event.queue] = event.reason
        member.paused, member.asked_at = event.reason, None
        if event.reason == AUTO_PAUSE and not self._held_back(member):
            member.open_at = event.at + self.rules.give_back_after_s
        else:
            member.open_at = None
        if event.reason == PauseReason.WRAP_UP:
            member.last_queue = member.talking_in or member.last_queue
            member.talking_in = None

    def _ready(self, member: Member, event: MemberReady) -> None:
        if event.queue in member.queues:
            member.queues[event.queue] = None
        member.paused = member.asked_at = None
        if self._held_back(member):
            member.missed_in_a_row = 0
        member.open_at = event.at + self.rules.staged_s if member.closed else None

    def _missed(self, member: Member, event: OfferMissed) -> list[FloorCommand]:
        member.ringing = None
        member.missed_in_a_row += 1
        if self._held_back(member):
            member.open_at = None
            member.paused = PauseReason.MISSED
            member.queues = dict.fromkeys(member.queues, PauseReason.MISSED)
            return [HoldBack(operator=event.operator, reason=PauseReason.MISSED)]
        member.open_at = event.at + self.rules.give_back_after_s
        return []

    def _held_back(self, member: Member) -> bool:
        return member.missed_in_a_row >= self.rules.missed_before_pause

    def _stops_ringing(self, member: Member, at: float) -> None:
        before, member.ringing = member.state, None
        member.moved(before, at)
        if member.closed:
            member.open_at = at

    def _talk_started(self, member: Member, event: TalkStarted) -> None:
        self._leave(event.caller)
        member.ringing = member.open_at = None
        member.talking_in = member.last_queue = event.queue
        member.talk = event.talk or member.talk
        member.calls += 1
        member.missed_in_a_row = 0

    def _talk_ended(self, member: Member, event: TalkEnded) -> None:
        if member.busy_since is None:
            # Its beginning was not seen.
            member.calls += 1
            member.handled_s += event.talk_s
        member.talking_in, member.last_queue = None, event.queue
        member.last_ended_at = event.at
        demand = demand_of(event.queue)
        recent = self._handling.setdefault(demand, deque(maxlen=RECENT_CALLS))
        recent.append(event.talk_s + self.rules.wrap_up_s.get(demand, 0.0))

    # ---- the order of offers --------------------------------------------------------------------------

    def _drifted(self, now: float) -> list[SetOrder]:
        return self._reorder(now) if now - self._ordered_at >= REORDER_S else []

    def _reorder(self, now: float) -> list[SetOrder]:
        self._ordered_at = now
        loads = {operator: member.load(now) for operator, member in self.members.items()}
        idle = {operator: m.last_ended_at or m.signed_in_at for operator, m in self.members.items()}
        current = {operator: member.penalty for operator, member in self.members.items()}
        changed = penalties_for(order_of_offers(loads, idle, self.rules.load_rule), current)
        if not changed:
            return []
        self.version += 1
        for operator, penalty in changed.items():
            self.members[operator].penalty = penalty
        return [
            SetOrder(operator=operator, penalty=penalty, version=self.version)
            for operator, penalty in changed.items()
        ]

    def _needy(self, now: float) -> list[Caller]:
        unserved = [caller for caller in self._callers() if caller.ringing_at is None]
        return by_need(unserved, now, self._priorities, self._limits)

    def _explained(self, offer: OfferMade) -> FloorCommand:
        view = self.view(offer.at)
        penalties = {operator: member.penalty for operator, member in self.members.items()}
        others = [
            (member.operator, member.open_queues)
            for member in self.members.values()
            if member.operator != offer.operator and (member.state == "ready" or member.asked_at is not None)
        ]
        return explain(
            offer,
            view,
            self._needy(offer.at),
            others,
            penalties,
            self.rules.load_rule,
            held=self.held,
            wanted=self.version,
        )

    # ---- opening and holding back ---------------------------------------------------------------------

    def _due_operators(self, now: float) -> list[FloorCommand]:
        commands: list[FloorCommand] = []
        due: dict[OperatorId, str] = {}
        for member in self.members.values():
            if member.asked_at is not None and now < member.asked_at + ASK_AGAIN_S:
                continue
            if member.paused == AUTO_PAUSE and self._held_back(member):
                # The switch goes through its queues one by one and may have written over our pause.
                member.paused = PauseReason.MISSED
                commands.append(HoldBack(operator=member.operator, reason=PauseReason.MISSED))
            elif member.state == "wrapup":
                if now >= member.since + self._wrap_up_of(member):
                    due[member.operator] = "wrapup_over"
            elif member.open_at is not None and now >= member.open_at:
                if member.state == f"paused:{AUTO_PAUSE}":
                    due[member.operator] = "missed_once"
                elif member.closed:
                    due[member.operator] = "no_offer"
                else:
                    member.open_at = None
            elif member.open_at is None and member.closed:
                # Closed somewhere and nobody knows why: a restart in between, or a new queue.
                member.open_at = now + self.rules.staged_s
        if due:
            commands += self._reorder(now)
            commands += self._opened(due, now)
        return commands

    def _opened(self, due: Mapping[OperatorId, str], now: float) -> Iterator[FloorCommand]:
        needy = self._needy(now)
        # Who was asked a moment ago is free too, or two operators would be meant for one caller.
        free = sorted(
            (
                member
                for member in self.members.values()
                if member.operator in due or member.asked_at is not None or member.state == "ready"
            ),
            key=lambda member: (member.penalty, member.operator),
        )
        meant = matching(
            needy,
            [
                (member.operator, member.queues if member.operator in due else member.open_queues)
                for member in free
            ],
        )
        for operator, why in due.items():
            member = self.members[operator]
            caller = meant.get(operator)
            # Also when nobody else waits: a newcomer of another queue looks at once, the one who is meant within a
            # second, in which they may move on to their next stage.
            member.asked_at, member.open_at, member.asked_for = now, None, ()
            if caller is not None and why != "no_offer":
                onward = self._onward.get(caller.queue, (caller.queue,))
                member.asked_for = tuple(queue for queue in onward if queue in member.queues)
            yield MakeReady(operator=operator, queues=member.asked_for, talk=member.talk, why=why)

    def _wrap_up_of(self, member: Member) -> float:
        """Seconds; after a restart nobody knows which queue the last call came from, so the longest counts."""
        queues = [member.last_queue] if member.last_queue else list(member.queues)
        return max((self.rules.wrap_up_s.get(demand_of(queue), 0.0) for queue in queues), default=0.0)

    # ---- words for who waits --------------------------------------------------------------------------

    def _word_due(self, caller: Waiting) -> float:
        first_s, every_s = self.rules.words.get(
            demand_of(caller.queue), (self.rules.first_word_after_s, self.rules.word_every_s)
        )
        return caller.joined_at + first_s if caller.told_at is None else caller.told_at + every_s

    def _due_words(self, now: float) -> Iterable[FloorCommand]:
        due = [caller for caller in self.waiting.values() if now >= self._word_due(caller)]
        if not due:
            return
        view = self.view(now)
        for caller in due:
            demand = demand_of(caller.queue)
            line = [each for each in view.callers if each.demand == demand]
            position = 1 + next(n for n, each in enumerate(line) if each.channel == caller.caller)
            serving = sum(1 for seat in view.seats if caller.queue in seat.queues and seat.on_duty)
            minutes = expected_minutes(
                position=position,
                handling_s=view.handling_s.get(demand, ()),
                serving=serving,
                said_before=caller.told,
            )
            caller.told_at, caller.told = now, minutes or caller.told
            yield TellWaiting(
                caller=caller.caller, queue=caller.queue, position=position, minutes=caller.told
            )
