"""What a telephone switched while no engine ran is in the audit once, whenever an engine runs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.emergency import SwitchedByTelephone, journal
from core.errors import ToritsugiError
from core.settings import settings_from
from runtime.centre_switches import note_by_telephone
from storage.database import Database

pytestmark = pytest.mark.contract


async def test_each_line_once_also_when_the_database_was_away(tmp_path: Path) -> None:
    settings = settings_from({"TORITSUGI_HOME": str(tmp_path)})
    journal(tmp_path, SwitchedByTelephone(at=100.0, act="close", by="301"))
    away = Database(f"sqlite+aiosqlite:///{tmp_path / 'none' / 'away.db'}")
    with pytest.raises(ToritsugiError, match="データベースが使えません"):
        await note_by_telephone(settings, away.uow)
    await away.close()
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'there.db'}")
    await database.migrate()
    journal(tmp_path, SwitchedByTelephone(at=200.0, act="reopen", by="302"))
    assert [await note_by_telephone(settings, database.uow) for _ in range(3)] == [1, 1, 0]
    async with database.reading() as unit:
        entries = await unit.audit.between(0.0, 1000.0)
    await database.close()
    assert [(entry.at, entry.actor, entry.action) for entry in entries] == [
        (100.0, "301", "centre.close"),
        (200.0, "302", "centre.reopen"),
    ]
