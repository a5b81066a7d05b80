"""The floor under any order of events that Asterisk can send."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd.events import (
    CallerJoined,
    CallerLeft,
    FloorCommand,
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
from acd.floor import AUTO_PAUSE, Floor, FloorRules
from core.ids import OperatorId, QueueName

pytestmark = pytest.mark.unit

QUEUES = (QueueName("card-ja"), QueueName("portal-ja"))
OPERATORS = tuple(OperatorId(str(101 + n)) for n in range(4))
WRAP_UP = {QUEUES[0]: 20.0, QUEUES[1]: 45.0}
MISSES = 3
operators = st.sampled_from(OPERATORS)


class Switch(RuleBasedStateMachine):
    """What app_queue knows of its members: signed in, paused and why, ringing or talking."""

    @initialize()
    def start(self) -> None:
        rules = FloorRules(wrap_up_s=WRAP_UP, missed_before_pause=MISSES)
        self.floor = Floor(rules)
        self.now = 1000.0
        self.paused: dict[OperatorId, str | None] = {}
        self.busy: dict[OperatorId, tuple[str, QueueName, float]] = {}
        self.wrapping: dict[OperatorId, tuple[QueueName, float]] = {}
        self.misses: dict[OperatorId, int] = {}
        self.told: dict[str, tuple[int, int]] = {}
        self.waiting: dict[str, QueueName] = {}
        self.callers = 0

    def tell(self, *events: object) -> None:
        for event in events:
            for command in self.floor.handle(event):  # type: ignore[arg-type]
                self.obey(command)

    def obey(self, command: FloorCommand) -> None:
        match command:
            case MakeReady(operator=operator):
                assert self.paused.get(operator) is not None, "made ready who was ready"
                assert self.busy.get(operator, ("",))[0] != "talking", "made ready while talking"
                assert self.paused[operator] in ("wrapup", AUTO_PAUSE), (
                    "ended a pause that is the operator's own"
                )
                self.paused[operator] = None
                self.wrapping.pop(operator, None)
                self.floor.handle(MemberReady(at=self.now, operator=operator))
            case HoldBack(operator=operator, reason=reason):
                assert self.misses[operator] >= MISSES
                self.paused[operator] = reason
                self.floor.handle(MemberPaused(at=self.now, operator=operator, reason=reason))
            case SetOrder(penalty=penalty):
                assert penalty % 10 == 0
                assert penalty > 0
            case TellWaiting(caller=caller, minutes=minutes):
                assert caller in self.waiting
                if minutes is not None:
                    before = self.told.get(caller, minutes)
                    assert minutes[0] <= before[0]
                    assert minutes[1] <= before[1]
                    self.told[caller] = minutes

    @rule(operator=operators)
    def signs_in(self, operator: OperatorId) -> None:
        if operator in self.paused:
            return
        self.paused[operator] = None
        self.misses[operator] = 0
        self.tell(
            *(
                MemberJoined(at=self.now, operator=operator, queue=queue, penalty=10, paused=None)
                for queue in QUEUES
            )
        )

    @rule(operator=operators)
    def signs_out(self, operator: OperatorId) -> None:
        if operator not in self.paused or operator in self.busy:
            return
        del self.paused[operator]
        self.wrapping.pop(operator, None)
        self.tell(*(MemberLeft(at=self.now, operator=operator, queue=queue) for queue in QUEUES))

    @rule(queue=st.sampled_from(QUEUES))
    def a_call_comes(self, queue: QueueName) -> None:
        self.callers += 1
        caller = f"PJSIP/trunk-{self.callers:08x}"
        self.waiting[caller] = queue
        self.tell(CallerJoined(at=self.now, caller=caller, queue=queue, position=len(self.waiting)))

    @precondition(lambda self: bool(self.waiting))
    @rule(data=st.data())
    def a_caller_gives_up(self, data: st.DataObject) -> None:
        caller = data.draw(st.sampled_from(sorted(self.waiting)))
        self.tell(CallerLeft(at=self.now, caller=caller, queue=self.waiting.pop(caller)))

    @precondition(lambda self: bool(self.waiting))
    @rule(operator=operators, answers=st.booleans())
    def an_offer(self, operator: OperatorId, answers: bool) -> None:
        if operator not in self.paused or self.paused[operator] is not None or operator in self.busy:
            return
        caller, queue = next(iter(self.waiting.items()))
        self.tell(OfferMade(at=self.now, operator=operator, queue=queue, caller=caller))
        self.now += 3.0
        if answers:
            del self.waiting[caller]
            self.misses[operator] = 0
            self.paused[operator] = "talking"
            self.busy[operator] = ("talking", queue, self.now)
            self.tell(
                MemberPaused(at=self.now, operator=operator, reason="talking"),
                TalkStarted(at=self.now, operator=operator, queue=queue, caller=caller),
            )
        else:
            self.misses[operator] += 1
            self.paused[operator] = AUTO_PAUSE
            self.tell(
                MemberPaused(at=self.now, operator=operator, reason=AUTO_PAUSE),
                OfferMissed(at=self.now, operator=operator, queue=queue),
            )

    @rule(operator=operators, pause_first=st.booleans())
    def a_talk_ends(self, operator: OperatorId, pause_first: bool) -> None:
        if operator not in self.busy:
            return
        _, queue, since = self.busy.pop(operator)
        self.paused[operator] = "wrapup"
        self.wrapping[operator] = (queue, self.now)
        ended = TalkEnded(at=self.now, operator=operator, queue=queue, talk_s=self.now - since)
        paused = MemberPaused(at=self.now, operator=operator, reason="wrapup")
        self.tell(*((paused, ended) if pause_first else (ended, paused)))

    @rule(operator=operators)
    def says_ready(self, operator: OperatorId) -> None:
        if operator not in self.paused or operator in self.busy:
            return
        if self.paused[operator] == "missed":
            self.misses[operator] = 0
        self.paused[operator] = None
        self.wrapping.pop(operator, None)
        self.tell(MemberReady(at=self.now, operator=operator))

    @rule(operator=operators)
    def takes_a_break(self, operator: OperatorId) -> None:
        if operator not in self.paused or operator in self.busy:
            return
        self.paused[operator] = "break1"
        self.wrapping.pop(operator, None)
        self.tell(MemberPaused(at=self.now, operator=operator, reason="break1"))

    @rule()
    def the_session_is_renewed(self) -> None:
        """A lost AMI session: what the engine missed comes back as a snapshot."""
        self.floor.reset()
        for operator, reason in self.paused.items():
            since = self.wrapping[operator][1] if operator in self.wrapping else self.now
            talking = operator in self.busy
            for queue in QUEUES:
                penalty = self.floor.members[operator].queues.get(queue, 10)
                self.tell(
                    MemberJoined(
                        at=self.now, operator=operator, queue=queue, penalty=penalty,
                        paused=reason, paused_since=since if reason else None, in_call=talking,
                    )
                )  # fmt: skip
        for place, (caller, queue) in enumerate(self.waiting.items(), start=1):
            self.tell(CallerJoined(at=self.now, caller=caller, queue=queue, position=place))

    @rule(seconds=st.floats(min_value=0.1, max_value=60.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.tell(Tick(at=self.now))
        for operator, (queue, since) in list(self.wrapping.items()):
            assert self.now < since + WRAP_UP[queue], f"{operator} still wraps up"
        for operator, reason in self.paused.items():
            assert reason != AUTO_PAUSE or self.misses[operator] < MISSES, "missed too often, not held back"

    @invariant()
    def the_order_is_an_order(self) -> None:
        for queue in QUEUES:
            here = [member for member in self.floor.members.values() if queue in member.queues]
            held = sorted(member.queues[queue] for member in here)
            assert held == sorted(set(held))
            assert all(penalty % 10 == 0 and penalty > 0 for penalty in held)
            by_penalty = sorted(here, key=lambda member: member.queues[queue])
            assert [member.calls for member in by_penalty] == sorted(member.calls for member in here)

    @invariant()
    def it_knows_who_talks(self) -> None:
        for operator in self.busy:
            assert self.floor.members[operator].state == "talking"


TestFloor = pytest.mark.unit(Switch.TestCase)
TestFloor.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
