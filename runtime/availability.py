"""The record of what answered each minute: a file of lines a month under `availability/` of the home.

It must not need the database, whose failure is one of the things that it tells of.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from core.clock import TOKYO
from core.settings import Settings
from reports.availability import Measured

_FILE = re.compile(r"(\d{4})-(\d{2})\.jsonl")


def folder_of(settings: Settings) -> Path:
    """Where the months lie."""
    return settings.home / "availability"


def file_of(settings: Settings, at: float) -> Path:
    """The month's file of a moment, in Japan's time."""
    return folder_of(settings) / f"{datetime.fromtimestamp(at, TOKYO):%Y-%m}.jsonl"


def write_minute(settings: Settings, measured: Measured) -> None:
    """One line more. Raises OSError."""
    path = file_of(settings, measured.at)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = json.dumps({"at": round(measured.at, 1), **measured.services}, ensure_ascii=False) + "\n"
    # One write of one line: a killed process leaves a whole line or at most an unreadable last one.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode("utf-8"))
    finally:
        os.close(handle)


def read_minutes(settings: Settings, since: float, until: float) -> Iterator[Measured]:
    """The lines of `[since, until)`, by time; a line that cannot be read is a minute that nobody measured."""
    for path in sorted(folder_of(settings).glob("*.jsonl")):
        named = _FILE.fullmatch(path.name)
        if named is None or not _touches(int(named[1]), int(named[2]), since, until):
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    row: dict[str, Any] = json.loads(line)
                    at = float(row.pop("at"))
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue
                if since <= at < until:
                    yield Measured(at=at, services={name: str(why) for name, why in row.items()})


def _touches(year: int, month: int, since: float, until: float) -> bool:
    begin = datetime(year, month, 1, tzinfo=TOKYO).timestamp()
    return begin < until and begin + 32 * 86_400.0 > since


def forget_months(settings: Settings, before: float, *, dry_run: bool = False) -> int:
    """Delete the files of months that ended before a moment; how many."""
    last = datetime.fromtimestamp(before, TOKYO).date()
    gone = 0
    for path in folder_of(settings).glob("*.jsonl"):
        named = _FILE.fullmatch(path.name)
        if named is not None and date(int(named[1]), int(named[2]), 1) < last.replace(day=1):
            gone += 1
            if not dry_run:
                path.unlink(missing_ok=True)
    return gone
