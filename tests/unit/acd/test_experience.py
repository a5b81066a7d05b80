"""What is learnt of calls: enough of them make a distribution, fewer make none."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.experience import ENOUGH, KEPT, PATIENCE_S, Experience, Handling
from core.ids import QueueName

pytestmark = pytest.mark.unit

CARD, CARD_EN, PORTAL = QueueName("card-ja"), QueueName("card-en"), QueueName("portal-ja")
SHARES = (np.arange(100) + 0.5) / 100
times = st.lists(st.floats(1, 3600), min_size=1, max_size=60)


def known(**calls: list[float]) -> Experience:
    experience = Experience()
    for name, seconds in calls.items():
        for each in seconds:
            experience.handled(QueueName(name.replace("_", "-")), each)
    return experience


@given(times, st.floats(0, 5000))
def test_the_rest_of_a_call_is_never_negative_and_rises_with_the_share(
    seconds: list[float], passed_s: float
) -> None:
    rest = Handling(seconds).rest(passed_s, SHARES)
    assert (rest >= 0).all()
    assert (np.diff(rest) >= 0).all()


def test_the_rest_follows_what_was_seen() -> None:
    dice = random.Random(1)
    handling = Handling([dice.expovariate(1 / 200.0) for _ in range(KEPT)])
    whole, later = handling.rest(0.0, SHARES), handling.rest(300.0, SHARES)
    # Exponential calls have no memory: what remains is as long as a whole one.
    assert whole.mean() == pytest.approx(200.0, rel=0.25)
    assert later.mean() == pytest.approx(200.0, rel=0.35)
    steady = Handling([200.0] * 50).rest(150.0, SHARES)
    assert 40 < steady.mean() < 60


def test_a_call_longer_than_any_seen_is_taken_for_a_new_one() -> None:
    rest = Handling([100.0] * 30).rest(2000.0, SHARES)
    assert rest.mean() == pytest.approx(100.0, rel=0.05)


def test_few_calls_are_a_guess() -> None:
    assert known(card_ja=[100.0] * (ENOUGH - 1)).handling(CARD) is None
    assert known(card_ja=[100.0] * ENOUGH).handling(CARD) is not None
    assert Experience().handling(None) is None


def test_a_rare_demand_borrows_from_its_line_and_then_from_everybody() -> None:
    experience = known(card_ja=[100.0] * ENOUGH, portal_ja=[400.0] * ENOUGH, card_en=[110.0])
    borrowed, all_calls = experience.handling(CARD_EN), experience.handling(QueueName("booking-en"))
    assert borrowed is not None
    assert borrowed.mean_s == pytest.approx(100.0, rel=0.02)
    assert all_calls is not None
    assert all_calls.mean_s == pytest.approx(244.4, rel=0.02)


def test_old_calls_are_forgotten() -> None:
    experience = known(card_ja=[900.0] * KEPT + [100.0] * KEPT)
    handling = experience.handling(CARD)
    assert handling is not None
    assert handling.mean_s == 100.0


def test_a_new_call_counts_at_once() -> None:
    experience = known(card_ja=[100.0] * ENOUGH)
    before = experience.handling(CARD)
    experience.handled(CARD, 500.0)
    after = experience.handling(CARD)
    assert before is not None
    assert after is not None
    assert after.mean_s > before.mean_s


def test_patience_is_those_who_gave_up_over_all_the_waiting() -> None:
    experience = Experience()
    assert experience.gives_up_per_s(CARD) == 1 / PATIENCE_S
    for _ in range(8):
        experience.waited(CARD, 50.0, gave_up=False)
    for _ in range(3):
        experience.waited(CARD, 100.0, gave_up=True)
    assert experience.gives_up_per_s(CARD) == (1 + 3) / (PATIENCE_S + 700)
    assert experience.gives_up_per_s(PORTAL) == 1 / PATIENCE_S


def test_who_left_for_a_talk_or_another_stage_has_not_given_up() -> None:
    experience = Experience()
    experience.left("talked", CARD, 100.0, waited_s=60.0, over=False)
    experience.left("moved", CARD, 100.0, waited_s=60.0, over=False)
    experience.left("limit", CARD, 100.0, waited_s=600.0, over=True)
    experience.left("hung up", CARD, 100.0, waited_s=40.0, over=False)
    experience.answered("talked")
    experience.came_back("moved")
    experience.settle(101.0)
    assert experience.gives_up_per_s(CARD) == 1 / (PATIENCE_S + 60)
    experience.settle(106.0)
    assert experience.gives_up_per_s(CARD) == 2 / (PATIENCE_S + 60 + 600 + 40)
    experience.settle(200.0)
    assert experience.gives_up_per_s(CARD) == 2 / (PATIENCE_S + 700)
