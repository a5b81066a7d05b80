"""Deletion on request in a home that was used: no byte is left, and the certificate says what was done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from life_home import END, NUMBER, SERVED, STORY, packed, used_home

from acd.callback import Callback, CallbackState
from core.errors import ToritsugiError
from core.settings import PROJECT_ROOT, Settings
from runtime import erasing
from runtime.erasing import Request, erase, scan
from runtime.erasure_files import FILE_KINDS, FileErase, files_of, kind_of_file, mask_in_place
from runtime.instance import Instance
from runtime.records import Records
from services.erasure import DEFAULT_BASIS, Erased
from storage.erasure import SqlErasures
from telephony.disk.reader import cel_reader

pytestmark = pytest.mark.contract


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return await used_home(tmp_path / "home", monkeypatch)


def quiet(_line: str) -> None:
    return None


async def erased(**what: str) -> tuple[dict[str, object], Path]:
    request = Request(**what)
    return await erase(
        None, request, reason="本人の求め 09012345678", by="山田", basis=DEFAULT_BASIS, say=quiet
    )


def spelled(folder: Path) -> list[str]:
    """Files in which the number stands, in digits with anything between; voices aside."""
    digits = re.compile(rb"[\s()-]?".join(NUMBER[1:].encode()[i : i + 1] for i in range(10)))
    wide = "９０－１２３４－５６７８".encode()
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".wav"
        and (
            digits.search(path.read_bytes())
            or wide in path.read_bytes()
            or b"uff19\\uff10" in path.read_bytes()
        )
    )


async def test_a_number_is_in_no_byte_and_the_figures_still_agree(home: Settings, tmp_path: Path) -> None:
    pack = await packed(tmp_path / "evidence.zip")
    before = await scan(None, Request(number="090-1234-5678"), quiet)
    assert not before["clean"]
    assert {each["table"] for each in before["tables"]} >= {
        "call",
        "fact",
        "interaction",
        "ticket",
        "transcript",
    }
    assert {each["path"] for each in before["files"]} >= {
        "toritsugi.db", "asterisk/log/queue_log", "asterisk/log/messages.log", "asterisk/log/console.log",
        "asterisk/log/security.log.0", "asterisk/log/cel-custom/cel_master.json", "sip/messages.jsonl",
        "reports/shortfall-2026-10.html", f"recordings/{SERVED}-citizen.wav",
    }  # fmt: skip
    certificate, page = await erased(number="+81 90-1234-5678")
    assert certificate["verified"]["clean"], certificate["verified"]  # type: ignore[index]
    assert (await scan(None, Request(number=NUMBER), quiet))["clean"]
    assert spelled(home.home) == []
    assert not list(home.recordings.glob("*.wav"))
    assert not pack.exists()
    assert page.is_file()
    instance = Instance.open()
    async with instance.database.reading() as unit:
        calls = await unit.calls.between(0, END)
        assert len(calls) == 5
        assert (await unit.calls.get([SERVED]))[SERVED].disposition is not None
        audit = await unit.audit.between(0, 4e9)
    assert [entry.action for entry in audit] == ["evidence.export", "retention.erase"]
    await instance.database.close()


async def test_the_certificate_says_what_was_done_and_holds_no_number(home: Settings, tmp_path: Path) -> None:
    await packed(tmp_path / "evidence.zip")
    certificate, page = await erased(number=NUMBER)
    rows = {each["what"]: each for each in certificate["erased"]}  # type: ignore[attr-defined]
    assert rows["recordings"]["deleted"] == 2
    assert rows["logs"]["rewritten"] > 5
    assert {"recording", "transcript", "ticket", "call", "fact", "interaction", "reports", "sip"} <= set(rows)
    assert {each["what"] for each in certificate["kept"]} >= {"call", "fact", "audit", "logs"}  # type: ignore[attr-defined]
    assert [each["state"] for each in certificate["copies_elsewhere"]] == ["deleted"]  # type: ignore[attr-defined]
    text, shown = json.dumps(certificate, ensure_ascii=False), page.read_text(encoding="utf-8")
    for holder in (text, shown, page.with_suffix(".json").read_text(encoding="utf-8")):
        assert NUMBER not in holder
        assert SERVED not in holder
    for said in (
        "消去証明書",
        str(certificate["id"]),
        "山田",
        "本人の求め",
        "録音のファイル",
        "証拠一式",
        "98条",
    ):
        assert said in shown
    assert page.stat().st_mode & 0o077 == 0
    assert (await erasing.certificates(None)) == [certificate]


async def test_a_call_goes_and_the_logs_are_still_read_from_where_they_were(home: Settings) -> None:
    certificate, _page = await erased(call=SERVED)
    assert certificate["verified"]["clean"]  # type: ignore[index]
    assert (await scan(None, Request(call=SERVED), quiet))["clean"]
    assert not list(home.recordings.glob(f"{SERVED}*"))
    instance = Instance.open()
    async with instance.database.reading() as unit:
        others = [call for call in await unit.calls.between(0, END) if call.call_id != SERVED]
    assert {call.caller.number for call in others if call.caller} == {NUMBER}
    line = (STORY / "cel.jsonl").read_text().splitlines()[1].replace("1795228422.49", "1830000000.7")
    with home.cel_log.open("a") as log:
        log.write(line.replace("1795228422.022342", "1830000000.000001") + "\n")
    assert await Records(home, instance.profile, instance.database, instance.clock).take_in() == 1
    await instance.database.close()
    # Made anew from the logs alone, the call is there without its number.
    found = cel_reader(home.cel_log, "n1", None).read(10_000)
    arrived = next(fact for fact in found.facts if fact.call == SERVED)
    assert NUMBER not in repr(vars(arrived) if hasattr(arrived, "__dict__") else arrived)


async def test_a_case_takes_all_its_calls(home: Settings) -> None:
    certificate, _page = await erased(case=f"i-{SERVED[2:]}")
    assert certificate["verified"]["clean"]  # type: ignore[index]
    instance = Instance.open()
    async with instance.database.reading() as unit:
        case = await unit.cases.of_call(SERVED)
        assert case is not None
        assert (case.question, case.answer, await unit.transcripts.of_call(SERVED)) == ("", "", [])
    await instance.database.close()


async def test_what_cannot_be_erased_says_why(home: Settings) -> None:
    city = Instance.open().profile.numbers.service[0]
    for request, words in (
        ({"call": "c-n1-1.1"}, "ない通話"),
        ({"case": "i-n1-1.1"}, "ない応対"),
        ({"number": city}, "市の番号"),
        ({"number": "119"}, "読めません"),
        ({"number": "山田"}, "読めません"),
        ({}, "一つ選んで"),
        ({"call": SERVED, "number": NUMBER}, "一つ選んで"),
    ):
        with pytest.raises(ToritsugiError, match=words):
            await erased(**request)
    with pytest.raises(ToritsugiError, match="理由"):
        await erase(None, Request(call=SERVED), reason=" ", by="", basis="", say=quiet)
    assert list(home.recordings.glob(f"{SERVED}-*.wav"))


async def test_somebody_who_is_to_be_called_back_is_not_erased(home: Settings) -> None:
    instance = Instance.open()
    booked = Callback(
        call=SERVED, number=NUMBER, caller=NUMBER, demand="booking-ja", entered_at=END, booked_at=END,
        expires_at=END, state=CallbackState.BOOKED, since=END, next_at=END,
    )  # fmt: skip
    async with instance.database.uow() as unit:
        await unit.callbacks.put(booked)
    await instance.database.close()
    with pytest.raises(ToritsugiError, match="折り返しの予約"):
        await erased(number=NUMBER)


async def test_killed_in_the_middle_the_same_command_finishes(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, rounds = SqlErasures.erase, []

    async def dying(self: SqlErasures, *arguments: object) -> list[Erased]:
        rounds.append(1)
        if len(rounds) == 2:
            raise KeyboardInterrupt
        return await real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlErasures, "erase", dying)
    monkeypatch.setattr(erasing, "BATCH", 10)
    with pytest.raises(KeyboardInterrupt):
        await erased(number=NUMBER)
    assert not (await scan(None, Request(number=NUMBER), quiet))["clean"]
    certificate, _page = await erased(number=NUMBER)
    assert certificate["verified"]["clean"]  # type: ignore[index]
    assert len(rounds) > 3
    assert spelled(home.home) == []


async def test_an_evidence_pack_that_somebody_changed_is_told_and_left(
    home: Settings, tmp_path: Path
) -> None:
    pack = await packed(tmp_path / "evidence.zip")
    pack.write_bytes(pack.read_bytes() + b"x")
    certificate, _page = await erased(call=SERVED)
    assert [each["state"] for each in certificate["copies_elsewhere"]] == ["changed"]  # type: ignore[attr-defined]
    assert pack.exists()


async def test_an_unknown_file_with_the_number_is_found(home: Settings) -> None:
    (home.home / "notes.txt").write_text("０９０（１２３４）５６７８")
    certificate, _page = await erased(number=NUMBER)
    verified = certificate["verified"]
    assert not verified["clean"]  # type: ignore[index]
    assert verified["unknown_files"] == ["notes.txt"]  # type: ignore[index]
    assert [each["path"] for each in verified["left"]] == ["notes.txt"]  # type: ignore[index]


# ---- kinds of files -------------------------------------------------------------------------------


async def test_every_file_of_a_used_home_is_of_a_declared_kind(home: Settings) -> None:
    assert [relative for relative, _path, kind in files_of(home.home) if kind is None] == []


def test_every_file_that_the_page_names_is_of_a_declared_kind() -> None:
    page = (PROJECT_ROOT / "docs" / "retention.md").read_text(encoding="utf-8")
    part = page.partition("\n## Files")[2].partition("\n## ")[0]
    rows = [
        re.findall(r"`([^`]+)`", line.split("|")[1]) for line in part.splitlines() if line.startswith("| `")
    ]
    named = [name for names in rows for name in names if name == names[0] or "/" in name]
    inside = [re.sub(r"<[^>]+>|…", "x", name) for name in named if not name.startswith(".")]
    assert len(inside) > 12
    for name in inside:
        assert kind_of_file(f"{name}x" if name.endswith("/") else name), f"{name}: add a FileKind"


def test_kinds_that_stay_say_why_where_they_may_hold_a_number() -> None:
    for kind in FILE_KINDS:
        assert kind.label_ja
        assert kind.stays_ja or kind.how is not FileErase.MASK


def test_a_log_keeps_its_length_and_its_times(tmp_path: Path) -> None:
    path = tmp_path / "log"
    text = f"a {NUMBER} b +81-90-1234-5678\nno 1{NUMBER} and 0901234567\ncall=x&display=山田&user={NUMBER}\n"
    path.write_text(text, encoding="utf-8")
    stat = path.stat()
    assert mask_in_place(path, [NUMBER], ["call=x"]) == 4
    after = path.read_text(encoding="utf-8")
    assert len(after.encode()) == len(text.encode())
    assert after.splitlines()[1] == text.splitlines()[1]
    assert "山田" not in after
    assert after.startswith("a XXXXXXXXXXX b XXXX")
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert mask_in_place(path, [NUMBER], ["call=x"]) == 0
