"""The floor: who is signed in, ready, talking, wrapping up; who waits. Events in, commands out, nothing else.

The switch makes the offers. The floor ends wrap-ups, gives back operators after a missed offer or holds them back
after too many, opens a freed operator first where the neediest caller waits, keeps the order of offers even, says why
each offer went where it went, and when a waiting caller should hear their position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

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
    StandBy,
    TalkEnded,
    TalkNamed,
    TalkStarted,
    TellWaiting,
    Tick,
)
from acd.experience import Experience
from acd.explain import explain
from acd.members import AUTO_PAUSE, Member, Waiting
from acd.order import LoadRule, carried_over, order_of_offers, penalties_for
from acd.promise import promise
from acd.routing import by_need, matching
from acd.view import Caller, FloorView, Load
from acd.waiting import Service, remaining_waits
from core.facts.dialplan import PauseReason
from core.ids import OperatorId, QueueName, demand_of

RECENT_CALLS = 30
REORDER_S = 5.0
"""Loads are shares of time and drift; the order and who serves what are looked at again this often."""
CLOCKS_S = 2.0
"""Times of the switch are whole seconds, of another clock."""
HELD_BACK = "held_back"
ASK_AGAIN_S = 3.0
"""An operator who was asked to be opened and is not, is asked again after this long."""
ANSWERS_S = 0.5
"""From a caller's leaving the queue until it is clear that nobody answered: whoever does is paused a moment later."""
SHIFT_BREAK_S = 4 * 3600.0
"""Who signs in again within this time goes on with the same shift, and what they carried in it counts on."""
CALLED_IN = "called_in"
"""The reason for opening an operator who stands by; the dialplan knows it (dialplans/40-operator.conf)."""
REMEMBERED = 2000
"""Callers who have left a queue are remembered up to this many, for the place they keep when they come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRules:
    """What the city's profile and the operators' skills say about offers and waiting."""

    demands: tuple[Demand, ...] = ()
    skills: Mapping[OperatorId, Skills] = field(default_factory=dict)
    groups: Mapping[OperatorId, str] = field(default_factory=dict)
    """Who stands by until the guard calls their group in."""
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

    def __init__(self, rules: FloorRules, experience: Experience | None = None) -> None:
        """`experience` is what is known of earlier calls; none makes the floor learn from the first one on."""
        self.experience = experience or Experience()
        self.members: dict[OperatorId, Member] = {}
        self.waiting: dict[str, Waiting] = {}
        self.last_shifts: dict[OperatorId, Load] = {}
        """What each operator had carried when they last signed out."""
        self.version = 0
        """Of the order of offers as wished."""
        self.held = 0
        """Of the order of offers as the switch has acknowledged it."""
        self._signed_out: dict[OperatorId, Member] = {}
        self._finding = False
        """Whether a snapshot is being told: between `reset` and `settle`."""
        self._at = float("-inf")
        """Of the latest event."""
        self.called_in: frozenset[str] | None = None
        """Groups whose people take calls now, as the guard says; None while it has said nothing."""
        self._left: dict[str, Waiting] = {}
        """Who has left a queue, so that coming back (a stage, a transfer, a reconnect) keeps the place."""
        self._handling: dict[QueueName, deque[float]] = {}
        self._sent_back: dict[OperatorId, float] = {}
        """When who has to stand by was last told so."""
        self._ordered_at = float("-inf")
        self._set_rules(rules)

    def _set_rules(self, rules: FloorRules) -> None:
        self.rules = rules
        self._demands = {demand.name: demand for demand in rules.demands}
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
        moments += [due[0] for member in self.members.values() if (due := self._due(member)) is not None]
        moments += [self._word_due(caller) for caller in self.waiting.values()]
        return max(now, min(moments)) if moments else None

    # ---- events ---------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget who is there before a fresh snapshot; what people have handled and were told stays."""
        for caller in list(self.waiting):
            self._leave(caller)
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
        self._set_rules(rules)
        return [command for member in self.members.values() for command in self._enrolled(member)]

    def _enrolled(self, member: Member) -> list[FloorCommand]:
        """What brings a member into the queues of their skills, and out of all others."""
        wanted = self._wanted(member.operator)
        # Added first, so that nobody is without any queue in between. Always closed, and opened like the others: by
        # the time the switch does it, they may be on a break.
        return [
            *(
                AddToQueue(
                    operator=member.operator, queue=queue, penalty=member.penalty, paused=member.paused or ""
                )
                for queue in sorted(wanted - member.queues.keys())
            ),
            *(
                RemoveFromQueue(operator=member.operator, queue=queue)
                for queue in sorted(member.queues.keys() - wanted)
            ),
        ]

    def _wanted(self, operator: OperatorId) -> set[QueueName]:
        return set(queues_for(self.rules.demands, self.rules.skills.get(operator, {})))

    def bring_in(self, operators: Iterable[OperatorId], at: float) -> list[FloorCommand]:
        """Open operators who stand by, first where the need is."""
        due = {operator: CALLED_IN for operator in operators if operator in self.members}
        return list(self._opened(due, at)) if due else []

    def send_back(self, operators: Iterable[OperatorId]) -> list[FloorCommand]:
        """Let operators stand by again."""
        return [
            StandBy(operator=operator, talk=self.members[operator].talk)
            for operator in operators
            if operator in self.members
        ]

    def handle(self, event: FloorEvent) -> list[FloorCommand]:
        """Take one event in and say what to do."""
        self._at = max(self._at, event.at)
        match event:
            case CallerJoined():
                self._caller_joined(event)
            case CallerLeft():
                self._caller_left(event)
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
                    self._closed_is_due(known, event.at)
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
                    self._sign_out(member, event.at)
            case MemberPaused():
                self._paused(member, event)
            case MemberReady():
                self._ready(member, event)
            case OfferMade():
                explanation = self._explained(event)
                member.ringing, member.last_queue = event.caller, event.queue
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
        self.experience.came_back(event.caller)
        known = self.waiting.get(event.caller) or self._left.pop(event.caller, None)
        if known is None or (event.call and known.call and event.call != known.call):
            # Unknown, or a switch that has started anew gives its channels their old names again.
            known = Waiting(event.caller, event.queue, event.at, event.call)
        known.queue, known.call = event.queue, event.call or known.call
        if event.since is not None:
            known.joined_at = min(known.joined_at, event.since)
        self.waiting[event.caller] = known

    def _caller_left(self, event: CallerLeft) -> None:
        known = self.waiting.get(event.caller)
        if known is not None and known.queue != event.queue:
            # Late: they wait in another queue by now.
            return
        self._leave(event.caller, event.at)
        for member in self.members.values():
            if member.ringing == event.caller:
                # Gone while the telephone rang: app_queue tells nothing of the offer's end.
                self._stops_ringing(member, event.at)

    def _leave(self, caller: str, at: float | None = None) -> None:
        """`at` is when they left; None when nobody saw it."""
        gone = self.waiting.pop(caller, None)
        if gone is not None:
            self._left[caller] = gone
            demand = self._demands.get(demand_of(gone.queue))
            if at is not None and demand is not None:
                over = at - gone.joined_at >= demand.wait_limit_s - 1.0
                self.experience.left(caller, demand.name, at, waited_s=at - gone.joined_at, over=over)
            while len(self._left) > REMEMBERED:
                del self._left[next(iter(self._left))]

    def _joined(self, event: MemberJoined) -> list[FloorCommand]:
        member = self.members.get(event.operator)
        if member is None:
            if event.paused is not None and not self._finding:
                # Nobody signs in paused: new skills that came after the operator had signed out.
                return [RemoveFromQueue(operator=event.operator, queue=event.queue)]
            member = self.members[event.operator] = self._signed_in(event)
        found = not member.queues
        before = member.unseen if found else member.state
        member.queues[event.queue] = event.paused
        if found or self._finding:
            self._found(member, event, before)
        elif member.closed and member.open_at is None:
            # Added to a queue by new skills: it is to hold for the next offer.
            member.open_at = event.at
        self._closed_is_due(member, event.at)
        order = [] if self._finding else self._reorder(event.at)
        if event.penalty != member.penalty and not any(o.operator == member.operator for o in order):
            # The earlier penalty was set before the switch knew them in this queue.
            order.append(SetOrder(operator=member.operator, penalty=member.penalty, version=self.version))
        by_older_skills = event.operator in self.rules.skills and event.queue not in self._wanted(
            event.operator
        )
        return [*order, *(self._enrolled(member) if by_older_skills and not self._finding else ())]

    def _signed_in(self, event: MemberJoined) -> Member:
        earlier = self._signed_out.pop(event.operator, None)
        if earlier is None or event.at - earlier.since > SHIFT_BREAK_S:
            seconds, calls = carried_over(self.last_shifts, event.operator)
            earlier = Member(event.operator, event.at, since=event.at, carried_s=seconds, carried_calls=calls)
        earlier.penalty = event.penalty
        return earlier

    def _found(self, member: Member, event: MemberJoined, before: str) -> None:
        """Signed in, or seen in a snapshot: what the switch says now holds."""
        member.paused = event.paused
        if event.paused != PauseReason.TALKING or not event.in_call:
            # Whatever we saw begin is over, and nobody saw it end.
            member.talking_in = None
        if event.paused == PauseReason.TALKING and not event.in_call:
            # The switch restarted during the talk and kept the pause but not the call.
            member.paused = member.queues[event.queue] = PauseReason.WRAP_UP
        elif event.paused == AUTO_PAUSE:
            # Missed while nobody watched: given back once, then counted again.
            member.open_at = event.at + self.rules.give_back_after_s
        kept = event.paused_since if event.paused is not None and member.paused == event.paused else None
        if kept is not None and member.state == before and kept > member.since + CLOCKS_S:
            member.began_anew(kept)
        member.moved(before, kept or event.at)

    def _sign_out(self, member: Member, at: float) -> None:
        self.last_shifts[member.operator] = member.load(at)
        member.signed_out(at)
        self._signed_out[member.operator] = self.members.pop(member.operator)

    def _closed_is_due(self, member: Member, at: float) -> None:
        if member.closed and member.open_at is None:
            # Opened in some of their queues only: by us, by a restart in between, or for a new queue.
            member.open_at = at + self.rules.staged_s

    def _paused(self, member: Member, event: MemberPaused) -> None:
        if event.queue in member.queues:
            member.queues[event.queue] = event.reason
        member.paused, member.asked_at, member.open_at = event.reason, None, None
        if event.reason == AUTO_PAUSE:
            # The switch goes through its queues one by one and may have written over our pause.
            member.open_at = event.at + (0.0 if self._held_back(member) else self.rules.give_back_after_s)
        if event.reason == PauseReason.WRAP_UP:
            member.last_queue = member.talking_in or member.last_queue
            member.talking_in = None

    def _ready(self, member: Member, event: MemberReady) -> None:
        if event.queue in member.queues:
            member.queues[event.queue] = None
        member.paused = member.asked_at = None
        if self._held_back(member):
            member.missed_in_a_row = 0
        member.open_at = None

    def _missed(self, member: Member, event: OfferMissed) -> list[FloorCommand]:
        member.ringing = None
        member.missed_in_a_row += 1
        if not self._held_back(member):
            member.open_at = event.at + self.rules.give_back_after_s
            return []
        member.open_at = None
        member.paused = PauseReason.MISSED
        member.queues = dict.fromkeys(member.queues, PauseReason.MISSED)
        return [HoldBack(operator=event.operator, reason=PauseReason.MISSED)]

    def _held_back(self, member: Member) -> bool:
        return member.missed_in_a_row >= self.rules.missed_before_pause

    def _stops_ringing(self, member: Member, at: float) -> None:
        before, member.ringing = member.state, None
        member.moved(before, at)
        if member.closed:
            member.open_at = at + ANSWERS_S

    def _talk_started(self, member: Member, event: TalkStarted) -> None:
        self._leave(event.caller, event.at)
        self.experience.answered(event.caller)
        if event.talk and event.talk == member.talk:
            # Told twice, or told after its end.
            return
        member.ringing = member.open_at = None
        member.talking_in = member.last_queue = event.queue
        member.talk, member.talk_at = event.talk, event.at
        member.calls += 1
        member.missed_in_a_row = 0

    def _talk_ended(self, member: Member, event: TalkEnded) -> None:
        if event.at <= member.last_ended_at:
            # Told twice.
            return
        began = event.at - event.talk_s
        if began > member.talk_at + CLOCKS_S:
            # Its beginning was not seen.
            member.calls += 1
            member.talk_at = began
            if member.busy_since is None:
                member.handled_s += min(event.talk_s, event.at - member.signed_in_at)
        member.talking_in, member.last_queue = None, event.queue
        member.last_ended_at = event.at
        demand = demand_of(event.queue)
        recent = self._handling.setdefault(demand, deque(maxlen=RECENT_CALLS))
        recent.append(event.talk_s + self.rules.wrap_up_s.get(demand, 0.0))
        self.experience.handled(demand, recent[-1])

    # ---- the order of offers --------------------------------------------------------------------------

    def _drifted(self, now: float) -> list[FloorCommand]:
        if now - self._ordered_at < REORDER_S:
            return []
        self._ordered_at = now
        commands: list[FloorCommand] = [*self._reorder(now)]
        for member in self.members.values():
            if member.operator in self.rules.skills:
                # A sign-in by an older list, or a word to the switch that was lost.
                commands += self._enrolled(member)
        return commands

    def _reorder(self, now: float) -> list[SetOrder]:
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

    def _due(self, member: Member) -> tuple[float, str] | None:
        """When this operator is to be opened or held back, and why; None while it is not for us to do."""
        match member.state:
            case "wrapup":
                due = (member.since + self._wrap_up_of(member), "wrapup_over")
            case state if state == f"paused:{AUTO_PAUSE}" and member.open_at is not None:
                due = (member.open_at, HELD_BACK if self._held_back(member) else "missed_once")
            case "ready" if member.closed and member.open_at is not None:
                due = (member.open_at, "no_offer")
            case _:
                return None
        again = float("-inf") if member.asked_at is None else member.asked_at + ASK_AGAIN_S
        return max(due[0], again), due[1]

    def _due_operators(self, now: float) -> list[FloorCommand]:
        commands: list[FloorCommand] = []
        opened: dict[OperatorId, str] = {}
        for member in self.members.values():
            if (
                member.paused == PauseReason.RESERVE
                and member.asked_at is not None
                and now >= member.asked_at + ASK_AGAIN_S
            ):
                # Brought in and yet standing by: the guard asks again if it still wants them.
                member.asked_at = None
            due = self._due(member)
            if due is None or now < due[0]:
                continue
            if due[1] == HELD_BACK:
                member.paused, member.open_at = PauseReason.MISSED, None
                commands.append(HoldBack(operator=member.operator, reason=PauseReason.MISSED))
            else:
                opened[member.operator] = due[1]
        for operator in [each for each in opened if self._stands_by(each)]:
            del opened[operator]
            if now >= self._sent_back.get(operator, float("-inf")) + ASK_AGAIN_S:
                self._sent_back[operator] = now
                commands += self.send_back([operator])
        if opened:
            commands += self._reorder(now)
            commands += self._opened(opened, now)
        return commands

    def _stands_by(self, operator: OperatorId) -> bool:
        group = self.rules.groups.get(operator)
        return group is not None and self.called_in is not None and group not in self.called_in

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
            member.asked_at, member.asked_for = now, ()
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

    def wait_from_outside(
        self, demand: QueueName, since: float, at: float, ahead: Iterable[tuple[QueueName, float]] = ()
    ) -> tuple[int, int] | None:
        """The range of minutes for somebody who holds a place without being in a queue, such as a call-back.

        Args:
            since: first entry of the place.
            ahead: demand and first entry of others outside the queues.
        """
        outside = [
            Caller(channel=f"outside-{n}", call=None, queue=queue, demand=queue, since=entered)
            for n, (queue, entered) in enumerate([(demand, since), *ahead])
        ]
        view = self.view(at)
        callers = sorted([*view.callers, *outside], key=lambda caller: (caller.since, caller.channel))
        view = replace(view, callers=tuple(callers))
        unserved = [caller for caller in callers if caller.ringing_at is None]
        needy = by_need(unserved, at, self._priorities, self._limits)
        likely = remaining_waits(view, needy, self._service()).get(outside[0].channel)
        said = promise([] if likely is None else likely.tolist(), at, None)
        return said.minutes if said is not None else None

    def _service(self) -> Service:
        return Service(demands=self._demands, wrap_up_s=self.rules.wrap_up_s, experience=self.experience)

    def _due_words(self, now: float) -> Iterable[FloorCommand]:
        self.experience.settle(now)
        due = [caller for caller in self.waiting.values() if now >= self._word_due(caller)]
        if not due:
            return
        view = self.view(now)
        waits = remaining_waits(view, self._needy(view.at), self._service())
        for caller in due:
            demand = demand_of(caller.queue)
            line = [each for each in view.callers if each.demand == demand]
            position = 1 + next(n for n, each in enumerate(line) if each.channel == caller.caller)
            likely = waits.get(caller.caller)
            said = promise([] if likely is None else likely.tolist(), now, caller.promised)
            caller.told_at, caller.promised = now, said or caller.promised
            yield TellWaiting(
                caller=caller.caller,
                queue=caller.queue,
                position=position,
                minutes=said.minutes if said is not None else None,
            )
