"""pytest hooks of ours: every test module declares its ring, and the rings are counted at the end."""

from __future__ import annotations

import os
from collections import Counter

import pytest

RINGS = ("unit", "contract", "replay", "wire", "golden", "desk", "pbx", "docs")
"""From the fastest to the slowest; design §11."""
CHECKS_VARIABLE = "TORITSUGI_TEST_CHECKS"
"""Set by `toritsugi test`: what the checks before pytest said, to be shown beside the rings."""
_SLOWEST = "pbx"
_ORDER = (*(ring for ring in RINGS if ring != _SLOWEST), _SLOWEST)
_OUTCOMES = ("passed", "failed", "error", "skipped")
_RING = "ring"
_counts: dict[str, Counter[str]] = {}


def ring_of(item: pytest.Item) -> str | None:
    """The ring of a test; None when it declares none or several."""
    names = {mark.name for mark in item.iter_markers() if mark.name in RINGS}
    return names.pop() if len(names) == 1 else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse the run when a module forgot its ring; the rest in the rings' order.

    Real Asterisk comes last: what works a processor hard must not run beside stories that keep time.
    """
    astray: set[str] = set()
    for item in items:
        ring = ring_of(item)
        if ring is None:
            astray.add(_file(item))
        else:
            # In the report, which also comes from a worker process.
            item.user_properties.append((_RING, ring))
    if astray:
        listed = "\n  ".join(sorted(astray))
        raise pytest.UsageError(
            f"these test modules need `pytestmark = pytest.mark.<ring>`, "
            f"one of {', '.join(RINGS)}:\n  {listed}"
        )
    sizes = Counter(_file(item) for item in items)
    items.sort(key=lambda item: _place(item, sizes))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _place(item: pytest.Item, sizes: Counter[str]) -> tuple[int, int]:
    ring = str(dict(item.user_properties)[_RING])
    # A file's stories stay in one process: the longest files first, or the others wait for them at the end.
    return _ORDER.index(ring), -sizes[_file(item)] if ring == _SLOWEST else 0


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count each test once: by its call, or by the set-up or tear-down that spoiled it."""
    outcome = outcome_of(report.when, report.outcome)
    if outcome is not None:
        ring = str(dict(report.user_properties).get(_RING, "?"))
        _counts.setdefault(ring, Counter())[outcome] += 1


def outcome_of(when: str | None, outcome: str) -> str | None:
    """What one phase of a test adds to the count; None when it adds nothing."""
    if when == "call":
        return outcome
    if outcome == "failed":
        return "error"
    return outcome if outcome == "skipped" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rings; pytest's own closing line comes after."""
    if not _counts:
        return
    terminalreporter.section("rings")
    for ring in (*RINGS, "?"):
        if ring in _counts:
            terminalreporter.write_line(ring_line(ring, _counts[ring]))
    if checks := os.environ.get(CHECKS_VARIABLE):
        terminalreporter.write_line(f"checks    {checks}")


def ring_line(ring: str, counts: Counter[str]) -> str:
    """One line of the table: every ring shows what passed, failed and was skipped; errors when there are any."""
    shown = [f"{counts[name]:5d} {name}" for name in _OUTCOMES if counts[name] or name != "error"]
    return f"{ring:9s} {sum(counts.values()):5d} tests: {', '.join(shown)}"
