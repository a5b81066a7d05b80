"""The operators' half of the switch: members of queues, pauses, penalties, and the words that AMI gets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from acd.events import FloorEvent, MemberJoined, MemberLeft, MemberPaused, MemberReady
from acd.simulation.agenda import Agenda
from acd.simulation.centre import Centre
from acd.simulation.log import Happening, Observer, What
from acd.simulation.state import Line, Operator, Seat
from core.ids import OperatorId, QueueName

EPOCH = 1_000_000.0
"""Added to the trace's seconds in what the floor is told, for which 0 means never."""


class Seating(ABC):
    """Queues and their members. Methods are what operators' telephones, dialplan and AMI do to app_queue."""

    def __init__(self, centre: Centre, agenda: Agenda, observe: Observer) -> None:
        self.centre = centre
        self.agenda = agenda
        self._observe = observe
        self.lines: dict[QueueName, Line] = {}
        for rules in centre.demands:
            for place, stage in enumerate(rules.demand.stages):
                self.lines[stage.queue] = Line(stage.queue, rules, place)
        self.operators: dict[OperatorId, Operator] = {}
        self.tell: Callable[[FloorEvent], None] | None = None
        """Where AMI's words go; None when no engine listens."""
        self.on_freed: Callable[[Operator], None] = lambda _operator: None
        """Told when an operator hangs up after a talk, or their telephone stops ringing in vain."""
        self.on_held_back: Callable[[OperatorId], None] = lambda _operator: None

    # Operators

    def sign_in(self, number: OperatorId, queues: tuple[QueueName, ...]) -> None:
        """`AddQueueMember` for each queue, then ready in all."""
        operator = self.operators.setdefault(number, Operator(number))
        self.log(What.SIGNED_IN, operator=number)
        operator.state = "ready"
        for name in queues:
            line = self.lines[name]
            if name in operator.seats:
                continue
            seat = Seat(operator, line, 0, len(line.seats))
            operator.seats[name] = seat
            line.seats.append(seat)
            self.say(MemberJoined, operator=number, queue=name, penalty=0, paused=None)
        self.wake_all(operator)

    def sign_out(self, number: OperatorId) -> None:
        """`RemoveQueueMember` for each queue. A talk goes on."""
        operator = self.operators[number]
        self.log(What.SIGNED_OUT, operator=number)
        for name, seat in list(operator.seats.items()):
            line = seat.queue
            line.seats.remove(seat)
            for place, other in enumerate(line.seats):
                other.place = place
            del operator.seats[name]
            self.say(MemberLeft, operator=number, queue=name)
            if not line.seats:
                self.emptied(line)

    def take_break(self, number: OperatorId, reason: str) -> None:
        """The operator's code for a pause."""
        self.log(What.BREAK, operator=number)
        self.operators[number].state = "break"
        self.pause(self.operators[number], reason)

    def back(self, number: OperatorId) -> None:
        """The operator's code for readiness."""
        self.log(What.BACK, operator=number)
        self.operators[number].state = "ready"
        self.unpause(self.operators[number], ())

    # What the engine asks for

    def make_ready(self, number: OperatorId, queues: tuple[QueueName, ...], talk: str) -> None:
        """Context `seat` of the dialplan: not in a talk or on a break, and only after the talk that was meant."""
        operator = self.operators[number]
        if operator.state not in ("talking", "break") and talk in ("", operator.talk):
            self.unpause(operator, queues)

    def hold_back(self, number: OperatorId, reason: str) -> None:
        self.pause(self.operators[number], reason)
        self.on_held_back(number)

    def set_penalty(self, number: OperatorId, penalty: int) -> None:
        """In all the operator's queues, from the next offer on."""
        for seat in self.operators[number].seats.values():
            seat.penalty = penalty

    # For the callers' half

    @abstractmethod
    def wake(self, line: Line) -> None:
        """Somebody may have become free for this queue."""

    @abstractmethod
    def emptied(self, line: Line) -> None:
        """The last member of this queue has left it."""

    def wake_all(self, operator: Operator) -> None:
        for seat in operator.seats.values():
            if seat.paused is None and seat.queue.callers:
                self.wake(seat.queue)

    # Pauses and words

    def pause(self, operator: Operator, reason: str) -> None:
        for name, seat in operator.seats.items():
            seat.paused = reason
            if self.tell is not None:
                self.tell(
                    MemberPaused(
                        at=EPOCH + self.agenda.now, operator=operator.number, queue=name, reason=reason
                    )
                )

    def unpause(self, operator: Operator, queues: tuple[QueueName, ...]) -> None:
        for name in queues or tuple(operator.seats):
            seat = operator.seats.get(name)
            if seat is not None:
                seat.paused = None
                self.say(MemberReady, operator=operator.number, queue=name)
        self.wake_all(operator)

    def say(self, word: Callable[..., FloorEvent], **values: object) -> None:
        if self.tell is not None:
            self.tell(word(at=EPOCH + self.agenda.now, **values))

    def log(
        self,
        what: What,
        *,
        call: int | None = None,
        operator: OperatorId | None = None,
        queue: QueueName | None = None,
    ) -> None:
        self._observe(Happening(self.agenda.now, what, call, operator, queue))
