"""A telephone number is found however it is written, in text and in raw bytes, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.traces import ERASED, count_raw, digits_of, number_pattern, numbers_in, without_number

pytestmark = pytest.mark.unit

NUMBER = "09012345678"
WRITTEN = (
    "09012345678", "090-1234-5678", "(090)1234-5678", "090 1234 5678", "０９０ー１２３４ー５６７８",
    "０９０（１２３４）５６７８", "+81 90-1234-5678", "+81(0)90-1234-5678", "819012345678", "０90・1234・5678",
    "090\u30001234\u20115678",
)  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_in_every_notation(written: str) -> None:
    text = f"番号は{written}、折り返し"
    assert number_pattern(NUMBER).search(text)
    assert ERASED in without_number(text, NUMBER)
    assert "5678" not in without_number(text, NUMBER)
    assert count_raw(NUMBER, text.encode()) == 1
    assert count_raw(NUMBER, json.dumps({"a": text}).encode()) == 1
    assert NUMBER in numbers_in(text)


@pytest.mark.parametrize(
    "text", ["109012345678", "090123456789", "0901234567", "1795228422.49", "", "090-1234-567x8"]
)
def test_nothing_inside_other_digits(text: str) -> None:
    assert without_number(text, NUMBER) == text


def test_raw_bytes_need_no_edge() -> None:
    """In a database's page the next column begins at once."""
    assert count_raw(NUMBER, b"\x0d\x0009012345678090123456789") == 2
    assert count_raw(NUMBER, b"\xff\xfe090-1234\x00-5678") == 0
    data = b"x" * 100 + NUMBER.encode() + b"y" * 10
    assert count_raw(NUMBER, data, since=111) == 0
    assert count_raw(NUMBER, data, since=110) == 1


def test_short_numbers_are_nobodys() -> None:
    assert digits_of("119") == ""
    assert without_number("119 へ", "119") == "119 へ"
    with pytest.raises(ValueError, match="too short"):
        number_pattern("119")


SIGNS = st.text(alphabet=" -()（）ー－・\u3000", max_size=2)


NUMBERS = st.from_regex(r"0[1-9][0-9]{8,9}", fullmatch=True)


@given(NUMBERS, st.lists(SIGNS, min_size=11, max_size=11), st.binary(max_size=40))
def test_what_text_finds_bytes_find_too(number: str, between: list[str], noise: bytes) -> None:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for form in (number, number.translate(wide)):
        text = "".join(f"{digit}{sign}" for digit, sign in zip(form, between, strict=False))
        assert number_pattern(number).search(text)
        assert count_raw(number, noise + text.encode() + noise) >= 1
