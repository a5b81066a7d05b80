"""Recordings encrypted once they are closed, and the commands about keys."""

from __future__ import annotations

import contextlib
import logging
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.errors import ToritsugiError
from core.folder_lock import replacing
from core.keys import KeyRing, KeySource, key_source, new_key
from core.sealed import seal_file, sealed_with
from core.settings import Settings

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PART = ".sealing"


def batches(values: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """`values` in pieces of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class RecordingSealer:
    """Encrypts the recordings of one instance with its current key; without a key it does nothing.

    A file keeps its name; who reads it goes through `core.sealed.open_plain`. Several may run at once: each
    puts a whole file in place of another.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.recordings
        self._source = key_source(settings.home)

    def seal(self, bases: Collection[str]) -> int:
        """Encrypt all files of these bases; how many there were to do. A fault is logged, and costs that file only.

        Also copies of one side that others made (`<base>-….wav`).
        """
        ring = self._ring()
        if ring.current is None:
            return 0
        done = 0
        for base in sorted(bases):
            for path in sorted(self._folder.glob(f"{base}-*.wav")):
                try:
                    with replacing(self._folder):
                        done += seal_file(path, ring.current, lambda: ring)
                except FileNotFoundError:
                    continue
                except (OSError, ToritsugiError) as problem:
                    log.error("%s stays as it is: %s", path.name, problem)
        return done

    def unsealed(self) -> set[str]:
        """Bases with a file that the current key has not encrypted; leftovers of killed runs are removed."""
        ring = self._ring()
        if ring.current is None:
            return set()
        found = set()
        for path in _recordings(self._folder):
            with contextlib.suppress(FileNotFoundError):
                if sealed_with(path) != ring.current.id:
                    found.add(path.stem.rpartition("-")[0])
        for path in self._folder.glob(f".*{_PART}"):
            path.unlink(missing_ok=True)
        return found

    def _ring(self) -> KeyRing:
        return self._source.load()


def _recordings(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".wav") and not entry.name.startswith("."):
                yield folder / entry.name


def make_key(settings: Settings, *, first: bool, now: float) -> tuple[str, KeySource]:
    """A new current key; its id and where it lies.

    Raises:
        KeyProblem: see `KeySource.add`.
    """
    source, key = key_source(settings.home), new_key(now)
    source.add(key, first=first)
    return key.id, source


def key_status(settings: Settings) -> dict[str, Any]:
    """Which keys there are and how many recordings each has encrypted; no secret.

    Raises:
        KeyProblem: the keys cannot be read.
    """
    source = key_source(settings.home)
    ring = source.load()
    used: Counter[str] = Counter()
    for path in _recordings(settings.recordings):
        with contextlib.suppress(FileNotFoundError):
            used[sealed_with(path) or "plain"] += 1
    known = {key.id for key in ring.keys}
    return {
        "from": "command" if source.command else str(source.path),
        "current": ring.current.id if ring.current else None,
        "keys": [
            {"id": key.id, "created_at": key.created_at, "recordings": used[key.id]} for key in ring.keys
        ],
        "not_encrypted": used["plain"],
        "key_missing": {key: count for key, count in sorted(used.items()) if key not in known | {"plain"}},
    }
