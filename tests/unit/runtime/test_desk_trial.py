"""How the trial of the screens judges what it saw."""

from __future__ import annotations

import pytest

from benchmarks._desk import Size
from benchmarks._desk_delays import SETTLE_S, Due, Shown, match, spread

pytestmark = pytest.mark.unit


def test_each_change_is_timed_from_its_event_and_what_was_overtaken_is_told_apart() -> None:
    due = [
        Due("201", "休憩", 10.0), Due("201", "受付可", 10.1), Due("202", "休憩", 20.0), Due("203", "休憩", 30.0),
        Due("203", "受付可", 31.0), Due("204", "応対中", 40.0),
        Due("205", "受付可", 50.0), Due("205", "休憩", 60.0), Due("205", "受付可", 60.4),
    ]  # fmt: skip
    shown = [
        Shown("201", "受付可", 10.2), Shown("202", "休憩", 19.5), Shown("202", "休憩", 20.3),
        Shown("203", "受付可", 31.05), Shown("205", "受付可", 50.1),
    ]  # fmt: skip
    found = match(due, shown, bursts=[19.0])
    assert [round(value) for value in found.steady] == [200, 100, 1050, 50, 100, 400], (
        "until something as new was shown"
    )
    assert [round(value) for value in found.burst] == [300], "what was shown before the event does not count"
    assert (found.overtaken, found.never) == (4, [Due("204", "応対中", 40.0)])


def test_much_later_and_in_somebody_elses_row_is_never() -> None:
    lost = Due("201", "応対中", 10.0)
    assert match([lost], [Shown("202", "応対中", 10.1)], []).never == [lost]
    assert match([lost], [Shown("201", "応対中", 10.0 + SETTLE_S + 0.1)], []).never == [lost]


def test_a_spread_of_nothing_is_none() -> None:
    assert spread([]) == {"changes": 0}
    assert spread([float(n) for n in range(1, 101)]) == {
        "changes": 100, "p50_ms": 51, "p95_ms": 96, "most_ms": 100,
    }  # fmt: skip


@pytest.mark.parametrize(("mb", "flat"), [([100.0] * 8, True), ([100.0, 150.0, 150.0, 151.0], True),
                                          ([100.0 + 5 * n for n in range(20)], False)])  # fmt: skip
def test_memory_that_goes_on_growing_is_not_flat(mb: list[float], flat: bool) -> None:
    assert Size(1, mb=mb).flat is flat
