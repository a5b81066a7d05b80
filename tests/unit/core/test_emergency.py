"""Closing by hand: written whole, read at every call, never misread."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from core.clock import TOKYO
from core.emergency import (
    FILE,
    JOURNAL,
    SwitchedByTelephone,
    clear_emergency,
    clear_notice,
    journal,
    journal_taken,
    read_emergency,
    read_notice,
    taken_journal,
    write_emergency,
    write_notice,
)
from core.hours import Emergency

pytestmark = pytest.mark.unit

UNTIL = datetime(2024, 11, 26, 13, tzinfo=TOKYO)


@pytest.mark.parametrize("until", [None, UNTIL])
def test_what_is_written_is_read(tmp_path: Path, until: datetime | None) -> None:
    emergency = Emergency(message="emergency_closed", until=until, reason="停電")
    write_emergency(tmp_path / "new", emergency)
    assert read_emergency(tmp_path / "new") == emergency
    assert clear_emergency(tmp_path / "new")
    assert read_emergency(tmp_path / "new") is None
    assert not clear_emergency(tmp_path / "new")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        json.dumps({"message": "m", "until": "soon", "reason": "r"}),
        json.dumps({"message": "m", "until": "2024-11-26T13:00:00", "reason": "r"}),
        json.dumps({"message": "m", "until": 5, "reason": "r"}),
    ],
)
def test_a_damaged_file_closes_nothing_and_is_reported(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert read_emergency(tmp_path) is None
    assert "emergency file ignored" in caplog.text


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Emergency(message="emergency_closed", until=None, reason="停電")
    write_emergency(tmp_path, first)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_emergency(tmp_path, Emergency(message="other", until=None, reason="r"))
    assert read_emergency(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_time_without_offset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no offset"):
        write_emergency(
            tmp_path,
            Emergency(message="m", until=datetime(2024, 11, 26), reason="r"),  # noqa: DTZ001 - the fault itself
        )


def test_a_message_for_every_caller_stands_beside_the_closure(tmp_path: Path) -> None:
    notice = Emergency(message="notice_emergency", until=None, reason="大雨")
    write_notice(tmp_path, notice)
    assert (read_notice(tmp_path), read_emergency(tmp_path)) == (notice, None)
    assert clear_notice(tmp_path)
    assert not clear_notice(tmp_path)


def test_the_journal_is_taken_once_and_loses_nothing(tmp_path: Path) -> None:
    one = SwitchedByTelephone(at=1.0, act="close", by="301")
    two = SwitchedByTelephone(at=2.0, act="reopen", by="301")
    assert taken_journal(tmp_path) == []
    journal(tmp_path, one)
    assert taken_journal(tmp_path) == [one]
    journal(tmp_path, two)  # while the first is being stored
    assert taken_journal(tmp_path) == [one], "not stored yet: it is given again"
    journal_taken(tmp_path)
    assert taken_journal(tmp_path) == [two]
    journal_taken(tmp_path)
    assert taken_journal(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == []


def test_half_a_line_of_the_journal_costs_itself_alone(tmp_path: Path) -> None:
    journal(tmp_path, SwitchedByTelephone(at=1.0, act="close", by="301"))
    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"at": 2.0, "a')
    assert [line.act for line in taken_journal(tmp_path)] == ["close"]
