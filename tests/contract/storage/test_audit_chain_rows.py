"""The audit's chain on every database: writers at once, what retention deletes, what the migration takes in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from core.errors import ToritsugiError
from services.audit import Anchor, AuditFault, Head, Verifier
from services.ports import AuditEntry
from storage.anchors import AnchorFile
from storage.database import MIGRATIONS, Database

pytestmark = pytest.mark.contract


def entry(number: int, *, at: float | None = None) -> AuditEntry:
    return AuditEntry(
        at=float(number) if at is None else at, actor="佐藤", action="case.view", subject=f"i-{number}",
        detail={"count": number, "share": 0.1, "who": ("a", "b")},
    )  # fmt: skip


async def verified(database: Database, anchors: list[Anchor] | None = None) -> list[tuple[AuditFault, int]]:
    async with database.reading() as unit:
        verifier = Verifier(await unit.audit.head(), anchors or [], "")
        after = 0
        while page := await unit.audit.links(after, 3):
            verifier.feed(page)
            after = page[-1].seq
    return [(problem.fault, problem.seq) for problem in verifier.finish()]


async def test_writers_at_once_make_one_chain_without_gaps(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.uow() as unit:
            await unit.audit.add(entry(number))
            await unit.settings.put(f"w{number}", "x")
            await unit.audit.add(entry(number + 100))

    await asyncio.gather(*(write(number) for number in range(8)))
    async with database.reading() as unit:
        links = await unit.audit.links(0, 99)
    assert [link.seq for link in links] == list(range(1, 17))
    assert await verified(database) == []


async def test_what_is_undone_leaves_no_gap(database: Database) -> None:
    async def fail() -> None:
        async with database.uow() as unit:
            await unit.audit.add(entry(1))
            assert len(await unit.audit.between(0, 9)) == 1
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="plug"):
        await fail()
    async with database.uow() as unit:
        await unit.audit.add(entry(2))
    async with database.reading() as unit:
        assert [(link.seq, link.entry.subject) for link in await unit.audit.links(0, 9)] == [(1, "i-2")]
    assert await verified(database) == []


@pytest.mark.parametrize(
    ("sql", "faults"),
    [
        ("UPDATE audit SET actor = '鈴木' WHERE seq = 3", [(AuditFault.ALTERED, 3)]),
        ("DELETE FROM audit WHERE seq = 3", [(AuditFault.MISSING, 3)]),
        ("DELETE FROM audit WHERE seq > 4", [(AuditFault.TRUNCATED, 5)]),
        ("UPDATE audit SET at = at + 0.001 WHERE seq = 6", [(AuditFault.ALTERED, 6)]),
    ],
)
async def test_a_hand_in_the_database_is_seen(
    database: Database, sql: str, faults: list[tuple[AuditFault, int]]
) -> None:
    async with database.uow() as unit:
        for number in range(6):
            await unit.audit.add(entry(number))
    async with database.engine.begin() as connection:
        await connection.execute(text(sql))
    assert await verified(database) == faults


async def test_retention_deletes_the_oldest_alone_and_leaves_a_whole_chain(database: Database) -> None:
    async with database.uow() as unit:
        for number, at in enumerate((1.0, 2.0, 9.0, 3.0, 4.0)):
            await unit.audit.add(entry(number, at=at))
    async with database.uow() as unit:
        # The fourth and fifth are old too, but stand behind a younger one.
        assert await unit.retention.floor_records(5.0) == 2
        assert await unit.retention.drop_floor_records(5.0, 1) == 1
        assert await unit.retention.drop_floor_records(5.0, 10) == 1
        assert await unit.retention.drop_floor_records(5.0, 10) == 0
        head = await unit.audit.head()
    assert (head.seq, head.pruned_seq) == (5, 2)
    note = Anchor(at=0.0, node="n1", seq=2, hash=head.pruned_hash, pruned=True)
    assert await verified(database, [note]) == []
    assert await verified(database) == [(AuditFault.ANCHOR, 2)]


async def test_the_migration_takes_old_entries_into_the_chain(empty_url: str) -> None:
    database = Database(empty_url)

    def upgrade(connection: Connection, to: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    async with database.engine.begin() as connection:
        await connection.run_sync(upgrade, "0008")
        for number in range(3):
            await connection.execute(
                text(
                    "INSERT INTO audit (at, actor, action, subject, detail) "
                    "VALUES (:at, '佐藤', 'operator.skills', '101', '{\"after\": {\"漢\": 0.1}}')"
                ),
                {"at": 1764000000.123456 + number},
            )
        await connection.execute(
            text(
                "INSERT INTO interaction (case_id, status, transcript, question, answer, started_at) "
                "VALUES ('i-1', 'closed', 'none', '住所の変更', '', 5.0)"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO interaction_call (call_id, case_id, position, summary) "
                "VALUES ('c-1', 'i-1', 0, :summary)"
            ),
            {
                "summary": '{"call_id": "c-1", "caller": null, "line": "card", "language": "ja", "menu_path": [], '
                '"operators": ["101"], "started_at": 5.0, "ended_at": 9.0, "transferred_to": [], "recordings": []}'
            },
        )
    await database.migrate()
    assert await verified(database) == []
    async with database.uow() as unit:
        await unit.audit.add(entry(9))
        case = await unit.cases.get("i-1")
    assert case is not None
    assert (case.status.value, case.version, case.question) == ("done", 1, "住所の変更")
    assert await verified(database) == []
    await database.close()


def test_anchors_are_lines_that_are_added(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "audit-anchors.jsonl")
    assert (file.read(), file.last()) == ([], None)
    first = Anchor(at=1.5, node="n1", seq=3, hash="a", signature="s")
    file.add(first)
    file.add(Anchor(at=2.5, node="n1", seq=4, hash="b", pruned=True, signature="t"))
    assert [anchor.seq for anchor in file.read()] == [3, 4]
    assert file.read()[0] == first
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.path.write_text("{}\n")
    with pytest.raises(ToritsugiError, match="控え"):
        file.read()


async def test_a_new_chain_begins_with_nothing(database: Database) -> None:
    async with database.reading() as unit:
        assert await unit.audit.head() == Head()
