"""`handover import`: an empty instance out of a hand-over file, every row, file and recording compared."""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.errors import ToritsugiError
from core.keys import KeyRing, KeySource, key_source
from core.sealed import SealBroken, SealingWriter
from core.settings import settings_from
from runtime.archive import ArchiveReader, fill_database, tidy
from runtime.handover import FOLDERS, FORMAT, LEFT_OUT
from services.ports import AuditEntry
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
    if home.exists() and any(home.iterdir()):
        raise ToritsugiError(
            "空ではありません", where=str(home), cure="空のフォルダーか、まだないフォルダーにする"
        )
    way = KeySource(path=keys or file.with_name(f"{file.name}.keys")).load()
    ring = key_source(home).load()
    archive = ArchiveReader(file, (FORMAT,), lambda: way)
    place = home.with_name(f".{home.name}.importing-{secrets.token_hex(4)}")
    place.mkdir(parents=True, mode=0o700)
    try:
        say("全体のハッシュを確かめています。")
        wrong = await asyncio.to_thread(archive.wrong_members, recordings_inside=True)
        if wrong:
            raise SealBroken(f"{file}: {', '.join(wrong[:5])}")
        values = {name: value for name, value in os.environ.items() if name.startswith("TORITSUGI_")}
        settings = settings_from(
            {**values, "TORITSUGI_HOME": str(place), "TORITSUGI_NODE": archive.manifest.node}
        )
        await asyncio.to_thread(_place, archive, place, ring)
        database = Database(settings.database_url)
        try:
            # An export has no accounts and no settings in it; of a file that has, they are not taken.
            await fill_database(database, archive, LEFT_OUT, say)
            renewed = await _new_passwords(database)
            async with database.uow() as unit:
                await unit.audit.add(
                    AuditEntry(
                        at=time.time(), actor=os.environ.get("SUDO_USER") or getpass.getuser(),
                        action="handover.import", subject=file.name, detail={"renewed": renewed},
                    )
                )  # fmt: skip
            await database.empty_wal()
        finally:
            await database.close()
        if home.exists():
            home.rmdir()
        place.rename(home)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    finally:
        archive.close()
    rows = {name: each.rows for name, each in archive.manifest.tables.items()}
    return {
        "home": str(home), "node": archive.manifest.node, **tidy(asdict(archive.manifest)), "tables": rows,
        "new_passwords": renewed, "encrypted": ring.current is not None,
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
