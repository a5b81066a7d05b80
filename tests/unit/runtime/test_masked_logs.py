"""A caller's number never stands in a log line, however it gets there."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.logs import set_up_logging

pytestmark = pytest.mark.unit

NUMBER = "09012345678"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setenv("TORITSUGI_LOG", "debug")
    monkeypatch.setattr("sys.stderr", stream)
    set_up_logging()
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def test_a_number_in_the_message_is_masked(lines: io.StringIO) -> None:
    logging.getLogger("test").warning("call from %s to %s", NUMBER, "+81-598-53-1234")
    said = lines.getvalue()
    assert NUMBER not in said
    assert "090****5678" in said
    assert "53-1234" not in said


def test_a_number_in_a_traceback_is_masked(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"no such caller: {NUMBER}")
    except ValueError:
        logging.getLogger("test").exception("lookup of %s failed", NUMBER)
    record = json.loads(lines.getvalue())
    assert NUMBER not in lines.getvalue()
    assert "ValueError" in record["exception"]


def test_no_statement_is_logged_with_its_values(lines: io.StringIO) -> None:
    """At `TORITSUGI_LOG=debug` the database driver told the operators' telephone passwords."""
    for name in ("aiosqlite", "asyncpg", "sqlalchemy.engine.Engine"):
        logging.getLogger(name).debug("executing %s", ("INSERT INTO operator", ("101", "a-password")))
        logging.getLogger(name).info("%s", ("101", "a-password"))
    assert lines.getvalue() == ""


def test_a_line_is_one_json_object_and_keeps_what_is_no_number(lines: io.StringIO) -> None:
    logging.getLogger("test").warning("改行\nのある文 n1-1790000000.12")
    record = json.loads(lines.getvalue())
    assert record["event"] == "改行\nのある文 n1-1790000000.12"
    assert (record["level"], record["logger"]) == ("warning", "test")
    assert lines.getvalue().count("\n") == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.from_regex(r"0[1-9][0-9]{8,9}", fullmatch=True),
    before=st.text(alphabet="あa =:/@<>\"'(,", max_size=5),
    after=st.text(alphabet="あa =:/@<>\"'),", max_size=5),
)
def test_no_number_in_any_surroundings(lines: io.StringIO, number: str, before: str, after: str) -> None:
    lines.truncate(0)
    lines.seek(0)
    logging.getLogger("test").error("%s%s%s", before, number, after)
    assert number not in lines.getvalue()
    assert lines.getvalue()
