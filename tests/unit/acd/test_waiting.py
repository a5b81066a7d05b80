"""The floor played forward: who comes when, and silence where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.demand import Demand, Stage
from acd.experience import Experience
from acd.promise import promise
from acd.view import Caller, FloorView, Load, Seat
from acd.waiting import ANSWER_S, Service, remaining_waits
from core.ids import LineId, OperatorId, QueueName

pytestmark = pytest.mark.unit

CARD, CARD_2, PORTAL = QueueName("card-ja"), QueueName("card_2-ja"), QueueName("portal-ja")
NOW = 10_000.0
CALL_S = 300.0
WRAP_UP_S = 20.0


def demand(*stages: tuple[QueueName, float]) -> Demand:
    return Demand(
        line=LineId("card"),
        language="ja",
        priority=0,
        wait_limit_s=600.0,
        stages=tuple(Stage(queue=queue, after_s=after_s, least={}) for queue, after_s in stages),
    )


DEMANDS = {CARD: demand((CARD, 0.0), (CARD_2, 90.0)), PORTAL: demand((PORTAL, 0.0))}


def service(
    call_s: float = CALL_S, leaves: int = 0, demands: Mapping[QueueName, Demand] = DEMANDS
) -> Service:
    """All calls alike; `leaves` callers have given up at once, and nobody else ever waited long."""
    experience = Experience()
    for queue in (CARD, PORTAL):
        for _ in range(50):
            experience.handled(queue, call_s)
        experience.waited(queue, 1e6, gave_up=False)
        for _ in range(leaves):
            experience.waited(queue, 0.0, gave_up=True)
    return Service(demands=demands, wrap_up_s={CARD: WRAP_UP_S, PORTAL: WRAP_UP_S}, experience=experience)


def seat(
    number: int, state: str, *queues: QueueName, since: float = NOW, talking_in: QueueName | None = None
) -> Seat:
    return Seat(
        operator=OperatorId(str(number)),
        state=state,
        since=since,
        queues=dict.fromkeys(queues, state == "ready"),
        load=Load(calls=0, handled_s=0.0, available_s=1.0),
        last_ended_at=0.0,
        talking_in=talking_in or (queues[0] if state in ("talking", "wrapup") else None),
    )


def caller(name: str, queue: QueueName = CARD, *, waited_s: float = 20.0, rung: str | None = None) -> Caller:
    return Caller(
        channel=name,
        call=None,
        queue=queue,
        demand=CARD if queue == CARD_2 else queue,
        since=NOW - waited_s,
        ringing_at=OperatorId(rung) if rung else None,
    )


def waits(
    seats: list[Seat], callers: list[Caller], known: Service | None = None
) -> dict[str, tuple[float, float]]:
    """Middle half of each caller's waits; the callers stand in order of need."""
    view = FloorView(at=NOW, seats=tuple(seats), callers=tuple(callers), handling_s={})
    needy = [each for each in callers if each.ringing_at is None]
    found = remaining_waits(view, needy, known or service())
    return {
        name: (float(each[len(each) // 4]), float(each[3 * len(each) // 4])) for name, each in found.items()
    }


def test_a_ready_operator_takes_the_first_at_once() -> None:
    first, second = waits([seat(1, "ready", CARD)], [caller("a"), caller("b")]).values()
    assert first == (ANSWER_S, ANSWER_S)
    assert 0.85 * CALL_S < second[0] < second[1] < 1.2 * CALL_S


def test_wrap_up_ends_when_it_is_over() -> None:
    (wait,) = waits([seat(1, "wrapup", CARD, since=NOW - 15.0)], [caller("a")]).values()
    assert wait == (5.0 + ANSWER_S, 5.0 + ANSWER_S)


def test_a_talk_ends_after_what_remains_of_it() -> None:
    (wait,) = waits([seat(1, "talking", CARD, since=NOW - 200.0)], [caller("a")]).values()
    # 300 s with wrap-up, of which 200 s of talk have passed.
    assert 70 < wait[0] < 104 < wait[1] < 140


def test_an_operator_whose_telephone_rings_is_taken() -> None:
    (wait,) = waits([seat(1, "ringing", CARD)], [caller("rung", rung="1"), caller("a")]).values()
    assert wait[0] > 0.85 * CALL_S


def test_another_queue_takes_operators_too() -> None:
    shared = [seat(1, "ready", CARD, PORTAL)]
    first_of_portal = [caller("p", PORTAL, waited_s=60.0), caller("a")]
    assert waits(shared, [caller("a")])["a"] == (ANSWER_S, ANSWER_S)
    assert waits(shared, first_of_portal)["a"][0] > 0.85 * CALL_S
    own = [seat(1, "ready", PORTAL), seat(2, "ready", CARD)]
    assert waits(own, first_of_portal)["a"] == (ANSWER_S, ANSWER_S)


def test_who_gives_up_ahead_shortens_the_wait() -> None:
    seats = [seat(1, "talking", CARD)]
    line = [caller("a"), caller("b"), caller("c")]
    patient, hasty = waits(seats, line)["c"], waits(seats, line, service(leaves=20_000))["c"]
    assert hasty[0] < 0.6 * patient[0]


def test_the_next_stage_opens_more_operators_when_it_comes() -> None:
    seats = [seat(1, "talking", CARD), seat(2, "ready", CARD_2)]
    (wait,) = waits(seats, [caller("a", waited_s=50.0)]).values()
    assert wait == (40.0 + ANSWER_S, 40.0 + ANSWER_S)
    (now,) = waits(seats, [caller("a", CARD_2, waited_s=95.0)]).values()
    assert now == (ANSWER_S, ANSWER_S)


@pytest.mark.parametrize(
    "seats", [[], [seat(1, "paused:break1", CARD)], [seat(1, "ready", PORTAL)], [seat(1, "ready")]]
)
def test_nobody_serving_is_no_estimate(seats: list[Seat]) -> None:
    assert waits(seats, [caller("a")]) == {}


def test_too_few_calls_are_no_estimate() -> None:
    empty = Service(demands=DEMANDS, wrap_up_s={}, experience=Experience())
    assert waits([seat(1, "talking", CARD)], [caller("a")], empty) == {}


def test_the_same_floor_has_the_same_estimate() -> None:
    seats = [seat(1, "talking", CARD, PORTAL), seat(2, "wrapup", CARD)]
    line = [caller("a"), caller("b", PORTAL), caller("c")]
    assert waits(seats, line) == waits(seats, line)


@settings(max_examples=60, deadline=None)
@given(
    passed_s=st.lists(st.floats(0, 270), min_size=1, max_size=6),
    ahead=st.integers(0, 8),
    call_s=st.floats(120, 600),
)
def test_the_range_contains_the_truth_where_every_call_is_alike(
    passed_s: list[float], ahead: int, call_s: float
) -> None:
    known = service(call_s)
    talks = [min(passed, call_s - WRAP_UP_S - 1.0) for passed in passed_s]
    seats = [seat(n, "talking", CARD, since=NOW - passed) for n, passed in enumerate(talks)]
    line = [caller(f"c{n}") for n in range(ahead + 1)]
    free = sorted(call_s - passed for passed in talks)
    for _ in range(ahead):
        free = sorted([*free[1:], free[0] + ANSWER_S + call_s])
    truth = free[0] + ANSWER_S
    view = FloorView(at=NOW, seats=tuple(seats), callers=tuple(line), handling_s={})
    likely = remaining_waits(view, line, known)[line[-1].channel].tolist()
    told = promise(likely, NOW, None)
    # A tenth of each call is the smoothing, so long sums drift by that much at most.
    slack_s = 0.12 * call_s * (1 + ahead / len(seats))
    if told is not None:
        assert 60 * told.minutes[0] - slack_s <= truth <= 60 * told.minutes[1] + slack_s
