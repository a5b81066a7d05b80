"""What operators do by themselves: sign in, go on breaks, sign out; never while their telephone rings or they talk."""

from __future__ import annotations

from acd.demand import Demand, queues_for
from acd.simulation.agenda import Agenda
from acd.simulation.state import Device, Operator
from acd.simulation.switch import Switch
from acd.simulation.trace import TraceOperator
from core.facts.dialplan import PauseReason
from core.ids import OperatorId

BREAK_REASON = "break1"


class People:
    """All operators of a trace."""

    def __init__(
        self,
        operators: tuple[TraceOperator, ...],
        demands: tuple[Demand, ...],
        switch: Switch,
        agenda: Agenda,
        notices_after_s: float,
    ) -> None:
        self._switch = switch
        self._agenda = agenda
        self._wants: dict[OperatorId, str] = {}
        """What an operator will do as soon as they can."""
        self._back_at: dict[OperatorId, float] = {}
        self._held_back: set[OperatorId] = set()
        self._notices_after_s = notices_after_s
        switch.on_freed = self._freed
        switch.on_held_back = self._is_held_back
        for person in operators:
            queues = queues_for(demands, person.skills)
            for begin, end in person.shifts:
                agenda.at(begin, switch.sign_in, person.operator, queues)
                agenda.at(end, self._want, person.operator, "sign_out", end)
            for begin, end in person.breaks:
                agenda.at(begin, self._want, person.operator, "break", end)

    def _want(self, operator: OperatorId, what: str, until: float) -> None:
        self._wants[operator] = what
        self._back_at[operator] = until
        known = self._switch.operators.get(operator)
        # Signing out is done at once even in a talk, which then goes on; a ringing telephone is answered first.
        if known is not None and (
            known.device == Device.IDLE or (what, known.device) == ("sign_out", Device.IN_USE)
        ):
            self._freed(known)

    def _freed(self, operator: Operator) -> None:
        what = self._wants.pop(operator.number, None)
        if what is None:
            return
        if what == "sign_out":
            self._switch.sign_out(operator.number)
            return
        until = self._back_at[operator.number]
        if until > self._agenda.now:
            self._switch.take_break(operator.number, BREAK_REASON)
            self._agenda.at(until, self._end_break, operator.number)

    def _end_break(self, operator: OperatorId) -> None:
        if self._switch.operators[operator].seats:
            self._switch.back(operator)

    def _is_held_back(self, operator: OperatorId) -> None:
        if operator not in self._held_back:
            self._held_back.add(operator)
            self._agenda.at(self._agenda.now + self._notices_after_s, self._notice, operator)

    def _notice(self, operator: OperatorId) -> None:
        """Whoever finds themselves paused for missed offers says ready; not in a break."""
        self._held_back.discard(operator)
        seats = self._switch.operators[operator].seats.values()
        if any(seat.paused == PauseReason.MISSED for seat in seats):
            self._switch.back(operator)
