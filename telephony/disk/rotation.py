"""Rotated logs: how they are made, and which of them have served."""

from __future__ import annotations

import json
from pathlib import Path

from telephony.disk.tail import MAX_LINE, Position, heads_of, siblings


def rename_live(path: Path, label: str) -> Path | None:
    """Rename a live log to `<name>.<label>`, for a writer that opens the file for each record.

    Returns:
        the new path; None when there was nothing to rename.
    """
    try:
        if path.stat().st_size == 0:
            return None
    except FileNotFoundError:
        return None
    target, number = path.with_name(f"{path.name}.{label}"), 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.{label}-{number}")
    path.rename(target)
    return target


def rotated(path: Path) -> list[Path]:
    """The rotated files of the log `path`, oldest first."""
    return [Path(name) for live, _, name, _ in siblings(path) if not live]


def drained(path: Path, position: Position | None) -> list[Path]:
    """The rotated files of a followed log in which nothing is left to read, oldest first.

    Args:
        path: the live file.
        position: how far its lines are stored. A position in no file that is there drains none: something was
            lost, and a person should see it.
    """
    if position is None:
        return []
    files = siblings(path)
    here = next(
        (number for number, (_, _, name, _) in enumerate(files) if _is_at(Path(name), position)), None
    )
    if here is None:
        return []
    read = [Path(name) for _, _, name, _ in files[:here]]
    live, _, name, _ = files[here]
    if not live and Path(name).stat().st_size <= position.offset:
        read.append(Path(name))
    return read


def _is_at(path: Path, position: Position) -> bool:
    try:
        with path.open("rb") as file:
            heads = heads_of(file.readline(MAX_LINE))
        return path.stat().st_ino == position.inode and (not position.head or position.head in heads)
    except FileNotFoundError:
        return False


def begun(path: Path) -> float | None:
    """When the first line of a CEL, queue_log or SIP file was written (epoch seconds); None when it does not say."""
    try:
        with path.open("rb") as file:
            first = file.readline(MAX_LINE).decode("utf-8", "replace")
        if first.startswith("{"):
            fields = json.loads(first)
            return float(fields["eventtime"] if "eventtime" in fields else fields["at"])
        return float(first.partition("|")[0])
    except (OSError, ValueError, KeyError, TypeError):
        return None
