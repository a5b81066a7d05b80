"""Replies out of lines, as Asterisk 22.10.1 writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.agi.replies import MAX_LINES, Reply, ReplyReader

pytestmark = pytest.mark.unit


def read(*lines: str) -> list[Reply]:
    reader = ReplyReader()
    return [reply for line in lines if (reply := reader.feed(f"{line}\n".encode())) is not None]


@pytest.mark.parametrize(
    ("line", "result", "value", "endpos"),
    [
        ("200 result=0", "0", None, None),
        ("200 result=49 endpos=8000", "49", None, 8000),
        ("200 result=1 (a (b) c)", "1", "a (b) c", None),
        ("200 result=1 ()", "1", "", None),
        ("200 result= (timeout)", "", "timeout", None),
        ("200 result=12 (timeout)", "12", "timeout", None),
        ("200 result=-1 endpos=0", "-1", None, 0),
    ],
)
def test_single_lines(line: str, result: str, value: str | None, endpos: int | None) -> None:
    (reply,) = read(line)
    assert (reply.code, reply.result, reply.value, reply.endpos) == (200, result, value, endpos)


@pytest.mark.parametrize(("line", "failed"), [("200 result=-1", True), ("200 result=0 (hangup)", True),
                                             ("200 result=1 (-1)", False)])  # fmt: skip
def test_failure(line: str, failed: bool) -> None:
    assert read(line)[0].failed is failed


def test_what_is_no_reply() -> None:
    reader = ReplyReader()
    for line in (b"HANGUP\n", b"100 Trying...\n", b"\n", b"nonsense\n", b"20 result=1\n"):
        assert reader.feed(line) is None
    assert reader.hung_up


def test_usage_is_one_reply() -> None:
    replies = read("520-Invalid", "HANGUP is a word here", "520 End of proper usage.", "200 result=0")
    assert [reply.code for reply in replies] == [520, 200]


def test_an_endless_reply_is_cut() -> None:
    replies = read(*["520-Invalid"] * MAX_LINES)
    assert [reply.code for reply in replies] == [520]


@given(st.lists(st.binary(max_size=50), max_size=30))
def test_no_bytes_raise_and_a_reply_after_them_is_found(lines: list[bytes]) -> None:
    reader = ReplyReader()
    for line in lines:
        reader.feed(line)
    for _ in range(MAX_LINES):
        reader.feed(b"520 )\n")
    reply = reader.feed(b"200 result=7\n")
    assert reply is not None
    assert reply.result == "7"
