"""Follows an append-only file across rotation, truncation and restarts, and loses no line.

A file is known by its inode and the beginning of its first line together: an inode is used again soon after its file
is deleted, and (inode, offset) alone would then name another line. The beginning holds a time and no caller's number,
which may be overwritten in its place later.
"""

from __future__ import annotations

import asyncio
import logging
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

CHUNK = 64 * 1024
MAX_LINE = 1024 * 1024
_CEL_HEAD, _HEAD = 64, 32
"""Bytes before any number can come: `{"eventtype":"…","eventtime":"…`, and `<second>|<Uniqueid>|`."""
_PACKED = (".gz", ".xz", ".bz2", ".zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in one file: everything before `offset` (bytes) has been taken."""

    inode: int
    head: int
    """`head_of` the first line; 0 while there is none."""
    offset: int

    @property
    def file(self) -> str:
        """The file's identity, for `ledger.facts.Source.file`."""
        return f"{self.inode}-{self.head:08x}"

    def as_text(self) -> str:
        return f"{self.inode}:{self.head}:{self.offset}"

    @classmethod
    def from_text(cls, text: str) -> Position:
        """The position that `as_text` wrote.

        Raises:
            ValueError: the text is none.
        """
        inode, head, offset = (int(part) for part in text.split(":"))
        return cls(inode=inode, head=head, offset=offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line without its newline; bytes that are no UTF-8 are replaced."""

    at: Position
    """Where the line begins."""
    after: Position
    """What to save once the line is dealt with."""
    text: str


def head_of(first: bytes) -> int:
    """What a file is known by: CRC-32 of its first line's beginning (CEL: kind and time; others: time and call)."""
    return zlib.crc32(first[: _CEL_HEAD if first.startswith(b"{") else _HEAD])


def heads_of(first: bytes) -> tuple[int, ...]:
    """The present head, and the one of earlier versions: CRC-32 of the whole line."""
    return (head_of(first), zlib.crc32(first)) if first.endswith(b"\n") else (0,)


def siblings(path: Path) -> list[tuple[bool, int, str, int]]:
    """(live, last write in ns, path, inode) of a live file and its rotated ones, oldest first, live last."""
    found = []
    try:
        with os.scandir(path.parent) as entries:
            for entry in entries:
                live = entry.name == path.name
                rotated = entry.name.startswith(f"{path.name}.") and not entry.name.endswith(_PACKED)
                if live or rotated:
                    with suppress(FileNotFoundError):  # renamed or deleted this moment
                        stat = entry.stat()
                        found.append((live, stat.st_mtime_ns, entry.path, stat.st_ino))
    except FileNotFoundError:
        return []
    return sorted(found)


class Tail:
    """Reads the lines that come to `path`.

    Args:
        path: the live file; it need not exist yet. Rotated files are its siblings `<name>.…`. They must be
            renamed, not copied and truncated, and stay until they are read.
        start: the saved position. None reads from the oldest sibling on.
    """

    def __init__(self, path: Path, start: Position | None = None) -> None:
        self._path = path
        self._position = start
        self._file: BinaryIO | None = None
        self._buffer = b""
        self.truncations = 0
        """Times the file was cut under us: what had not been read is lost."""
        self.lost_files = 0
        """Times the file to go on with was not found again."""

    @property
    def position(self) -> Position | None:
        """After the last line returned; None before the first file was found."""
        return self._position

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._buffer = None, b""

    def read(self, limit: int = 1000) -> list[Line]:
        """Up to `limit` lines that are there now; empty when there is nothing new."""
        lines: list[Line] = []
        if self._file is None and not self._open():
            return lines
        while len(lines) < limit:
            # Asked before the last read: after the new file exists, nobody writes to the old one.
            following = self._following() if not lines else None
            line = self._next_line()
            if line is not None:
                lines.append(line)
            elif following is None or not self._leave(following, lines):
                break
        return lines

    async def follow(self, interval: float = 0.2) -> AsyncIterator[Line]:
        """Every line, for ever; looks again after `interval` seconds when there is none."""
        while True:
            lines = self.read()
            for line in lines:
                yield line
            if not lines:
                await asyncio.sleep(interval)

    def _open(self) -> bool:
        files = siblings(self._path)
        wanted = self._position
        if wanted is not None:
            if any(self._open_at(path, wanted) for _, _, path, inode in files if inode == wanted.inode):
                return True
            self.lost_files += 1
            log.error("%s: the file read up to %s is gone", self._path, wanted.as_text())
        # From the oldest on: facts carry their source, so what was read before is not counted twice.
        return any(self._open_at(path) for _, _, path, _ in files)

    def _open_at(self, path: str, wanted: Position | None = None) -> bool:
        try:
            file = open(path, "rb")  # noqa: SIM115 - kept open, so that the inode stays this file's
        except FileNotFoundError:
            return False
        inode = os.fstat(file.fileno()).st_ino
        heads = heads_of(file.readline(MAX_LINE))
        head = heads[0]
        if wanted is not None and (inode != wanted.inode or (wanted.head and wanted.head not in heads)):
            file.close()
            return False
        if wanted is not None and wanted.head:
            head = wanted.head  # facts that are stored name the file by it
        self.close()
        self._file = file
        self._position = Position(inode=inode, head=head, offset=wanted.offset if wanted else 0)
        file.seek(self._position.offset)
        return True

    def _following(self) -> str | None:
        """The file written after ours, when ours is no longer the live one."""
        file = self._file
        if file is None:
            return None
        ours = os.fstat(file.fileno())
        with suppress(FileNotFoundError):
            if os.stat(self._path).st_ino == ours.st_ino:
                return None
        later = [
            path
            for live, written, path, inode in siblings(self._path)
            if inode != ours.st_ino and (live or written > ours.st_mtime_ns)
        ]
        return later[0] if later else None

    def _leave(self, following: str, lines: list[Line]) -> bool:
        """Go on with the next file; what is left of an unfinished last line is delivered as a line."""
        if self._buffer and self._position is not None:
            lines.append(self._take(len(self._buffer), self._position))
        return self._open_at(following)

    def _next_line(self) -> Line | None:
        file, position = self._file, self._position
        if file is None or position is None:
            return None
        while (end := self._buffer.find(b"\n")) < 0 and len(self._buffer) < MAX_LINE:
            chunk = file.read(CHUNK)
            if not chunk:
                return self._next_line() if self._begun_again(file, position) else None
            self._buffer += chunk
        if end < 0:
            log.error("%s: no line end within %d bytes at %s", self._path, MAX_LINE, position.as_text())
            end = MAX_LINE - 1
        return self._take(end + 1, position)

    def _take(self, length: int, position: Position) -> Line:
        raw, self._buffer = self._buffer[:length], self._buffer[length:]
        head = head_of(raw) if position.offset == 0 and not position.head else position.head
        start = Position(inode=position.inode, head=head, offset=position.offset)
        self._position = Position(inode=position.inode, head=head, offset=position.offset + length)
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        return Line(at=start, after=self._position, text=text)

    def _begun_again(self, file: BinaryIO, position: Position) -> bool:
        """At the end of the file: whether it was cut below what we have read, and is read from its start."""
        if os.fstat(file.fileno()).st_size >= position.offset + len(self._buffer):
            return False
        self.truncations += 1
        log.error("%s: cut below byte %d, begun again", self._path, position.offset)
        file.seek(0)
        self._buffer = b""
        self._position = Position(inode=position.inode, head=0, offset=0)
        return True
