"""The order of offers: distinct penalties, load against time, and an even day."""

from __future__ import annotations

import heapq
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from acd_floor import floor_with, ready, talk, tick
from hypothesis import given
from hypothesis import strategies as st

from acd.events import MakeReady
from acd.order import PENALTY_MOST, LoadRule, order_of_offers, penalties_for, scores
from acd.view import Load
from core.ids import OperatorId

pytestmark = pytest.mark.unit

orders = st.lists(st.integers(100, 199).map(lambda n: OperatorId(str(n))), max_size=20, unique=True)
held = st.integers(-20, 300) | st.integers(1, 20).map(lambda n: 10 * n) | st.just(PENALTY_MOST)


@given(orders, st.data())
def test_penalties_rise_along_the_order_in_steps_of_ten(order: list[OperatorId], data: st.DataObject) -> None:
    current = {operator: data.draw(held) for operator in order}
    changed = penalties_for(order, current)
    after = [(current | changed)[operator] for operator in order]
    assert after == sorted(set(after))
    assert all(penalty % 10 == 0 and 10 <= penalty <= PENALTY_MOST for penalty in after)
    assert all(current[operator] != penalty for operator, penalty in changed.items())
    assert penalties_for(order, current | changed) == {}


@given(orders.filter(lambda order: len(order) > 1))
def test_one_who_goes_to_the_end_is_the_only_change(order: list[OperatorId]) -> None:
    current = {operator: 10 * rank for rank, operator in enumerate(order, start=1)}
    assert penalties_for([*order[1:], order[0]], current) == {order[0]: 10 * (len(order) + 1)}


def test_penalties_do_not_grow_for_ever() -> None:
    order = [OperatorId("101"), OperatorId("102"), OperatorId("103")]
    current: dict[OperatorId, int] = dict.fromkeys(order, 0)
    changes = 0
    for _ in range(5000):
        changed = penalties_for(order, current)
        current |= changed
        changes += len(changed)
        assert max(current.values()) <= PENALTY_MOST
        order = [*order[1:], order[0]]
    assert changes < 5100


# ---- load -----------------------------------------------------------------------------------------------


load = st.builds(
    Load,
    calls=st.integers(0, 40),
    handled_s=st.floats(0, 20_000),
    available_s=st.floats(0, 40_000),
)
operators = st.integers(100, 199).map(lambda n: OperatorId(str(n)))
loads = st.dictionaries(operators, load, max_size=20)
rules = st.sampled_from(LoadRule)


@given(loads, rules, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_who_is_named_first(
    given_loads: dict[OperatorId, Load], rule: LoadRule, shuffler: random.Random
) -> None:
    other = list(given_loads.items())
    shuffler.shuffle(other)
    ended = {op: float(int(op) % 3) for op in given_loads}
    assert order_of_offers(given_loads, ended, rule) == order_of_offers(dict(other), ended, rule)


@given(loads, rules)
def test_everybody_has_one_place_by_load_then_idle_time_then_number(
    given_loads: dict[OperatorId, Load], rule: LoadRule
) -> None:
    ended = {op: float(int(op) % 3) for op in given_loads}
    score = scores(given_loads, rule)
    order = order_of_offers(given_loads, ended, rule)
    assert sorted(order) == sorted(given_loads)
    for first, second in pairwise(order):
        assert (score[first], ended[first], first) < (score[second], ended[second], second)


@given(st.dictionaries(operators, load, min_size=2, max_size=8), rules, st.sampled_from([2.0, 0.25, 16.0]))
def test_how_long_calls_are_does_not_matter_only_how_they_are_shared(
    given_loads: dict[OperatorId, Load], rule: LoadRule, factor: float
) -> None:
    """Twice the minutes for all is the same share for each."""
    longer = {op: replace(each, handled_s=each.handled_s * factor) for op, each in given_loads.items()}
    before, after = scores(given_loads, rule), scores(longer, rule)
    assert all(after[op] == pytest.approx(before[op], rel=1e-6, abs=1e-9) for op in given_loads)


def carried(handled_min: float, available_h: float, calls: int = 0) -> Load:
    return Load(calls=calls, handled_s=60 * handled_min, available_s=3600 * available_h)


A, B, C = OperatorId("101"), OperatorId("102"), OperatorId("103")


def test_among_equally_long_signed_in_the_least_minutes_come_first() -> None:
    loads = {A: carried(90, 4, calls=10), B: carried(80, 4, calls=20), C: carried(100, 4, calls=1)}
    assert order_of_offers(loads, {}, LoadRule.MINUTES) == [B, A, C]
    assert order_of_offers(loads, {}, LoadRule.CALLS) == [C, A, B]


def test_minutes_count_against_the_time_one_was_available() -> None:
    """Two hours of six weigh less than one and a half of two."""
    loads = {A: carried(120, 6), B: carried(90, 2)}
    assert order_of_offers(loads, {}, LoadRule.MINUTES) == [A, B]


def test_both_is_the_mean_of_the_two_shares() -> None:
    loads = {A: carried(90, 4, calls=10), B: carried(80, 4, calls=20), C: carried(100, 1, calls=1)}
    minutes, calls, both = (scores(loads, rule) for rule in (LoadRule.MINUTES, LoadRule.CALLS, LoadRule.BOTH))
    assert both == {op: pytest.approx((minutes[op] + calls[op]) / 2) for op in loads}


def test_nobody_has_carried_anything_yet() -> None:
    loads = {A: carried(0, 0), B: carried(0, 3)}
    assert scores(loads, LoadRule.MINUTES) == {A: 0.0, B: 0.0}
    assert order_of_offers(loads, {A: 50.0, B: 40.0}, LoadRule.MINUTES) == [B, A]


@given(
    handled=st.lists(st.floats(1.0, 200.0), min_size=1, max_size=8),
    hours=st.floats(0.5, 8.0),
    rule=rules,
)
def test_who_has_just_come_stands_at_the_teams_average(
    handled: list[float], hours: float, rule: LoadRule
) -> None:
    team = {OperatorId(str(200 + n)): carried(each, hours, calls=3) for n, each in enumerate(handled)}
    assert scores({**team, A: carried(0, 0)}, rule)[A] == pytest.approx(1.0)


def test_who_comes_at_noon_is_not_given_every_call() -> None:
    """Two hours for eight people at 40 % load; the ninth signs in after six and is never far ahead of the rest.

    Without the head start the newcomer would be first until they had carried as much as everybody in six hours.
    """
    team = {OperatorId(str(200 + n)): carried(0.4 * 360, 6) for n in range(8)}
    newcomer, loads, given_to_newcomer = A, {**team, A: carried(0, 0)}, 0
    for call in range(64):
        first = order_of_offers(loads, {}, LoadRule.MINUTES)[0]
        given_to_newcomer += first == newcomer
        loads = {op: replace(each, available_s=each.available_s + 110.0) for op, each in loads.items()}
        loads[first] = replace(loads[first], handled_s=loads[first].handled_s + 396.0, calls=call)
    assert 5 <= given_to_newcomer <= 12


@given(load, st.floats(1.0, 3600.0), rules.filter(lambda rule: rule is not LoadRule.CALLS))
def test_a_call_makes_one_more_loaded_than_before(own: Load, seconds: float, rule: LoadRule) -> None:
    other = {B: carried(60, 4, calls=5)}
    before = scores({A: own, **other}, rule)
    more = replace(own, handled_s=own.handled_s + seconds, calls=own.calls + 1)
    after = scores({A: more, **other}, rule)
    assert after[A] - after[B] > before[A] - before[B]


# ---- a day ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_an_even_day_among_equals(seed: int) -> None:
    """One call at a time reaches whoever is ready and first in the order; talks are of any length."""
    dice = random.Random(seed)
    operators = [OperatorId(str(101 + n)) for n in range(6)]
    floor = floor_with(*operators)
    now, ends = 0.0, list[tuple[float, OperatorId, str]]()
    free = set(operators)
    longest = 0.0
    for _ in range(240):
        now += dice.expovariate(1 / 120)
        while ends and ends[0][0] <= now:
            at, operator, name = heapq.heappop(ends)
            assert MakeReady(operator=operator, queues=(), talk=name, why="wrapup_over") in tick(floor, at)
            ready(floor, operator, at)
            free.add(operator)
        if not free:
            continue
        tick(floor, now)
        first = min(free, key=lambda op: floor.members[op].penalty)
        seconds = dice.uniform(5, 60)
        longest = max(longest, seconds + 30.0)
        free.discard(first)
        name = talk(floor, first, start=now, seconds=seconds)
        heapq.heappush(ends, (now + seconds + 30.0, first, name))
    carried_s = [seat.load.handled_s for seat in floor.view(now).seats]
    assert sum(carried_s) > 200 * 40
    # As even as one call, the smallest thing that can be given.
    assert max(carried_s) - min(carried_s) <= longest
