"""`audit verify` and the anchors, on an instance's own database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from core.clock import ManualClock
from runtime.anchoring import Anchoring, anchor_path
from runtime.audit_chain import verify_audit
from runtime.instance import Instance
from services.ports import AuditEntry
from services.retention import CutOffs, Retention
from storage.anchors import AnchorFile
from storage.database import Database

pytestmark = pytest.mark.contract


def silent(_text: str) -> None:
    """Nobody reads it."""


@pytest.fixture
async def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path))
    monkeypatch.delenv("TORITSUGI_DATABASE_URL", raising=False)
    made = Instance.open(city="matsusaka")
    await made.database.migrate()
    await write(made.database, 4)
    return made


async def write(database: Database, count: int) -> None:
    async with database.uow() as unit:
        for number in range(count):
            await unit.audit.add(
                AuditEntry(at=100.0 + number, actor="佐藤", action="case.view", subject=f"i-{number}")
            )


async def run_sql(database: Database, *statements: str) -> None:
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_whole_chain_is_anchored_and_a_hand_in_it_is_named(instance: Instance) -> None:
    whole = await verify_audit("matsusaka", silent)
    assert (whole["whole"], whole["lines"], whole["last"], whole["anchors"]) == (True, 4, 4, 0)
    assert [anchor.seq for anchor in AnchorFile(anchor_path(instance.settings.home)).read()] == [4]
    await run_sql(instance.database, "UPDATE audit SET subject = 'i-9' WHERE seq = 2")
    broken = await verify_audit("matsusaka", silent)
    assert [(each["fault"], each["seq"]) for each in broken["problems"]] == [("altered", 2)]


async def test_an_end_cut_off_with_its_head_is_known_from_the_anchor(instance: Instance) -> None:
    assert await instance.anchoring().once()
    assert not await instance.anchoring().once()
    await run_sql(
        instance.database,
        "DELETE FROM audit WHERE seq > 2",
        "UPDATE audit_chain SET seq = 2, hash = (SELECT hash FROM audit WHERE seq = 2)",
    )
    broken = await verify_audit("matsusaka", silent)
    assert [(each["fault"], each["seq"]) for each in broken["problems"]] == [("truncated", 3)]


async def test_a_forged_anchor_is_not_believed(instance: Instance) -> None:
    await instance.anchoring().once()
    path = anchor_path(instance.settings.home)
    line = json.loads(path.read_text())
    path.write_text(json.dumps({**line, "hash": "0" * 64}) + "\n")
    broken = await verify_audit("matsusaka", silent)
    assert [(each["fault"], each["seq"]) for each in broken["problems"]] == [("anchor", 4)]


async def test_what_retention_deletes_is_anchored_before_it_goes(instance: Instance) -> None:
    database = instance.database
    retention = Retention(
        database.reading, database.uow, node="n1", city_numbers=(), remove_recording=lambda path: False,
        anchor=instance.anchoring().pruned, batch=1,
    )  # fmt: skip
    await retention.run(
        CutOffs(recordings=0.0, transcripts=0.0, calls=102.0, caller_numbers=0.0, raw_logs=0.0)
    )
    whole = await verify_audit("matsusaka", silent)
    assert (whole["whole"], whole["first"], whole["lines"]) == (True, 3, 2)
    anchor_path(instance.settings.home).unlink()
    broken = await verify_audit("matsusaka", silent)
    assert [(each["fault"], each["seq"]) for each in broken["problems"]] == [("anchor", 2)]


async def test_an_anchor_stands_whenever_the_audit_has_grown(instance: Instance, tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "other.jsonl")
    anchoring = Anchoring(instance.database, ManualClock(5.0), file=file, node="n1", key="k")
    for seq in (4, 5, 6):
        assert await anchoring.once()
        last = file.last()
        assert last is not None
        assert (last.seq, last.at) == (seq, 5.0)
        await write(instance.database, 1)


async def test_a_line_that_is_slipped_in_behind_the_end_is_named(instance: Instance) -> None:
    await run_sql(
        instance.database,
        "INSERT INTO audit (at, actor, action, subject, detail, seq, prev, hash) "
        "VALUES (1.0, 'x', 'x', 'x', '{}', 6, 'x', 'x')",
    )
    broken = await verify_audit("matsusaka", silent)
    assert [(each["fault"], each["seq"]) for each in broken["problems"]] == [("broken", 6)]
