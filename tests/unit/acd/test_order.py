"""The order of offers: distinct penalties, and an even day."""

from __future__ import annotations

import heapq
import random

import pytest
from acd_floor import QUEUE, floor_with, talk, tick
from hypothesis import given
from hypothesis import strategies as st

from acd.events import MakeReady
from acd.order import PENALTY_MOST, Load, order_of_offers, penalties_for
from core.ids import OperatorId

pytestmark = pytest.mark.unit

load = st.builds(
    Load,
    operator=st.integers(100, 199).map(lambda n: OperatorId(str(n))),
    level=st.integers(1, 5),
    calls=st.integers(0, 40),
    handled_s=st.floats(0, 20_000),
    last_ended_at=st.floats(0, 2e9),
)
loads = st.lists(load, max_size=20, unique_by=lambda item: item.operator)


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


@given(loads, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_who_is_named_first(
    given_loads: list[Load], shuffler: random.Random
) -> None:
    other = list(given_loads)
    shuffler.shuffle(other)
    assert order_of_offers(given_loads) == order_of_offers(other)


@given(loads)
def test_fewer_calls_come_before_more(given_loads: list[Load]) -> None:
    order = {op: place for place, op in enumerate(order_of_offers(given_loads))}
    assert len(order) == len(given_loads)
    for a in given_loads:
        for b in given_loads:
            if a.calls < b.calls or (a.calls == b.calls and a.level > b.level):
                assert order[a.operator] < order[b.operator]


@pytest.mark.parametrize("seed", range(8))
def test_an_even_day_among_equals(seed: int) -> None:
    """One call at a time reaches whoever is ready and first in the order; talks are of any length."""
    dice = random.Random(seed)
    operators = [OperatorId(str(101 + n)) for n in range(6)]
    floor = floor_with(*operators)
    now, ends = 0.0, list[tuple[float, OperatorId]]()
    ready = set(operators)
    for _ in range(240):
        now += dice.expovariate(1 / 120)
        while ends and ends[0][0] <= now:
            at, operator = heapq.heappop(ends)
            assert MakeReady(operator=operator, why="wrapup_over") in tick(floor, at)
            ready.add(operator)
        if not ready:
            continue
        first = min(ready, key=lambda op: floor.members[op].queues[QUEUE])
        seconds = dice.uniform(5, 60)
        ready.discard(first)
        talk(floor, first, start=now, seconds=seconds)
        heapq.heappush(ends, (now + seconds + 30.0, first))
    calls = [floor.members[op].calls for op in operators]
    assert sum(calls) > 200
    assert max(calls) - min(calls) <= 1
