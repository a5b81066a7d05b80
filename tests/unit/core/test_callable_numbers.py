"""Which numbers may be called back: a person's Japanese telephone, and nothing that costs or alarms."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_conf.dialplan_text import matches
from asterisk_conf.lint_way_out import WAY_OUT_PATTERNS, WAY_OUT_REFUSALS
from core.phone import callable_number, number_groups

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("09012345678", ("090", "1234", "5678")),
        ("090-1234-5678", ("090", "1234", "5678")),
        ("０８０１２３４５６７８", ("080", "1234", "5678")),
        ("+819012345678", ("090", "1234", "5678")),
        ("05012345678", ("050", "1234", "5678")),
        ("06012345678", ("060", "1234", "5678")),
        ("0598531234", ("0598", "53", "1234")),
        ("0312345678", ("03", "1234", "5678")),
    ],
)
def test_telephones_of_people(text: str, groups: tuple[str, ...]) -> None:
    number = callable_number(text)
    assert number == "".join(groups)
    assert number_groups(number) == groups


@pytest.mark.parametrize(
    "text",
    [
        None, "", "110", "118", "119", "171", "1234", "0120123456", "08001234567", "0570123456", "0990123456",
        "0180123456", "02012345678", "0101555123456", "010155512345", "+14155552671", "+8190123", "09012345",
        "0901234567", "090123456789", "00531234567890", "1840901234567", "anonymous", "0598531234;ext=1",
        "PJSIP/0598531234",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str | None) -> None:
    if text in ("0598531234;ext=1", "PJSIP/0598531234"):
        # Only digits are left of it; what is dialled is what was checked.
        assert callable_number(text) in (None, "0598531234")
    else:
        assert callable_number(text) is None


@given(st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True))
def test_whatever_may_be_called_finds_its_line_in_the_dialplan(text: str) -> None:
    number = callable_number(text)
    if number is not None:
        assert re.fullmatch(r"0[0-9]{9,10}", number)
        assert any(matches(pattern, number) for pattern in WAY_OUT_PATTERNS)
        assert not any(matches(pattern, number) for pattern in WAY_OUT_REFUSALS)
        assert callable_number(number) == number
