"""A model of app_queue (22.10) with our dialplan around it: turns, offers, talks and the stages of a demand.

Each rule follows apps/app_queue.c; the names of its functions stand beside the methods. What is left out is listed in
docs/algorithms/simulation.md.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable

from acd.events import (
    CallerJoined,
    CallerLeft,
    OfferMade,
    OfferMissed,
    TalkEnded,
    TalkNamed,
    TalkStarted,
)
from acd.members import AUTO_PAUSE
from acd.simulation.agenda import Agenda
from acd.simulation.centre import Centre, Strategy
from acd.simulation.choosing import choose, remember
from acd.simulation.log import Observer, What
from acd.simulation.seating import Seating
from acd.simulation.state import Device, Line, Operator, Waiting
from acd.simulation.trace import TraceCall
from core.facts.dialplan import PauseReason
from core.ids import CallId


class Switch(Seating):
    """The callers' half: turns, offers, talks and stages."""

    def __init__(
        self, centre: Centre, strategy: Strategy, agenda: Agenda, dice: random.Random, observe: Observer
    ) -> None:
        super().__init__(centre, agenda, observe)
        self._strategy = strategy
        self._dice = dice
        self._connected = 0
        self.on_wrap_up: Callable[[Operator, Line], None] = lambda _operator, _line: None
        self.on_missed: Callable[[Operator], None] = lambda _operator: None
        self.on_left: Callable[[Waiting], None] = lambda _caller: None
        """Told when a caller has gone without an answer."""

    def arrive(self, call: TraceCall) -> None:
        """A caller reaches `queue-entry` of the dialplan."""
        line = self.lines[call.demand]
        if self._connected >= self.centre.lines_in:
            self.log(What.REFUSED, call=call.number, queue=line.name)
            return
        self._connected += 1
        caller = Waiting(call, self.agenda.now)
        if call.patience_s < math.inf:
            self.agenda.at(self.agenda.now + call.patience_s, self._patience_over, caller)
        self._enter(caller, line)

    def _enter(self, caller: Waiting, line: Line) -> None:
        """`join_queue`, then the first look of `wait_our_turn`; an empty or past stage is passed at once."""
        stages, now = line.rules.demand.stages, self.agenda.now
        left = self._until(line) - (now - caller.since)
        while (not line.seats or left <= 0.0) and line.place + 1 < len(stages):
            line = self.lines[stages[line.place + 1].queue]
            left = self._until(line) - (now - caller.since)
        if not line.seats or left <= 0.0 or len(line.callers) >= line.rules.max_waiting:
            self._overflow(caller, line)
            return
        caller.queue = line
        caller.entry += 1
        caller.expired = False
        caller.looks_from, caller.due = now, False
        caller.attempt += 1
        # `QUEUE_PRIO` is made of the first entry, so the place survives stages and other ways out and back.
        place = bisect_right(line.callers, int(caller.since), key=lambda other: int(other.since))
        line.callers.insert(place, caller)
        self.log(What.ENTERED, call=caller.call.number, queue=line.name)
        self.say(
            CallerJoined,
            caller=caller.channel,
            queue=line.name,
            position=place + 1,
            call=CallId(f"c-{caller.call.number}"),
        )
        if left < math.inf:
            self.agenda.at(now + left, self._stage_over, caller, caller.entry)
        self._look(caller, caller.attempt)

    @staticmethod
    def _until(line: Line) -> float:
        """Wait at which a stage ends."""
        demand = line.rules.demand
        after = line.place + 1
        return demand.stages[after].after_s if after < len(demand.stages) else demand.wait_limit_s

    def _look(self, caller: Waiting, attempt: int) -> None:
        """`is_our_turn`, and the offer when it is."""
        if attempt != caller.attempt or caller.gone or caller.pending:
            return
        caller.due = False
        line = caller.queue
        if line is None:
            return
        turns = line.available()
        for other in line.callers:
            if turns <= 0:
                return
            if other is caller:
                self._try(caller, line)
                return
            if not other.pending:
                turns -= 1

    def _try(self, caller: Waiting, line: Line) -> None:
        """`try_calling`: ring the best member."""
        seat, untried = choose(self._strategy, line, self.agenda.now, self._dice)
        if seat is None:
            return
        operator = seat.operator
        caller.pending, caller.offered_to, caller.next_rr = True, operator, untried
        caller.due = False
        caller.attempt += 1
        operator.device, operator.ringing_for = Device.RINGING, caller
        self.log(What.OFFERED, call=caller.call.number, operator=operator.number, queue=line.name)
        self.say(
            OfferMade,
            operator=operator.number,
            queue=line.name,
            caller=caller.channel,
            call=CallId(f"c-{caller.call.number}"),
        )
        takes = caller.call.answer_s.get(operator.number, 0.0)
        caller.offers += 1
        if takes < line.rules.ring_s and caller.offers > caller.call.missed:
            self.agenda.at(self.agenda.now + takes, self._picked_up, caller, caller.attempt)
        else:
            self.agenda.at(self.agenda.now + line.rules.ring_s, self._missed, caller, caller.attempt)

    def _missed(self, caller: Waiting, attempt: int) -> None:
        """`rna` with `autopause = all`, then `retry` seconds."""
        if attempt != caller.attempt or caller.queue is None or caller.offered_to is None:
            return
        operator, line = caller.offered_to, caller.queue
        self.log(What.MISSED, call=caller.call.number, operator=operator.number, queue=line.name)
        self.say(OfferMissed, operator=operator.number, queue=line.name)
        self.pause(operator, AUTO_PAUSE)
        caller.looks_from = self.agenda.now + self.centre.retry_s
        self._stop_ringing(caller, operator, line)
        self.on_missed(operator)
        if caller.expired or not line.seats:
            self._move_on(caller)
        elif not caller.due:
            caller.due = True
            self.agenda.at(caller.looks_from, self._look, caller, caller.attempt)

    def _stop_ringing(self, caller: Waiting, operator: Operator, line: Line) -> None:
        remember(line, caller.next_rr)
        caller.pending, caller.offered_to = False, None
        caller.attempt += 1
        operator.device, operator.ringing_for = Device.IDLE, None
        self.on_freed(operator)
        self.wake_all(operator)

    def _picked_up(self, caller: Waiting, attempt: int) -> None:
        """The caller leaves the queue, `member-connect` pauses the operator, the talk begins."""
        if attempt != caller.attempt or caller.queue is None or caller.offered_to is None:
            return
        operator, line, now = caller.offered_to, caller.queue, self.agenda.now
        remember(line, caller.next_rr)
        caller.pending = False
        caller.attempt += 1
        caller.answered_at, caller.answered_by = now, operator.number
        operator.device, operator.ringing_for, operator.on_call = Device.IN_USE, None, caller
        operator.talk = f"{operator.number}-{caller.call.number}"
        self.log(What.ANSWERED, call=caller.call.number, operator=operator.number, queue=line.name)
        self._leave(caller, line)
        self.pause(operator, PauseReason.TALKING)
        operator.state = "talking"
        self.say(
            TalkStarted,
            operator=operator.number,
            queue=line.name,
            caller=caller.channel,
            talk=operator.talk,
        )
        self.agenda.at(now + caller.call.service_s, self._talk_over, caller, operator, line)

    def _talk_over(self, caller: Waiting, operator: Operator, line: Line) -> None:
        """`update_queue`, `AgentComplete` and the hang-up handler `member-end`."""
        caller.gone = True
        self._connected -= 1
        operator.last_ended = int(self.agenda.now)
        operator.calls += 1
        self.log(What.ENDED, call=caller.call.number, operator=operator.number, queue=line.name)
        # app_queue and the hang-up handler work side by side: either may be first.
        complete_first = self._dice.random() < 0.5
        if complete_first:
            self.say(TalkEnded, operator=operator.number, queue=line.name, talk_s=caller.call.service_s)
        operator.state = "wrapup"
        self.say(TalkNamed, operator=operator.number, talk=operator.talk)
        self.pause(operator, PauseReason.WRAP_UP)
        if not complete_first:
            self.say(TalkEnded, operator=operator.number, queue=line.name, talk_s=caller.call.service_s)
        operator.device, operator.on_call = Device.IDLE, None
        self.on_wrap_up(operator, line)
        self.on_freed(operator)

    def _patience_over(self, caller: Waiting) -> None:
        if caller.gone or caller.answered_at is not None:
            return
        line, operator = caller.queue, caller.offered_to
        self.log(What.HUNG_UP, call=caller.call.number, queue=line.name if line else None)
        self._gone(caller)
        if line is None:
            return
        if operator is not None:
            # app_queue says nothing of the offer's end.
            self._leave(caller, line)
            self._stop_ringing(caller, operator, line)
        else:
            self._leave(caller, line)
        self.wake(line)

    def _stage_over(self, caller: Waiting, entry: int) -> None:
        """`Queue()`'s own timeout; it lets a telephone ring on (`timeoutpriority = conf`)."""
        if entry != caller.entry or caller.gone or caller.answered_at is not None:
            return
        if caller.pending:
            caller.expired = True
        else:
            self._move_on(caller)

    def emptied(self, line: Line) -> None:
        """`leavewhenempty`, seen at the next look."""
        for caller in line.callers:
            self.agenda.at(self._next_look(caller), self._emptied, caller, caller.entry)

    def _emptied(self, caller: Waiting, entry: int) -> None:
        line = caller.queue
        if entry == caller.entry and line is not None and not line.seats and not caller.pending:
            self._move_on(caller)

    def _move_on(self, caller: Waiting) -> None:
        line = caller.queue
        if line is None:
            return
        self._leave(caller, line)
        self.wake(line)
        stages = line.rules.demand.stages
        if line.place + 1 < len(stages):
            self.log(What.MOVED_ON, call=caller.call.number, queue=line.name)
            self._enter(caller, self.lines[stages[line.place + 1].queue])
        else:
            self._overflow(caller, line)

    def _overflow(self, caller: Waiting, line: Line) -> None:
        self.log(What.OVERFLOW, call=caller.call.number, queue=line.name)
        self._gone(caller)

    def _gone(self, caller: Waiting) -> None:
        caller.gone = True
        self._connected -= 1
        self.on_left(caller)

    def _leave(self, caller: Waiting, line: Line) -> None:
        """`leave_queue`."""
        line.callers.remove(caller)
        caller.queue, caller.due = None, False
        self.say(CallerLeft, caller=caller.channel, queue=line.name)

    # Turns

    def wake(self, line: Line) -> None:
        """Let those whose turn it may be look at their next whole second.

        Callers look every `recheck_s`; all looks that could find nothing are left out.
        """
        if not line.callers:
            return
        turns = line.available()
        for caller in line.callers:
            if turns <= 0:
                return
            if caller.pending:
                continue
            turns -= 1
            if not caller.due:
                caller.due = True
                self.agenda.at(self._next_look(caller), self._look, caller, caller.attempt)

    def _next_look(self, caller: Waiting) -> float:
        now, every = self.agenda.now, self.centre.recheck_s
        if now < caller.looks_from or every <= 0.0:
            return max(now, caller.looks_from)
        return caller.looks_from + every * (math.floor((now - caller.looks_from) / every) + 1)
