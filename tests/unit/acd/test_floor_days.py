"""Whole days at the model of the switch: accounting against a recount, and ticks that miss nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_switch import DEMANDS, START, STEP_S, ModelSwitch

from acd.events import ExplainOffer
from acd.floor import Floor
from acd.shifts import SHIFT_BREAK_S
from acd.view import Load
from core.ids import OperatorId

pytestmark = pytest.mark.unit

OPERATORS = tuple(OperatorId(str(101 + n)) for n in range(3))
SKILLS = ({"card": 3, "portal": 1}, {"card": 1, "portal": 2}, {"card": 1})


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that happens, and the quarters of a second until the next."""

    what: str
    who: int
    which: int
    steps: int


def deeds(longest_steps: int) -> st.SearchStrategy[list[Deed]]:
    return st.lists(
        st.builds(
            Deed,
            st.sampled_from(
                ["call", "call", "offer", "offer", "offer", "answer", "answer", "end", "end", "miss", "leave",
                 "relax", "sign_out", "sign_in", "break", "ready", "break_off"]
            ),
            st.integers(0, len(OPERATORS) - 1),
            st.integers(0, 99),
            st.integers(0, longest_steps),
        ),
        max_size=40,
    )  # fmt: skip


def possible(switch: ModelSwitch, deed: Deed) -> Callable[[], object] | None:
    """What the deed comes to at this moment; None when it cannot happen."""
    operator = OPERATORS[deed.who]
    seat, callers = switch.seats[operator], sorted(switch.callers)
    offers = switch.offers(operator)
    idle = seat.signed_in and not seat.ringing and not seat.talking
    ways: dict[str, tuple[bool, Callable[[], object]]] = {
        "call": (True, lambda: switch.call(DEMANDS[deed.which % 2].name)),
        "offer": (bool(offers), lambda: switch.offer(operator, offers[deed.which % len(offers)])),
        "answer": (seat.ringing is not None, lambda: switch.answer(operator)),
        "break_off": (seat.ringing is not None, lambda: switch.answer(operator, breaks_off=True)),
        "miss": (seat.ringing is not None, lambda: switch.miss(operator, pause_first=deed.which % 2 == 0)),
        "end": (seat.talking is not None, lambda: switch.end(operator, pause_first=deed.which % 2 == 0)),
        "leave": (bool(callers), lambda: switch.leave(callers[deed.which % len(callers)])),
        "relax": (bool(callers), lambda: switch.relax(callers[deed.which % len(callers)])),
        "sign_out": (seat.signed_in and not seat.ringing, lambda: switch.sign_out(operator)),
        "sign_in": (not seat.signed_in and not seat.talking, lambda: switch.sign_in(operator)),
        "break": (idle, lambda: switch.takes_a_break(operator)),
        "ready": (idle, lambda: switch.says_ready(operator)),
    }
    can, act = ways[deed.what]
    return act if can else None


def run_day(day: list[Deed], *, every_step: bool, obedient: bool = True) -> ModelSwitch:
    switch = ModelSwitch(dict(zip(OPERATORS, SKILLS, strict=True)))
    for operator in OPERATORS:
        switch.sign_in(operator)
    switch.act()
    for deed in day:
        act = possible(switch, deed)
        if act is not None:
            act()
            switch.act()
        switch.run(deed.steps * STEP_S, every_step=every_step, obedient=obedient)
    return switch


@settings(max_examples=60, deadline=None)
@given(deeds(80), st.booleans())
def test_ticking_when_something_is_due_misses_nothing(day: list[Deed], obedient: bool) -> None:
    often = run_day(day, every_step=True, obedient=obedient)
    seldom = run_day(day, every_step=False, obedient=obedient)
    assert seldom.done == often.done


# ---- what everybody carried -------------------------------------------------------------------------------


def recount(switch: ModelSwitch, operator: OperatorId) -> Load:
    """From the switch's own history, without the floor."""
    history = switch.history[operator]
    shift_began, handled, breaks = START, 0.0, 0.0
    for (since, kind), (until, _) in pairwise([*history, (switch.now, "")]):
        if kind == "out" and until - since > SHIFT_BREAK_S and switch.seats[operator].signed_in:
            shift_began, handled, breaks = until, 0.0, 0.0
        elif kind == "busy":
            handled += until - since
        elif kind in ("break", "out"):
            breaks += until - since
    return Load(
        calls=switch.answered[operator],
        handled_s=handled,
        available_s=switch.now - shift_began - breaks,
    )


@settings(max_examples=150, deadline=None)
@given(deeds(400))
def test_loads_are_what_a_recount_from_the_switch_says(day: list[Deed]) -> None:
    switch = run_day(day, every_step=False)
    seats = {seat.operator: seat for seat in switch.floor.view(switch.now).seats}
    assert set(seats) == {operator for operator, seat in switch.seats.items() if seat.signed_in}
    for operator, seat in seats.items():
        assert seat.load == recount(switch, operator)


def test_a_shift_goes_on_after_a_short_absence_and_a_long_one_begins_another() -> None:
    switch = ModelSwitch({OPERATORS[0]: SKILLS[0]})
    (one,) = switch.seats
    switch.sign_in(one)
    switch.offer(one, switch.call(DEMANDS[0].name))
    switch.answer(one)
    switch.now += 100.0
    switch.end(one)
    switch.run(60.0)
    for absent, expected in (
        (SHIFT_BREAK_S, Load(calls=1, handled_s=120.0, available_s=160.0)),
        (SHIFT_BREAK_S + STEP_S, Load(calls=0, handled_s=0.0, available_s=0.0)),
    ):
        switch.sign_out(one)
        switch.now += absent
        switch.sign_in(one)
        assert switch.floor.view(switch.now).seats[0].load == expected


def test_a_break_that_lasts_through_a_lost_session_counts_once_and_whole() -> None:
    switch = ModelSwitch({OPERATORS[0]: SKILLS[0]})
    (one,) = switch.seats
    switch.sign_in(one)
    switch.now += 100.0
    switch.takes_a_break(one)
    switch.now += 50.0
    switch.lose_session()
    switch.now += 50.0
    switch.renew_session()
    switch.now += 50.0
    switch.says_ready(one)
    switch.now += 10.0
    assert switch.floor.view(switch.now).seats[0].load.available_s == 110.0


def test_a_break_that_ended_unseen_ends_at_the_renewal_at_the_latest() -> None:
    switch = ModelSwitch({OPERATORS[0]: SKILLS[0]})
    (one,) = switch.seats
    switch.sign_in(one)
    switch.takes_a_break(one)
    switch.now += 50.0
    switch.lose_session()
    switch.says_ready(one)
    switch.now += 30.0
    switch.renew_session()
    switch.now += 20.0
    assert switch.floor.view(switch.now).seats[0].load.available_s == 20.0


@pytest.mark.parametrize("state", ["break", "talk", "wrapup"])
def test_a_new_engine_counts_from_its_own_start(state: str) -> None:
    """What went on for ten minutes before it, nobody else's engine counts against its first seconds."""
    switch = ModelSwitch({OPERATORS[0]: SKILLS[0]})
    (one,) = switch.seats
    switch.sign_in(one)
    if state == "break":
        switch.takes_a_break(one)
    else:
        switch.offer(one, switch.call(DEMANDS[0].name))
        switch.answer(one)
    switch.now += 600.0
    if state == "wrapup":
        switch.end(one)
    switch.renew_session(new_engine=True)
    switch.now += 10.0
    load = switch.floor.view(switch.now).seats[0].load
    assert load.available_s == (0.0 if state == "break" else 10.0)
    assert load.handled_s == (10.0 if state == "talk" else 0.0)
    switch.says_ready(one) if state == "break" else None
    switch.now += 30.0
    assert switch.floor.view(switch.now).seats[0].load.available_s == (30.0 if state == "break" else 40.0)


def test_a_talk_that_ended_unseen_does_not_count_on_for_ever() -> None:
    switch = ModelSwitch({OPERATORS[0]: SKILLS[0]})
    (one,) = switch.seats
    switch.sign_in(one)
    switch.offer(one, switch.call(DEMANDS[0].name))
    switch.answer(one)
    switch.lose_session()
    switch.now += 60.0
    switch.end(one)
    switch.says_ready(one)
    switch.renew_session()
    switch.now += 3600.0
    assert switch.floor.view(switch.now).seats[0].load.handled_s == 60.0


# ---- reasons ----------------------------------------------------------------------------------------------


def test_offers_as_the_floor_wishes_have_no_deviation() -> None:
    """Two queues with callers in both, three operators: the switch takes the least penalty, always."""
    switch = ModelSwitch(dict(zip(OPERATORS, SKILLS, strict=True)))
    for operator in OPERATORS:
        switch.sign_in(operator)
    switch.act()
    found: list[ExplainOffer] = []
    for second in range(1200):
        if second % 16 == 0:
            switch.call(DEMANDS[second // 16 % 2].name)
        switch.run(1.0)
        for operator, seat in switch.seats.items():
            if seat.talking and switch.now - seat.talking[1] >= 15.0:
                switch.end(operator)
        found += offer_all(switch)
        for operator, seat in switch.seats.items():
            if seat.ringing:
                switch.answer(operator)
    assert len(found) >= 40
    assert [why for why in found if why.deviation] == []


def offer_all(switch: ModelSwitch) -> list[ExplainOffer]:
    """Every queue's first caller goes to the free member of the least penalty, as `leastrecent` does it."""
    found: list[ExplainOffer] = []
    for caller in list(switch.callers):
        able = [operator for operator in switch.seats if caller in switch.offers(operator)]
        if able:
            queue = switch.callers[caller]
            best = min(able, key=lambda operator: switch.seats[operator].penalties[queue])
            found += [each for each in switch.offer(best, caller) if isinstance(each, ExplainOffer)]
    return found


def test_a_floor_without_people_has_nothing_due() -> None:
    assert Floor(ModelSwitch({}).rules()).next_due(5.0) is None
