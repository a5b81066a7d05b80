"""Who takes whom: as many callers as possible, the neediest of them, and nobody who may not."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from acd.routing import NEAR_WORTH, PRIORITY_WORTH_S, by_need, matching, need_of
from acd.view import Caller
from core.ids import CallId, OperatorId, QueueName, demand_of

pytestmark = pytest.mark.unit

QUEUES = tuple(QueueName(name) for name in ("card-ja", "card_2-ja", "portal-ja", "booking-en"))
waits = st.floats(0, 7200)
limits = st.floats(10, 7200)
priorities = st.integers(0, 20)


def caller(number: int, queue: QueueName, since: float = 0.0) -> Caller:
    return Caller(
        channel=f"PJSIP/trunk-{number:08x}",
        call=CallId(f"c-n1-{number}.1"),
        queue=queue,
        demand=demand_of(queue),
        since=since,
    )


# ---- need -----------------------------------------------------------------------------------------------


@given(waits, waits, priorities, limits)
def test_who_waits_longer_needs_it_more(one: float, other: float, priority: int, limit_s: float) -> None:
    assume(abs(one - other) > 1e-6)
    shorter, longer = sorted((one, other))
    assert need_of(shorter, priority=priority, limit_s=limit_s) < need_of(
        longer, priority=priority, limit_s=limit_s
    )


@given(waits, priorities, limits)
def test_a_step_of_priority_is_worth_its_seconds(waited: float, priority: int, limit_s: float) -> None:
    plain = need_of(waited, priority=0, limit_s=limit_s)
    assert need_of(waited, priority=priority, limit_s=limit_s) == pytest.approx(
        plain + priority * PRIORITY_WORTH_S
    )


@given(waits, limits, limits)
def test_a_nearer_limit_never_needs_it_less(waited: float, one: float, other: float) -> None:
    nearer, farther = sorted((one, other))
    assert need_of(waited, priority=0, limit_s=nearer) >= need_of(waited, priority=0, limit_s=farther)


@given(waits, limits)
def test_the_wait_counts_once_far_from_the_limit_and_twice_at_it(waited: float, limit_s: float) -> None:
    need = need_of(waited, priority=0, limit_s=limit_s)
    if waited <= limit_s / 2:
        assert need == waited
    if waited >= limit_s:
        assert need == pytest.approx(waited * (1 + NEAR_WORTH))
    assert waited <= need <= waited * (1 + NEAR_WORTH) * (1 + 1e-9)


def test_the_one_near_the_limit_goes_before_the_older_one_far_from_it() -> None:
    near, older = caller(1, QUEUES[0], since=40.0), caller(2, QUEUES[2], since=0.0)
    limits = {QUEUES[0]: 300.0, QUEUES[2]: 1200.0}
    assert by_need([older, near], 280.0, {}, limits) == [near, older]
    assert by_need([older, near], 140.0, {}, limits) == [older, near]


@given(st.lists(st.tuples(st.floats(0, 900), st.sampled_from(QUEUES)), max_size=12), st.floats(900, 2000))
def test_equal_callers_are_taken_in_the_order_of_their_first_entries(
    entries: list[tuple[float, QueueName]], now: float
) -> None:
    callers = [caller(number, queue, since) for number, (since, queue) in enumerate(entries)]
    ordered = by_need(reversed(callers), now, {}, dict.fromkeys(map(demand_of, QUEUES), 300.0))
    assert sorted(each.channel for each in ordered) == [each.channel for each in callers]
    assert [each.since for each in ordered] == sorted(each.since for each in callers)


def test_stages_of_a_demand_share_its_priority_and_limit() -> None:
    old, new = caller(1, QueueName("card_2-ja"), since=0.0), caller(2, QUEUES[2], since=0.0)
    assert by_need([new, old], 50.0, {QueueName("card-ja"): 1}, {}) == [old, new]


# ---- matching -------------------------------------------------------------------------------------------


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Caller], list[tuple[OperatorId, frozenset[QueueName]]]]:
    """Up to six callers, neediest first, and up to five free operators."""
    queues = draw(st.lists(st.sampled_from(QUEUES), max_size=6))
    serves = draw(st.lists(st.frozensets(st.sampled_from(QUEUES)), max_size=5))
    callers = [caller(number, queue) for number, queue in enumerate(queues)]
    return callers, [(OperatorId(str(101 + n)), each) for n, each in enumerate(serves)]


Situation = tuple[list[Caller], list[tuple[OperatorId, frozenset[QueueName]]]]


def servable(callers: list[Caller], free: list[tuple[OperatorId, frozenset[QueueName]]]) -> bool:
    """Whether all of these callers can be served at once, by trying everything."""
    if not callers:
        return True
    first, rest = callers[0], callers[1:]
    return any(
        servable(rest, free[:n] + free[n + 1 :])
        for n, (_, queues) in enumerate(free)
        if first.queue in queues
    )


@given(situations())
def test_nobody_is_meant_for_a_caller_they_may_not_serve_and_each_has_one(situation: Situation) -> None:
    callers, free = situation
    meant = matching(callers, free)
    serves = dict(free)
    assert all(each.queue in serves[operator] for operator, each in meant.items())
    channels = [each.channel for each in meant.values()]
    assert len(channels) == len(set(channels))


@given(situations())
def test_as_many_as_possible_are_served(situation: Situation) -> None:
    callers, free = situation
    meant = matching(callers, free)
    more = len(meant) + 1
    assert not any(servable(list(some), free) for some in combinations(callers, more))


@given(situations())
def test_the_neediest_are_served_first(situation: Situation) -> None:
    """Nobody is left out whom the operators could serve beside all the needier ones that they serve."""
    callers, free = situation
    best: list[Caller] = []
    for each in callers:
        if servable([*best, each], free):
            best.append(each)
    served = {each.channel for each in matching(callers, free).values()}
    assert served == {each.channel for each in best}


@given(situations())
def test_one_caller_goes_to_the_first_in_the_order_who_may(situation: Situation) -> None:
    callers, free = situation
    assume(callers)
    meant = matching(callers[:1], free)
    first = next((operator for operator, queues in free if callers[0].queue in queues), None)
    assert list(meant) == ([] if first is None else [first])


def test_two_free_operators_one_of_whom_only_the_older_caller_may_be_given_to() -> None:
    """The specialist is kept for whom nobody else may serve, though they come first in the order."""
    older, newer = caller(1, QueueName("card_2-ja")), caller(2, QueueName("card-ja"))
    specialist = (OperatorId("101"), frozenset({QueueName("card-ja"), QueueName("card_2-ja")}))
    beginner = (OperatorId("102"), frozenset({QueueName("card_2-ja")}))
    assert matching([older, newer], [specialist, beginner]) == {"101": newer, "102": older}
