"""A home folder with a recorded minute of real calls, and what the nights do to it.

The proof of erasure: after the run no byte of any file under the home spells a caller's number.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from core.clock import TOKYO, ManualClock
from core.ids import CallId
from core.settings import Settings, settings_from
from runtime.housekeeping import Housekeeper, due_day, last_run_key
from runtime.process import run_folder, write_json
from runtime.records import Records, prove, sip_messages
from runtime.transcribing import Worker
from services.city import load_city
from services.ports import JobState, TranscriptJob
from services.proofs import kept_proofs
from services.retention import DAY_S
from speech.audio import write_telephone_wav
from speech.jobs import JobState as Heard
from speech.jobs import TranscriptionJob
from speech.transcript import Transcript
from storage.database import Database
from storage.rows import metadata
from telephony.ami.errors import AmiDisconnected

pytestmark = pytest.mark.contract

STORY = Path(__file__).parents[2] / "replay" / "telephony"
END = 1795228500.0
SERVED = CallId("c-n1-1795228422.49")
PROFILE = load_city("matsusaka")
DAYS = PROFILE.interactions.retention_days


@dataclass
class Home:
    """An instance that took part in the story."""

    settings: Settings
    database: Database
    clock: ManualClock
    records: Records
    keeper: Housekeeper

    def numbers(self) -> set[str]:
        """Callers' numbers in the story."""
        return set(re.findall(r"user=(\d+)", (STORY / "cel.jsonl").read_text()))

    def files(self) -> list[str]:
        home = self.settings.home
        return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())

    def spelled(self) -> list[str]:
        """Files in which a caller's number stands, the database's own included."""
        found = []
        for path in self.settings.home.rglob("*"):
            if path.is_file() and any(number.encode() in path.read_bytes() for number in self.numbers()):
                found.append(str(path.relative_to(self.settings.home)))
        return sorted(found)

    async def in_tables(self) -> list[str]:
        """Tables in which one stands in any column."""
        found = []
        async with self.database.engine.connect() as connection:
            for table in metadata.tables.values():
                text = repr((await connection.execute(select(table))).all())
                if any(number in text for number in self.numbers()):
                    found.append(table.name)
        return sorted(found)


def a_log(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (END, END))


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    settings = settings_from({"TORITSUGI_HOME": str(tmp_path / "home")})
    a_log(settings.cel_log, (STORY / "cel.jsonl").read_text())
    a_log(settings.queue_log, (STORY / "queue_log.txt").read_text())
    a_log(settings.queue_log.parent / "messages.log", "[2026-11-21] NOTICE: '09012345678' is slow\n")
    a_log(settings.queue_log.parent / "security.log", 'AccountID="09012345678"\n')
    a_log(settings.queue_log.parent / "console.log", "09012345678\n")
    message = {"at": END - 60, "call_id": "abc@h", "method": "INVITE", "from_user": "09012345678"}
    a_log(settings.sip_log, json.dumps(message) + "\n")
    for side in ("citizen", "line"):
        path = settings.recordings / f"{SERVED}-{side}.wav"
        write_telephone_wav(path, np.zeros(8000, dtype=np.int16))
        os.utime(path, (END, END))
    a_log(settings.recordings / f"{SERVED}.done", "")
    a_log(settings.recordings / "c-n1-1795228000.1-line.wav", "left over")
    database, clock = Database(settings.database_url), ManualClock(END)
    await database.migrate()
    records = Records(settings, PROFILE, database, clock)
    made = Home(settings, database, clock, records, Housekeeper(settings, PROFILE, database, clock, records))
    await records.take_in()
    async with database.uow() as unit:
        case = await unit.cases.of_call(SERVED)
        assert case is not None
        await unit.cases.put(replace(case, answer="09012345678 に折り返した"))
    yield made
    await database.close()


async def nothing() -> None:
    return None


async def test_after_its_days_a_number_is_nowhere(home: Home) -> None:
    assert home.numbers()
    assert await home.in_tables() == ["call", "fact", "interaction", "interaction_call"]
    assert "toritsugi.db" in " ".join(home.spelled())
    home.clock.now = END + (DAYS.caller_numbers + 1) * DAY_S
    result = await home.keeper.run()
    assert await home.in_tables() == []
    assert home.spelled() == []
    assert result["counts"]["caller_numbers"] == 5
    assert result["counts"]["not_taken_in"] == 0
    async with home.database.reading() as unit:
        assert len(await unit.calls.between(0, END)) == 5
        assert await unit.facts.of_calls([SERVED])
    assert not list(home.settings.recordings.iterdir())


async def test_the_ledger_goes_on_after_its_read_files_are_gone(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.clock.now = END + (DAYS.caller_numbers + 1) * DAY_S
    await home.keeper.run()
    assert not home.settings.cel_log.exists()
    line = (STORY / "cel.jsonl").read_text().splitlines()[1]
    late = f"{home.clock.now:.6f}"
    home.settings.cel_log.write_text(
        line.replace("1795228422.49", "1830000000.7").replace("1795228422.022342", late) + "\n"
    )
    fresh = Records(home.settings, PROFILE, home.database, home.clock)
    assert await home.records.take_in() == 1
    assert await fresh.take_in() == 0
    assert "is gone" not in caplog.text
    async with home.database.reading() as unit:
        assert len(await unit.calls.between(END, home.clock.now + 1)) == 1


async def test_logs_that_the_ledger_has_not_read_are_kept(home: Home, tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
    await database.migrate()
    home.clock.now = END + (DAYS.caller_numbers + 1) * DAY_S
    records = Records(home.settings, PROFILE, database, home.clock)
    result = await Housekeeper(home.settings, PROFILE, database, home.clock, records).run()
    assert result["counts"]["not_taken_in"] == 2
    assert len(list(home.settings.cel_log.parent.iterdir())) == 1
    assert await records.take_in() > 20
    await database.close()


async def test_the_dry_run_changes_nothing_and_counts_rightly(home: Home) -> None:
    home.clock.now = END + (DAYS.caller_numbers + 1) * DAY_S
    await home.keeper.watch_once()
    await home.keeper.rotate(None)
    await home.database.empty_wal()
    before, spelled = home.files(), home.spelled()
    due = await home.keeper.run(dry_run=True)
    assert (home.files(), home.spelled()) == (before, spelled)
    assert await home.in_tables()
    done = await home.keeper.run()
    assert due["counts"] == done["counts"]
    assert due["before"] == done["before"]


async def test_a_night_of_a_running_centre(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """Asterisk rotates what it holds open; ours are renamed; nothing is old enough to go."""
    write_json(run_folder(home.settings) / "warden.json", {"pid": os.getpid()})
    log = home.settings.queue_log

    async def as_asterisk_does() -> None:
        for name in ("queue_log", "messages.log", "security.log"):
            path = log.with_name(name)
            path.rename(path.with_name(f"{name}.0"))
            path.write_text("1795230356|NONE|NONE|NONE|CONFIGRELOAD|\n" if name == "queue_log" else "")

    home.clock.now = END + 3600
    with caplog.at_level("INFO", logger="runtime.housekeeping"):
        result = await home.keeper.run(as_asterisk_does)
    assert sum(result["counts"].values()) == 0
    assert [record.message for record in caplog.records] == [f"retention done: {result['counts']}"]
    assert not any(number in caplog.text for number in home.numbers())
    assert [name for name in home.files() if "log" in name] == [
        "asterisk/log/cel-custom/cel_master.json.2026-11-21",
        "asterisk/log/console.log",
        "asterisk/log/console.log.2026-11-21",
        "asterisk/log/messages.log",
        "asterisk/log/messages.log.0",
        "asterisk/log/queue_log",
        "asterisk/log/queue_log.0",
        "asterisk/log/security.log",
        "asterisk/log/security.log.0",
    ]
    assert (log.parent / "console.log").stat().st_size == 0
    with home.settings.cel_log.open("a") as file:  # cel_custom, at the next call
        file.write(
            (STORY / "cel.jsonl").read_text().splitlines()[1].replace("1795228422.49", "1795231000.1") + "\n"
        )
    assert await home.records.take_in() == 1
    async with home.database.reading() as unit:
        assert len(await unit.calls.between(0, 2 * END)) == 6


async def test_the_command_leaves_a_running_centres_logs_alone(home: Home) -> None:
    write_json(run_folder(home.settings) / "warden.json", {"pid": os.getpid()})
    before = home.files()
    await home.keeper.run()
    assert [name for name in home.files() if "log" in name] == [name for name in before if "log" in name]


async def test_a_night_without_asterisk_still_deletes(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    async def gone() -> None:
        raise AmiDisconnected("切れました", where="AMI")

    home.clock.now = END + (DAYS.recordings + 1) * DAY_S
    result = await home.keeper.run(gone)
    assert (result["counts"]["recordings"], result["counts"]["stray_recordings"]) == (2, 1)
    assert "not rotated" in caplog.text


async def test_the_night_comes_once_a_day_and_after_restarts(home: Home) -> None:
    def at(text: str) -> None:
        home.clock.now = datetime.fromisoformat(text).replace(tzinfo=TOKYO).timestamp()

    async def night() -> bool:
        keeper = Housekeeper(home.settings, PROFILE, home.database, home.clock, home.records)
        return await keeper.nightly(nothing)

    at("2026-11-22 10:00")
    assert not await night()  # a new instance: its first night is to come
    at("2026-11-23 02:59")
    assert not await night()
    at("2026-11-23 03:00")
    assert await night()
    assert not await night()
    at("2026-11-26 12:00")  # it was down at the hour
    assert await night()
    assert not await night()
    async with home.database.reading() as unit:
        assert await unit.settings.get(last_run_key("n1")) == "2026-11-26"


async def test_a_night_proves_the_day_that_is_over(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    day = datetime.fromtimestamp(END, TOKYO).date()
    home.clock.now = END
    await home.keeper.nightly(nothing)
    home.clock.now = END + DAY_S
    await home.keeper.nightly(nothing)
    async with home.database.reading() as unit:
        proof = (await kept_proofs(unit, day, day))[day]
        calls = await unit.calls.number(END - DAY_S, END + DAY_S)
    assert (proof.over, proof.calls, proof.made_at) == (True, calls, END + DAY_S)
    # The story's SIP was not mirrored, so every call of it differs.
    assert proof.differences >= calls > 0
    assert "ledger reconcile" in caplog.text


async def test_a_node_proves_its_own_calls(home: Home) -> None:
    """Another node's SIP is mirrored elsewhere: none of its calls may be missed here."""
    async with home.database.reading() as unit:
        calls = await unit.calls.between(0.0, END)
    theirs = replace(calls[0], call_id=CallId("c-n2-1795228400.1"), sip_call_id="theirs")
    moved = replace(calls[0], call_id=CallId("c-n0-1795228401.1"), sip_call_id="abc@h")
    before = await prove(home.settings, PROFILE, home.database, END - 600, END)
    async with home.database.uow() as unit:
        await unit.calls.put([theirs, moved])
    message = {
        "at": END - 60, "call_id": "abc@h", "method": "INVITE", "status": None, "initial": True,
        "from_user": "09012345678", "to_user": "0598530000", "src": "192.0.2.7:5060", "cseq": "1 INVITE",
    }  # fmt: skip
    a_log(home.settings.sip_log, json.dumps(message) + "\n")
    after = await prove(home.settings, PROFILE, home.database, END - 600, END)
    assert (after.calls, after.invites) == (before.calls + 1, 1), "of a node that was renamed the wire tells"
    assert "c-n2-1795228400.1" not in {each.what for each in after.differences}


async def test_a_proof_that_fails_does_not_undo_the_night(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr("runtime.housekeeping.prove_day", broken)
    home.clock.now = END
    await home.keeper.nightly(nothing)
    home.clock.now = END + DAY_S
    assert await home.keeper.nightly(nothing)
    assert not await home.keeper.nightly(nothing)
    assert "could not be proved" in caplog.text


async def test_a_night_that_fails_is_not_marked_as_done(home: Home) -> None:
    async def broken() -> None:
        raise RuntimeError("no")

    home.clock.now = END
    await home.keeper.nightly(nothing)
    home.clock.now = END + DAY_S
    with pytest.raises(RuntimeError):
        await home.keeper.nightly(broken)
    assert await home.keeper.nightly(nothing)


def test_the_day_turns_at_three() -> None:
    assert due_day(datetime(2026, 11, 21, 2, 59, tzinfo=TOKYO)).day == 20
    assert due_day(datetime(2026, 11, 21, 3, 0, tzinfo=TOKYO)).day == 21


async def test_proof_of_a_day_whose_recordings_have_gone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def kinds_of(proof_: object) -> set[str]:
        return {each.kind.value for each in proof_.differences}  # type: ignore[attr-defined]

    monkeypatch.setattr("runtime.records.time.time", lambda: END)
    fresh = await prove(home.settings, PROFILE, home.database, END - 600, END)
    assert "answered_call_without_recording" in kinds_of(fresh)
    monkeypatch.setattr("runtime.records.time.time", lambda: END + (DAYS.recordings + 1) * DAY_S)
    old = await prove(home.settings, PROFILE, home.database, END - 600, END)
    assert "answered_call_without_recording" not in kinds_of(old)
    assert list(sip_messages(home.settings.sip_log))


class _Child:
    """Instead of the child process with its models."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def languages(self) -> list[str]:
        return []

    def transcribe(self, task: TranscriptionJob) -> Transcript:
        self.asked.append(task.base)
        return Transcript(base=task.base, language="ja", state=Heard.EMPTY)


async def test_a_job_waits_for_the_row_of_its_recording(home: Home) -> None:
    async with home.database.uow() as unit:
        assert await unit.jobs.get(SERVED) is not None
    worker, child = Worker("w", home.settings, home.database), _Child()
    worker._child = child  # type: ignore[assignment]
    now = datetime.now(TOKYO).timestamp()
    for side in ("citizen", "line"):
        os.utime(home.settings.recordings / f"{SERVED}-{side}.wav", (now, now))
    others = [job for job in await _jobs(home) if job.call_id != SERVED]
    async with home.database.uow() as unit:
        for job in others:
            await unit.jobs.finish(job.call_id, JobState.DONE, now=now)
        await unit.jobs.finish(SERVED, JobState.WAITING, now=now, next_try_at=0.0)
    assert not await worker._round()
    assert child.asked == []
    await home.keeper.watch_once()
    async with home.database.uow() as unit:
        await unit.jobs.finish(SERVED, JobState.WAITING, now=now, next_try_at=0.0)
    assert await worker._round()
    assert child.asked == [SERVED]
    async with home.database.reading() as unit:
        done = await unit.jobs.get(SERVED)
    assert done is not None
    assert (done.state, done.attempts) == (JobState.EMPTY, 1)


async def _jobs(home: Home) -> list[TranscriptJob]:
    found = []
    async with home.database.reading() as unit:
        for call in await unit.calls.between(0, END):
            job = await unit.jobs.get(call.call_id)
            if job is not None:
                found.append(job)
    return found
