"""Tables as lines and back: the same rows on either database, and counters that go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_stories import T0, answered_call
from sqlalchemy import select

from core.errors import ToritsugiError
from ledger.fold import fold_call
from services.erasure import ExportEntry
from services.ports import AuditEntry
from storage.database import Database
from storage.dump import count_on, is_empty, lines_of, load, sum_of, tables_of
from storage.erasure_rules import MADE_ANEW
from storage.rows import metadata

pytestmark = pytest.mark.contract

ENTRY = AuditEntry(at=T0, actor="山田", action="a", subject="101", detail={"前": [1, 2.5, None, "０９０"]})


async def fill(database: Database) -> None:
    facts = answered_call().facts
    call = fold_call(facts)
    assert call is not None
    async with database.uow() as unit:
        await unit.facts.add(facts)
        await unit.calls.put([call])
        for _ in range(3):
            await unit.audit.add(ENTRY)
        for calls in (None, ("c",)):
            await unit.erasures.add_export(
                ExportEntry(at=T0, actor="a", kind="evidence", path="/e", sha256="0", calls=calls)
            )


async def dumped(database: Database) -> dict[str, list[bytes]]:
    async with database.snapshot() as connection:
        return {
            name: [line async for line in lines_of(connection, table)]
            for name, table in (await tables_of(connection)).items()
        }


async def loaded(database: Database, lines: dict[str, list[bytes]]) -> None:
    async with database.engine.begin() as connection:
        tables = await tables_of(connection)
        for table in tables.values():
            await connection.execute(table.delete())
        for name, each in lines.items():
            await load(connection, tables[name], each)
        await count_on(connection, tables.values())


async def test_rows_come_back_the_same_also_on_another_database(database: Database, tmp_path: Path) -> None:
    await fill(database)
    lines = await dumped(database)
    # Indices are left out: they are made anew.
    anew = {name for name, table in metadata.tables.items() if table.info["erasure"] == MADE_ANEW}
    assert set(lines) == set(metadata.tables) - anew
    copy = Database(f"sqlite+aiosqlite:///{tmp_path / 'copy.db'}")
    await copy.migrate()
    await loaded(copy, lines)
    assert await dumped(copy) == lines
    # And from there to where it came from.
    await loaded(database, await dumped(copy))
    assert await dumped(database) == lines
    async with database.uow() as unit:
        await unit.audit.add(ENTRY)
    async with database.engine.connect() as connection:
        ids = list(await connection.scalars(select(metadata.tables["audit"].c.id)))
    assert sorted(ids) == [1, 2, 3, 4]
    await copy.close()


async def test_a_snapshot_sees_one_moment(database: Database) -> None:
    await fill(database)
    async with database.snapshot() as connection:
        tables = await tables_of(connection)
        before = await sum_of(connection, tables["audit"])
        async with database.uow() as unit:
            await unit.audit.add(ENTRY)
        assert await sum_of(connection, tables["audit"]) == before
        assert before.rows == 3


async def test_columns_can_be_left_empty(database: Database) -> None:
    await fill(database)
    async with database.snapshot() as connection:
        table = (await tables_of(connection))["audit"]
        lines = [line async for line in lines_of(connection, table, ["actor"])]
    assert "山田" not in lines[0].decode()
    assert '"actor":""' in lines[0].decode()


@pytest.mark.parametrize("line", [b"{}\n", b"no json\n", b'{"id": 1}\n', b"[1]\n"])
async def test_a_line_that_is_no_row_is_told_with_its_place(database: Database, line: bytes) -> None:
    async with database.engine.connect() as connection:
        table = (await tables_of(connection))["audit"]
        with pytest.raises(ToritsugiError, match=r"audit\.jsonl:1"):
            await load(connection, table, [line])


async def test_empty_is_without_any_table(database: Database, tmp_path: Path) -> None:
    async with database.engine.connect() as connection:
        assert not await is_empty(connection)
    fresh = Database(f"sqlite+aiosqlite:///{tmp_path / 'fresh.db'}")
    async with fresh.engine.connect() as connection:
        assert await is_empty(connection)
    assert await fresh.revision() is None
    assert await database.revision() is not None
    await fresh.close()
