"""Playing a trace: the callers, the operators, the switch and whoever steers it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from acd.events import FloorCommand
from acd.floor import Floor
from acd.order import LoadRule
from acd.rules import FloorRules
from acd.simulation.agenda import Agenda
from acd.simulation.centre import Centre, Play, Strategy
from acd.simulation.engine import FloorEngine, Timer
from acd.simulation.log import Happening, Observer
from acd.simulation.outcome import Day, Recorder, Worker
from acd.simulation.people import People
from acd.simulation.state import Waiting
from acd.simulation.switch import Switch
from acd.simulation.trace import Trace, TraceCall
from acd.view import Load
from core.ids import OperatorId


def play(
    centre: Centre,
    trace: Trace,
    how: Play,
    *,
    load_rule: LoadRule = LoadRule.MINUTES,
    last_shifts: dict[OperatorId, Load] | None = None,
    observers: Sequence[Observer] = (),
    on_command: Callable[[FloorCommand], None] | None = None,
    calls_again: Callable[[TraceCall, float], TraceCall | None] | None = None,
    make_floor: Callable[[FloorRules], Floor] = Floor,
) -> Day:
    """Play one day until the last caller has gone.

    Args:
        load_rule: of the production floor.
        last_shifts: what the floor remembers of earlier days; this day's is written into it.
        observers: read the switch's log.
        on_command: reads what the floor asks for.
        calls_again: asked for each caller who gave up, with the moment; a caller who returns joins then.
        make_floor: given the rules, by which nobody who waits is told anything.
    """
    agenda = Agenda()
    demands = tuple(rules.demand for rules in centre.demands)
    recorder = Recorder(
        {stage.queue: demand.name for demand in demands for stage in demand.stages},
        {rules.demand.name: rules.wrap_up_s for rules in centre.demands},
    )
    recorder.workers = {person.operator: Worker(person.operator, person.skills) for person in trace.operators}
    watchers = [recorder, *observers]

    def observe(happening: Happening) -> None:
        for watcher in watchers:
            watcher(happening)

    dice = random.Random(how.seed)
    steered = how.strategy is Strategy.OURS
    switch = Switch(
        centre, how.ties if steered else how.strategy, agenda, dice, observe if observers else recorder
    )
    People(trace.operators, demands, switch, agenda, centre.notices_after_s)
    if calls_again is not None:
        _return(switch, agenda, calls_again)
    _feed(agenda, switch, trace.calls)
    if not steered:
        Timer(centre, switch, agenda)
        agenda.run()
        return recorder.day()
    floor = make_floor(
        FloorRules(
            demands=demands,
            skills={person.operator: person.skills for person in trace.operators},
            wrap_up_s={rules.demand.name: rules.wrap_up_s for rules in centre.demands},
            missed_before_pause=centre.missed_before_pause,
            load_rule=load_rule,
            give_back_after_s=centre.give_back_after_s,
            first_word_after_s=math.inf,
        )
    )
    if last_shifts is not None:
        floor.shifts.last = last_shifts
    engine = FloorEngine(floor, switch, agenda, how, dice, on_command)
    agenda.run((engine.before_each, engine.after_each))
    return recorder.day()


def _feed(agenda: Agenda, switch: Switch, calls: tuple[TraceCall, ...]) -> None:
    """One arrival on the agenda at a time: a short heap is a fast one."""
    upcoming = iter(calls)

    def next_one() -> None:
        call = next(upcoming, None)
        if call is not None:
            agenda.at(call.at_s, arrive, call)

    def arrive(call: TraceCall) -> None:
        next_one()
        switch.arrive(call)

    next_one()


def _return(
    switch: Switch, agenda: Agenda, calls_again: Callable[[TraceCall, float], TraceCall | None]
) -> None:
    def left(caller: Waiting) -> None:
        again = calls_again(caller.call, agenda.now)
        if again is not None:
            agenda.at(again.at_s, switch.arrive, again)

    switch.on_left = left
