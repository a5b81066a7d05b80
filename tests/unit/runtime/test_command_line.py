"""The command as a person meets it: every command shows an example, every mistake is one plain line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from core.settings import PROJECT_ROOT
from runtime.cli import app

pytestmark = pytest.mark.unit


def paths(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    command = command or get_command(app)
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        if not command.hidden:
            yield path
        return
    for name, sub in subcommands.items():
        yield from paths(sub, (*path, name))


@pytest.mark.parametrize("path", list(paths()), ids=" ".join)
def test_every_command_shows_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    assert "例" in shown.output
    assert f"toritsugi {' '.join(path)}" in shown.output


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runtime", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, "TORITSUGI_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (("hours", "--at", "yesterday"), {}, ["--at", "→"]),
        (("hours", "--at", "9999-12-31T23:59"), {}, ["--at", "→"]),
        (("cases", "--date", "9999-12-31"), {}, ["--date", "→"]),
        (("hours", "--at", "2026-11-24T10:00", "--city", "nagoya"), {}, ["nagoya", "matsusaka"]),
        (("status",), {"TORITSUGI_SIP_PORT": "no"}, ["TORITSUGI_SIP_PORT"]),
        (("close", "--message", "none"), {}, ["--message"]),
        (("report", "weekly"), {}, ["daily"]),
        (("bench", "nothing"), {}, ["agi_latency"]),
        (("accept", "nothing"), {}, ["kill-engine"]),
    ],
)
def test_a_mistake_is_one_plain_line_on_stderr(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], words: list[str]
) -> None:
    done = run(tmp_path, *arguments, **variables)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("エラー: ")
    assert all(word in last for word in words)


def test_records_go_to_stdout_and_nothing_else(tmp_path: Path) -> None:
    done = run(tmp_path, "profile", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "matsusaka" in done.stdout.splitlines()


def test_a_reader_that_goes_away_is_no_crash(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "runtime", "profile", "show", "ube"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "TORITSUGI_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert "Traceback" not in said
