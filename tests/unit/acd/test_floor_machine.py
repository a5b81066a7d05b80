"""The floor under any order of events, delays, losses and restarts that the switch can bring."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from model_switch import DEMANDS, MISSES, QUEUES, STEP_S, WRAP_UP_S, ModelSwitch, Seat

from acd.demand import queues_for
from acd.events import (
    AddToQueue,
    ExplainOffer,
    FloorCommand,
    HoldBack,
    MakeReady,
    RemoveFromQueue,
    SetOrder,
    TellWaiting,
)
from acd.members import AUTO_PAUSE
from acd.opening import ASK_AGAIN_S
from acd.routing import need_of
from core.ids import OperatorId, QueueName, demand_of

pytestmark = pytest.mark.unit

SKILLS = ({"card": 3, "portal": 1}, {"card": 1, "portal": 2}, {"card": 1}, {"portal": 3})
OPERATORS = tuple(OperatorId(str(101 + n)) for n in range(4))
PRIORITIES = {demand.name: demand.priority for demand in DEMANDS}
operators = st.sampled_from(OPERATORS)
skills = st.fixed_dictionaries({}, optional={"card": st.integers(1, 3), "portal": st.integers(1, 3)})


class WatchedSwitch(ModelSwitch):
    """Looks at every command as it is given."""

    renewed = False
    """Whether anything may have happened unseen."""

    def __init__(self) -> None:
        super().__init__(dict(zip(OPERATORS, SKILLS, strict=True)))
        self.told: dict[str, tuple[int, int]] = {}

    def issued(self, command: FloorCommand) -> None:
        match command:
            case MakeReady():
                self.opens(command, self.seats[command.operator])
            case HoldBack(operator=operator, reason=reason):
                assert reason == "missed"
                assert self.seats[operator].misses >= MISSES
            case SetOrder(operator=operator, penalty=penalty):
                assert penalty % 10 == 0
                assert penalty > 0
                assert self.seats[operator].signed_in
            case AddToQueue(operator=operator, queue=queue):
                assert queue in queues_for(DEMANDS, self.skills[operator])
            case RemoveFromQueue(operator=operator, queue=queue):
                unwanted = queue not in queues_for(DEMANDS, self.skills[operator])
                assert unwanted or not self.seats[operator].there, "taken from a queue of theirs"
            case TellWaiting(caller=caller, minutes=minutes):
                assert caller in self.callers
                if minutes is not None:
                    before = self.told.get(caller, minutes)
                    assert minutes[0] <= before[0]
                    assert minutes[1] <= before[1]
                    self.told[caller] = minutes

    def opens(self, command: MakeReady, seat: Seat) -> None:
        assert seat.talking is None, "made ready while talking"
        assert self.connecting != command.operator, "made ready while connecting"
        assert seat.state != "break" or self.renewed, "ended a break"
        assert "missed" not in seat.reasons, "ended a holding back"
        assert seat.reasons, "made ready who was ready"
        assert set(command.queues) <= seat.queues.keys()
        assert command.why in ("wrapup_over", "missed_once", "no_offer")
        if command.why == "wrapup_over" and not self.renewed:
            assert seat.served is not None
            assert self.now >= seat.paused_since + WRAP_UP_S[demand_of(seat.served)]
        if not self.renewed and not self.somebody_else_is_free(command.operator):
            assert command.queues == self.first_opened(command, seat)

    def somebody_else_is_free(self, operator: OperatorId) -> bool:
        asked = {
            command.operator
            for at, command in self.done
            if isinstance(command, MakeReady) and at > self.now - ASK_AGAIN_S - STEP_S
        }
        free = {op for op, seat in self.seats.items() if seat.kind == "free" and not seat.talking}
        # Several who are freed by the same tick share the callers between them.
        freed = {
            op
            for op, seat in self.seats.items()
            if seat.reasons & {"wrapup", AUTO_PAUSE} and not seat.talking
        }
        return bool((asked | free | freed) - {operator})

    def first_opened(self, command: MakeReady, seat: Seat) -> tuple[QueueName, ...]:
        """Where the neediest caller waits whom this one free operator may serve, and where they move on to."""
        rung = {each.ringing for each in self.seats.values()}
        needy = sorted(
            (
                -need_of(
                    self.now - self.entered[caller], priority=PRIORITIES[demand_of(queue)], limit_s=300.0
                ),
                self.entered[caller],
                caller,
                queue,
            )
            for caller, queue in self.callers.items()
            if caller not in rung and queue in seat.queues
        )
        if not needy or command.why == "no_offer":
            return ()
        first = needy[0][-1]
        demand = next(demand for demand in DEMANDS if demand.name == demand_of(first))
        return tuple(
            stage.queue for stage in demand.stages[demand.stage_of(first) :] if stage.queue in seat.queues
        )


class Centre(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.switch = WatchedSwitch()
        for operator in OPERATORS:
            self.switch.sign_in(operator)

    def seat(self, operator: OperatorId) -> Seat:
        return self.switch.seats[operator]

    # ---- people ---------------------------------------------------------------------------------------

    @rule(operator=operators)
    def signs_in(self, operator: OperatorId) -> None:
        if not self.seat(operator).signed_in and not self.seat(operator).talking:
            self.switch.sign_in(operator)

    @rule(operator=operators)
    def signs_out(self, operator: OperatorId) -> None:
        if self.seat(operator).signed_in and not self.seat(operator).ringing:
            self.switch.sign_out(operator)

    @rule(operator=operators)
    def says_ready(self, operator: OperatorId) -> None:
        seat = self.seat(operator)
        if seat.signed_in and not seat.talking and not seat.ringing:
            self.switch.says_ready(operator)

    @rule(operator=operators)
    def takes_a_break(self, operator: OperatorId) -> None:
        seat = self.seat(operator)
        if seat.signed_in and not seat.talking and not seat.ringing:
            self.switch.takes_a_break(operator)

    @rule(operator=operators, skills=skills)
    def skills_change(self, operator: OperatorId, skills: dict[str, int]) -> None:
        if not self.seat(operator).ringing:
            self.switch.learn(operator, skills)

    # ---- calls ----------------------------------------------------------------------------------------

    @rule(queue=st.sampled_from([demand.name for demand in DEMANDS]))
    def a_call_comes(self, queue: QueueName) -> None:
        self.switch.call(queue)

    @precondition(lambda self: self.switch.callers)
    @rule(data=st.data(), relaxes=st.booleans())
    def a_caller_gives_up_or_goes_on_to_the_next_stage(self, data: st.DataObject, relaxes: bool) -> None:
        caller = data.draw(st.sampled_from(sorted(self.switch.callers)))
        if relaxes:
            self.switch.relax(caller)
        else:
            self.switch.leave(caller)

    @rule(operator=operators, data=st.data())
    def an_offer(self, operator: OperatorId, data: st.DataObject) -> None:
        callers = self.switch.offers(operator)
        if not callers:
            return
        caller = data.draw(st.sampled_from(callers))
        queue = self.switch.callers[caller]
        explained = self.switch.offer(operator, caller)
        if self.switch.blind:
            return
        (why,) = explained
        assert isinstance(why, ExplainOffer)
        assert (why.operator, why.queue, why.caller) == (operator, queue, caller)
        assert why.waited_s == self.switch.now - self.switch.entered[caller]
        assert why.deviation != "unknown" or self.switch.renewed
        assert {ranked.operator for ranked in why.ranking} == {
            op for op, seat in self.switch.seats.items() if queue in seat.queues
        }

    @rule(operator=operators, breaks_off=st.booleans(), tick_between=st.booleans())
    def answers(self, operator: OperatorId, breaks_off: bool, tick_between: bool) -> None:
        if self.seat(operator).ringing:
            self.switch.answer(operator, breaks_off=breaks_off, tick_between=tick_between)

    @rule(operator=operators, pause_first=st.booleans())
    def misses(self, operator: OperatorId, pause_first: bool) -> None:
        if self.seat(operator).ringing:
            self.switch.miss(operator, pause_first=pause_first)

    @rule(operator=operators, pause_first=st.booleans())
    def a_talk_ends(self, operator: OperatorId, pause_first: bool) -> None:
        if self.seat(operator).talking:
            self.switch.end(operator, pause_first=pause_first)

    # ---- the session and time -------------------------------------------------------------------------

    @rule(how_many=st.integers(1, 4))
    def the_switch_obeys(self, how_many: int) -> None:
        self.switch.act(how_many)

    @precondition(lambda self: any(isinstance(each, MakeReady) for each in self.switch.pending))
    @rule()
    def a_word_of_readiness_is_lost(self) -> None:
        self.switch.pending.remove(next(each for each in self.switch.pending if isinstance(each, MakeReady)))

    @rule(new_engine=st.booleans(), unseen=st.booleans())
    def the_session_is_lost_or_renewed(self, new_engine: bool, unseen: bool) -> None:
        self.switch.renewed = True
        if not self.switch.blind and unseen:
            self.switch.lose_session()
        else:
            self.switch.pending.clear()
            self.switch.renew_session(new_engine=new_engine)

    @rule(steps=st.integers(1, 240), obedient=st.booleans())
    def time_passes(self, steps: int, obedient: bool) -> None:
        self.switch.run(steps * STEP_S, obedient=obedient)
        if obedient and not self.switch.blind:
            for operator, seat in self.switch.seats.items():
                if seat.signed_in and not seat.talking and set(seat.queues.values()) == {"wrapup"}:
                    longest = max(WRAP_UP_S.values())
                    known = seat.served is not None and not self.switch.renewed
                    wrap_up = WRAP_UP_S[demand_of(seat.served)] if known else longest  # type: ignore[arg-type]
                    assert self.switch.now <= seat.paused_since + wrap_up, f"{operator} still wraps up"

    # ---- what holds at every moment -------------------------------------------------------------------

    @invariant()
    def the_order_is_an_order(self) -> None:
        held = sorted(member.penalty for member in self.switch.floor.members.values())
        assert held == sorted(set(held))
        assert all(penalty % 10 == 0 and penalty > 0 for penalty in held)

    @invariant()
    def it_knows_who_is_there_and_what_they_do(self) -> None:
        if self.switch.blind:
            return
        members = self.switch.floor.members
        # Who has signed out may be added by a late word, and is taken out again by the next.
        assert {op for op, seat in self.switch.seats.items() if seat.signed_in and seat.there} <= set(members)
        assert set(members) <= {op for op, seat in self.switch.seats.items() if seat.signed_in}
        for operator, member in members.items():
            seat = self.seat(operator)
            assert member.queues == seat.queues
            if "talking" in seat.reasons and seat.talking:
                assert member.state == "talking"
            elif None in seat.queues.values() and not seat.talking:
                assert member.state == "ringing" if seat.ringing and not self.switch.renewed else True
        assert {
            caller: each.queue for caller, each in self.switch.floor.waiting.items()
        } == self.switch.callers

    def teardown(self) -> None:
        """When all is quiet, everything closed has been opened, but for breaks and who was held back."""
        if not hasattr(self, "switch"):
            return
        switch = self.switch
        if switch.blind:
            switch.renew_session()
        for operator, seat in switch.seats.items():
            if seat.ringing:
                switch.answer(operator)
            if seat.talking:
                switch.end(operator)
        for caller in list(switch.callers):
            switch.leave(caller)
        switch.run(120.0)
        for operator, seat in switch.seats.items():
            if not seat.signed_in or not seat.there:
                continue
            assert set(seat.queues) == set(queues_for(DEMANDS, switch.skills[operator]))
            if seat.state != "break":
                assert set(seat.queues.values()) in ({None}, {"missed"}), operator
            else:
                # Added by new skills while the break began: closed by the word that added them.
                assert None not in seat.queues.values()
            assert set(seat.penalties.values()) == {switch.floor.members[operator].penalty}


def test_the_queues_of_the_model_are_those_of_its_demands() -> None:
    assert QUEUES == ("card-ja", "card_2-ja", "portal-ja")


TestCentre = pytest.mark.timeout(600)(pytest.mark.unit(Centre.TestCase))
TestCentre.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, report_multiple_bugs=False
)
