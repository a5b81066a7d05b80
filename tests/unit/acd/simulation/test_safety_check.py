"""The independent checker finds what it is there to find."""

from __future__ import annotations

import pytest
from sim_centres import centre, operator, rules, trace

from acd.simulation.checker import SafetyCheck
from acd.simulation.log import Happening, What
from core.ids import OperatorId, QueueName

pytestmark = pytest.mark.unit

CARD = QueueName("card-ja")


def problems(*story: tuple[float, What, int | None, str | None]) -> list[str]:
    where = centre(rules(asks=((0.0, {"card": 3}), (30.0, {"card": 1})), wrap_up_s=20.0))
    check = SafetyCheck(
        where, trace([], operator("3", {"card": 3}), operator("4", {"card": 4}), operator("1"))
    )
    for who in ("3", "4", "1"):
        check(Happening(0.0, What.SIGNED_IN, None, OperatorId(who), None))
    for at, what, call, who in story:
        check(Happening(at, what, call, None if who is None else OperatorId(who), CARD))
    return [problem.split(": ", 1)[1] for problem in check.problems]


def test_a_good_story_has_no_problems() -> None:
    assert not problems(
        (1.0, What.ENTERED, 1, None),
        (1.0, What.OFFERED, 1, "3"),
        (2.0, What.ANSWERED, 1, "3"),
        (50.0, What.ENDED, 1, "3"),
        (70.0, What.ENTERED, 2, None),
        (70.0, What.OFFERED, 2, "3"),
    )


SERVED = [(1.0, What.ENTERED, 1, None), (1.0, What.OFFERED, 1, "3"), (2.0, What.ANSWERED, 1, "3")]
Story = list[tuple[float, What, int | None, str | None]]


def asked(at: float, call: int, who: str) -> Story:
    """A caller who is offered at once."""
    return [(at, What.ENTERED, call, None), (at, What.OFFERED, call, who)]


@pytest.mark.parametrize(
    ("story", "found"),
    [
        ([*asked(1.0, 1, "3"), *asked(1.5, 2, "3")], "rung twice"),
        ([*SERVED, *asked(3.0, 2, "3")], "while talking"),
        ([*SERVED, (9.0, What.ENDED, 1, "3"), *asked(28.0, 2, "3")], "wrap-up"),
        ([(0.5, What.BREAK, None, "3"), *asked(1.0, 1, "3")], "on a break"),
        ([(0.5, What.SIGNED_OUT, None, "3"), *asked(1.0, 1, "3")], "signed out"),
        (asked(1.0, 1, "1"), "may not serve"),
        ([(1.0, What.OFFERED, 1, "3")], "does not wait"),
        ([(1.0, What.ENTERED, 1, None), (2.0, What.BREAK, None, "4"), *asked(2.0, 2, "3")], "passed over 1"),
    ],
)
def test_each_fault_is_found(story: Story, found: str) -> None:
    assert any(found in problem for problem in problems(*story))


def test_relaxing_too_early_and_too_late_is_found() -> None:
    where = centre(rules(asks=((0.0, {"card": 3}), (30.0, {"card": 1}))))
    check = SafetyCheck(where, trace([], operator("3", {"card": 3})))
    check(Happening(0.0, What.SIGNED_IN, None, OperatorId("3"), None))
    check(Happening(1.0, What.ENTERED, 1, None, QueueName("card-ja")))
    check(Happening(11.0, What.ENTERED, 1, None, QueueName("card_2-ja")))
    check(Happening(1.0, What.ENTERED, 2, None, QueueName("card-ja")))
    check(Happening(41.0, What.ENTERED, 2, None, QueueName("card-ja")))
    assert ["relaxed" in p or "still" in p for p in check.problems] == [True, True]
