"""Hand-over: everything but secrets in an open format, and an empty instance made of it that is the same."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from life_home import NUMBER, SERVED, used_home
from sqlalchemy import String, select

from core.errors import ToritsugiError
from core.ids import OperatorId
from core.keys import key_source
from core.sealed import SealBroken, open_plain, sealed_with
from core.settings import Settings, settings_from
from runtime.erasing import Request, erase
from runtime.handover import LEFT_OUT, export, secret_columns
from runtime.instance import Instance
from runtime.sealing import make_key
from runtime.taking_over import take_over
from services.ports import OperatorAccount, StaffPhone, TrunkPeer
from speech.audio import open_recording
from storage.database import Database
from storage.dump import lines_of, load, sum_of, tables_of
from storage.erasure_rules import MADE_ANEW
from storage.rows import metadata

pytestmark = pytest.mark.contract

SECRETS = ("operators-secret", "carriers-secret", "offices-secret")


def quiet(_line: str) -> None:
    return None


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = await used_home(tmp_path / "home", monkeypatch)
    instance = Instance.open()
    async with instance.database.uow() as unit:
        await unit.operators.put(OperatorAccount(id=OperatorId("101"), name="山田", sip_secret=SECRETS[0]))
        await unit.trunks.put(TrunkPeer(name="t", match="192.0.2.1", username="u", secret=SECRETS[1]))
        await unit.staff_phones.put(StaffPhone(endpoint="staff701", sip_secret=SECRETS[2]))
    await instance.database.close()
    (settings.home / "secrets" / "ami").write_text("switch-secret")
    return settings


async def lines(url: str) -> dict[str, list[str]]:
    database = Database(url)
    async with database.engine.connect() as connection:
        found = {
            name: [
                json.dumps(dict(row), sort_keys=True, default=str)
                for row in (
                    await connection.execute(select(table).order_by(*table.primary_key.columns))
                ).mappings()
            ]
            for name, table in metadata.tables.items()
        }
    await database.close()
    return found


async def test_an_empty_instance_becomes_the_same(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await export(None, tmp_path / "h.zip", plain=False, say=quiet)
    before = await lines(home.database_url)
    sounds = open_recording(home.recordings / f"{SERVED}-citizen.wav").read(0, 9, 8000)
    assert sealed_with(Path(made["file"]))
    assert NUMBER.encode() not in Path(made["file"]).read_bytes()
    empty = tmp_path / "next" / "state"
    monkeypatch.setenv("TORITSUGI_HOME", str(empty))
    empty.parent.mkdir()
    key_id, _source = make_key(settings_from(), first=True, now=1.0)
    done = await take_over(Path(made["file"]), empty, keys=None, say=quiet)
    assert (done["recordings"], done["rows"], done["new_passwords"]) == (2, made["rows"], 2)
    after = await lines(settings_from().database_url)
    anew = {name for name, table in metadata.tables.items() if table.info["erasure"] == MADE_ANEW}
    changed = {"operator", "staff_phone", "trunk", "audit", "audit_chain"}
    for name in set(metadata.tables) - LEFT_OUT - changed - anew:
        assert after[name] == before[name], name
    assert after["audit"][: len(before["audit"]) - 1] == before["audit"][:-1]
    assert after["tail_position"] == []
    path = empty / "recordings" / f"{SERVED}-citizen.wav"
    assert sealed_with(path) == key_id
    assert (open_recording(path).read(0, 9, 8000) == sounds).all()
    instance = Instance.open()
    async with instance.database.reading() as unit:
        operator = await unit.operators.get(OperatorId("101"))
        assert operator is not None
        assert operator.name == "山田"
        assert len(operator.sip_secret) > 20
        assert [trunk.secret for trunk in await unit.trunks.list()] == [""]
    await instance.database.close()


async def test_the_open_form_is_what_its_page_says(home: Settings, tmp_path: Path) -> None:
    make_key(home, first=True, now=1.0)
    target = tmp_path / "h.zip"
    await export(None, target, plain=True, say=quiet)
    assert target.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(target) as pack:
        names = set(pack.namelist())
        assert {
            "manifest.json", "README.ja.txt", "SHA256SUMS", "csv/calls.csv", "csv/cases.csv", "tables/call.jsonl",
            "tables/interaction.jsonl", f"recordings/{SERVED}-citizen.wav", "files/profile/matsusaka.toml",
            "files/reports/shortfall-2026-10.html",
        } <= names  # fmt: skip
        assert not {f"tables/{name}.jsonl" for name in LEFT_OUT} & names
        for line in pack.read("SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(pack.read(name)).hexdigest() == digest
        assert len(pack.read("SHA256SUMS").decode().splitlines()) == len(names) - 2
        manifest = json.loads(pack.read("manifest.json"))
        assert manifest["format"] == "toritsugi-handover/1"
        calls = [json.loads(line) for line in pack.read("tables/call.jsonl").splitlines()]
        assert len(calls) == manifest["tables"]["call"]["rows"] == 5
        assert pack.read(f"recordings/{SERVED}-line.wav")[:4] == b"RIFF"
        for name in ("calls", "cases"):
            text = pack.read(f"csv/{name}.csv").decode("utf-8-sig")
            rows = list(csv.DictReader(io.StringIO(text)))
            assert any(SERVED in value for row in rows for value in row.values() if value)
        assert len(rows) == manifest["tables"]["interaction"]["rows"]
        assert any("住所が変わった" in row["問い合わせ"] for row in rows)


async def test_nothing_secret_is_in_it(home: Settings, tmp_path: Path) -> None:
    target = tmp_path / "h.zip"
    key_id, source = make_key(home, first=True, now=1.0)
    await export(None, target, plain=True, say=quiet)
    with zipfile.ZipFile(target) as pack:
        content = b"".join(pack.read(name) for name in pack.namelist())
    for secret in (*SECRETS, "switch-secret", (home.home / "secrets" / "ami").read_text()):
        assert secret.encode() not in content
    assert source.path.read_bytes() not in content
    assert key_id.encode() not in content


def test_columns_with_secrets_are_known_by_their_names_and_can_be_left_empty() -> None:
    found = secret_columns(metadata.tables)
    assert (found["operator"], found["staff_phone"], found["trunk"]) == (
        ["sip_secret"],
        ["sip_secret"],
        ["secret"],
    )
    for name, columns in found.items():
        for column in columns if name not in LEFT_OUT else ():
            assert isinstance(metadata.tables[name].c[column].type, String), (
                f"{name}.{column}: no text to empty"
            )


async def test_a_file_that_was_changed_is_not_imported(home: Settings, tmp_path: Path) -> None:
    target, empty = tmp_path / "h.zip", tmp_path / "next" / "state"
    await export(None, target, plain=True, say=quiet)
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(target) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace("住所が変わった".encode(), "住所は同じまま".encode()))
            if name == "tables/interaction.jsonl":
                assert "住所が変わった".encode() in data
    with pytest.raises(SealBroken, match="interaction"):
        await take_over(changed, empty, keys=None, say=quiet)
    assert not empty.exists()
    assert list(empty.parent.iterdir()) == []
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(SealBroken):
        await take_over(tmp_path / "text.zip", empty, keys=None, say=quiet)
    with pytest.raises(ToritsugiError, match="空ではありません"):
        await take_over(target, home.home, keys=None, say=quiet)
    with pytest.raises(ToritsugiError, match="もうある"):
        await export(None, target, plain=True, say=quiet)


def repacked(source: Path, target: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> Path:
    """A hand-over file as somebody with bad intent would write it: changed, and its manifest with it."""
    with zipfile.ZipFile(source) as old:
        members = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(members, manifest)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in {**members, "manifest.json": json.dumps(manifest).encode()}.items():
            new.writestr(name, data)
    return target


async def test_a_hand_over_file_puts_nothing_where_it_does_not_belong(home: Settings, tmp_path: Path) -> None:
    target, outside, empty = tmp_path / "h.zip", tmp_path / "outside", tmp_path / "next" / "state"
    await export(None, target, plain=True, say=quiet)
    for kind, name in (
        ("files", "../../outside"), ("files", "reports/../../../outside"), ("files", f"{outside}"),
        ("files", "secrets/desk"), ("files", "toritsugi.db"), ("recordings", "../../../outside"),
        ("recordings", f"{outside}"), ("recordings", ".."),
    ):  # fmt: skip

        def plant(
            members: dict[str, bytes], manifest: dict[str, Any], kind: str = kind, name: str = name
        ) -> None:
            members[f"{kind}/{name}"] = b"planted"
            manifest[kind][name] = {"bytes": 7, "sha256": hashlib.sha256(b"planted").hexdigest()}

        with pytest.raises(ToritsugiError, match="ファイルがあります"):
            await take_over(repacked(target, tmp_path / "bad.zip", plant), empty, keys=None, say=quiet)
        assert not outside.exists(), name
        assert list(tmp_path.glob("next/*")) == [], name


async def test_accounts_in_a_hand_over_file_are_not_taken(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, empty = tmp_path / "h.zip", tmp_path / "next" / "state"
    await export(None, target, plain=True, say=quiet)
    columns = metadata.tables["desk_user"].c
    row = {
        column.name: None if column.nullable else 1 if column.type.python_type is not str else "x"
        for column in columns
    } | {"name": "planted", "role": "system_admin", "active": True, "display": "x"}
    line = json.dumps(row).encode() + b"\n"

    # The sums are of the lines as the export would have written them: read them off a database that has the row.
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'sums.db'}")
    await database.migrate()
    async with database.engine.begin() as connection:
        await load(connection, metadata.tables["desk_user"], [line])
        tables = await tables_of(connection)
        lines_now = [each async for each in lines_of(connection, tables["desk_user"], ())]
        total = await sum_of(connection, tables["desk_user"])
    await database.close()

    def plant(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
        members["tables/desk_user.jsonl"] = b"".join(lines_now)
        manifest["tables"]["desk_user"] = {"rows": total.rows, "sha256": total.sha256}

    bad = repacked(target, tmp_path / "bad.zip", plant)
    await take_over(bad, empty, keys=None, say=quiet)
    monkeypatch.setenv("TORITSUGI_HOME", str(empty))
    assert (await lines(settings_from().database_url))["desk_user"] == []


async def test_a_manifest_or_row_of_another_kind_is_told_of_in_words(home: Settings, tmp_path: Path) -> None:
    target, empty = tmp_path / "h.zip", tmp_path / "next" / "state"
    await export(None, target, plain=True, say=quiet)
    for name, value in (("node", 5), ("revision", ""), ("made_at", "x"), ("city", [])):

        def other(
            members: dict[str, bytes], manifest: dict[str, Any], n: str = name, v: object = value
        ) -> None:
            manifest[n] = v

        with pytest.raises(ToritsugiError, match="目録が読めません"):
            await take_over(repacked(target, tmp_path / "bad.zip", other), empty, keys=None, say=quiet)
    for row in (b"[" * 100_000, b'{"key": {"a": 1}, "value": [1]}'):

        def rows(members: dict[str, bytes], manifest: dict[str, Any], row: bytes = row) -> None:
            members["tables/setting.jsonl"] = row
            manifest["tables"]["setting"] = {"rows": 1, "sha256": hashlib.sha256(row).hexdigest()}

        with pytest.raises(ToritsugiError, match="行が読めません"):
            await take_over(repacked(target, tmp_path / "bad.zip", rows), empty, keys=None, say=quiet)
    assert list(tmp_path.glob("next/*")) == []


async def test_a_damaged_member_is_told_of_in_words(home: Settings, tmp_path: Path) -> None:
    target, damaged = tmp_path / "h.zip", tmp_path / "damaged.zip"
    await export(None, target, plain=True, say=quiet)
    with zipfile.ZipFile(target) as pack:
        info = pack.getinfo("tables/call.jsonl")
    data = bytearray(target.read_bytes())
    begin = info.header_offset + 30 + len(info.filename) + 20
    for at in (begin, begin + 1, begin + 2):
        data[at] ^= 0xFF
    damaged.write_bytes(data)
    with pytest.raises(SealBroken):
        await take_over(damaged, tmp_path / "next" / "state", keys=None, say=quiet)
    # Cut off anywhere, it is none.
    for part in (0, 10, len(data) // 2, len(data) - 1):
        damaged.write_bytes(target.read_bytes()[:part])
        with pytest.raises(SealBroken):
            await take_over(damaged, tmp_path / "next" / "state", keys=None, say=quiet)


async def test_a_hand_over_file_is_named_on_later_certificates(home: Settings, tmp_path: Path) -> None:
    made = await export(None, tmp_path / "h.zip", plain=False, say=quiet)
    certificate, _page = await erase(None, Request(number=NUMBER), reason="求め", by="", basis="", say=quiet)
    assert [(each["path"], each["state"]) for each in certificate["copies_elsewhere"]] == [
        (made["file"], "by_hand")
    ]
    again = await export(None, tmp_path / "h2.zip", plain=True, say=quiet)
    with open_plain(Path(again["file"]), key_source(home.home).load) as file, zipfile.ZipFile(file) as pack:
        assert all(NUMBER.encode() not in pack.read(name) for name in pack.namelist())
        assert f"files/certificates/{certificate['id']}.html" in pack.namelist()
