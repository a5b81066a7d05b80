"""Closing by hand: written whole, read at every call, never misread."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from core.clock import TOKYO
from core.emergency import FILE, clear_emergency, read_emergency, write_emergency
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
