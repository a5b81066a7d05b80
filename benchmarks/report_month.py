"""One city's monthly paper from a database of a million calls: how long, and how much memory.

The month has 30,000 calls (the largest specification expects 3,600). The reference is the same month in a database that
holds nothing else, and a month of a tenth of the calls: time of the processor and memory are told as ratios. Passes
when the million costs at most half as much again as the month alone, and ten times the calls a fifth more memory.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks._stories import make_importable
from core.settings import PROJECT_ROOT
from ledger.calls import Call
from ledger.fold import fold_calls
from runtime.staffing import days_of_month, open_times
from services.city import load_city
from storage.database import Database

make_importable()
from raw_lines import disk_of, month_of_visits

CITY, MONTH = "ageo", date(2026, 6, 1)
CALLS, WHOLE = 30_000, 1_000_000
COPY = (
    "INSERT INTO call (call_id, sip_call_id, arrived_at, ended_at, disposition, line, language, is_open, "
    "wrap_up_pending, wrapped_up_at, record) SELECT call_id || '-' || :number, sip_call_id, "
    "arrived_at - 2592000.0 * :number, ended_at, disposition, line, language, is_open, wrap_up_pending, "
    "wrapped_up_at, record FROM call WHERE arrived_at >= :since"
)
CHILD = (
    "import resource, sys, time; from runtime.cli import app; began = time.monotonic()\n"
    "try: app(sys.argv[1:], standalone_mode=False)\n"
    "finally: print('%.2f %.2f %d' % (time.monotonic() - began, time.process_time(), "
    "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss), file=sys.stderr)"
)


def month_calls(number: int) -> list[Call]:
    """So many calls of the month, through the fold in pieces."""
    profile = load_city(CITY)
    days = [day for day in days_of_month(MONTH) if open_times(profile.hours, day)]
    opens, closes = open_times(profile.hours, days[0])[0]
    lines = [line.id for line in profile.acd.lines]
    found: list[Call] = []
    for piece in range(max(1, number // 500)):
        visits = month_of_visits(days, opens, closes, min(number, 500), lines, piece)
        shifted = [replace(visit, number=visit.number + 1000 * piece) for visit in visits]
        found += fold_calls(disk_of(shifted).facts())
    return found


async def fill(home: Path, calls: list[Call], copies: int) -> None:
    """A database with these calls, and as many older copies of them."""
    database = Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}")
    await database.migrate()
    for start in range(0, len(calls), 1000):
        async with database.uow() as unit:
            await unit.calls.put(calls[start : start + 1000])
    since = min(call.arrived_at for call in calls)
    for number in range(1, copies + 1):
        async with database.engine.begin() as connection:
            await connection.execute(text(COPY), {"number": number, "since": since})
    await database.close()


def render(home: Path, format_: str) -> dict[str, Any]:
    """Time by the clock, time of the processor and memory of one paper, in a process of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TORITSUGI_")},
        "TORITSUGI_HOME": str(home),
        "TORITSUGI_TOOLS": os.environ.get("TORITSUGI_TOOLS", ""),
        "TORITSUGI_DATABASE_URL": f"sqlite+aiosqlite:///{home / 'toritsugi.db'}",
    }
    arguments = ["report", "monthly", "--city", CITY, "--month", f"{MONTH:%Y-%m}", "--format", format_]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments, "--out", str(home / f"paper.{format_}")],
        env={name: value for name, value in environment.items() if value},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, cpu, memory = done.stderr.strip().splitlines()[-1].split()
    return {"s": float(seconds), "cpu_s": float(cpu), "memory_mb": round(int(memory) / 1024)}


def run(_results: Path, quick: bool) -> dict[str, Any]:
    """Times and memory of the three databases."""
    number = 3_000 if quick else CALLS
    copies = (WHOLE // 10 if quick else WHOLE) // number - 1
    found: dict[str, Any] = {}
    calls = month_calls(number)
    for name, mine, older in (
        ("tenth", calls[::10], 0),
        ("month alone", calls, 0),
        ("million", calls, copies),
    ):
        with tempfile.TemporaryDirectory(prefix="report-month-") as folder:
            began = time.monotonic()
            asyncio.run(fill(Path(folder), mine, older))
            filled = time.monotonic() - began
            papers = {format_: render(Path(folder), format_) for format_ in ("xlsx", "html")}
            found[name] = {
                "calls": len(mine) * (older + 1),
                "month": len(mine),
                "fill_s": round(filled, 1),
                **papers,
            }
    time_ratio = found["million"]["xlsx"]["cpu_s"] / found["month alone"]["xlsx"]["cpu_s"]
    memory_ratio = found["million"]["xlsx"]["memory_mb"] / found["tenth"]["xlsx"]["memory_mb"]
    if time_ratio > 1.5 or memory_ratio > 1.2:
        raise RuntimeError(f"time x{time_ratio:.2f}, memory x{memory_ratio:.2f}: {found}")
    return {
        "databases": found,
        "time_ratio": round(time_ratio, 3),
        "memory_ratio": round(memory_ratio, 3),
    }
