"""The script by which a telephone switches the centre, as Asterisk starts it, with nothing else running."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agi_scripts import centre_switch
from core.emergency import read_emergency, read_notice, taken_journal
from core.settings import PROJECT_ROOT

pytestmark = pytest.mark.wire


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert centre_switch.__file__ is not None
    return subprocess.run(
        [sys.executable, centre_switch.__file__, *arguments],
        input="agi_network: no\nagi_channel: PJSIP/op301-1\n\n200 result=1\n",
        capture_output=True,
        text=True,
        timeout=20,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT), "TORITSUGI_HOME": str(home)},
    )


def test_closed_opened_and_told_again(tmp_path: Path) -> None:
    done = run(tmp_path, "close", "301")
    assert (done.returncode, "TORITSUGI_DONE" in done.stdout) == (0, True)
    closed = read_emergency(tmp_path)
    assert closed is not None
    assert (closed.message, closed.until, "301" in closed.reason) == ("emergency_closed", None, True)
    assert run(tmp_path, "notice", "301").returncode == 0
    told = read_notice(tmp_path)
    assert told is not None
    assert told.message == "notice_emergency"
    for act in ("reopen", "notice_over", "reopen"):
        assert run(tmp_path, act, "301").returncode == 0
    assert (read_emergency(tmp_path), read_notice(tmp_path)) == (None, None)
    assert [(line.act, line.by) for line in taken_journal(tmp_path)] == [
        ("close", "301"), ("notice", "301"), ("reopen", "301"), ("notice_over", "301"), ("reopen", "301"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [(), ("close",), ("explode", "301"), ("close", "301; rm"), ("close", "")]
)
def test_what_cannot_be_done_is_not_said_to_be(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 1
    assert "TORITSUGI_DONE" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_leaves_the_centre_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    done = run(tmp_path / "home", "close", "301")
    assert (done.returncode, "TORITSUGI_DONE" in done.stdout) == (1, False)
