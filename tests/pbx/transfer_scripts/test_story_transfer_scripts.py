"""Handing over in any order: a few of the random scripts of `accept transfers`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks._transfers import run_scripts

pytestmark = pytest.mark.pbx


async def test_random_scripts(tmp_path: Path) -> None:
    figures = await run_scripts(tmp_path, scripts=6, seed=0, side_by_side=1)
    assert figures["faults"] == []
    assert len(figures["moves"]) >= 4
