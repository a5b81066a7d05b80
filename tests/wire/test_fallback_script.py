"""The fallback script as Asterisk starts it: a process of its own, spoken to over its pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import pytest

from agi_scripts import fallback
from core.emergency import write_emergency
from core.hours import Emergency
from core.settings import PROJECT_ROOT, settings_from
from services.city import load_city

pytestmark = pytest.mark.wire

OPEN = "2026-11-24T10:00:00+09:00|1764000000.0|0"
NIGHT = "2026-11-24T23:00:00+09:00|1764000000.0|0"
HEADER = "agi_network: no\nagi_channel: PJSIP/trunk-1\nagi_arg_1: c-n1-1.1\n\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    settings = settings_from({"TORITSUGI_HOME": str(tmp_path)})
    plan = load_city("matsusaka").compiled_plan(date(2026, 11, 24))
    fallback.plan_file(settings).write_text(plan, encoding="utf-8")
    return tmp_path


@contextmanager
def started(home: Path, clock: str) -> Iterator[subprocess.Popen[str]]:
    assert fallback.__file__ is not None
    process = subprocess.Popen(
        [sys.executable, fallback.__file__, "c-n1-1.1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            "PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT), "TORITSUGI_HOME": str(home),
            "TORITSUGI_CITY": "matsusaka", "TORITSUGI_CLOCK": clock,
        },
    )  # fmt: skip
    try:
        assert process.stdin is not None
        process.stdin.write(HEADER)
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def led(
    home: Path, clock: str, digits: str = "", hang_up_after: int | None = None
) -> tuple[list[str], int, str]:
    """Play Asterisk: every sound is heard, `digits` are pressed when waited for; commands, exit code, stderr."""
    commands: list[str] = []
    keys = list(digits)
    with started(home, clock) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            commands.append(line.rstrip("\n"))
            if len(commands) == hang_up_after:
                process.stdin.close()
                break
            verb = line.split(' "')[0]
            if verb == "GET DATA":
                reply = f"200 result={keys.pop(0)}" if keys else "200 result= (timeout)"
            else:
                reply = "200 result=0 endpos=800" if verb == "STREAM FILE" else "200 result=0"
            process.stdin.write(f"{reply}\n")
            process.stdin.flush()
        return commands, process.wait(timeout=30), process.stderr.read()


def variables(commands: list[str]) -> dict[str, str]:
    words = [command.split('"')[1::2] for command in commands if command.startswith("SET VARIABLE")]
    return dict(words)


def test_a_silent_caller_reaches_a_queue_and_done_is_last(home: Path) -> None:
    commands, code, errors = led(home, OPEN)
    found = variables(commands)
    assert (code, errors) == (0, "")
    assert found["TORITSUGI_NEXT"] == "queue"
    assert found["TORITSUGI_QUEUE"] == f"{found['TORITSUGI_LINE']}-ja"
    assert commands[-1] == 'SET VARIABLE "TORITSUGI_DONE" "ivr"'
    assert any("TS_STEP" in command and "silence" in command for command in commands)


def test_prompts_are_files_of_the_city(home: Path) -> None:
    commands, _, _ = led(home, OPEN)
    sounds = [command.split('"')[1] for command in commands if command.startswith("STREAM FILE")]
    assert sounds[0] == f"{home}/sounds/ja/matsusaka/greeting"
    assert all(sound.startswith(f"{home}/sounds/") for sound in sounds)


def test_a_key_is_recorded(home: Path) -> None:
    commands, _, _ = led(home, OPEN, digits="11")
    assert any("TS_STEP" in command and "key=1" in command for command in commands)


def test_at_night_the_closure_is_told_and_the_call_ends(home: Path) -> None:
    commands, code, errors = led(home, NIGHT)
    assert (code, errors) == (0, "")
    assert variables(commands)["TORITSUGI_NEXT"] == "hangup"
    assert any("TS_CLOSED,reason=after_hours" in command for command in commands)


def test_an_emergency_is_obeyed(home: Path) -> None:
    write_emergency(home, Emergency(message="emergency_closed", until=None, reason="台風"))
    commands, _, _ = led(home, OPEN)
    assert any("TS_CLOSED,reason=emergency" in command for command in commands)
    assert any("emergency_closed" in command for command in commands if command.startswith("STREAM"))


def test_without_a_plan_the_dialplan_goes_on(tmp_path: Path) -> None:
    commands, code, errors = led(tmp_path, OPEN)
    assert (commands, code) == ([], 1)
    assert "ivr-plan.json" in errors


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_caller_who_hangs_up_ends_the_process_quietly(home: Path, after: int) -> None:
    commands, code, errors = led(home, OPEN, hang_up_after=after)
    assert (len(commands), code, errors) == (after, 0, "")


def test_sighup_ends_the_process_at_the_next_command(home: Path) -> None:
    with started(home, OPEN) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.stdin.write("200 result=-1 endpos=100\n")
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(timeout=30) == 0
