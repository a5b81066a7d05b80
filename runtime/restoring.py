"""`backup restore`: a home out of a backup, every row and file compared, and who was erased since erased again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.clock import clock_from_environment
from core.errors import ToritsugiError
from core.ids import CallId
from core.keys import KeyRing, key_source
from core.sealed import SealBroken
from core.settings import Settings
from runtime.archive import ArchiveReader, Manifest, fill_database, tidy
from runtime.backup import OF_THE_MACHINE, open_backup, replays_of
from runtime.backup_recordings import index_of, recording_at
from runtime.erasing import REPLAYS, Eraser
from runtime.instance import Instance
from runtime.new_home import its_database, put_together, require_empty, settings_at
from services.city import load_city
from services.erasure import ErasureRecord, Subject, SubjectKind, fingerprint
from storage.database import Database

Say = Callable[[str], None]


async def restore(file: Path, home: Path, *, erasures: Path | None, say: Say) -> dict[str, Any]:
    """Make a home of a backup, and erase again what was erased since.

    Args:
        file: the backup; its recordings lie beside it.
        home: must not be there, or be empty.
        erasures: `erasures.jsonl` if it does not lie beside the backup.
        say: progress.

    Raises:
        ToritsugiError: the home is in use, the list of erasures or the key is missing, or the backup is damaged.
            Nothing is left then, but for tables in a PostgreSQL.
    """
    home, file = home.resolve(), file.resolve()
    require_empty(home)
    replays = erasures or file.with_name(REPLAYS)
    if not replays.is_file():
        raise ToritsugiError(
            "消去の一覧がありません。これがないと、消した人のデータが戻ってしまいます",
            where=str(replays),
            cure=f"バックアップのフォルダーか元の設置にある {REPLAYS} を --erasures で示す",
        )
    ring = key_source(home).load()
    archive = open_backup(file, ring)
    done: dict[str, Any] = {}
    with put_together(home, archive) as place:
        settings = settings_at(place, archive)
        found = await asyncio.to_thread(_place_files, archive, place, ring, say)
        async with its_database(settings, "backup.restore", file, done) as database:
            await fill_database(database, archive, OF_THE_MACHINE, say)
            done["erased_again"] = await erase_again(settings, database, replays, archive.manifest, say)
    return {"home": str(home), **tidy(asdict(archive.manifest)), **found, **done}


def _place_files(archive: ArchiveReader, place: Path, ring: KeyRing, say: Say) -> dict[str, int]:
    for name, each in archive.manifest.files.items():
        archive.extract(f"files/{name}", place / name, each)
    folder, beside = place / "recordings", archive.path.with_name("recordings")
    folder.mkdir(mode=0o700)
    missing, index = 0, index_of(beside, ring)
    for number, (name, wanted) in enumerate(archive.manifest.recordings.items(), start=1):
        source = beside / name
        if not source.exists():
            missing += 1
            continue
        if recording_at(source, wanted, index, ring) is None:
            raise SealBroken(str(source))
        shutil.copy2(source, folder / name)
        if number % 500 == 0:
            say(f"録音 {number} 件を戻しました")
    return {"recordings_missing": missing}


async def erase_again(
    settings: Settings, database: Database, replays: Path, manifest: Manifest, say: Say
) -> int:
    """Erase in a restored home what was erased after its backup; how many erasures."""
    async with database.reading() as unit:
        known = {record.id for record in await unit.erasures.records()}
    todo = [each for each in replays_of(replays) if each["id"] not in known]
    if not todo:
        return 0
    profile = settings.home / "profile" / f"{manifest.city}.toml"
    instance = Instance(
        settings=settings,
        profile=load_city(str(profile) if profile.is_file() else manifest.city),
        clock=clock_from_environment(),
        database=database,
    )
    eraser = Eraser(instance, say)
    numbers: dict[str, str] = {}
    if any(each["numbers"] for each in todo):
        async with database.reading() as unit:
            written = await unit.erasures.written_numbers()
        numbers = {fingerprint(eraser.secret, "number", number): number for number in written}
    for each in todo:
        subject = Subject(
            kind=SubjectKind.NUMBER if each["numbers"] else SubjectKind.CALL,
            calls=frozenset(CallId(call) for call in each["calls"]),
            cases=frozenset(each["cases"]),
            numbers=frozenset(numbers[hashed] for hashed in each["numbers"] if hashed in numbers),
        )
        if not each["numbers"]:
            async with database.reading() as unit:
                held = await unit.erasures.numbers_of(subject.calls) - eraser.city_numbers
            subject = replace(subject, numbers=frozenset(held))
        _done, scan = await eraser.erase_and_prove(subject)
        if not scan.clean:
            raise ToritsugiError(
                "消した人のデータが残りました", where=str(each["id"]), cure="開発者に知らせる"
            )
        record = ErasureRecord(
            id=each["id"], at=each["at"], actor="backup restore",
            replay={key: each[key] for key in ("calls", "cases", "numbers")},
            certificate={"id": each["id"], "again_after_restore": True},
        )  # fmt: skip
        async with database.uow() as unit:
            await unit.erasures.add(record)
    return len(todo)
