"""Closing the centre by hand: one small file, read by the engine and by the fallback script at every call."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from datetime import datetime
from pathlib import Path

from core.hours import Emergency

FILE = "emergency.json"

_log = logging.getLogger(__name__)


def read_emergency(home: Path) -> Emergency | None:
    """The closure in force, None when there is none.

    A file that cannot be understood is logged and counts as no closure: callers then reach people, or hear the
    overflow announcement, instead of an emergency that nobody declared.
    """
    path = home / FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        until = datetime.fromisoformat(values["until"]) if values["until"] else None
        if until is not None and until.tzinfo is None:
            raise ValueError("until has no offset")
        return Emergency(message=str(values["message"]), until=until, reason=str(values["reason"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        _log.error("emergency file ignored: %s: %s", path, exc)
        return None


def write_emergency(home: Path, emergency: Emergency) -> None:
    """Puts a closure in force. The file is whole at every moment, also when the machine stops half-way.

    Raises:
        ValueError: `until` has no offset.
        OSError: the file cannot be written.
    """
    if emergency.until is not None and emergency.until.tzinfo is None:
        raise ValueError("until has no offset")
    home.mkdir(parents=True, exist_ok=True)
    values = {
        "message": emergency.message,
        "until": emergency.until.isoformat() if emergency.until else None,
        "reason": emergency.reason,
    }
    handle, name = tempfile.mkstemp(dir=home, prefix=f".{FILE}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(values, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, home / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def clear_emergency(home: Path) -> bool:
    """Opens the centre again; False when it was not closed."""
    try:
        (home / FILE).unlink()
    except FileNotFoundError:
        return False
    return True
