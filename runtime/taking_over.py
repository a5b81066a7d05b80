"""`handover import`: an empty instance out of a hand-over file, every row, file and recording compared."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.errors import ToritsugiError
from core.keys import KeyRing, KeySource, key_source
from core.sealed import SealBroken, SealingWriter
from runtime.archive import ArchiveReader, fill_database, tidy
from runtime.handover import FOLDERS, FORMAT, LEFT_OUT
from runtime.new_home import its_database, put_together, require_empty, settings_at
from storage.database import Database

Say = Callable[[str], None]


async def take_over(file: Path, home: Path, *, keys: Path | None, say: Say) -> dict[str, Any]:
    """`handover import`: an empty instance out of a hand-over file, every row, file and recording compared.

    Operators and staff telephones get new passwords. Recordings are encrypted with the key of the new home, if
    there is one.

    Raises:
        ToritsugiError: the home is in use, or the file is damaged or of an unknown format; nothing is left then.
    """
    home, file = home.resolve(), file.resolve()
    require_empty(home)
    way = KeySource(path=keys or file.with_name(f"{file.name}.keys")).load()
    ring = key_source(home).load()
    archive = ArchiveReader(file, (FORMAT,), lambda: way)
    done: dict[str, Any] = {}
    with put_together(home, archive) as place:
        say("全体のハッシュを確かめています。")
        wrong = await asyncio.to_thread(archive.wrong_members, recordings_inside=True)
        if wrong:
            raise SealBroken(f"{file}: {', '.join(wrong[:5])}")
        settings = settings_at(place, archive)
        await asyncio.to_thread(_place, archive, place, ring)
        async with its_database(settings, "handover.import", file, done) as database:
            # An export has no accounts and no settings in it; of a file that has, they are not taken.
            await fill_database(database, archive, LEFT_OUT, say)
            done["renewed"] = await _new_passwords(database)
    rows = {name: each.rows for name, each in archive.manifest.tables.items()}
    return {
        "home": str(home), "node": archive.manifest.node, **tidy(asdict(archive.manifest)), "tables": rows,
        "new_passwords": done["renewed"], "encrypted": ring.current is not None,
    }  # fmt: skip


def _place(archive: ArchiveReader, place: Path, ring: KeyRing) -> None:
    for name, each in archive.manifest.files.items():
        # A key or a secret of another's choosing would open this home to them.
        if name.partition("/")[0] not in FOLDERS:
            raise ToritsugiError(
                f"引継ぎデータにないはずのファイルがあります: {name}",
                where=str(archive.path),
                cure="渡した人に確かめる",
            )
        archive.extract(f"files/{name}", place / name, each)
    folder = place / "recordings"
    folder.mkdir(mode=0o700)
    for name, each in archive.manifest.recordings.items():
        parts = archive.read(f"recordings/{name}")
        if ring.current is None:
            archive.extract(f"recordings/{name}", folder / name, each)
            continue
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            writer = SealingWriter(target, ring.current)
            for part in parts:
                writer.write(part)
            writer.close()


async def _new_passwords(database: Database) -> int:
    count = 0
    async with database.uow() as unit:
        for operator in await unit.operators.list():
            await unit.operators.put(replace(operator, sip_secret=secrets.token_urlsafe(18)))
            count += 1
        for phone in await unit.staff_phones.list():
            await unit.staff_phones.put(replace(phone, sip_secret=secrets.token_urlsafe(18)))
            count += 1
    return count
