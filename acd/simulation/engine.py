"""Who steers the switch: the production floor over a path with delays, or nobody but a timer.

The floor is `acd.floor.Floor` itself. It gets the same words that the AMI adapter makes of app_queue's events, and its
commands do to the model what the adapter's actions do to Asterisk.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable

from acd.events import FloorCommand, FloorEvent, HoldBack, MakeReady, OrderHeld, SetOrder, Tick
from acd.floor import Floor
from acd.kept_order import REORDER_S
from acd.simulation.agenda import Agenda
from acd.simulation.centre import Centre, Play
from acd.simulation.seating import EPOCH
from acd.simulation.state import Line, Operator
from acd.simulation.switch import Switch
from core.facts.dialplan import PauseReason
from core.ids import OperatorId


class FloorEngine:
    """The production floor beside the switch."""

    def __init__(
        self,
        floor: Floor,
        switch: Switch,
        agenda: Agenda,
        how: Play,
        dice: random.Random,
        on_command: Callable[[FloorCommand], None] | None = None,
    ) -> None:
        self._floor = floor
        self._switch = switch
        self._agenda = agenda
        self._dice = dice
        self._least, self._most = how.disturbance.delay_s
        self._tick_s = how.disturbance.tick_s
        self._order = how.order
        self._tick_at = math.inf
        self._inbox: deque[FloorEvent] = deque()
        self._heard_until = 0.0
        self._asked_until = 0.0
        self._unheld: dict[int, int] = {}
        self._on_command = on_command
        switch.tell = self._tell

    def _tell(self, word: FloorEvent) -> None:
        if self._most <= 0.0:
            self._inbox.append(word)
            return
        self._heard_until = max(self._heard_until, self._agenda.now + self._delay())
        self._agenda.at(self._heard_until, self._inbox.append, word)

    def _delay(self) -> float:
        return self._dice.uniform(self._least, self._most)

    def before_each(self) -> None:
        """Look at the order as often as the engine would have done until now.

        Without delays only the last of these looks can matter to the next offer: the order is a function of the loads
        at that moment. So the others are left out. With delays each is on the agenda (`_wake`).
        """
        now = EPOCH + self._agenda.now
        behind = now - self._floor.order.due_at
        if self._most > 0.0 or behind < 0.0 or math.isinf(behind):
            return
        looked = now - behind % REORDER_S
        self._do(self._floor.handle(Tick(at=looked)))

    def after_each(self) -> None:
        """Let the floor handle what has arrived, and be awake when it next has something to do."""
        if not self._inbox:
            return
        while self._inbox:
            self._do(self._floor.handle(self._inbox.popleft()))
        self._wake()

    def _wake(self) -> None:
        due = self._floor.next_due(EPOCH + self._agenda.now, order=self._most > 0.0)
        if due is None or math.isinf(due):
            return
        step = self._tick_s
        # The engine looks at the clock every `step`; the looks at which nothing is due are left out.
        at = due - EPOCH
        if step > 0.0:
            at = max(math.ceil(at / step - 1e-9), math.floor(self._agenda.now / step) + 1) * step
        at = max(at, self._agenda.now)
        if at < self._tick_at:
            self._tick_at = at
            self._agenda.at(at, self._tick, at)

    def _tick(self, at: float) -> None:
        if at != self._tick_at:
            return
        self._tick_at = math.inf
        self._do(self._floor.handle(Tick(at=EPOCH + self._agenda.now)))
        while self._inbox:
            self._do(self._floor.handle(self._inbox.popleft()))
        self._wake()

    def _do(self, commands: list[FloorCommand]) -> None:
        for command in commands:
            if self._on_command is not None:
                self._on_command(command)
            match command:
                case MakeReady():
                    self._ask(self._switch.make_ready, command.operator, command.queues, command.talk)
                case HoldBack():
                    self._ask(self._switch.hold_back, command.operator, command.reason)
                case SetOrder():
                    self._unheld[command.version] = self._unheld.get(command.version, 0) + 1
                    if self._order:
                        self._ask(self._switch.set_penalty, command.operator, command.penalty)
                    self._ask(self._held, command.version)
                case _:
                    pass

    def _ask(self, action: Callable[..., None], *values: object) -> None:
        if self._most <= 0.0:
            action(*values)
            return
        self._asked_until = max(self._asked_until, self._agenda.now + self._delay())
        self._agenda.at(self._asked_until, action, *values)

    def _held(self, version: int) -> None:
        """Once the last penalty of a version has been acknowledged, the floor is told."""
        self._unheld[version] -= 1
        if not self._unheld[version]:
            del self._unheld[version]
            self._tell(OrderHeld(at=EPOCH + self._agenda.now, version=version))


class Timer:
    """No engine: wrap-up and the pause after a missed offer end by themselves, in all queues at once.

    app_queue alone would have neither our wrap-up nor our giving back; with both the comparison is about nothing but
    who is rung.
    """

    def __init__(self, centre: Centre, switch: Switch, agenda: Agenda) -> None:
        self._centre = centre
        self._switch = switch
        self._agenda = agenda
        self._missed_in_a_row: dict[OperatorId, int] = {}
        switch.on_wrap_up = self._wrap_up
        switch.on_missed = self._missed

    def _wrap_up(self, operator: Operator, line: Line) -> None:
        self._missed_in_a_row[operator.number] = 0
        self._ready_after(operator, line.rules.wrap_up_s)

    def _missed(self, operator: Operator) -> None:
        missed = self._missed_in_a_row.get(operator.number, 0) + 1
        self._missed_in_a_row[operator.number] = missed
        if missed < self._centre.missed_before_pause:
            self._ready_after(operator, self._centre.give_back_after_s)
        else:
            self._missed_in_a_row[operator.number] = 0
            self._switch.hold_back(operator.number, PauseReason.MISSED)

    def _ready_after(self, operator: Operator, seconds: float) -> None:
        self._agenda.at(
            self._agenda.now + seconds, self._switch.make_ready, operator.number, (), operator.talk
        )
