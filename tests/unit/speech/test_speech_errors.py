"""How errors are counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.kana import Errors, character_errors, distance, kana_errors, total, word_errors

pytestmark = pytest.mark.unit

short = st.text("アイウ", max_size=8)


@pytest.mark.parametrize(
    ("one", "two", "edits"), [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
)
def test_known_distances(one: str, two: str, edits: int) -> None:
    assert distance(one, two) == edits


@given(short, short, short)
def test_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)


def test_kana_forgive_what_characters_do_not() -> None:
    assert character_errors("午前十時", "午前10時").edits == 2
    assert kana_errors("午前十時", "午前10時。") == Errors(0, 7)
    assert kana_errors("委任状", "移民状") == Errors(1, 6), "イニン against イミン"


def test_words_forgive_case_and_signs() -> None:
    assert word_errors("We open today.", "we open to day") == Errors(2, 3)


def test_rates_and_sums() -> None:
    assert total([Errors(1, 10), Errors(2, 20)]) == Errors(3, 30)
    assert Errors(3, 30).rate == pytest.approx(0.1)
    assert (Errors(0, 0).rate, Errors(1, 0).rate) == (0.0, 1.0)
