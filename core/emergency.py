"""Switching the whole centre by hand: small files, read by the engine and by the fallback script at every call.

`emergency.json` closes the centre; `notice.json` has every caller hear a message before the menu.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.hours import Emergency

FILE = "emergency.json"
NOTICE_FILE = "notice.json"
JOURNAL = "switched-by-telephone.jsonl"
"""What was switched by telephone, until the engine has put it into the audit."""

_log = logging.getLogger(__name__)


def read_emergency(home: Path) -> Emergency | None:
    """The closure in force, None when there is none.

    A file that cannot be understood is logged and counts as no closure: callers then reach people, or hear the
    overflow announcement, instead of an emergency that nobody declared.
    """
    return _read(home / FILE)


def read_notice(home: Path) -> Emergency | None:
    """What every caller is to hear before the menu; None when there is nothing, or its file cannot be understood."""
    return _read(home / NOTICE_FILE)


def _read(path: Path) -> Emergency | None:
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
    _write(home, FILE, emergency)


def write_notice(home: Path, notice: Emergency) -> None:
    """Has every caller hear a message, as `write_emergency` closes."""
    _write(home, NOTICE_FILE, notice)


def _write(home: Path, file_name: str, emergency: Emergency) -> None:
    if emergency.until is not None and emergency.until.tzinfo is None:
        raise ValueError("until has no offset")
    home.mkdir(parents=True, exist_ok=True)
    values = {
        "message": emergency.message,
        "until": emergency.until.isoformat() if emergency.until else None,
        "reason": emergency.reason,
    }
    handle, name = tempfile.mkstemp(dir=home, prefix=f".{file_name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(values, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, home / file_name)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def clear_emergency(home: Path) -> bool:
    """Opens the centre again; False when it was not closed."""
    return _clear(home / FILE)


def clear_notice(home: Path) -> bool:
    """Nothing more is said before the menu; False when nothing was."""
    return _clear(home / NOTICE_FILE)


def _clear(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchedByTelephone:
    """One line of the journal."""

    at: float
    act: str
    """`close`, `reopen`, `notice` or `notice_over`."""
    by: str
    """The supervisor's number."""


def journal(home: Path, line: SwitchedByTelephone) -> None:
    """Write down who switched what, for an engine that may not run now."""
    descriptor = os.open(home / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps({"at": line.at, "act": line.act, "by": line.by}) + "\n")


def taken_journal(home: Path) -> list[SwitchedByTelephone]:
    """The lines of the journal, which goes aside until `journal_taken`: a line written meanwhile begins a new one."""
    aside = home / f"{JOURNAL}.taken"
    if not aside.exists():
        try:
            os.replace(home / JOURNAL, aside)
        except FileNotFoundError:
            return []
    found = []
    for text in aside.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(text)
            found.append(
                SwitchedByTelephone(at=float(values["at"]), act=str(values["act"]), by=str(values["by"]))
            )
        except (ValueError, KeyError, TypeError):
            _log.error("a line of %s cannot be read", JOURNAL)
    return found


def journal_taken(home: Path) -> None:
    """The lines of the last `taken_journal` are kept elsewhere now."""
    (home / f"{JOURNAL}.taken").unlink(missing_ok=True)
