"""The formulas against others' results: pyworkforce, published tables, and an integration of their own definition."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from acd.staffing.erlang import (
    Traffic,
    erlang_b,
    erlang_c,
    service_level_c,
    speed_of_answer_c,
    steady_state,
)
from acd.staffing.seats import Goal, rostered, seats_needed

pytestmark = pytest.mark.unit
REFERENCE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "pyworkforce.json").read_text(encoding="utf-8")
)["rows"]
TABLE = (
    # erlangs, servers, Erlang B, Erlang C, service level 20 s at 180 s, mean wait s; half a unit of the last digit
    (1, 2, 0.2, 0.333333, 0.70172, 60.0),
    (2, 3, 0.210526, 0.444444, 0.602294, 80.0),
    (2.4, 4, 0.138706, 0.287043, 0.759708, 32.2924),
    (3, 5, 0.110054, 0.236152, 0.810905, 21.2536),
    (4, 6, 0.117162, 0.284761, 0.771981, 25.6285),
    (5, 7, 0.120519, 0.32415, 0.740441, 29.1735),
    (5, 6, 0.191847, 0.587516, 0.474267, 105.753),
    (8, 10, 0.121661, 0.40918, 0.672354, 36.8262),
    (10, 12, 0.119739, 0.449388, 0.640158, 40.4449),
    (10, 14, 0.056819, 0.174132, 0.88835, 7.8359),
    (20, 24, 0.066097, 0.298072, 0.808882, 13.4133),
    (48, 55, 0.038374, 0.238701, 0.890335, 6.138),
    (100, 110, 0.027463, 0.237008, 0.921979, 4.2661),
)


def test_erlang_c_equals_pyworkforce_to_nine_places() -> None:
    assert len(REFERENCE) == 200
    for row in REFERENCE:
        handling_s = 60.0 * row["handling_min"]
        load = row["calls"] * row["handling_min"] / row["interval_min"]
        assert erlang_c(load, row["seats"]) == pytest.approx(row["waits"], abs=1e-9)
        level = service_level_c(load, row["seats"], handling_s, 60.0 * row["within_min"])
        assert level == pytest.approx(row["service_level"], abs=1e-9)


def test_seats_needed_equal_pyworkforces_where_its_search_does_not_start_too_high() -> None:
    compared = 0
    for row in REFERENCE:
        traffic = Traffic(
            calls_per_hour=60.0 * row["calls"] / row["interval_min"], handling_s=60.0 * row["handling_min"]
        )
        found = seats_needed(traffic, Goal(share=row["goal"], within_s=60.0 * row["within_min"]))
        if row["seats_needed"] > row["starts"]:
            assert found == row["seats_needed"]
            assert math.ceil(rostered(found, 0.15) - 1e-9) == row["rostered"]
            compared += 1
        else:
            assert found <= row["seats_needed"]
    assert compared > 50


@pytest.mark.parametrize("row", TABLE)
def test_erlang_b_and_c_by_the_table(row: tuple[float, int, float, float, float, float]) -> None:
    load, servers, *expected = row
    found = (
        erlang_b(load, servers),
        erlang_c(load, servers),
        service_level_c(load, servers, 180.0, 20.0),
        speed_of_answer_c(load, servers, 180.0),
    )
    for got, wanted in zip(found, expected, strict=True):
        digits = 6 if wanted <= 1 else 4 if wanted < 100 else 3
        assert abs(got - wanted) <= 0.5000001 * 10**-digits


def test_erlang_a_gives_the_published_case() -> None:
    found = steady_state(Traffic(calls_per_hour=200, handling_s=180, patience_s=300), 14)
    assert found.waits == pytest.approx(0.14526, abs=5e-6)
    assert found.abandoned == pytest.approx(0.013984, abs=5e-7)
    assert found.occupancy == pytest.approx(0.704297, abs=5e-7)
    assert found.mean_wait_s / 60 == pytest.approx(0.069919, abs=5e-7)
    assert found.within(20) == pytest.approx(0.916792, abs=5e-7)


def test_the_published_simulations_of_montreal() -> None:
    calls = 4.2 * 60
    patient = steady_state(Traffic(calls_per_hour=calls, handling_s=120), 12)
    assert patient.within(20) == pytest.approx(0.902, abs=0.004)  # their days begin empty
    impatient = steady_state(Traffic(calls_per_hour=calls, handling_s=120, patience_s=60), 12)
    assert 8 * calls * impatient.abandoned == pytest.approx(58.6, abs=1.5)
    assert impatient.within(20) / impatient.answered == pytest.approx(0.975, abs=0.002)
    few = steady_state(Traffic(calls_per_hour=calls, handling_s=120, places=5), 12)
    assert 8 * calls * few.blocked == pytest.approx(18.66, abs=0.6)
    assert few.within(20) / few.answered == pytest.approx(0.929, abs=0.003)


def test_the_published_case_of_garnett_and_others() -> None:
    assert speed_of_answer_c(48, 50, 60) == pytest.approx(20.8, abs=0.05)
    found = steady_state(Traffic(calls_per_hour=2880, handling_s=60, patience_s=120), 50)
    assert found.abandoned == pytest.approx(0.031, abs=0.0005)
    assert found.mean_wait_s == pytest.approx(3.7, abs=0.05)
    assert found.occupancy == pytest.approx(0.93, abs=0.005)


def test_erlang_b_by_pyworkforces_own_case() -> None:
    assert erlang_b(10, 17) <= 0.02 < erlang_b(10, 16)
    assert erlang_b(10, 18) == pytest.approx(0.00714, abs=5e-6)


@pytest.mark.parametrize(
    ("load", "seats", "patience_s", "places"),
    [(3.8, 6, 120.0, None), (6.1, 6, 120.0, None), (2.0, 3, 45.0, 4), (0.9, 2, 600.0, None)],
)
def test_answered_in_time_is_what_the_process_itself_says(
    load: float, seats: int, patience_s: float, places: int | None
) -> None:
    """A caller with k ahead, followed step by step: served, moved up, or out of patience (no beta functions)."""
    handling, within = 300.0, 40.0
    traffic = Traffic(
        calls_per_hour=load * 3600 / handling, handling_s=handling, patience_s=patience_s, places=places
    )
    found = steady_state(traffic, seats)
    served, leaving = seats / handling, 1.0 / patience_s
    most = (places or 80) - 1

    def rates(_: float, shares: Any) -> list[float]:
        flows = []
        for ahead in range(most + 1):
            away = served + (ahead + 1) * leaving
            gain = (served + (ahead + 1) * leaving) * shares[ahead + 1] if ahead < most else 0.0
            flows.append(-away * shares[ahead] + gain)
        flows.append(served * shares[0])
        return flows

    begin = [*found.queueing[: most + 1]]
    begin += [0.0] * (most + 1 - len(begin))
    ended = solve_ivp(rates, (0.0, within), [*begin, 0.0], rtol=1e-10, atol=1e-14)
    expected = 1.0 - found.waits - found.blocked + ended.y[-1][-1]
    assert found.within(within) == pytest.approx(expected, abs=1e-8)


@given(load=st.floats(0.01, 60), seats=st.integers(0, 70), patience=st.floats(5, 2000), t=st.floats(0, 600))
def test_erlang_a_stays_a_probability_and_balances(
    load: float, seats: int, patience: float, t: float
) -> None:
    found = steady_state(Traffic(calls_per_hour=load * 10, handling_s=360, patience_s=patience), seats)
    assert 0.0 <= found.answered <= 1.0 + 1e-12
    assert 0.0 <= found.within(t) <= found.answered + 1e-9
    # Little's law: who waits on average, by their number and by their time.
    waiting = sum(number * share for number, share in enumerate(found.queueing))
    assert waiting == pytest.approx(load * 10 / 3600 * found.mean_wait_s, rel=1e-9, abs=1e-12)
    assert found.occupancy <= 1.0 + 1e-12


def test_with_endless_patience_it_is_erlang_c() -> None:
    for load, seats in ((3.2, 5), (10.0, 14), (0.4, 1)):
        traffic = Traffic(calls_per_hour=load * 12, handling_s=300)
        found = steady_state(traffic, seats)
        assert found.waits == pytest.approx(erlang_c(load, seats), abs=1e-12)
        assert found.within(25) == pytest.approx(service_level_c(load, seats, 300, 25), abs=1e-12)
    with pytest.raises(ValueError, match="for ever"):
        steady_state(Traffic(calls_per_hour=60, handling_s=300), 5)


def test_what_cannot_be_is_refused() -> None:
    for bad in (
        {"calls_per_hour": -1, "handling_s": 60},
        {"calls_per_hour": 1, "handling_s": 0},
        {"calls_per_hour": 1, "handling_s": 60, "places": -1},
    ):
        with pytest.raises(ValueError, match="must"):
            Traffic(**bad)
    with pytest.raises(ValueError, match="negative"):
        erlang_b(-1.0, 3)
    assert erlang_c(0.0, 0) == 1.0
    assert service_level_c(5.0, 5, 60, 20) == 0.0
    assert speed_of_answer_c(5.0, 5, 60) == math.inf
