"""Recordings become rows: once, whatever state their files are in, and also when Asterisk died over them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from ledger_stories import CALL, T0, answered_call

from core.clock import ManualClock
from core.ids import CallId
from ledger.fold import fold_call
from services.ports import JobState, RecordingFile, TranscriptJob
from services.recordings import RecordingKeeper, RecordingState
from speech.audio import write_telephone_wav
from storage.database import Database

pytestmark = pytest.mark.contract

NOW = T0 + 3600.0
BASE = str(CALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "recordings"
    path.mkdir()
    return path


@pytest.fixture
def keeper(database: Database, folder: Path) -> RecordingKeeper:
    return RecordingKeeper(folder, database.uow, ManualClock(NOW))


async def the_call_is_known(database: Database) -> None:
    call = fold_call(answered_call().facts)
    assert call is not None
    async with database.uow() as unit:
        await unit.calls.put([call])


def recorded(folder: Path, base: str = BASE, seconds: float = 2.0, mark: bool = True) -> None:
    for side in ("citizen", "line"):
        write_telephone_wav(folder / f"{base}-{side}.wav", np.zeros(round(8000 * seconds), dtype=np.int16))
        os.utime(folder / f"{base}-{side}.wav", (NOW - 60, NOW - 60))
    if mark:
        drop_marker(folder, base)


def drop_marker(folder: Path, base: str = BASE, age: float = 1.0) -> None:
    (folder / f"{base}.done").touch()
    os.utime(folder / f"{base}.done", (NOW - age, NOW - age))


async def stored(database: Database, base: str = BASE) -> list[RecordingFile]:
    async with database.reading() as unit:
        return await unit.recordings.of_call(CallId(base))


async def test_both_sides_get_a_row_and_the_marker_goes(
    database: Database, folder: Path, keeper: RecordingKeeper
) -> None:
    await the_call_is_known(database)
    recorded(folder)
    assert await keeper.take_in() == 1
    assert not list(folder.glob("*.done"))
    citizen, line = await stored(database)
    assert citizen == RecordingFile(
        base=BASE, side="citizen", call_id=CALL, path=str(folder / f"{BASE}-citizen.wav"), state="closed",
        bytes=44 + 32000, duration_s=2.0, started_at=T0 + 0.11,
    )  # fmt: skip
    assert (line.side, line.state) == ("line", "closed")
    assert await keeper.take_in() == 0


async def test_a_crash_before_the_marker_went_changes_nothing(
    database: Database, folder: Path, keeper: RecordingKeeper
) -> None:
    await the_call_is_known(database)
    recorded(folder)
    await keeper.take_in()
    before = await stored(database)
    drop_marker(folder)
    again = RecordingKeeper(folder, database.uow, ManualClock(NOW))
    assert await again.take_in() == 1
    assert await stored(database) == before


async def test_what_each_side_can_be(database: Database, folder: Path, keeper: RecordingKeeper) -> None:
    await the_call_is_known(database)
    recorded(folder)
    citizen, line = folder / f"{BASE}-citizen.wav", folder / f"{BASE}-line.wav"
    whole = citizen.read_bytes()
    cases: list[tuple[bytes | None, RecordingState, float | None]] = [
        (b"", RecordingState.EMPTY, 0.0),
        (whole[:44], RecordingState.EMPTY, 0.0),
        (b"no sound at all, and long enough to be more than a header", RecordingState.DAMAGED, None),
        (whole[:40] + b"\0\0\0\0" + whole[44:], RecordingState.UNFINISHED, 2.0),
        (None, RecordingState.MISSING, None),
    ]
    for content, state, duration in cases:
        citizen.unlink(missing_ok=True)
        if content is not None:
            citizen.write_bytes(content)
        drop_marker(folder)
        assert await keeper.take_in() == 1
        first, second = await stored(database)
        assert (first.state, first.duration_s) == (state.value, duration)
        assert first.bytes == (None if content is None else len(content))
        assert second.state == "closed"
    line.unlink()
    drop_marker(folder)
    assert await keeper.take_in() == 1  # nothing to store, and no reason to look again
    assert not list(folder.iterdir())


async def test_a_marker_waits_for_its_call_but_not_for_ever(
    database: Database, folder: Path, keeper: RecordingKeeper
) -> None:
    recorded(folder)
    assert await keeper.take_in() == 0
    assert await stored(database) == []
    await the_call_is_known(database)
    assert await keeper.take_in() == 1
    assert len(await stored(database)) == 2
    recorded(folder, "c-n1-1764000500.77")
    drop_marker(folder, "c-n1-1764000500.77", age=61)
    assert await keeper.take_in() == 1
    assert {row.started_at for row in await stored(database, "c-n1-1764000500.77")} == {1764000500.0}


async def test_more_than_a_batch(
    database: Database, folder: Path, keeper: RecordingKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.recordings.BATCH", 3)
    for number in range(8):
        recorded(folder, f"c-n1-1764000000.{number}", seconds=0.1)
        drop_marker(folder, f"c-n1-1764000000.{number}", age=100)
    drop_marker(folder, "c-n1-no-base-of-ours", age=100)
    assert await keeper.take_in() == 8
    assert [path.name for path in folder.glob("*.done")] == ["c-n1-no-base-of-ours.done"]


async def test_an_unchanged_folder_is_not_listed_again(
    folder: Path, keeper: RecordingKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = []
    listing = os.scandir

    def counted(path: Path) -> os._ScandirIterator[str]:
        listed.append(path)
        return listing(path)

    os.utime(folder, (NOW - 100, NOW - 100))
    monkeypatch.setattr("services.recordings.os.scandir", counted)
    for _ in range(5):
        assert await keeper.take_in() == 0
    assert len(listed) == 1
    drop_marker(folder)
    os.utime(folder, (NOW, NOW))  # changed this moment: its time cannot be trusted yet
    await keeper.take_in()
    await keeper.take_in()
    assert len(listed) >= 3


async def test_a_recording_whose_asterisk_died_is_adopted_once_it_rests(
    database: Database, folder: Path, keeper: RecordingKeeper
) -> None:
    recorded(folder, mark=False)
    assert not keeper.abandoned(BASE)
    assert await keeper.adopt() == 0
    os.utime(folder / f"{BASE}-citizen.wav", (NOW - 601, NOW - 601))
    assert not keeper.abandoned(BASE)
    os.utime(folder / f"{BASE}-line.wav", (NOW - 601, NOW - 601))
    assert keeper.abandoned(BASE)
    assert await keeper.adopt() == 1
    assert [row.state for row in await stored(database)] == ["closed", "closed"]
    assert await keeper.adopt() == 0
    assert keeper.abandoned("c-n1-1.1")  # no file at all: nobody writes


async def test_a_job_put_back_has_not_been_tried(database: Database) -> None:
    job = TranscriptJob(call_id=CALL, base=BASE, language="ja")
    async with database.uow() as unit:
        await unit.jobs.add(job)
        assert await unit.jobs.claim("w", now=1.0, stale_after_s=60) is not None
        await unit.jobs.put_back(CALL, 5.0)
        found = await unit.jobs.get(CALL)
        assert found is not None
        assert (found.state, found.attempts, found.next_try_at) == (JobState.WAITING, 0, 5.0)
        assert (found.claimed_by, found.claimed_at) == ("", None)
