"""Random histories, written as Asterisk's raw lines and counted twice: by the catalogue, and by a simple recount.

The recount is `tests/unit/reports/simple_recount.py`. A history has up to twelve callers who do one of fourteen things;
a difference comes with the smallest history that still shows it.
"""

from __future__ import annotations

import time
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from benchmarks._stories import make_importable

make_importable()
from raw_lines import Visit
from two_counts import assert_both_agree, histories


def run_recount(number: int, wanted: int) -> dict[str, Any]:
    """`wanted` histories of the seed `number`: how many were compared, with how many calls, and what differed."""
    compared = calls = 0

    @seed(number)
    @settings(max_examples=wanted, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(histories(), st.integers(0, 30), st.integers(1, 60), st.sampled_from((180, 300)))
    def both(visits: list[Visit], short: int, within: int, long: int) -> None:
        nonlocal compared, calls
        assert_both_agree(visits, short, within, long)
        compared, calls = compared + 1, calls + len(visits)

    began, faults = time.process_time(), []
    try:
        both()
    except AssertionError as problem:
        faults.append(str(problem)[:2000])
    return {
        "seed": number,
        "histories": compared,
        "calls": calls,
        "faults": faults,
        "processor_s": round(time.process_time() - began, 1),
    }
