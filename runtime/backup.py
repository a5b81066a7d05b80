"""`backup create` and `backup verify`: a running centre into an encrypted file; the way back is `runtime.restoring`.

A backup is one encrypted archive (`runtime.archive`); recordings lie beside it, encrypted too, each once however many
backups name it. Keys, sounds, models and Asterisk's own folder are in none.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import ToritsugiError
from core.keys import FILE_VARIABLE, KeyProblem, KeyRing, KeySource, key_source
from core.sealed import SealBroken, SealingWriter, sealed_with
from core.settings import PROJECT_ROOT, settings_from
from runtime.archive import (
    ArchiveReader,
    ArchiveWriter,
    FileSum,
    Manifest,
    sum_of_parts,
    tidy,
    write_tables,
)
from runtime.backup_recordings import copy_recordings, index_of, recording_at
from runtime.erasing import FINGERPRINTS, REPLAYS
from runtime.instance import Instance
from runtime.records import Records
from runtime.remembered import REMEMBERED
from services.erasure import ExportEntry
from services.ports import AuditEntry

FORMAT = "toritsugi-backup/1"
SUFFIX = ".backup"
KEEP_DAYS = 35
"""想定: a month's mistakes can be undone; longer than that an erased person's data must not lie in a backup."""
DAY_S = 86_400.0
OF_THE_MACHINE = frozenset({"tail_position"})
"""Rows that speak of files of the old machine."""

_FOLDERS = ("sip", "reports", "certificates", "availability")
_FILES = ("emergency.json", "notice.json", "audit-anchors.jsonl", REPLAYS)
_SETTINGS_OF_THE_MACHINE = ("TORITSUGI_DATABASE_URL", "TORITSUGI_KEYS", "TORITSUGI_KEYS_COMMAND")

Say = Callable[[str], None]


async def create(city: str | None, folder: Path, *, keep_days: int, say: Say) -> dict[str, Any]:
    """Back the instance up while it runs.

    Args:
        city: as for every command.
        folder: where backups lie; made when it is missing.
        keep_days: older backups of this folder are deleted afterwards.
        say: progress.

    Raises:
        ToritsugiError: there is no key, or the folder is inside the home.
    """
    instance = Instance.open(city=city)
    settings, source = instance.settings, key_source(instance.settings.home)
    ring = source.load()
    if ring.current is None:
        raise KeyProblem("鍵がありません", where=str(source.path), cure="toritsugi keys create で作る")
    folder = folder.resolve()
    if folder.is_relative_to(settings.home):
        raise ToritsugiError("設置の中には取れません", where="--out", cure="別のディスクのフォルダーにする")
    try:
        await instance.database.migrate()
        await Records(settings, instance.profile, instance.database, instance.clock).take_in()
        instance.secret(FINGERPRINTS)  # an erasure after this backup must be understood after its restore
        (folder / "recordings").mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / REPLAYS).touch(mode=0o600)
        at = instance.clock.epoch()
        name = f"toritsugi-{instance.profile.city.id}-{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"
        target = folder / f"{name}{SUFFIX}"
        if target.exists():
            raise ToritsugiError(
                "同じ時刻のバックアップがあります", where=str(target), cure="少し待ってからもう一度"
            )
        manifest, copied = await _write(instance, target, ring, say)
        digest = await asyncio.to_thread(lambda: sum_of_parts(_raw_parts(target)).sha256)
        actor = os.environ.get("SUDO_USER") or getpass.getuser()
        async with instance.database.uow() as unit:
            await unit.erasures.add_export(
                ExportEntry(
                    at=at, actor=actor, kind="backup", path=str(target), sha256=digest, calls=None,
                    keep_until=at + keep_days * DAY_S,
                )
            )  # fmt: skip
            await unit.audit.add(
                AuditEntry(
                    at=at, actor=actor, action="backup.create", subject=target.name, detail={"sha256": digest}
                )
            )
        gone = await asyncio.to_thread(prune, folder, ring, at - keep_days * DAY_S, say)
        return {
            "file": str(target), "sha256": digest, "key": ring.current.id, **tidy(asdict(manifest)),
            "recordings_copied": copied, "old_backups_deleted": gone,
        }  # fmt: skip
    finally:
        await instance.database.close()


async def _write(instance: Instance, target: Path, ring: KeyRing, say: Say) -> tuple[Manifest, int]:
    settings, key = instance.settings, ring.current
    if key is None:
        raise ValueError("no key")
    partial = target.with_name(f".{target.name}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            sealing = SealingWriter(file, key)
            writer = ArchiveWriter(sealing)  # type: ignore[arg-type] # zipfile needs write and flush only
            manifest = Manifest(
                format=FORMAT,
                made_at=instance.clock.epoch(),
                city=instance.profile.city.id,
                node=settings.node,
                revision=await instance.database.revision() or "",
            )
            tables = await write_tables(instance.database, writer, {}, frozenset(), say)
            files = await asyncio.to_thread(_add_files, instance, writer)
            recordings, copied = await asyncio.to_thread(
                copy_recordings, settings.recordings, target.with_name("recordings"), ring, say
            )
            manifest = replace(manifest, tables=tables, files=files, recordings=recordings)
            writer.close(manifest)
            sealing.close()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return manifest, copied


def _add_files(instance: Instance, writer: ArchiveWriter) -> dict[str, FileSum]:
    """Settings, profile, secrets, papers, SIP's copy, each minute's look; not the logs: a table has their content."""
    home, sums = instance.settings.home, {}

    found = {name: home / name for name in _FILES}
    for folder in (*_FOLDERS, "secrets"):
        found |= {str(path.relative_to(home)): path for path in sorted((home / folder).rglob("*"))}
    for name, path in found.items():
        if path.is_file():
            sums[name] = writer.add(f"files/{name}", _raw_parts(path))
    remembered = _remembered(home / REMEMBERED)
    sums[REMEMBERED] = writer.add(f"files/{REMEMBERED}", iter([json.dumps(remembered).encode()]))
    profile = profile_path(instance.settings.city)
    if profile is not None:
        # A profile is named for its city.
        name = f"profile/{instance.profile.city.id}.toml"
        sums[name] = writer.add(f"files/{name}", _raw_parts(profile))
    return sums


def _remembered(path: Path) -> dict[str, str]:
    try:
        values: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in values.items() if name not in _SETTINGS_OF_THE_MACHINE}


def profile_path(city: str) -> Path | None:
    """The file of a profile that is named or given as a path."""
    for path in (Path(city), PROJECT_ROOT / "profiles" / f"{city}.toml"):
        if path.suffix == ".toml" and path.is_file():
            return path
    return None


def prune(folder: Path, ring: KeyRing, before: float, say: Say) -> int:
    """Delete backups from before a moment, never the newest, and recordings that no backup names; how many backups."""
    backups = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    old = [path for path in backups[:-1] if path.stat().st_mtime < before]
    for path in old:
        path.unlink()
    for path in (*folder.glob(".*.part"), *folder.glob("recordings/.*.part")):
        path.unlink(missing_ok=True)  # of a backup that was killed; encrypted, too
    named: set[str] = set()
    for path in backups:
        if path not in old:
            try:
                archive = open_backup(path, ring)
            except ToritsugiError as problem:
                say(f"読めないバックアップがあるので、録音の写しは減らしません: {problem}")
                return len(old)
            named |= set(archive.manifest.recordings)
            archive.close()
    for path in (folder / "recordings").glob("*.wav"):
        if path.name not in named:
            path.unlink()
    return len(old)


def open_backup(file: Path, ring: KeyRing) -> ArchiveReader:
    """
    Raises:
        ToritsugiError: it cannot be opened, or is not encrypted: then it is not of ours, whatever it holds.
    """
    if file.is_file() and sealed_with(file) is None:
        raise SealBroken(str(file))
    return ArchiveReader(file, (FORMAT,), lambda: ring)


def verify(file: Path, source: KeySource, say: Say) -> dict[str, Any]:
    """Read a whole backup and its recordings; what is wrong with it, as JSON values.

    Raises:
        ToritsugiError: it cannot be opened.
    """
    ring = source.load()
    archive = open_backup(file, ring)
    try:
        wrong = archive.wrong_members(recordings_inside=False)
        missing, replaced = [], 0
        index = index_of(file.with_name("recordings"), ring)
        for number, (name, each) in enumerate(archive.manifest.recordings.items(), start=1):
            path = file.with_name("recordings") / name
            if not path.exists():
                missing.append(name)
            elif (newer := recording_at(path, each, index, ring)) is None:
                wrong.append(f"recordings/{name}")
            else:
                replaced += newer
            if number % 500 == 0:
                say(f"録音 {number} 件を確かめました")
        erased = _erased_calls(file.with_name(REPLAYS))
        lost = [name for name in missing if not any(name.startswith(f"{call}-") for call in erased)]
        return {
            "file": str(file), "whole": not wrong and not lost, "wrong": wrong, "missing": lost,
            "replaced_since": replaced,
            "erased_since": len(missing) - len(lost), "key": sealed_with(file), **tidy(asdict(archive.manifest)),
        }  # fmt: skip
    finally:
        archive.close()


def replays_of(path: Path) -> list[dict[str, Any]]:
    """The lines of `erasures.jsonl`, each erasure once, by their moment.

    Raises:
        ToritsugiError: a line cannot be read; who is in it would come back.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            each = json.loads(line)
            found[each["id"]] = {key: each[key] for key in ("id", "at", "calls", "cases", "numbers")}
        except (ValueError, KeyError, TypeError) as problem:
            raise ToritsugiError(
                "消去の一覧の行が読めません", where=f"{path}:{number}", cure="元の設置の一覧と置き換える"
            ) from problem
    return sorted(found.values(), key=lambda each: float(each["at"]))


def _erased_calls(path: Path) -> set[str]:
    return {call for each in (replays_of(path) if path.is_file() else ()) for call in each["calls"]}


def _raw_parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            yield part


def keys_for(home: Path | None, keys: Path | None) -> KeySource:
    """Where the keys for reading a backup are: `--keys`, or those of the home."""
    if keys is not None:
        os.environ[FILE_VARIABLE] = str(keys)
    return key_source(home.resolve() if home is not None else settings_from().home)
