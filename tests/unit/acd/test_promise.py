"""What one caller is told never rises, is narrow, and is left out when it would be a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.promise import MOST_MINUTES, ROUNDING_S, SURE, WIDEST, Promise, promise

pytestmark = pytest.mark.unit

waits = st.lists(st.floats(0, 3000), max_size=80).map(sorted)


def spread(least_s: float, most_s: float) -> list[float]:
    return [least_s + (most_s - least_s) * place / 99 for place in range(100)]


def said(
    least_s: float, most_s: float, now: float = 0.0, before: Promise | None = None
) -> tuple[int, int] | None:
    told = promise(spread(least_s, most_s), now, before)
    return told.minutes if told is not None else None


def test_the_narrowest_range_that_holds_enough() -> None:
    assert said(5, 50) == (0, 1)
    assert said(65, 115) == (1, 2)
    assert said(130, 230) == (2, 4)
    assert said(20, 230) == (1, 4), "of equally narrow ones the one that holds most"
    assert said(0, 230) == (0, 3)
    assert said(610, 700) == (10, 12)


def test_no_range_rather_than_a_guess() -> None:
    assert promise([], 0.0, None) is None
    assert said(0, 900) is None, "too wide"
    assert said(60 * MOST_MINUTES, 60 * MOST_MINUTES + 60) is None, "too far"


@given(waits)
def test_a_range_holds_what_it_should(likely: list[float]) -> None:
    told = promise(likely, 50.0, None)
    if told is not None:
        least, most = told.minutes
        assert 0 <= least < most <= least + WIDEST
        assert most <= MOST_MINUTES
        assert sum(60 * least <= each <= 60 * most for each in likely) >= SURE * len(likely)
        assert (told.earliest, told.latest) == (50.0 + 60 * least, 50.0 + 60 * most)


@given(st.lists(st.tuples(waits, st.floats(0, 120)), min_size=2, max_size=15))
def test_nothing_told_to_one_caller_rises(moments: list[tuple[list[float], float]]) -> None:
    now = 0.0
    history: list[tuple[float, tuple[int, int]]] = []
    before: Promise | None = None
    for likely, passes_s in moments:
        now += passes_s
        told = promise(likely, now, before)
        if told is None:
            continue
        for at, (least, most) in history:
            assert told.minutes[0] <= least
            assert told.minutes[1] <= most
            # `within` has no beginning that could rise.
            assert told.minutes[0] == 0 or now + 60 * told.minutes[0] <= at + 60 * least + ROUNDING_S
            assert now + 60 * told.minutes[1] <= at + 60 * most + ROUNDING_S
        history.append((now, told.minutes))
        before = told


def test_what_was_told_falls_with_the_time() -> None:
    first = promise(spread(130, 230), 0.0, None)
    assert first is not None
    assert first.minutes == (2, 4)
    assert said(90, 170, 45.0, first) == (1, 3)
    assert said(20, 55, 130.0, first) == (0, 1)


def test_what_can_no_longer_be_kept_is_not_said_again() -> None:
    first = promise(spread(10, 50), 0.0, None)
    assert first is not None
    assert first.minutes == (0, 1)
    assert said(100, 170, 45.0, first) is None
    assert said(10, 50, 120.0, first) is None, "the moment has passed"
