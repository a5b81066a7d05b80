"""What a waiting caller is told never rises, and is left out rather than guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.waiting import MOST_MINUTES, expected_minutes

pytestmark = pytest.mark.unit

times = st.lists(st.floats(min_value=1, max_value=3600), min_size=3, max_size=30)


@pytest.mark.parametrize(
    ("position", "handling", "serving"),
    [(1, [60.0, 60.0], 3), (1, [], 3), (1, [60.0] * 5, 0), (0, [60.0] * 5, 3), (40, [600.0] * 5, 2)],
)
def test_no_figure_rather_than_a_guess(position: int, handling: list[float], serving: int) -> None:
    assert expected_minutes(position=position, handling_s=handling, serving=serving, said_before=None) is None


def test_a_steady_line_of_work() -> None:
    said = expected_minutes(position=4, handling_s=[300.0] * 10, serving=2, said_before=None)
    assert said == (10, 10)


@given(times, st.integers(1, 30), st.integers(1, 20))
def test_a_range_is_a_range(handling: list[float], position: int, serving: int) -> None:
    said = expected_minutes(position=position, handling_s=handling, serving=serving, said_before=None)
    if said is not None:
        assert 1 <= said[0] <= said[1] <= MOST_MINUTES


@given(st.lists(st.tuples(times, st.integers(1, 30), st.integers(0, 20)), min_size=1, max_size=12))
def test_what_one_caller_hears_never_rises(moments: list[tuple[list[float], int, int]]) -> None:
    said: tuple[int, int] | None = None
    for handling, position, serving in moments:
        now = expected_minutes(position=position, handling_s=handling, serving=serving, said_before=said)
        if now is not None:
            assert 1 <= now[0] <= now[1]
            if said is not None:
                assert now[0] <= said[0]
                assert now[1] <= said[1]
            said = now
