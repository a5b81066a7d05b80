"""What is quoted must arrive as one argument, whatever it holds; what cannot arrive is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.agi.errors import AgiBadValue
from telephony.agi.quoting import MAX_BYTES, command_line, quote

pytestmark = pytest.mark.unit

CARRIED = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=200)


def as_asterisk_splits(line: str) -> list[str]:
    """Arguments as res_agi.c takes a command apart."""
    arguments: list[str] = []
    quoted = escaped = False
    between = True
    for sign in line:
        if sign == '"' and not escaped:
            quoted = not quoted
            if quoted and between:
                arguments.append("")
                between = False
        elif sign in " \t" and not quoted and not escaped:
            between = True
        elif sign == "\\" and not escaped:
            escaped = True
        else:
            if between:
                arguments.append("")
                between = False
            arguments[-1] += sign
            escaped = False
    return arguments


@given(st.lists(CARRIED, max_size=5))
def test_every_argument_arrives_as_it_was(arguments: list[str]) -> None:
    line = command_line("SET VARIABLE", *arguments).decode()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert as_asterisk_splits(line[:-1]) == ["SET", "VARIABLE", *arguments]


@given(CARRIED, st.sampled_from("\r\n\0"), CARRIED)
def test_line_breaks_are_refused(before: str, sign: str, after: str) -> None:
    with pytest.raises(AgiBadValue):
        quote(before + sign + after)


def test_a_line_longer_than_asterisks_buffer_is_refused() -> None:
    assert len(command_line("NOOP", "x" * (MAX_BYTES - 8))) == MAX_BYTES
    with pytest.raises(AgiBadValue):
        command_line("NOOP", "x" * (MAX_BYTES - 7))
    with pytest.raises(AgiBadValue):
        command_line("NOOP", "市" * (MAX_BYTES // 3))


def test_half_a_character_is_refused() -> None:
    with pytest.raises(AgiBadValue):
        command_line("NOOP", "\ud800")
