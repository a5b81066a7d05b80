"""The floor: who is signed in, ready, talking, wrapping up; who waits. Events in, commands out, nothing else.

The switch makes the offers. The floor ends wrap-ups, gives back operators after a missed offer or holds them back
after too many, opens a freed operator first where the neediest caller waits, keeps the order of offers even, says why
each offer went where it went, and when a waiting caller should hear their position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from acd import seating
from acd.events import (
    AddToQueue,
    CallerJoined,
    CallerLeft,
    FloorCommand,
    FloorEvent,
    HoldBack,
    MemberJoined,
    MemberLeft,
    MemberPaused,
    MemberReady,
    OfferMade,
    OfferMissed,
    OrderHeld,
    RemoveFromQueue,
    SetOrder,
    StandBy,
    TalkEnded,
    TalkNamed,
    TalkStarted,
    Tick,
)
from acd.experience import Experience
from acd.explain import explain
from acd.kept_order import KeptOrder
from acd.members import Member
from acd.opening import ASK_AGAIN_S, CALLED_IN, ELSEWHERE, HELD_BACK, due_of, onward, opened
from acd.rules import FloorRules
from acd.shifts import Shifts
from acd.view import Caller, FloorView
from acd.waiting_room import WaitingRoom
from core.facts.dialplan import PauseReason
from core.ids import OperatorId, QueueName, demand_of

RECENT_CALLS = 30

MemberEvent = (
    MemberLeft | MemberPaused | MemberReady | OfferMade | OfferMissed | TalkStarted | TalkNamed | TalkEnded
)


class Floor:
    """Folds events into the state of the centre and answers with commands."""

    def __init__(self, rules: FloorRules, experience: Experience | None = None) -> None:
        """`experience` is what is known of earlier calls; none makes the floor learn from the first one on."""
        self.rules = rules
        self.experience = experience or Experience()
        self.members: dict[OperatorId, Member] = {}
        self._room = WaitingRoom(rules, self.experience)
        self.waiting = self._room.waiting
        self.order = KeptOrder()
        self.shifts = Shifts()
        self.called_in: frozenset[str] | None = None
        """Groups whose people take calls now, as the guard says; None while it has said nothing."""
        self._onward = onward(rules.demands)
        self._finding = False
        """Whether a snapshot is being told: between `reset` and `settle`."""
        self._at = float("-inf")
        """Of the latest event."""
        self._handling: dict[QueueName, deque[float]] = {}

    # ---- what the others see ------------------------------------------------------------------------

    def view(self, at: float) -> FloorView:
        """The floor at this moment."""
        return FloorView(
            at=at,
            seats=tuple(self.members[operator].seat(at) for operator in sorted(self.members)),
            callers=self._room.callers(self._ringing()),
            handling_s={demand: tuple(recent) for demand, recent in self._handling.items()},
        )

    def wait_from_outside(
        self, demand: QueueName, since: float, at: float, ahead: Iterable[tuple[QueueName, float]] = ()
    ) -> tuple[int, int] | None:
        """The range of minutes for somebody who holds a place without being in a queue, such as a call-back.

        Args:
            since: first entry of the place.
            ahead: demand and first entry of others outside the queues.
        """
        return self._room.wait_from_outside(self.view(at), demand, since, ahead)

    def _ringing(self) -> dict[str, OperatorId]:
        return {member.ringing: member.operator for member in self.members.values() if member.ringing}

    def _needy(self, now: float) -> list[Caller]:
        return self._room.needy(now, self._ringing())

    def next_due(self, now: float, *, order: bool = True) -> float | None:
        """When a `Tick` may next have something to say; None while nothing but an event can.

        Args:
            order: whether the order's drift counts.
        """
        moments = [self.order.due_at] if self.members and order else []
        for member in self.members.values():
            due = due_of(member, self.rules)
            if due is not None:
                moments.append(due[0])
        moments += [self._room.word_due(caller) for caller in self.waiting.values()]
        return max(now, min(moments)) if moments else None

    # ---- snapshots and rules --------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget who is there before a fresh snapshot; what people have handled and were told stays."""
        self._room.forget_all()
        for member in self.members.values():
            member.lost_from_sight()
        self._finding = True

    def settle(self) -> list[FloorCommand]:
        """After a whole snapshot: who was not found in it has signed out while nobody watched.

        Returns the order and the queues that should hold.
        """
        self._finding = False
        for member in [member for member in self.members.values() if not member.queues]:
            self._sign_out(member, self._at)
        return [*self._reorder(self._at), *self.learn(self.rules)]

    def learn(self, rules: FloorRules) -> list[FloorCommand]:
        """Take new rules; who is signed in joins and leaves queues at once, so that it holds for the next offer."""
        self.rules = rules
        self._room.learn(rules)
        self._onward = onward(rules.demands)
        return [command for member in self.members.values() for command in self._enrolled(member)]

    def _enrolled(self, member: Member) -> list[FloorCommand]:
        """What brings a member into the queues of their skills, and out of all others."""
        wanted, operator = self.rules.queues_of(member.operator), member.operator
        # Added first, so that nobody is without any queue in between.
        return [
            *(
                AddToQueue(operator=operator, queue=queue, penalty=member.penalty)
                for queue in sorted(wanted - member.queues.keys())
            ),
            *(
                RemoveFromQueue(operator=operator, queue=queue)
                for queue in sorted(member.queues.keys() - wanted)
            ),
        ]

    # ---- the guard's hand -----------------------------------------------------------------------------

    def bring_in(self, operators: Iterable[OperatorId], at: float) -> list[FloorCommand]:
        """Open operators who stand by, first where the need is."""
        due = {
            operator: CALLED_IN
            for operator in operators
            if operator in self.members and self.rules.takes_telephone(operator)
        }
        return list(opened(due, self.members, self._needy(at), self._onward, at)) if due else []

    def send_back(self, operators: Iterable[OperatorId]) -> list[FloorCommand]:
        """Let operators stand by again."""
        return [
            StandBy(operator=operator, talk=self.members[operator].talk)
            for operator in operators
            if operator in self.members
        ]

    # ---- events ---------------------------------------------------------------------------------------

    def handle(self, event: FloorEvent) -> list[FloorCommand]:
        """Take one event in and say what to do."""
        self._at = max(self._at, event.at)
        match event:
            case CallerJoined():
                self._room.joined(event)
            case CallerLeft():
                if self._room.left(event):
                    for member in self.members.values():
                        if member.ringing == event.caller:
                            # Gone while the telephone rang: app_queue tells nothing of the offer's end.
                            seating.stops_ringing(member, event.at)
            case OrderHeld():
                self.order.acknowledged(event.version)
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
                    seating.closed_is_due(known, event.at, self.rules)
                    return commands
        return []

    def _of_member(self, member: Member, event: MemberEvent) -> list[FloorCommand]:
        match event:
            case MemberLeft():
                member.queues.pop(event.queue, None)
                if not member.queues:
                    self._sign_out(member, event.at)
            case MemberPaused():
                seating.paused(member, event, self.rules)
            case MemberReady():
                seating.ready(member, event, self.rules)
            case OfferMade():
                explanation = self._explained(event)
                member.ringing, member.last_queue = event.caller, event.queue
                return [explanation]
            case OfferMissed():
                if seating.missed(member, event, self.rules):
                    return [HoldBack(operator=event.operator, reason=PauseReason.MISSED)]
            case TalkStarted():
                self._room.leave(event.caller, event.at)
                self.experience.answered(event.caller)
                seating.talk_started(member, event)
            case TalkNamed():
                member.talk = event.talk
            case TalkEnded():
                if seating.talk_ended(member, event):
                    self._handled(event)
        return []

    def _handled(self, event: TalkEnded) -> None:
        demand = demand_of(event.queue)
        handled_s = event.talk_s + self.rules.wrap_up_s.get(demand, 0.0)
        self._handling.setdefault(demand, deque(maxlen=RECENT_CALLS)).append(handled_s)
        self.experience.handled(demand, handled_s)

    # ---- signing in and out ---------------------------------------------------------------------------

    def _joined(self, event: MemberJoined) -> list[FloorCommand]:
        member = self.members.get(event.operator)
        if member is None:
            if event.paused == PauseReason.ADDED and not self._finding:
                # New skills that came after the operator had signed out.
                return [RemoveFromQueue(operator=event.operator, queue=event.queue)]
            member = self.members[event.operator] = self.shifts.begin(event)
        first = not member.queues
        if first or self._finding:
            seating.found(member, event, self.rules, first=first)
        else:
            seating.added(member, event)
        seating.closed_is_due(member, event.at, self.rules)
        order = [] if self._finding else self._reorder(event.at)
        signs_in = first and not self._finding
        unsaid = not any(each.operator == member.operator for each in order)
        if unsaid and (signs_in or event.penalty != member.penalty):
            # An earlier penalty was set before the switch knew them in this queue, or is still on its way from
            # before they signed out.
            order += self.order.said([member])
        known = event.operator in self.rules.skills
        if not self._finding and known and event.queue not in self.rules.queues_of(event.operator):
            # By a list that was read before their skills changed.
            return [*order, *self._enrolled(member)]
        return list(order)

    def _sign_out(self, member: Member, at: float) -> None:
        del self.members[member.operator]
        self.shifts.end(member, at)

    # ---- the order of offers --------------------------------------------------------------------------

    def _drifted(self, now: float) -> list[FloorCommand]:
        if now < self.order.due_at:
            return []
        self.order.looked_at = now
        commands: list[FloorCommand] = [*self._reorder(now)]
        for member in self.members.values():
            if member.operator in self.rules.skills:
                # A sign-in by an older list, or a word to the switch that was lost.
                commands += self._enrolled(member)
        return commands

    def _reorder(self, now: float) -> list[SetOrder]:
        return self.order.renew(self.members, self.rules.load_rule, now)

    def _explained(self, offer: OfferMade) -> FloorCommand:
        others = [
            (member.operator, member.open_queues)
            for member in self.members.values()
            if member.operator != offer.operator and (member.state == "ready" or member.asked_at is not None)
        ]
        return explain(
            offer,
            self.view(offer.at),
            self._needy(offer.at),
            others,
            {operator: member.penalty for operator, member in self.members.items()},
            self.rules.load_rule,
            held=self.order.held,
            wanted=self.order.version,
        )

    # ---- what time brings -----------------------------------------------------------------------------

    def _due_operators(self, now: float) -> list[FloorCommand]:
        commands: list[FloorCommand] = []
        due: dict[OperatorId, str] = {}
        for member in self.members.values():
            self._forget_vain_calling_in(member, now)
            found = due_of(member, self.rules)
            if found is None or now < found[0]:
                continue
            if found[1] in (HELD_BACK, ELSEWHERE):
                reason = PauseReason.MISSED if found[1] == HELD_BACK else PauseReason.ELSEWHERE
                seating.kept_away(member, reason, now)
                commands.append(HoldBack(operator=member.operator, reason=reason))
            elif self._stands_by(member.operator):
                member.sent_back_at = now
                commands += self.send_back([member.operator])
            else:
                due[member.operator] = found[1]
        if due:
            commands += self._reorder(now)
            commands += opened(due, self.members, self._needy(now), self._onward, now)
        return commands

    def _forget_vain_calling_in(self, member: Member, now: float) -> None:
        """Brought in and yet standing by: the guard asks again if it still wants them."""
        asked = member.asked_at
        if member.paused == PauseReason.RESERVE and asked is not None and now >= asked + ASK_AGAIN_S:
            member.asked_at = None

    def _stands_by(self, operator: OperatorId) -> bool:
        group = self.rules.groups.get(operator)
        return group is not None and self.called_in is not None and group not in self.called_in

    def _due_words(self, now: float) -> Iterable[FloorCommand]:
        due = self._room.due(now)
        return self._room.words(due, self.view(now), self._needy(now)) if due else ()
