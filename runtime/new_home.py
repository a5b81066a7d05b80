"""A home that is put together beside its place and stands there whole, or not at all."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from core.errors import ToritsugiError
from core.settings import Settings, settings_from
from runtime.archive import ArchiveReader
from services.ports import AuditEntry
from storage.database import Database


def require_empty(home: Path) -> None:
    """Raises ToritsugiError when something lies in `home`; it need not be there."""
    if home.exists() and any(home.iterdir()):
        raise ToritsugiError(
            "空ではありません", where=str(home), cure="空のフォルダーか、まだないフォルダーにする"
        )


@contextmanager
def put_together(home: Path, archive: ArchiveReader) -> Iterator[Path]:
    """The folder in which the home is made of `archive`; it becomes `home` at the end, and is removed after an error.

    The archive is closed either way.
    """
    place = home.with_name(f".{home.name}.making-{secrets.token_hex(4)}")
    place.mkdir(parents=True, mode=0o700)
    try:
        yield place
        if home.exists():
            home.rmdir()
        place.rename(home)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    finally:
        archive.close()


def settings_at(place: Path, archive: ArchiveReader) -> Settings:
    """The environment's settings, with the home where the files are put together and the node of `archive`."""
    values = {name: value for name, value in os.environ.items() if name.startswith("TORITSUGI_")}
    return settings_from({**values, "TORITSUGI_HOME": str(place), "TORITSUGI_NODE": archive.manifest.node})


@asynccontextmanager
async def its_database(
    settings: Settings, action: str, file: Path, detail: Mapping[str, Any]
) -> AsyncIterator[Database]:
    """The new home's database; afterwards its audit says what was done.

    Args:
        action: for example `backup.restore`.
        file: what the home was made of.
        detail: read at the end.
    """
    database = Database(settings.database_url)
    try:
        yield database
        async with database.uow() as unit:
            await unit.audit.add(
                AuditEntry(
                    at=time.time(),
                    actor=os.environ.get("SUDO_USER") or getpass.getuser(),
                    action=action,
                    subject=file.name,
                    detail=dict(detail),
                )
            )
        await database.empty_wal()
    finally:
        await database.close()
