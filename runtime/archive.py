"""One ZIP file with tables, files and a manifest of their hashes: the inside of backups and of hand-over files."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

from core.errors import ToritsugiError
from core.keys import KeyRing
from core.sealed import SealBroken, open_plain
from storage.database import Database
from storage.dump import TableHash, TableSum, count_on, is_empty, lines_of, load, sum_of, tables_of

BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` raises on a member that is missing, damaged, packed in another way, or has a password."""
MANIFEST = "manifest.json"
ROWS_PER_WORD = 100_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSum:
    """A member that is no table, or a recording: bytes and SHA-256 of what was recorded or written."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive holds."""

    format: str
    made_at: float
    """Epoch seconds; nothing that happened later is in it."""
    city: str
    node: str
    revision: str
    """Form of the tables (Alembic)."""
    tables: Mapping[str, TableSum] = field(default_factory=dict)
    files: Mapping[str, FileSum] = field(default_factory=dict)
    recordings: Mapping[str, FileSum] = field(default_factory=dict)
    blanked: Mapping[str, list[str]] = field(default_factory=dict)
    """Columns that were left empty, by table: secrets."""

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True).encode()


def manifest_from(data: bytes, formats: tuple[str, ...], where: str) -> Manifest:
    """
    Raises:
        ToritsugiError: it is no manifest, or of a format that is not known here.
    """
    try:
        values = json.loads(data)
        known = values["format"] in formats
        found = Manifest(
            **{
                **values,
                "tables": {name: TableSum(**each) for name, each in values["tables"].items()},
                "files": {name: FileSum(**each) for name, each in values["files"].items()},
                "recordings": {name: FileSum(**each) for name, each in values["recordings"].items()},
            }
        )
        if not all(isinstance(each, str) and each for each in (found.city, found.node, found.revision)):
            raise ValueError("no names")
        datetime.fromtimestamp(found.made_at, UTC)  # raises when it is no moment
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as problem:
        raise ToritsugiError("目録が読めません", where=where, cure="元のファイルを写し直す") from problem
    if not known:
        raise ToritsugiError(
            f"知らない形式です: {values['format']}", where=where, cure=f"読めるのは {', '.join(formats)}"
        )
    # Names become places on this machine, and who wrote them may be somebody else.
    if not all(map(_stays_inside, found.files)) or not all(map(_is_one_name, found.recordings)):
        raise ToritsugiError("置けない名前のファイルがあります", where=where, cure="渡した人に確かめる")
    return found


def _stays_inside(name: str) -> bool:
    """Whether a name leads from a folder into it."""
    return all(map(_is_one_name, name.split("/")))


def _is_one_name(part: str) -> bool:
    return part.isprintable() and part not in ("", ".", "..") and not {"/", "\\"} & set(part)


class ArchiveWriter:
    """Adds members to a ZIP that is written front to back."""

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True)

    def add(self, name: str, parts: Iterator[bytes], *, packed: bool = True) -> FileSum:
        """Write one member; what it came to."""
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        size, total = 0, hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as member:
            for part in parts:
                member.write(part)
                size += len(part)
                total.update(part)
        return FileSum(bytes=size, sha256=total.hexdigest())

    async def add_lines(self, name: str, lines: AsyncIterator[bytes], say: Say) -> TableSum:
        """Write one member of many lines as they come."""
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        total, count = TableHash(), 0
        with self._zip.open(info, "w", force_zip64=True) as member:
            async for line in lines:
                member.write(line)
                total.add(line)
                count += 1
                if count % ROWS_PER_WORD == 0:
                    say(f"{name}: {count} 行")
        return total.sum()

    def close(self, manifest: Manifest) -> None:
        self.add(MANIFEST, iter([manifest.as_json()]))
        self._zip.close()


async def write_tables(
    database: Database, writer: ArchiveWriter, blank: Mapping[str, list[str]], skip: frozenset[str], say: Say
) -> dict[str, TableSum]:
    """All tables of one moment.

    Args:
        database: read, not held up.
        writer: gets `tables/<name>.jsonl`.
        blank: columns to leave empty, by table.
        skip: tables to leave out.
        say: progress.
    """
    sums = {}
    async with database.snapshot() as connection:
        for name, table in sorted((await tables_of(connection)).items()):
            if name not in skip:
                lines = lines_of(connection, table, blank.get(name, ()))
                sums[name] = await writer.add_lines(f"tables/{name}.jsonl", lines, say)
    return sums


class ArchiveReader:
    """An archive opened for reading.

    Raises:
        ToritsugiError: it is none, it is damaged, or its key is missing.
    """

    def __init__(self, path: Path, formats: tuple[str, ...], ring: Callable[[], KeyRing]) -> None:
        self.path = path
        try:
            self._file: BinaryIO = open_plain(path, ring)
        except OSError as problem:
            raise ToritsugiError(
                "ファイルが開けません", where=str(path), cure="場所と権限を確かめる"
            ) from problem
        try:
            self._zip = zipfile.ZipFile(self._file)
            data = self._zip.read(MANIFEST)
        except _DAMAGED as problem:
            self._file.close()
            raise SealBroken(str(path)) from problem
        self.manifest = manifest_from(data, formats, str(path))

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def read(self, name: str) -> Iterator[bytes]:
        """A member in parts."""
        try:
            with self._zip.open(name) as member:
                while part := member.read(BLOCK):
                    yield part
        except _DAMAGED as problem:
            raise SealBroken(f"{self.path}: {name}") from problem

    def lines(self, name: str) -> Iterator[bytes]:
        """A member line by line."""
        try:
            with self._zip.open(name) as member:
                yield from member
        except _DAMAGED as problem:
            raise SealBroken(f"{self.path}: {name}") from problem

    def wrong_members(self, recordings_inside: bool) -> list[str]:
        """Names of members that are not what the manifest says."""
        wrong = []
        for name, table in self.manifest.tables.items():
            total = TableHash()
            for line in self.lines(f"tables/{name}.jsonl"):
                total.add(line)
            if total.sum() != table:
                wrong.append(f"tables/{name}.jsonl")
        inside = {f"files/{name}": each for name, each in self.manifest.files.items()}
        if recordings_inside:
            inside |= {f"recordings/{name}": each for name, each in self.manifest.recordings.items()}
        wrong += [name for name, each in inside.items() if sum_of_parts(self.read(name)) != each]
        return wrong

    def extract(self, name: str, target: Path, wanted: FileSum) -> None:
        """Write a member to a file, for its owner's eyes.

        Raises:
            SealBroken: it is not what the manifest says.
        """
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if write_parts(target, self.read(name)) != wanted:
            raise SealBroken(f"{self.path}: {name}")


def sum_of_parts(parts: Iterator[bytes]) -> FileSum:
    size, total = 0, hashlib.sha256()
    for part in parts:
        size += len(part)
        total.update(part)
    return FileSum(bytes=size, sha256=total.hexdigest())


def parts_of(path: Path, ring: Callable[[], KeyRing]) -> Iterator[bytes]:
    """A file in parts, decrypted."""
    with open_plain(path, ring) as file:
        while part := file.read(BLOCK):
            yield part


def write_parts(target: Path, parts: Iterator[bytes]) -> FileSum:
    size, total = 0, hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for part in parts:
            file.write(part)
            size += len(part)
            total.update(part)
    return FileSum(bytes=size, sha256=total.hexdigest())


async def fill_database(
    database: Database, archive: ArchiveReader, leave_out: frozenset[str], say: Say
) -> None:
    """Make the tables of the archive's version, fill and compare them, then bring them to this version.

    Args:
        database: must be empty.
        archive: the source.
        leave_out: tables whose rows are of another machine.
        say: progress.

    Raises:
        ToritsugiError: the database is not empty, the version is newer, or a row is not what it was.
    """
    manifest = archive.manifest
    async with database.engine.connect() as connection:
        if not await is_empty(connection):
            raise ToritsugiError(
                "データベースが空ではありません",
                where="TORITSUGI_DATABASE_URL",
                cure="空のデータベースを用意する",
            )
    await database.migrate(manifest.revision)
    async with database.engine.begin() as connection:
        tables = await tables_of(connection)
        for table in tables.values():
            await connection.execute(table.delete())  # a migration may have put rows there
        for name, wanted in manifest.tables.items():
            if name not in tables:
                raise SealBroken(f"{archive.path}: {name}")
            say(f"{name}: {wanted.rows} 行を戻します")
            await load(connection, tables[name], archive.lines(f"tables/{name}.jsonl"))
        await count_on(connection, tables.values())
    async with database.snapshot() as connection:
        for name, wanted in manifest.tables.items():
            if await sum_of(connection, tables[name]) != wanted:
                raise SealBroken(f"{archive.path}: {name}")
    async with database.engine.begin() as connection:
        for name in leave_out & set(tables):
            await connection.execute(tables[name].delete())
    await database.migrate()
    await database.index_again()


def tidy(values: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of a manifest for people."""
    return {
        "made_at": values["made_at"], "city": values["city"], "revision": values["revision"],
        "rows": sum(each["rows"] for each in values["tables"].values()),
        "files": len(values["files"]), "recordings": len(values["recordings"]),
    }  # fmt: skip
