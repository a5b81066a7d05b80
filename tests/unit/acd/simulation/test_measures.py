"""Evenness, intervals and the band of a trace."""

from __future__ import annotations

import random

import pytest
from sim_centres import call, centre, operator, rules, trace

from acd.simulation.band import Jitter, band
from acd.simulation.centre import Play, Strategy
from acd.simulation.measures import LoadMeasure, carried, estimate, quantile, unevenness, unevenness_by_skill
from acd.simulation.play import play
from core.ids import OperatorId

pytestmark = pytest.mark.unit


def test_unevenness_is_the_spread_against_the_mean() -> None:
    assert unevenness([8.0, 10.0, 12.0]) == pytest.approx(0.4)
    assert unevenness([]) == unevenness([0.0, 0.0]) == unevenness([5.0]) == 0.0


def test_load_is_minutes_and_calls_per_signed_in_hour() -> None:
    calls = [call(1, 10.0, service_s=100.0), call(2, 200.0, service_s=40.0)]
    people = [operator("1", shifts=((0.0, 7200.0),)), operator("2", {"portal": 1}, shifts=((0.0, 3600.0),))]
    day = play(centre(rules(wrap_up_s=20.0)), trace(calls, *people), Play(strategy=Strategy.LEASTRECENT))
    found = carried([day, day])
    assert found[OperatorId("1")].load(LoadMeasure.MINUTES) == pytest.approx(3.0 / 2.0)
    assert found[OperatorId("1")].load(LoadMeasure.CALLS) == pytest.approx(1.0)
    assert found[OperatorId("2")].load(LoadMeasure.CALLS) == 0.0


def test_only_skills_with_enough_offers_and_two_holders_count() -> None:
    people = [operator("1", {"card": 1, "portal": 1}), operator("2", {"card": 1})]
    day = play(centre(), trace([call(1, 10.0)], *people), Play(strategy=Strategy.LEASTRECENT))
    offers = {"card": 100, "portal": 100, "booking": 99}
    assert unevenness_by_skill([day], offers, LoadMeasure.CALLS) == {"card": pytest.approx(2.0)}


def test_the_interval_is_students() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert (found.low, found.high) == (pytest.approx(2.0 - 2.4841, abs=1e-3), pytest.approx(4.4841, abs=1e-3))
    many = estimate([float(n) for n in range(101)])
    assert many.high - many.mean == pytest.approx(1.98397 * 29.3002 / 101**0.5, rel=1e-4)


def test_quantiles_are_values_that_occurred() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.9) == 4.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert quantile([], 0.5) == 0.0


def test_the_band_holds_what_the_trace_gives_and_is_wider_than_a_point() -> None:
    dice = random.Random(5)
    calls = [
        call(n, 8.0 * n, service_s=dice.expovariate(1 / 14.0), patience_s=dice.expovariate(1 / 10.0))
        for n in range(1, 60)
    ]
    day = ((0.0, 1e9),)
    what = trace(calls, operator("1", shifts=day), operator("2", shifts=day))
    found = band(centre(), what, Play(), runs=40)
    assert found.holds(play(centre(), what, Play()).answered)
    assert 0 < found.high - found.low < 12
    still = band(
        centre(), what, Play(), jitter=Jitter(arrival_s=0, pick_up_s=0, talk_s=0, ami_delay_s=(0, 0)), runs=40
    )
    assert still.high - still.low <= 2
