"""What the switch and its dialplan do, as far as the floor can see: members, pauses, the [seat] context, callers.

Events reach the floor at once and in order. Commands are kept until `act` carries them out, as late as one likes.
Times are multiples of a quarter of a second, which floating point adds exactly.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from acd.demand import Demand, Skills, Stage, queues_for
from acd.events import (
    AddToQueue,
    CallerJoined,
    CallerLeft,
    ExplainOffer,
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
    RemoveFromQueue,
    SetOrder,
    TalkEnded,
    TalkNamed,
    TalkStarted,
    TellWaiting,
    Tick,
)
from acd.floor import Floor
from acd.members import AUTO_PAUSE
from acd.rules import FloorRules
from core.facts.dialplan import PauseReason
from core.ids import LineId, OperatorId, QueueName, demand_of, queue_name

STEP_S = 0.25
MISSES = 2
WRAP_UP_S = {QueueName("card-ja"): 20.0, QueueName("portal-ja"): 45.0}
DEMANDS = tuple(
    Demand(
        line=LineId(line),
        language="ja",
        priority=priority,
        wait_limit_s=300.0,
        stages=tuple(
            Stage(queue=queue_name(line, "ja", place), after_s=60.0 * (place - 1), least={line: level})
            for place, level in enumerate(levels, start=1)
        ),
    )
    for line, priority, levels in (("card", 0, (3, 1)), ("portal", 1, (1,)))
)
QUEUES = tuple(stage.queue for demand in DEMANDS for stage in demand.stages)
START = 1000.0


@dataclass(slots=True)
class Seat:
    """One operator's telephone and membership."""

    queues: dict[QueueName, str | None] = field(default_factory=dict)
    penalties: dict[QueueName, int] = field(default_factory=dict)
    there: bool = False
    """Signed in by the operator's own wish."""
    state: str = ""
    """`T_STATE_…` of the dialplan."""
    talk: str = ""
    """`T_TALK_…` of the dialplan."""
    ringing: str | None = None
    talking: tuple[QueueName, float] | None = None
    paused_since: float = START
    misses: int = 0
    served: QueueName | None = None

    @property
    def signed_in(self) -> bool:
        return bool(self.queues)

    @property
    def reasons(self) -> set[str]:
        return {reason for reason in self.queues.values() if reason is not None}

    @property
    def kind(self) -> str:
        """What this moment counts as."""
        if not self.queues:
            return "out"
        if None in self.queues.values():
            return "free"
        return "busy" if self.reasons <= {"talking", "wrapup"} else "break"


class ModelSwitch:
    """Told what happens, it tells the floor."""

    def __init__(self, skills: dict[OperatorId, Skills]) -> None:
        self.skills = skills
        self.now = START
        self.seats = {operator: Seat() for operator in skills}
        self.callers: dict[str, QueueName] = {}
        self.entered: dict[str, float] = {}
        self.pending: deque[FloorCommand] = deque()
        self.blind = False
        """The session to the engine is down: nothing is heard and nothing done."""
        self.done: list[tuple[float, FloorCommand]] = []
        self.history: dict[OperatorId, list[tuple[float, str]]] = {operator: [] for operator in skills}
        self.answered: dict[OperatorId, int] = dict.fromkeys(skills, 0)
        self.names = 0
        self.connecting: OperatorId | None = None
        """Who has answered and is not yet paused for it."""
        self.floor = Floor(self.rules())

    def rules(self) -> FloorRules:
        return FloorRules(
            demands=DEMANDS, skills=dict(self.skills), wrap_up_s=WRAP_UP_S, missed_before_pause=MISSES
        )

    # ---- between the two ------------------------------------------------------------------------------

    def tell(self, *events: FloorEvent) -> list[FloorCommand]:
        commands: list[FloorCommand] = []
        if not self.blind:
            for event in events:
                commands += self.take(self.floor.handle(event))
        return commands

    def take(self, commands: list[FloorCommand]) -> list[FloorCommand]:
        if self.blind:
            return []
        for command in commands:
            self.issued(command)
            self.done.append((self.now, command))
            if not isinstance(command, TellWaiting | ExplainOffer):
                self.pending.append(command)
        return commands

    def issued(self, command: FloorCommand) -> None:
        """Look at a command as it is given."""

    def act(self, how_many: int | None = None) -> None:
        """Carry out what waits, oldest first, and what comes of it."""
        while self.pending and how_many != 0:
            self.carry_out(self.pending.popleft())
            how_many = None if how_many is None else how_many - 1

    def carry_out(self, command: FloorCommand) -> None:
        match command:
            case MakeReady():
                self.seat_context(command)
            case HoldBack(operator=operator, reason=reason):
                self.pause(operator, reason)
            case SetOrder(operator=operator, penalty=penalty):
                seat = self.seats[operator]
                seat.penalties = dict.fromkeys(seat.queues, penalty)
            case AddToQueue():
                self.add(command.operator, command.queue, command.penalty, PauseReason.ADDED)
            case RemoveFromQueue(operator=operator, queue=queue):
                if queue in self.seats[operator].queues:
                    self.remove(operator, queue)

    def seat_context(self, command: MakeReady) -> None:
        """`dialplans/40-operator.conf`, [seat]."""
        seat = self.seats[command.operator]
        if seat.state in ("talking", "break") or (command.talk and command.talk != seat.talk):
            return
        self.unpause(command.operator, command.queues)

    # ---- members --------------------------------------------------------------------------------------

    def mark(self, operator: OperatorId) -> None:
        history, kind = self.history[operator], self.seats[operator].kind
        if not history or history[-1][1] != kind:
            history.append((self.now, kind))

    def add(self, operator: OperatorId, queue: QueueName, penalty: int, paused: str | None) -> None:
        seat = self.seats[operator]
        if queue in seat.queues:
            return
        seat.queues[queue], seat.penalties[queue] = paused, penalty
        self.mark(operator)
        self.tell(MemberJoined(at=self.now, operator=operator, queue=queue, penalty=penalty, paused=paused))

    def remove(self, operator: OperatorId, queue: QueueName) -> None:
        seat = self.seats[operator]
        del seat.queues[queue], seat.penalties[queue]
        seat.there = seat.there and bool(seat.queues)
        self.mark(operator)
        self.tell(MemberLeft(at=self.now, operator=operator, queue=queue))

    def pause(self, operator: OperatorId, reason: str) -> None:
        seat = self.seats[operator]
        seat.paused_since = self.now
        for queue in seat.queues:
            seat.queues[queue] = reason
        self.mark(operator)
        for queue in list(seat.queues):
            self.tell(MemberPaused(at=self.now, operator=operator, queue=queue, reason=reason))

    def unpause(self, operator: OperatorId, queues: tuple[QueueName, ...] = ()) -> None:
        seat = self.seats[operator]
        here = [queue for queue in queues or seat.queues if queue in seat.queues]
        for queue in here:
            seat.queues[queue] = None
        self.mark(operator)
        for queue in here:
            self.tell(MemberReady(at=self.now, operator=operator, queue=queue))

    def sign_in(self, operator: OperatorId) -> None:
        # Between signing out and in lie seconds, and no word to the switch takes that long.
        self.act()
        seat, queues = self.seats[operator], queues_for(DEMANDS, self.skills[operator])
        seat.there, seat.state, seat.misses = bool(queues), "ready", 0
        for queue in queues:
            self.add(operator, queue, 10, None)
        self.unpause(operator)

    def sign_out(self, operator: OperatorId) -> None:
        self.seats[operator].there = False
        for queue in list(self.seats[operator].queues):
            self.remove(operator, queue)

    def says_ready(self, operator: OperatorId) -> None:
        seat = self.seats[operator]
        if "missed" in seat.reasons or seat.misses >= MISSES:
            seat.misses = 0
        seat.state = "ready"
        self.unpause(operator)

    def takes_a_break(self, operator: OperatorId) -> None:
        self.seats[operator].state = "break"
        self.pause(operator, "break1")

    def learn(self, operator: OperatorId, skills: Skills) -> None:
        self.skills[operator] = skills
        # The rules are read by another way than the session to the switch.
        self.take(self.floor.learn(self.rules()))

    # ---- calls ----------------------------------------------------------------------------------------

    def call(self, queue: QueueName) -> str:
        self.names += 1
        caller = f"PJSIP/trunk-{self.names:08x}"
        self.callers[caller], self.entered[caller] = queue, self.now
        self.tell(CallerJoined(at=self.now, caller=caller, queue=queue, position=len(self.callers)))
        return caller

    def leave(self, caller: str) -> None:
        queue = self.callers.pop(caller)
        for seat in self.seats.values():
            if seat.ringing == caller:
                seat.ringing = None
        self.tell(CallerLeft(at=self.now, caller=caller, queue=queue))

    def relax(self, caller: str) -> None:
        """The dialplan takes the caller to the next stage."""
        queue = self.callers[caller]
        demand = next(demand for demand in DEMANDS if demand.name == demand_of(queue))
        place = demand.stage_of(queue)
        if place + 1 == len(demand.stages):
            return
        self.leave(caller)
        self.callers[caller] = demand.stages[place + 1].queue
        self.tell(
            CallerJoined(at=self.now, caller=caller, queue=self.callers[caller], position=len(self.callers))
        )

    def offers(self, operator: OperatorId) -> list[str]:
        """Callers whom the switch may offer to this operator now."""
        seat = self.seats[operator]
        if seat.ringing or seat.talking:
            return []
        rung = {each.ringing for each in self.seats.values()}
        return [
            caller
            for caller, queue in self.callers.items()
            if caller not in rung and queue in seat.queues and seat.queues[queue] is None
        ]

    def offer(self, operator: OperatorId, caller: str) -> list[FloorCommand]:
        self.seats[operator].ringing = caller
        return self.tell(OfferMade(at=self.now, operator=operator, queue=self.callers[caller], caller=caller))

    def answer(self, operator: OperatorId, *, breaks_off: bool = False, tick_between: bool = False) -> None:
        """The operator answers; or hangs up again while the dialplan connects."""
        seat = self.seats[operator]
        caller = seat.ringing
        assert caller is not None
        queue = self.callers[caller]
        self.names += 1
        self.connecting = operator
        self.leave(caller)
        if tick_between:
            self.tell(Tick(at=self.now))
        self.connecting = None
        seat.talk, seat.state, seat.misses = (
            f"n1-{self.names}",
            "talking",
            0 if not breaks_off else seat.misses,
        )
        self.pause(operator, "talking")
        seat.talking, seat.served = (queue, self.now), queue
        if breaks_off:
            self.end(operator, served=False)
            return
        self.answered[operator] += 1
        self.tell(TalkStarted(at=self.now, operator=operator, queue=queue, caller=caller, talk=seat.talk))

    def miss(self, operator: OperatorId, *, pause_first: bool = False) -> None:
        seat = self.seats[operator]
        caller = seat.ringing
        assert caller is not None
        seat.ringing = None
        seat.misses += 1
        missed = OfferMissed(at=self.now, operator=operator, queue=self.callers[caller])
        if not pause_first:
            self.tell(missed)
        self.pause(operator, AUTO_PAUSE)
        if pause_first:
            self.tell(missed)

    def end(self, operator: OperatorId, *, served: bool = True, pause_first: bool = True) -> None:
        seat = self.seats[operator]
        assert seat.talking is not None
        queue, since = seat.talking
        seat.talking, seat.state = None, "wrapup"
        ended = TalkEnded(at=self.now, operator=operator, queue=queue, talk_s=self.now - since)
        if served and not pause_first:
            self.tell(ended)
        self.tell(TalkNamed(at=self.now, operator=operator, talk=seat.talk))
        self.pause(operator, "wrapup")
        if served and pause_first:
            self.tell(ended)

    # ---- time and sessions ----------------------------------------------------------------------------

    def run(self, seconds: float, *, every_step: bool = False, obedient: bool = True) -> None:
        """Let time pass, with ticks either at every step or when the floor says that one is due."""
        end = self.now + seconds
        while self.now < end:
            due = self.now + STEP_S if every_step else self.floor.next_due(self.now + STEP_S)
            assert due is None or due > self.now
            if self.blind or due is None or due > end:
                self.now = end
            else:
                self.now = due
                self.tell(Tick(at=self.now))
            if obedient:
                self.act()

    def lose_session(self) -> None:
        self.blind = True
        self.pending.clear()

    def renew_session(self, *, new_engine: bool = False) -> None:
        """A login, of the same engine or of one that has just started: all comes back as a snapshot."""
        self.blind = False
        if new_engine:
            self.floor = Floor(self.rules())
        self.floor.reset()
        for operator, seat in self.seats.items():
            for queue, reason in seat.queues.items():
                self.tell(
                    MemberJoined(
                        at=self.now, operator=operator, queue=queue, penalty=seat.penalties[queue],
                        paused=reason, paused_since=float(int(seat.paused_since)) if reason is not None else None,
                        in_call=seat.talking is not None,
                    )
                )  # fmt: skip
        for place, (caller, queue) in enumerate(self.callers.items(), start=1):
            self.tell(
                CallerJoined(
                    at=self.now, caller=caller, queue=queue, position=place, since=self.entered[caller]
                )
            )
        self.take(self.floor.settle())
