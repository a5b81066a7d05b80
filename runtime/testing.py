"""`toritsugi test`: every check that a change must pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.settings import PROJECT_ROOT, settings_from
from runtime.testing_plugin import CHECKS_VARIABLE
from runtime.tools import bring_tools

STORIES = "tests/pbx/"
SIDE_BY_SIDE = ("--cache-clear", "-n", "5", "--dist", "loadfile", "--no-loadscope-reorder")
"""Five processes, on two cores too: a story mostly waits. A file's tests stay together, in the rings' order."""
STORIES_AGAIN = 5
"""More failed stories than this are no accident of timing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A program that judges the whole tree by its exit status."""

    name: str
    argv: tuple[str, ...]


def checks(root: Path = PROJECT_ROOT) -> tuple[Check, ...]:
    """The checks before pytest, in order: cheap ones first."""
    python = sys.executable
    packages = _packages(root)
    imports = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"
    return (
        Check(name="ruff", argv=(python, "-m", "ruff", "check", ".")),
        Check(name="format", argv=(python, "-m", "ruff", "format", "--check", ".")),
        Check(name="imports", argv=(python, "-c", imports)),
        Check(name="mypy", argv=(python, "-m", "mypy", *packages)),
    )


def _packages(root: Path) -> tuple[str, ...]:
    """Our packages: those that the import rules name."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return tuple(settings["tool"]["importlinter"]["root_packages"])


def run_tests(arguments: Sequence[str]) -> int:
    """Bring what the tests need, then check and test; returns the exit status.

    Args:
        arguments: for pytest, relative to the repository; with any, only pytest runs.

    Raises:
        ToritsugiError: something that the tests need cannot be brought.
    """
    tools = settings_from().tools
    bring_tools("test", tools)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "TORITSUGI_TOOLS": str(tools)}
    failed = [] if arguments else _run_checks(environment)
    said = f"FAILED: {', '.join(failed)}" if failed else ", ".join(c.name for c in checks()) + " passed"
    shown = {} if arguments else {CHECKS_VARIABLE: said}
    tests = _run([sys.executable, "-m", "pytest", *(arguments or SIDE_BY_SIDE)], {**environment, **shown})
    if tests == 1 and not arguments and (stories := _failed_stories()):
        # Real telephones on a busy machine: a story is told once more, alone, and both outcomes stand above.
        print(f"told again: {', '.join(stories)}", flush=True)
        tests = _run([sys.executable, "-m", "pytest", *stories], {**environment, **shown})
    return tests or (1 if failed else 0)


def _failed_stories(root: Path = PROJECT_ROOT) -> list[str]:
    """What failed in the run before, if nothing but stories on real Asterisk did, and few of them."""
    try:
        failed = json.loads((root / ".pytest_cache" / "v" / "cache" / "lastfailed").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    names = sorted(failed)
    return names if len(names) <= STORIES_AGAIN and all(name.startswith(STORIES) for name in names) else []


def _run_checks(environment: dict[str, str]) -> list[str]:
    """Names of the checks that failed."""
    failed: list[str] = []
    for check in checks():
        began = time.monotonic()
        status = _run(check.argv, environment)
        took = time.monotonic() - began
        print(f"[{check.name}] {'FAILED' if status else 'passed'} ({took:.0f} s)", flush=True)
        if status:
            failed.append(check.name)
    return failed


def _run(argv: Sequence[str], environment: dict[str, str]) -> int:
    return subprocess.run(argv, cwd=PROJECT_ROOT, env=environment, check=False).returncode
