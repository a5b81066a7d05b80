"""The production floor on the simulated switch: whatever happens, no offer is made that must not be made."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_centres import Log, call, centre, operator, rules, trace

from acd.events import ExplainOffer, FloorCommand
from acd.simulation.centre import Centre, Disturbance, Play, Strategy
from acd.simulation.checker import SafetyCheck
from acd.simulation.log import What
from acd.simulation.outcome import End
from acd.simulation.play import play
from acd.simulation.trace import Trace, TraceCall, TraceOperator
from core.ids import OperatorId, QueueName

pytestmark = pytest.mark.unit

LINES = ("booking", "card", "portal")
DELAYED = Disturbance(delay_s=(0.0, 0.5))


def test_a_freed_operator_takes_the_neediest_caller_across_queues() -> None:
    both = {"card": 1, "portal": 1}
    calls = [
        call(1, 1.0, service_s=60.0),
        call(2, 20.7, line="portal", service_s=10.0),
        call(3, 30.2, line="card", service_s=10.0),
    ]
    log = Log()
    play(
        centre(rules("card", wrap_up_s=20.0), rules("portal", wrap_up_s=20.0)),
        trace(calls, operator("1", both)),
        Play(),
        observers=[log],
    )
    assert [happening.call for happening in log.of(What.OFFERED)] == [1, 2, 3]
    # Wrap-up ends at 81.0; the caller of the other queue looks at 81.2 already, the needier one at 81.7.
    assert log.of(What.OFFERED)[1].at == pytest.approx(81.7, abs=1.0)


def test_our_order_evens_out_the_load() -> None:
    dice = random.Random(1)
    calls = [call(n, 24.0 * n, service_s=dice.expovariate(1 / 48.0)) for n in range(1, 200)]
    people = [operator(str(n)) for n in range(4)]
    day = play(centre(rules(wrap_up_s=10.0)), trace(calls, *people), Play())
    loads = [worker.handled_s for worker in day.workers.values()]
    assert (max(loads) - min(loads)) / (sum(loads) / 4) < 0.15


def test_every_offer_is_explained_and_deviates_only_under_delay() -> None:
    explained: list[FloorCommand] = []
    calls = [call(n, 20.0 * n, service_s=30.0) for n in range(1, 60)]
    day = play(
        centre(rules(wrap_up_s=5.0)),
        trace(calls, operator("1"), operator("2"), operator("3")),
        Play(),
        on_command=explained.append,
    )
    offers = [each for each in explained if isinstance(each, ExplainOffer)]
    assert len(offers) == day.offers
    assert [each.deviation for each in offers] == [""] * len(offers)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_same_seed_gives_the_same_day(strategy: Strategy) -> None:
    def told() -> list[object]:
        log = Log()
        dice = random.Random(7)
        calls = [call(n, 15.0 * n, service_s=dice.expovariate(1 / 60.0)) for n in range(1, 80)]
        play(
            centre(rules(wrap_up_s=5.0)),
            trace(calls, operator("1"), operator("2")),
            Play(strategy=strategy, seed=3, disturbance=DELAYED),
            observers=[log],
        )
        return list(log.all)

    assert told() == told()


def test_an_operator_who_is_held_back_comes_back_when_they_notice() -> None:
    never = {"1": math.inf}
    calls = [call(n, 10.0 + 200.0 * n, patience_s=30.0, answer_s=never) for n in range(2)] + [call(9, 700.0)]
    where = replace(centre(), notices_after_s=120.0)
    log = Log()
    day = play(where, trace(calls), Play(), observers=[log])
    assert [happening.at for happening in log.of(What.BACK)] == [pytest.approx(357.0, abs=30.0)]
    assert day.callers[9].end is End.ANSWERED


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[Centre, Trace]:
    """Up to three lines with up to three stages, mixed operators with breaks and short shifts, impatient callers."""
    lines = LINES[: draw(st.integers(1, 3))]
    demands = []
    for line in lines:
        levels = sorted(draw(st.sets(st.integers(1, 5), min_size=1, max_size=3)), reverse=True)
        afters = [0.0, *sorted(draw(st.sets(st.integers(5, 80), min_size=2, max_size=2)))]
        demands.append(
            rules(
                line,
                asks=tuple(
                    (float(after), {line: level}) for after, level in zip(afters, levels, strict=False)
                ),
                wrap_up_s=draw(st.sampled_from([0.0, 5.0, 20.0])),
                ring_s=draw(st.sampled_from([6.0, 20.0])),
                limit_s=draw(st.sampled_from([90.0, 300.0])),
                priority=draw(st.integers(0, 2)),
            )
        )
    dice = random.Random(draw(st.integers(0, 2**32)))
    people = [_person(str(n), lines, dice) for n in range(draw(st.integers(1, 5)))]
    calls, at = [], 60.0
    pace = draw(st.sampled_from([5.0, 20.0, 60.0]))
    for number in range(draw(st.integers(1, 40))):
        at += dice.expovariate(1 / pace)
        calls.append(
            TraceCall(
                number=number,
                at_s=at,
                demand=QueueName(f"{dice.choice(lines)}-ja"),
                service_s=dice.expovariate(1 / 40.0),
                patience_s=dice.expovariate(1 / 90.0),
                answer_s={
                    person.operator: math.inf if dice.random() < 0.15 else dice.uniform(0.0, 7.0)
                    for person in people
                },
            )
        )
    return Centre(demands=tuple(demands)), Trace(calls=tuple(calls), operators=tuple(people))


def _person(number: str, lines: tuple[str, ...], dice: random.Random) -> TraceOperator:
    known = dice.sample(lines, dice.randint(1, len(lines)))
    begin, rest = dice.uniform(0.0, 200.0), dice.uniform(250.0, 600.0)
    return TraceOperator(
        operator=OperatorId(number),
        skills={line: dice.randint(1, 5) for line in known},
        shifts=((begin, dice.choice([begin + 300.0, 5000.0])),),
        breaks=((rest, rest + 60.0),) if dice.random() < 0.5 else (),
    )


@settings(max_examples=60, deadline=None)
@given(scenario=scenarios(), delayed=st.booleans(), seed=st.integers(0, 1000))
def test_no_offer_that_must_not_be_made(scenario: tuple[Centre, Trace], delayed: bool, seed: int) -> None:
    where, what = scenario
    check = SafetyCheck(where, what, order_matters=not delayed)
    disturbance = DELAYED if delayed else Disturbance()
    day = play(where, what, Play(seed=seed, disturbance=disturbance), observers=[check])
    assert check.problems == []
    assert all(caller.end is not None for caller in day.callers.values())
    assert len(day.callers) == len(what.calls)


@settings(max_examples=30, deadline=None)
@given(
    scenario=scenarios(),
    strategy=st.sampled_from([s for s in Strategy if s is not Strategy.OURS]),
)
def test_nor_by_a_built_in_strategy(scenario: tuple[Centre, Trace], strategy: Strategy) -> None:
    where, what = scenario
    # app_queue alone may take a later caller of another stage first, so order is not looked at here.
    check = SafetyCheck(where, what, order_matters=False)
    play(where, what, Play(strategy=strategy), observers=[check])
    assert check.problems == []
