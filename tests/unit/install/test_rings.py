"""Every test module declares its ring, and what each ring did is shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT
from runtime.testing_plugin import outcome_of, ring_line

pytestmark = pytest.mark.unit


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  unit: u\n  wire: w\n")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "runtime.testing_plugin",
            "-p",
            "no:cacheprovider",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_module_without_a_ring_stops_the_run_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_astray.py").write_text("def test_one(): pass\n")
    (tmp_path / "test_two.py").write_text(
        "import pytest\npytestmark = [pytest.mark.unit, pytest.mark.wire]\ndef test_one(): pass\n"
    )

    done = run(tmp_path)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "test_astray.py" in done.stderr
    assert "test_two.py" in done.stderr


def test_each_ring_is_counted_and_the_closing_line_stays_last(tmp_path: Path) -> None:
    (tmp_path / "test_all.py").write_text(
        "import pytest\npytestmark = pytest.mark.unit\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "@pytest.mark.skip(reason='x')\ndef test_skipped(): pass\n"
        "@pytest.fixture\ndef broken(): raise OSError\n"
        "def test_error(broken): pass\n"
    )

    done = run(tmp_path)
    lines = done.stdout.splitlines()

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "unit          4 tests:     1 passed,     1 failed,     1 error,     1 skipped" in lines
    assert "1 failed, 1 passed, 1 skipped, 1 error" in lines[-1]


@pytest.mark.parametrize(
    ("when", "outcome", "counted"),
    [
        ("setup", "passed", None),
        ("setup", "failed", "error"),
        ("setup", "skipped", "skipped"),
        ("call", "passed", "passed"),
        ("call", "failed", "failed"),
        ("call", "skipped", "skipped"),
        ("teardown", "passed", None),
        ("teardown", "failed", "error"),
    ],
)
def test_what_a_phase_adds(when: str, outcome: str, counted: str | None) -> None:
    assert outcome_of(when, outcome) == counted


def test_errors_show_only_when_there_are_any() -> None:
    assert (
        ring_line("pbx", Counter(passed=3))
        == "pbx           3 tests:     3 passed,     0 failed,     0 skipped"
    )
