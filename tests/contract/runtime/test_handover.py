"""Hand-over: everything but secrets in an open format, and an empty instance made of it that is the same."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

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
