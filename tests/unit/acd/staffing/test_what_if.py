"""Days played with the production routing: as the formula says, and worse when somebody is away."""

from __future__ import annotations

import random
from datetime import date

import pytest

from acd.demand import Demand, Stage
from acd.simulation.centre import DemandRules
from acd.staffing.days import day_from_volume
from acd.staffing.erlang import Traffic
from acd.staffing.seats import outcome_of
from acd.staffing.what_if import Person, play_days, trace_of
from core.ids import LineId, OperatorId, QueueName

pytestmark = pytest.mark.unit
DEMAND = Demand(
    line=LineId("card"),
    language="ja",
    priority=0,
    wait_limit_s=1800.0,
    stages=(Stage(queue=QueueName("card-ja"), after_s=0.0, least={"card": 1, "ja": 1}),),
)
RULES = [DemandRules(demand=DEMAND, wrap_up_s=60.0, ring_s=20.0)]
MIX = {DEMAND.name: 1.0}
DAY = day_from_volume(date(2026, 6, 1), 90.0, ((540, 1020),), 10, 0.2)
TRAFFIC = Traffic(calls_per_hour=0.0, handling_s=420.0, patience_s=120.0)


def person(number: int) -> Person:
    return Person(operator=OperatorId(str(number)), skills={"card": 3, "ja": 5}, begins=540, ends=1020)


def test_the_played_days_lie_around_the_formula() -> None:
    people = [person(number) for number in (901, 902, 903)]
    played = play_days(DAY, TRAFFIC, RULES, MIX, people, days=12, seed=3)
    expected = outcome_of(DAY, TRAFFIC, 3).answer_rate
    assert expected is not None
    assert played.low <= expected <= played.high
    assert played.answer_rate.mean == pytest.approx(expected, abs=0.05)
    assert played.calls == pytest.approx(90.0, rel=0.15)


def test_with_somebody_away_the_same_callers_fare_worse() -> None:
    people = [person(number) for number in (901, 902)]
    told: list[int] = []
    whole = play_days(DAY, TRAFFIC, RULES, MIX, people, days=6, seed=3, progress=told.append)
    fewer = play_days(
        DAY, TRAFFIC, RULES, MIX, people, days=6, seed=3,
        changed=lambda each: each.absent(0, 780) if each.operator == "901" else each,
    )  # fmt: skip
    assert told == [1, 2, 3, 4, 5, 6]
    assert fewer.calls == whole.calls
    assert fewer.answer_rate.mean < whole.answer_rate.mean


def test_absence_takes_away_what_it_covers() -> None:
    whole = person(901)
    assert whole.absent(0, 1440) is None
    assert (whole.absent(0, 720) or whole).begins == 720
    assert (whole.absent(720, 1440) or whole).ends == 720
    assert (whole.absent(600, 660) or whole).pause == (600, 660)


def test_nobody_calls_outside_the_open_part_of_a_half_hour() -> None:
    """Open from 9:20 to 17:15: the last half-hour has 15 minutes, with as many calls an hour as the others."""
    day = day_from_volume(date(2026, 6, 1), 940.0, ((560, 1035),), 10, 0.2)
    assert [slot.open_min for slot in day.slots] == [10, *[30] * 15, 15]
    assert day.slots[0].calls_per_hour == pytest.approx(day.slots[-1].calls_per_hour)
    assert day.slots[-1].calls_per_hour == pytest.approx(day.slots[-2].calls_per_hour)
    calls = trace_of(day, TRAFFIC, MIX, [person(901)], {DEMAND.name: 60.0}, random.Random(5)).calls
    assert 560 * 60.0 <= calls[0].at_s < 562 * 60.0
    assert 1033 * 60.0 < calls[-1].at_s < 1035 * 60.0


def test_a_trace_is_the_same_for_the_same_seed() -> None:
    people = [person(901)]
    one, other = (
        trace_of(DAY, TRAFFIC, MIX, people, {DEMAND.name: 60.0}, random.Random(5)) for _ in range(2)
    )
    assert one == other
    assert [call.number for call in one.calls] == list(range(1, len(one.calls) + 1))
