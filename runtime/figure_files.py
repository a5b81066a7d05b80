"""The calls behind a figure, to a file or to stdout."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import IO

from reports.call_list import csv_head, csv_line
from reports.opening import Opening
from reports.period import call_cells
from runtime.period_papers import Say, write_whole
from runtime.staffing import ready
from services.city_facts import named_facts
from services.figure_calls import FigureCalls


async def write_calls(city: str | None, opening: Opening, target: Path | None, say: Say) -> int:
    """`report calls`: CSV of every call that the figure counts, after taking in what is on disk; how many.

    Raises:
        ToritsugiError: there is no such count, or the file cannot be written.
    """
    instance = await ready(city, say)
    figures, number = FigureCalls(instance.database.reading, instance.clock, instance.profile), 0
    try:
        facts = await named_facts(instance.profile, opening.last, instance.database.reading)
        with tempfile.TemporaryFile() as made:
            made.write(csv_head(figures.title(opening), opening).encode())
            async for call in figures.behind(opening):
                made.write(csv_line(call_cells(call, facts, instance.clock.city_time_of)).encode())
                number += 1
            made.seek(0)
            if target is None:
                _copy(made, sys.stdout.buffer)
            else:
                write_whole(target, lambda file: _copy(made, file))
    finally:
        await instance.database.close()
    return number


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := source.read(1 << 16):
        target.write(piece)
    target.flush()
