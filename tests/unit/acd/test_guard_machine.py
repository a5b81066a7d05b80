"""The guard against floors at random: in order, once, calm at the end, and never somebody's break."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import pytest
from guard_scene import CARD, CARD2, PORTAL, caller, guard_with, seat, view
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.guard import ASK_AGAIN_S
from acd.guard_profile import GuardAct, GuardStepSection
from acd.guard_steps import (
    BringIn,
    GuardStep,
    GuardWhy,
    OfferCallback,
    OverflowCaller,
    RelaxCaller,
    SendBack,
)
from acd.view import Caller, FloorView, Seat

pytestmark = pytest.mark.unit

LADDER = (
    GuardStepSection(act=GuardAct.RELAX, within_s=200),
    GuardStepSection(act=GuardAct.CALL_IN, group="responsible", within_s=150),
    GuardStepSection(act=GuardAct.CALL_IN, group="booth", waiting=4),
    GuardStepSection(act=GuardAct.OFFER_CALLBACK, within_s=60, waited_s=280),
    GuardStepSection(act=GuardAct.OVERFLOW, waited_s=350),
)
GROUPS = {"301": "responsible", "302": "booth", "303": "booth"}
CALM_S = 40.0
STEP_S = 5.0
STATES = ["ready", "talking", "wrapup", "paused:break1", "paused:reserve", "paused:missed"]


def story_of(seed: int) -> list[FloorView]:
    """Some minutes of a floor whose people do as they like and whose callers come and go."""
    chance = Random(seed)
    views = []
    callers: list[Caller] = []
    seats = {operator: chance.choice(STATES) for operator in ("101", "102", *GROUPS)}
    busy = chance.choice([0, 1, 2])
    for moment in range(chance.randint(10, 120)):
        at = 1000.0 + STEP_S * moment
        for _ in range(chance.choice([0, 0, 0, *range(busy + 1)])):
            callers.append(caller(f"c{moment}-{len(callers)}", at, queue=chance.choice([CARD, PORTAL])))
        callers = [each for each in callers if chance.random() < 0.97 and at - each.since < 500]
        for operator in seats:
            if chance.random() < 0.15:
                seats[operator] = chance.choice(STATES)
        people: list[Seat] = [
            seat(
                operator, state, since=at - 1, queues=(CARD2,) if operator == "102" else (CARD, CARD2, PORTAL)
            )
            for operator, state in seats.items()
        ]
        views.append(view(at, people, callers))
    return views


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_the_guard_keeps_its_word_whatever_happens(seed: int) -> None:
    story = story_of(seed)
    guard = guard_with(*LADDER, groups=GROUPS, calm_s=CALM_S)
    guard.offers_callbacks = True
    rungs: dict[str, list[int]] = defaultdict(list)
    called_at: dict[str, float] = {}
    asked_at: dict[str, float] = {}
    for floor in story:
        before = guard.called_in
        commands = guard.observe(floor)
        states = {each.operator: each.state for each in floor.seats}
        waiting = {each.channel: each for each in floor.callers}
        acting: list[GuardStep] = []
        for command in commands:
            match command:
                case GuardStep():
                    assert command.at == floor.at
                    assert command.waiting == len(floor.callers)
                    if command.caller is None:
                        assert command.why in (GuardWhy.WAITING, GuardWhy.CALM)
                    acting.append(command)
                case RelaxCaller() | OverflowCaller() | OfferCallback():
                    # Each action on a caller stands right behind its reason.
                    assert acting[-1].caller == command.caller
                    assert waiting[command.caller].queue == command.queue
                case BringIn():
                    for operator in command.operators:
                        assert states[operator] == "paused:reserve"
                        # Who has left their group comes in for good.
                        assert GROUPS.get(operator) in {*guard.called_in, None}
                        assert floor.at - asked_at.get(operator, 0.0) >= ASK_AGAIN_S
                        asked_at[operator] = floor.at
                case SendBack():
                    for operator in command.operators:
                        assert states[operator] == "ready"
                        assert GROUPS[operator] not in guard.called_in
        for step in acting:
            if step.act == GuardAct.CALL_IN:
                assert step.group is not None
                assert step.group not in before
                called_at[step.group] = floor.at
            elif step.act == "send_back":
                assert step.group in before
                assert floor.at - called_at.get(step.group or "", 0.0) >= CALM_S
            if step.caller is not None:
                if step.act != GuardAct.CALL_IN:
                    assert step.rung not in rungs[step.caller], "a step was taken twice"
                if step.why is not GuardWhy.WITH and rungs[step.caller]:
                    assert step.rung >= max(rungs[step.caller]) or step.act == GuardAct.CALL_IN
                rungs[step.caller].append(step.rung)
                if step.why is GuardWhy.PREDICTED:
                    assert step.remaining_s is None or step.limit_s is not None
                    assert step.remaining_s is None or (step.waited_s or 0) + step.remaining_s >= (
                        step.limit_s or 0
                    )
    # However it went: with nobody waiting, everybody goes back, and then nothing happens any more.
    last = story[-1].at
    quiet = [
        guard.observe(view(last + STEP_S * n, story[-1].seats, []))
        for n in range(1, int(CALM_S / STEP_S) + 2)
    ]
    assert guard.called_in == frozenset()
    assert not any(isinstance(c, GuardStep) for c in guard.observe(view(last + 1000.0, story[-1].seats, [])))
    assert len([c for commands in quiet for c in commands if isinstance(c, GuardStep)]) <= len(
        set(GROUPS.values())
    )
