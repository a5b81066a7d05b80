"""Every story of handing over: the whole product of moves, of what the three may do, and of both sides of the trunk."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks._stories import make_importable
from core.settings import PROJECT_ROOT, settings_from

make_importable()
from handover import EVERY_CASE

STORIES = "tests/pbx/transfers"
SIDE_BY_SIDE = 3


async def run_cases(folder: Path) -> dict[str, Any]:
    """Tell them; how many there are, how many a file, and those that failed."""
    results = folder / "stories.xml"
    stories = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", STORIES, "-n", str(SIDE_BY_SIDE), "--dist", "loadfile", "-q"),
        *("--junitxml", str(results), "-p", "no:cacheprovider"),
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT_ROOT),
            "TORITSUGI_TOOLS": str(settings_from().tools),
            EVERY_CASE: "1",
        },
    )
    status = await stories.wait()
    told: dict[str, int] = {}
    faults = [] if status in (0, 1) else [f"pytest ended with {status}"]
    for case in ElementTree.parse(results).iter("testcase"):
        file = case.get("classname", "").rpartition(".")[2]
        told[file] = told.get(file, 0) + 1
        faults += [
            f"{file}::{case.get('name')}: {child.get('message', '')[:300]}"
            for child in case
            if child.tag in ("failure", "error", "skipped")
        ]
    return {"stories": sum(told.values()), "files": dict(sorted(told.items())), "faults": faults}
