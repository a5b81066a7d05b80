"""The simulator against exact formulas and published days, small enough for every change.

The full comparison, inside the published intervals, is `toritsugi bench simulation_anchors`.
"""

from __future__ import annotations

import math
import random

import pytest

from acd.simulation.outcome import End
from acd.simulation.play import play
from benchmarks import _published as published
from benchmarks import simulation_anchors as anchors

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("row", anchors.ERLANG_ROWS)
def test_the_table_of_erlang_c_is_the_formula(row: tuple[float, int, float, float, float]) -> None:
    load, servers, waiting, level, wait_s = row
    exact = published.erlang_c(load, servers)
    assert exact == pytest.approx(waiting, abs=1e-6)
    assert 1 - exact * math.exp(-(servers - load) * 20.0 / 180.0) == pytest.approx(level, abs=1e-6)
    assert exact * 180.0 / (servers - load) == pytest.approx(wait_s, rel=1e-4)


@pytest.mark.parametrize("row", [anchors.ERLANG_ROWS[index] for index in (1, 5, 9)])
def test_a_long_run_meets_erlang_c(row: tuple[float, int, float, float, float]) -> None:
    found = anchors.erlang_row(row, calls=11_000)
    for name in ("waiting", "service_level", "wait_s"):
        low, high = found[name]["ours_95"]
        # Twice the interval's width: the seed is fixed, and one figure in twenty lies outside the interval itself.
        assert abs(found[name]["exact"] - found[name]["ours"]) <= high - low


def test_the_floor_lets_callers_of_one_queue_wait_exactly_as_long() -> None:
    trace = published.queue_trace(
        calls=400, per_minute=4.2, service_min=2.0, servers=10, seed=3, patience_min=1.0
    )
    assert anchors.same_waits(published.queue_centre(), trace)


def test_simple_msk_through_the_floor_is_near_the_published_day() -> None:
    figures = anchors.msk_figures(published.msk_day(1.0, random.Random(1)))
    # One day of mean busyness, whose own chance is about 60 served and 60 abandoned.
    assert figures["served"] == pytest.approx(4330, abs=180)
    assert figures["abandoned"] == pytest.approx(800, abs=350)
    assert figures["busy_s"] / figures["staffed_s"] == pytest.approx(0.88, abs=0.03)


def test_poisson_and_gamma_quantiles() -> None:
    assert [published.poisson(3.0, u) for u in (0.04, 0.05, 0.5, 0.999)] == [0, 1, 3, 10]
    assert published.poisson(1000.0, 0.5) == 1000
    assert published.gamma_quantile(1.0, 1 - math.exp(-1)) == pytest.approx(1.0, abs=1e-9)


def test_bilingual_callers_call_again_as_the_same_people() -> None:
    week = published.bilingual_week(0, False, 1)
    trace = published.Trace(calls=tuple(call for call in week.calls if call.at_s < 33_000.0), operators=())
    again = published.CallsAgain(random.Random(1), next_number=10_000, waited_before={})
    day = play(published.BILINGUAL_CENTRE, trace, anchors.BY_DICE, calls_again=again)
    # Nobody is there, so everybody is refused again and again, and three in four call back each time.
    assert day.count(End.OVERFLOW) == len(day.callers) > 3 * len(trace.calls)
    assert set(again.waited_before) == {number for number in day.callers if number >= 10_000}
