"""An archive of tables into an empty database: the same rows, older forms brought to this one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from ledger_stories import CALL, answered_call
from sqlalchemy import text

from core.errors import ToritsugiError
from core.keys import KeyRing
from core.sealed import SealBroken
from ledger.fold import fold_call
from runtime.archive import ArchiveReader, ArchiveWriter, Manifest, fill_database, write_tables
from storage.database import Database

pytestmark = pytest.mark.contract

FORMAT = "test/1"


def quiet(_line: str) -> None:
    return None


async def archived(database: Database, target: Path) -> ArchiveReader:
    with target.open("wb") as file:
        writer = ArchiveWriter(file)
        revision = await database.revision() or ""
        tables = await write_tables(database, writer, {}, frozenset(), quiet)
        writer.close(
            Manifest(format=FORMAT, made_at=0.0, city="c", node="n1", revision=revision, tables=tables)
        )
    return opened(target)


def opened(target: Path) -> ArchiveReader:
    return ArchiveReader(target, (FORMAT,), KeyRing)


async def test_an_older_form_is_filled_compared_and_brought_to_this_one(
    empty_url: str, tmp_path: Path
) -> None:
    old = Database(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    await old.migrate("0008")
    facts = answered_call().facts
    call = fold_call(facts)
    assert call is not None
    async with old.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO audit (at, actor, action, subject, detail) VALUES (1, 'a', 'b', 'c', '{}')")
        )
    async with old.uow() as unit:
        await unit.facts.add(facts)
        await unit.calls.put([call])
    archive = await archived(old, tmp_path / "a.zip")
    assert archive.manifest.revision == "0008"
    assert archive.wrong_members(recordings_inside=True) == []
    new = Database(empty_url)
    await fill_database(new, archive, frozenset(), quiet)
    async with new.reading() as unit:
        assert (await unit.calls.get([CALL]))[CALL] == call
        assert len(await unit.facts.of_calls([CALL])) == len([fact for fact in facts if fact.call == CALL])
        assert len(await unit.audit.between(0, 2)) == 1
    assert await new.revision() != "0008"
    with pytest.raises(ToritsugiError, match="空ではありません"):
        await fill_database(new, archive, frozenset(), quiet)
    archive.close()
    await new.close()
    await old.close()


async def test_what_differs_from_its_manifest_is_not_taken(empty_url: str, tmp_path: Path) -> None:
    old = Database(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    await old.migrate()
    async with old.uow() as unit:
        await unit.settings.put("k", "one")
    (await archived(old, tmp_path / "a.zip")).close()
    await old.close()
    with zipfile.ZipFile(tmp_path / "a.zip") as good, zipfile.ZipFile(tmp_path / "b.zip", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name).replace(b'"one"', b'"two"'))
    archive = opened(tmp_path / "b.zip")
    assert archive.wrong_members(recordings_inside=True) == ["tables/setting.jsonl"]
    new = Database(empty_url)
    with pytest.raises(SealBroken, match="setting"):
        await fill_database(new, archive, frozenset(), quiet)
    archive.close()
    await new.close()


def test_what_is_no_archive_of_ours_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with pytest.raises(ToritsugiError, match="開けません"):
        opened(path)
    path.write_bytes(b"no zip")
    with pytest.raises(SealBroken):
        opened(path)
    for content, words in (("{}", "目録が読めません"), ("[]", "目録が読めません")):
        with zipfile.ZipFile(path, "w") as pack:
            pack.writestr("manifest.json", content)
        with pytest.raises(ToritsugiError, match=words):
            opened(path)
    with path.open("wb") as file:
        ArchiveWriter(file).close(Manifest(format="other/9", made_at=0.0, city="c", node="n", revision="1"))
    with pytest.raises(ToritsugiError, match="other/9"):
        opened(path)
