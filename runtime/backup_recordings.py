"""Recordings beside backups: each copied once, encrypted, and replaced when it was replaced in the home."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import ToritsugiError
from core.keys import Key, KeyRing
from core.sealed import SealBroken, SealingWriter, sealed_with
from runtime.archive import FileSum, parts_of, sum_of_parts

Say = Callable[[str], None]

_INDEX = ".index"


def copy_recordings(source: Path, target: Path, ring: KeyRing, say: Say) -> tuple[dict[str, FileSum], int]:
    """Copy what is new or replaced, encrypted; the sums of what was recorded, and how many were copied.

    A muted recording takes the place of the one with the secret in it, here as there; length and times are the same, so
    only the file's identity tells.
    """
    key = ring.current
    if key is None:
        raise ValueError("no key")
    index, sums, copied = index_of(target, ring), {}, 0
    for path in sorted(source.glob("*.wav")):
        try:
            stat = path.stat()
            identity = [stat.st_ino, stat.st_ctime_ns, stat.st_size]
            known = index.get(path.name)
            copy = target / path.name
            if known is None or known["identity"] != identity or not copy.exists():
                known = {"identity": identity, **asdict(_copy(path, copy, key, ring))}
                copied += 1
                if copied % 500 == 0:
                    say(f"録音 {copied} 件を写しました")
        except FileNotFoundError:
            continue  # its days ended, or it was erased, while we copied
        index[path.name] = known
        sums[path.name] = FileSum(bytes=known["bytes"], sha256=known["sha256"])
    _write_index(target, {name: each for name, each in index.items() if (target / name).exists()}, key)
    return sums, copied


def index_of(folder: Path, ring: KeyRing) -> dict[str, Any]:
    """The newest state of each recording in a backup's folder; empty when there is none.

    Raises:
        SealBroken: it is not encrypted with a key of ours, so somebody else wrote it.
    """
    try:
        if sealed_with(folder / _INDEX) is None:
            raise SealBroken(str(folder / _INDEX))
        found: dict[str, Any] = json.loads(b"".join(parts_of(folder / _INDEX, lambda: ring)))
    except FileNotFoundError:
        return {}
    return found


def _write_index(folder: Path, values: dict[str, Any], key: Key) -> None:
    partial = folder / f"{_INDEX}.part"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        sealing = SealingWriter(file, key)
        sealing.write(json.dumps(values, sort_keys=True).encode())
        sealing.close()
    partial.replace(folder / _INDEX)


def _copy(path: Path, target: Path, key: Key, ring: KeyRing) -> FileSum:
    stat = path.stat()
    partial = target.with_name(f".{target.name}.part")
    total = FileSum(bytes=0, sha256="")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            sealing = SealingWriter(file, key)

            def through() -> Iterator[bytes]:
                for part in parts_of(path, lambda: ring):
                    sealing.write(part)
                    yield part

            total = sum_of_parts(through())
            sealing.close()
            file.flush()
            os.fsync(file.fileno())
        os.utime(partial, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return total


def recording_at(path: Path, wanted: FileSum, index: Mapping[str, Any], ring: KeyRing) -> bool | None:
    """Whether a copy is of a later state than the backup's (muted since); None when it is neither."""
    try:
        found = sum_of_parts(parts_of(path, lambda: ring))
    except (OSError, ToritsugiError):
        return None
    if found == wanted:
        return False
    later = index.get(path.name)
    return True if later and found == FileSum(bytes=later["bytes"], sha256=later["sha256"]) else None
