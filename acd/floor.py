"""The floor: who is signed in, ready, talking, wrapping up; who waits. Events in, commands out, nothing else.

The switch makes the offers. The floor ends wrap-ups, gives back operators after a missed offer or holds them back
after too many, keeps the order of offers even, and says when a waiting caller should hear their position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from acd.events import (
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
    SetOrder,
    TalkEnded,
    TalkStarted,
    TellWaiting,
    Tick,
)
from acd.order import Load, order_of_offers, penalties_for
from acd.waiting import expected_minutes
from core.facts.dialplan import PauseReason
from core.ids import OperatorId, QueueName

AUTO_PAUSE = "Auto-Pause"
"""The reason app_queue gives when it pauses a member after a missed offer (app_queue.c, 22.10)."""

RECENT_CALLS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRules:
    """What the city's profile says about offers and waiting."""

    wrap_up_s: Mapping[QueueName, float]
    missed_before_pause: int
    """Offers missed in a row until the operator stays paused (1 or more)."""
    give_back_after_s: float = 3.0
    """How long an operator who missed an offer is passed over, so that it goes to somebody else first."""
    first_word_after_s: float = 20.0
    """Wait until the first word about the position."""
    word_every_s: float = 45.0
    words: Mapping[QueueName, tuple[float, float]] = field(default_factory=dict)
    """(`first_word_after_s`, `word_every_s`) of queues that differ."""
    levels: Mapping[tuple[OperatorId, QueueName], int] = field(default_factory=dict)


@dataclass(slots=True)
class Member:
    """One signed-in operator."""

    operator: OperatorId
    signed_in_at: float
    queues: dict[QueueName, int] = field(default_factory=dict)
    paused: str | None = None
    paused_since: float = 0.0
    ringing: str | None = None
    talking_in: QueueName | None = None
    last_queue: QueueName | None = None
    missed_in_a_row: int = 0
    give_back_at: float | None = None
    calls: int = 0
    handled_s: float = 0.0
    last_ended_at: float = 0.0

    @property
    def state(self) -> str:
        """`talking`, `wrapup`, `ringing`, `paused:<reason>` or `ready`."""
        if self.talking_in is not None or self.paused == PauseReason.TALKING:
            return "talking"
        if self.paused is not None:
            return "wrapup" if self.paused == PauseReason.WRAP_UP else f"paused:{self.paused}"
        return "ringing" if self.ringing else "ready"


@dataclass(slots=True)
class Waiting:
    """One caller in a queue."""

    caller: str
    queue: QueueName
    joined_at: float
    told_at: float | None = None
    told: tuple[int, int] | None = None


class Floor:
    """Folds events into the state of the centre and answers with commands."""

    def __init__(self, rules: FloorRules) -> None:
        self.rules = rules
        self.members: dict[OperatorId, Member] = {}
        self.waiting: dict[str, Waiting] = {}
        self._before: dict[str, Waiting] = {}
        """Who waited before the last reset, so that a reconnect does not promise a caller anew."""
        self._handling: dict[QueueName, deque[float]] = {}

    def reset(self) -> None:
        """Forget who is there before a fresh snapshot; what people have handled and were told stays."""
        self._before = dict(self.waiting)
        self.waiting.clear()
        for member in self.members.values():
            member.queues.clear()
            member.ringing = None

    def settle(self) -> None:
        """After a whole snapshot: who was not found in it has signed out while nobody watched."""
        for operator in [operator for operator, member in self.members.items() if not member.queues]:
            del self.members[operator]

    def handle(self, event: FloorEvent) -> list[FloorCommand]:
        """Take one event in and say what to do."""
        match event:
            case MemberJoined():
                return self._joined(event)
            case MemberLeft():
                return self._left(event)
            case MemberPaused():
                self._paused(event)
            case MemberReady():
                member = self.members.get(event.operator)
                if member is not None:
                    member.paused, member.give_back_at = None, None
                    if self._held_back(member):
                        member.missed_in_a_row = 0
            case OfferMade():
                member = self.members.get(event.operator)
                if member is not None:
                    member.ringing = event.caller
            case OfferMissed():
                return self._missed(event)
            case TalkStarted():
                self._talk_started(event)
            case TalkEnded():
                return self._talk_ended(event)
            case CallerJoined():
                known = self._before.pop(event.caller, None)
                if known is None or known.queue != event.queue:
                    known = Waiting(event.caller, event.queue, event.at)
                self.waiting[event.caller] = known
            case CallerLeft():
                self.waiting.pop(event.caller, None)
                for member in self.members.values():
                    if member.ringing == event.caller:
                        # Gone while the telephone rang: app_queue tells nothing of the offer's end.
                        member.ringing = None
            case Tick():
                return [*self._due_operators(event.at), *self._due_words(event.at)]
        return []

    def _joined(self, event: MemberJoined) -> list[FloorCommand]:
        member = self.members.get(event.operator)
        if member is None:
            member = self.members[event.operator] = Member(event.operator, event.at)
        member.queues[event.queue] = event.penalty
        member.paused = event.paused
        if event.paused != PauseReason.TALKING or not event.in_call:
            # Whatever we saw begin is over, and nobody saw it end.
            member.talking_in = None
        if event.paused is not None:
            member.paused_since = event.paused_since or event.at
            if event.paused == PauseReason.TALKING and not event.in_call:
                # The switch restarted during the talk and kept the pause but not the call.
                member.paused, member.paused_since = PauseReason.WRAP_UP, event.at
            if event.paused == AUTO_PAUSE and member.give_back_at is None:
                # Missed while nobody watched: given back once, then counted again.
                member.give_back_at = event.at + self.rules.give_back_after_s
        return self._reorder(event.queue)

    def _left(self, event: MemberLeft) -> list[FloorCommand]:
        member = self.members.get(event.operator)
        if member is None:
            return []
        member.queues.pop(event.queue, None)
        if not member.queues:
            del self.members[event.operator]
        return self._reorder(event.queue)

    def _paused(self, event: MemberPaused) -> None:
        member = self.members.get(event.operator)
        if member is None:
            return
        if member.paused != event.reason:
            member.paused_since = event.at
        member.paused = event.reason
        if event.reason == AUTO_PAUSE and not self._held_back(member):
            member.give_back_at = event.at + self.rules.give_back_after_s
        else:
            member.give_back_at = None
        if event.reason == PauseReason.WRAP_UP:
            member.last_queue = member.talking_in or member.last_queue
            member.talking_in = None

    def _missed(self, event: OfferMissed) -> list[FloorCommand]:
        member = self.members.get(event.operator)
        if member is None:
            return []
        member.ringing = None
        member.missed_in_a_row += 1
        if self._held_back(member):
            member.give_back_at = None
            member.paused, member.paused_since = PauseReason.MISSED, event.at
            return [HoldBack(operator=event.operator, reason=PauseReason.MISSED)]
        member.give_back_at = event.at + self.rules.give_back_after_s
        return []

    def _held_back(self, member: Member) -> bool:
        return member.missed_in_a_row >= self.rules.missed_before_pause

    def _talk_started(self, event: TalkStarted) -> None:
        self.waiting.pop(event.caller, None)
        member = self.members.get(event.operator)
        if member is not None:
            member.ringing = None
            member.talking_in = member.last_queue = event.queue
            member.missed_in_a_row = 0
            member.give_back_at = None

    def _talk_ended(self, event: TalkEnded) -> list[FloorCommand]:
        member = self.members.get(event.operator)
        if member is None:
            return []
        member.talking_in, member.last_queue = None, event.queue
        member.calls += 1
        member.handled_s += event.talk_s
        member.last_ended_at = event.at
        recent = self._handling.setdefault(event.queue, deque(maxlen=RECENT_CALLS))
        recent.append(event.talk_s + self.rules.wrap_up_s.get(event.queue, 0.0))
        commands: list[FloorCommand] = []
        for queue in member.queues:
            commands += self._reorder(queue)
        return commands

    def _reorder(self, queue: QueueName) -> list[FloorCommand]:
        loads = [
            Load(
                operator=member.operator,
                level=self.rules.levels.get((member.operator, queue), 1),
                calls=member.calls,
                handled_s=member.handled_s,
                last_ended_at=member.last_ended_at,
            )
            for member in self.members.values()
            if queue in member.queues
        ]
        current = {load.operator: self.members[load.operator].queues[queue] for load in loads}
        changed = penalties_for(order_of_offers(loads), current)
        for operator, penalty in changed.items():
            self.members[operator].queues[queue] = penalty
        return [
            SetOrder(operator=operator, queue=queue, penalty=penalty) for operator, penalty in changed.items()
        ]

    def _due_operators(self, now: float) -> Iterable[FloorCommand]:
        for member in self.members.values():
            if member.paused == PauseReason.WRAP_UP and member.talking_in is None:
                if now >= member.paused_since + self._wrap_up_of(member):
                    member.paused = None
                    yield MakeReady(operator=member.operator, why="wrapup_over")
            elif member.paused == AUTO_PAUSE and self._held_back(member):
                # The switch goes through its queues one by one and may have written over our pause.
                member.paused = PauseReason.MISSED
                yield HoldBack(operator=member.operator, reason=PauseReason.MISSED)
            elif member.give_back_at is not None and now >= member.give_back_at:
                member.give_back_at = None
                if member.paused == AUTO_PAUSE:
                    member.paused = None
                    yield MakeReady(operator=member.operator, why="missed_once")

    def _wrap_up_of(self, member: Member) -> float:
        """Seconds; after a restart nobody knows which queue the last call came from, so the longest counts."""
        queues = [member.last_queue] if member.last_queue else list(member.queues)
        return max((self.rules.wrap_up_s.get(queue, 0.0) for queue in queues), default=0.0)

    def _due_words(self, now: float) -> Iterable[FloorCommand]:
        for queue in {caller.queue for caller in self.waiting.values()}:
            line = sorted(
                (caller for caller in self.waiting.values() if caller.queue == queue),
                key=lambda c: c.joined_at,
            )
            serving = sum(
                1 for m in self.members.values() if queue in m.queues and not m.state.startswith("paused:")
            )
            first_s, every_s = self.rules.words.get(
                queue, (self.rules.first_word_after_s, self.rules.word_every_s)
            )
            for position, caller in enumerate(line, start=1):
                due = caller.joined_at + first_s if caller.told_at is None else caller.told_at + every_s
                if now < due:
                    continue
                caller.told_at = now
                caller.told = (
                    expected_minutes(
                        position=position,
                        handling_s=list(self._handling.get(queue, ())),
                        serving=serving,
                        said_before=caller.told,
                    )
                    or caller.told
                )
                yield TellWaiting(caller=caller.caller, queue=queue, position=position, minutes=caller.told)
