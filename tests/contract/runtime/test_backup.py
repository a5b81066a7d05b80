"""A backup of a used home, restored into an empty one: every row and file is the same, and who was erased stays so."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from life_home import NUMBER, SERVED, used_home
from sqlalchemy import select

from core.errors import ToritsugiError
from core.keys import KeyProblem, key_source
from core.sealed import SealBroken, open_plain, sealed_with
from core.settings import Settings, settings_from
from runtime import backup
from runtime.audit_chain import verify_audit
from runtime.backup import create, verify
from runtime.erasing import Request, erase, scan
from runtime.instance import Instance
from runtime.restoring import restore
from runtime.sealing import make_key
from storage.database import Database
from storage.erasure_rules import MADE_ANEW
from storage.rows import metadata

pytestmark = pytest.mark.contract


def quiet(_line: str) -> None:
    return None


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = await used_home(tmp_path / "home", monkeypatch)
    make_key(settings, first=True, now=1.0)
    return settings


@pytest.fixture
def other(tmp_path: Path, home: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Go to an empty machine, to which only the keys were brought."""

    def go() -> Path:
        empty = tmp_path / "machine" / "state"
        empty.parent.mkdir()
        shutil.copy2(key_source(home.home).path, key_source(empty, {}).path)
        monkeypatch.setenv("TORITSUGI_HOME", str(empty))
        return empty

    return go


async def rows_of(url: str) -> dict[str, list[Any]]:
    database = Database(url)
    async with database.engine.connect() as connection:
        found = {
            name: [
                dict(row)
                for row in (
                    await connection.execute(select(table).order_by(*table.primary_key.columns))
                ).mappings()
            ]
            for name, table in metadata.tables.items()
        }
    await database.close()
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below, decrypted."""
    source = key_source(folder)
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with open_plain(path, source.load) as file:
                found[str(path.relative_to(folder))] = file.read()
    return found


async def test_every_row_and_file_comes_back(
    home: Settings, tmp_path: Path, other: Callable[[], Path]
) -> None:
    made = await create(None, tmp_path / "backup", keep_days=35, say=quiet)
    before, files = await rows_of(home.database_url), contents(home.home)
    assert (made["recordings"], made["recordings_copied"]) == (2, 2)
    empty = other()
    done = await restore(Path(made["file"]), empty, erasures=None, say=quiet)
    assert (done["recordings_missing"], done["erased_again"], done["rows"]) == (0, 0, made["rows"])
    after = await rows_of(settings_from().database_url)
    assert sum(len(rows) for rows in after.values()) > 50
    for name in metadata.tables:
        # The audit and the export log have a line more since: that of the backup itself, or of the restore.
        if name in ("audit", "export_log"):
            assert after[name][: len(before[name]) - 1] == before[name][:-1]
        elif metadata.tables[name].info["erasure"] == MADE_ANEW:
            assert len(after[name]) == len(before[name]), name
        elif name not in ("tail_position", "audit_chain"):
            assert after[name] == before[name], name
    assert after["tail_position"] == []
    restored = contents(empty)
    for name in (
        "sip/messages.jsonl",
        "reports/shortfall-2026-10.html",
        "availability/2026-10.jsonl",
        "secrets/ami",
        "emergency.json",
        "reports/monthly-2026-10-01_2026-10-31/paper.html",
    ):
        assert restored[name] == files[name]
    for side in ("citizen", "line"):
        assert restored[f"recordings/{SERVED}-{side}.wav"] == files[f"recordings/{SERVED}-{side}.wav"]
        assert sealed_with(empty / "recordings" / f"{SERVED}-{side}.wav")
    assert "profile/matsusaka.toml" in restored
    assert not [name for name in restored if name.startswith(("sounds", "models", "asterisk"))]
    # The restored centre goes on: its next log is read from the start, and nothing is counted twice.
    instance = Instance.open()
    async with instance.database.reading() as unit:
        assert len(await unit.calls.between(0, 4e9)) == 5
    await instance.database.close()
    assert (await verify_audit(None, quiet))["problems"] == []


async def test_nothing_readable_lies_in_the_folder(home: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    made = await create(None, folder, keep_days=35, say=quiet)
    for path in folder.rglob("*"):
        if path.is_file():
            assert NUMBER.encode() not in path.read_bytes()
            assert b"RIFF" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
    key = key_source(home.home).load().current
    assert key is not None
    assert made["key"] == key.id
    assert all(sealed_with(path) == key.id for path in folder.glob("recordings/*.wav"))


async def test_recordings_are_copied_once_and_replaced_ones_again(
    home: Settings, tmp_path: Path, other: Callable[[], Path]
) -> None:
    folder = tmp_path / "backup"
    first = await create(None, folder, keep_days=35, say=quiet)
    old = Path(first["file"]).rename(folder / "toritsugi-old.backup")
    second = await create(None, folder, keep_days=35, say=quiet)
    assert (second["recordings"], second["recordings_copied"]) == (2, 0)
    Path(second["file"]).rename(folder / "toritsugi-older.backup")
    # Muted: another file under the same name, of the same length and time.
    path = home.recordings / f"{SERVED}-line.wav"
    stat, spoken = path.stat(), path.read_bytes()
    muted = spoken[:44] + bytes(len(spoken) - 44)
    (home.recordings / ".part").write_bytes(muted)
    os.utime(home.recordings / ".part", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (home.recordings / ".part").replace(path)
    third = await create(None, folder, keep_days=35, say=quiet)
    assert third["recordings_copied"] == 1
    source = key_source(home.home)
    for file, replaced in ((Path(third["file"]), 0), (old, 1)):
        found = verify(file, source, quiet)
        assert (found["whole"], found["replaced_since"]) == (True, replaced)
    # What was said comes back from no backup, and the older one can be restored all the same.
    empty = other()
    await restore(old, empty, erasures=None, say=quiet)
    with open_plain(empty / "recordings" / path.name, key_source(empty).load) as restored:
        assert restored.read() == muted


async def test_old_backups_and_the_recordings_only_they_name_go(home: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    old = Path((await create(None, folder, keep_days=35, say=quiet))["file"])
    old.rename(folder / "toritsugi-old.backup")
    os.utime(folder / "toritsugi-old.backup", (1000.0, 1000.0))
    (home.recordings / f"{SERVED}-line.wav").unlink()
    made = await create(None, folder, keep_days=35, say=quiet)
    assert made["old_backups_deleted"] == 1
    assert sorted(path.name for path in folder.glob("*.backup")) == [Path(made["file"]).name]
    assert [path.name for path in folder.glob("recordings/*.wav")] == [f"{SERVED}-citizen.wav"]


async def test_who_was_erased_does_not_come_back(
    home: Settings, tmp_path: Path, other: Callable[[], Path]
) -> None:
    folder = tmp_path / "backup"
    made = await create(None, folder, keep_days=35, say=quiet)
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    certificate, _page = await erase(
        None, Request(number=NUMBER), reason="本人の求め", by="山田", basis="", say=quiet
    )
    assert [(each["kind"], each["state"]) for each in certificate["copies_elsewhere"]] == [
        ("backup", "expires")
    ]
    assert certificate["copies_elsewhere"][0]["until"] > "2026"
    # From the folder itself: its recordings are gone already, which the check knows to be right.
    assert not list((folder / "recordings").glob("*.wav"))
    checked = verify(Path(made["file"]), key_source(home.home), quiet)
    assert (checked["whole"], checked["erased_since"]) == (True, 2)
    # And from an older copy of the folder, with the recordings still in it.
    empty = other()
    done = await restore(kept / Path(made["file"]).name, empty, erasures=folder / "erasures.jsonl", say=quiet)
    assert (done["erased_again"], done["recordings_missing"]) == (1, 0)
    assert (await scan(None, Request(number=NUMBER), quiet))["clean"]
    assert not list((empty / "recordings").glob("*.wav"))
    assert all(NUMBER.encode() not in path.read_bytes() for path in empty.rglob("*") if path.is_file())
    instance = Instance.open()
    async with instance.database.reading() as unit:
        assert len(await unit.calls.between(0, 4e9)) == 5
        assert [record.id for record in await unit.erasures.records()] == [certificate["id"]]
    await instance.database.close()


async def test_an_erased_call_does_not_come_back(
    home: Settings, tmp_path: Path, other: Callable[[], Path]
) -> None:
    folder = tmp_path / "backup"
    made = await create(None, folder, keep_days=35, say=quiet)
    await erase(None, Request(call=SERVED), reason="市の指示", by="", basis="", say=quiet)
    empty = other()
    done = await restore(Path(made["file"]), empty, erasures=None, say=quiet)
    assert (done["erased_again"], done["recordings_missing"]) == (1, 2)
    assert (await scan(None, Request(call=SERVED), quiet))["clean"]
    instance = Instance.open()
    async with instance.database.reading() as unit:
        call = (await unit.calls.get([SERVED]))[SERVED]
        assert call.caller is not None
        assert call.caller.number is None
    await instance.database.close()


async def test_a_damaged_backup_is_told_and_leaves_nothing(
    home: Settings, tmp_path: Path, other: Callable[[], Path]
) -> None:
    folder = tmp_path / "backup"
    file = Path((await create(None, folder, keep_days=35, say=quiet))["file"])
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(SealBroken):
        verify(file, key_source(home.home), quiet)
    empty = other()
    with pytest.raises(SealBroken):
        await restore(file, empty, erasures=None, say=quiet)
    assert sorted(path.name for path in empty.parent.iterdir()) == ["state.keys"]


async def test_what_somebody_without_the_key_put_there_is_not_taken(home: Settings, tmp_path: Path) -> None:
    folder, source = tmp_path / "backup", key_source(home.home)
    file = Path((await create(None, folder, keep_days=35, say=quiet))["file"])
    sealed = file.read_bytes()
    with open_plain(file, source.load) as plain:
        file.write_bytes(plain.read())
    with pytest.raises(SealBroken):
        verify(file, source, quiet)
    file.write_bytes(sealed)
    (folder / "recordings" / ".index").write_text("{}")
    with pytest.raises(SealBroken, match="index"):
        verify(file, source, quiet)


async def test_a_damaged_recording_is_told(home: Settings, tmp_path: Path, other: Callable[[], Path]) -> None:
    folder = tmp_path / "backup"
    file = Path((await create(None, folder, keep_days=35, say=quiet))["file"])
    path = folder / "recordings" / f"{SERVED}-line.wav"
    path.write_bytes(path.read_bytes()[:-100])
    assert verify(file, key_source(home.home), quiet)["wrong"] == [f"recordings/{SERVED}-line.wav"]
    empty = other()
    with pytest.raises(SealBroken, match=r"line\.wav"):
        await restore(file, empty, erasures=None, say=quiet)
    assert not empty.exists()
    path.unlink()
    found = verify(file, key_source(home.home), quiet)
    assert (found["whole"], found["missing"]) == (False, [f"{SERVED}-line.wav"])


async def test_what_cannot_be_restored_says_why(
    home: Settings, tmp_path: Path, other: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backup"
    file = Path((await create(None, folder, keep_days=35, say=quiet))["file"])
    with pytest.raises(ToritsugiError, match="空ではありません"):
        await restore(file, home.home, erasures=None, say=quiet)
    with pytest.raises(ToritsugiError, match="設置の中"):
        await create(None, home.home / "backup", keep_days=35, say=quiet)
    empty = other()
    shutil.move(folder / "erasures.jsonl", tmp_path / "e.jsonl")
    with pytest.raises(ToritsugiError, match="消去の一覧がありません"):
        await restore(file, empty, erasures=None, say=quiet)
    (tmp_path / "e.jsonl").write_text("not json\n")
    with pytest.raises(ToritsugiError, match=r"e\.jsonl:1"):
        await restore(file, empty, erasures=tmp_path / "e.jsonl", say=quiet)
    (tmp_path / "e.jsonl").write_text("")
    key_source(empty).path.unlink()
    with pytest.raises(KeyProblem):
        await restore(file, empty, erasures=tmp_path / "e.jsonl", say=quiet)
    assert list(empty.parent.iterdir()) == []


async def test_without_a_key_there_is_no_backup(home: Settings, tmp_path: Path) -> None:
    key_source(home.home).path.unlink()
    with pytest.raises(KeyProblem, match="keys create"):
        await create(None, tmp_path / "backup", keep_days=35, say=quiet)
    assert not (tmp_path / "backup").exists()


async def test_a_backup_of_a_newer_version_is_told(
    home: Settings, tmp_path: Path, other: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Newer(Database):
        async def revision(self) -> str | None:
            return "9999"

    monkeypatch.setattr("runtime.instance.Database", Newer)
    file = Path((await create(None, tmp_path / "backup", keep_days=35, say=quiet))["file"])
    with pytest.raises(ToritsugiError, match="知らない版"):
        await restore(file, other(), erasures=None, say=quiet)


def test_the_settings_of_the_old_machine_stay_there(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        json.dumps({"TORITSUGI_CITY": "ube", "TORITSUGI_DATABASE_URL": "x", "TORITSUGI_KEYS": "y"})
    )
    assert backup._remembered(path) == {"TORITSUGI_CITY": "ube"}
