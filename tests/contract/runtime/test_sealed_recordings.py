"""Recordings encrypted once they are closed: readers see no difference, and no clear copy stays."""

from __future__ import annotations

import os
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core.clock import ManualClock
from core.ids import CallId
from core.keys import key_source, new_key
from core.sealed import open_plain, sealed_with
from core.settings import Settings, settings_from
from runtime.evidence import write_pack
from runtime.housekeeping import Housekeeper
from runtime.records import Records
from runtime.sealing import key_status, make_key
from services.city import load_city
from services.ports import RecordingFile
from services.recordings import look_at
from speech.audio import open_recording, write_telephone_wav
from storage.database import Database

pytestmark = pytest.mark.contract

T0 = 1_795_228_422.0
BASE = "c-n1-1795228422.49"
PCM = (np.sin(np.arange(80_000) / 5) * 9000).astype(np.int16)


@dataclass
class Home:
    settings: Settings
    database: Database
    keeper: Housekeeper

    def record(self, base: str = BASE) -> list[Path]:
        paths = [self.settings.recordings / f"{base}-{side}.wav" for side in ("citizen", "line")]
        for path in paths:
            write_telephone_wav(path, PCM)
        marker = self.settings.recordings / f"{base}.done"
        marker.touch()
        for path in (*paths, marker):
            os.utime(path, (T0, T0))
        return paths


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path / "home"))
    settings, profile, clock = settings_from(), load_city("matsusaka"), ManualClock(T0 + 3600)
    database = Database(settings.database_url)
    await database.migrate()
    records = Records(settings, profile, database, clock)
    yield Home(settings, database, Housekeeper(settings, profile, database, clock, records))
    await database.close()


async def test_without_a_key_they_stay_and_with_one_old_and_new_are_encrypted(home: Home) -> None:
    paths = home.record()
    await home.keeper.watch_once()
    assert [sealed_with(path) for path in paths] == [None, None]
    key_id, _source = make_key(home.settings, first=True, now=T0)
    assert await home.keeper.seal_rest() == 2
    newer = home.record("c-n1-1795228500.7")
    await home.keeper.watch_once()
    assert {sealed_with(path) for path in paths + newer} == {key_id}
    assert key_status(home.settings)["keys"][0]["recordings"] == 4
    assert PCM.tobytes()[:200] not in paths[0].read_bytes()


async def test_an_open_recording_is_left_alone(home: Home) -> None:
    make_key(home.settings, first=True, now=T0)
    path = home.record()[0]
    (home.settings.recordings / f"{BASE}.done").unlink()
    await home.keeper.watch_once()
    assert await home.keeper.seal_rest() == 0
    assert sealed_with(path) is None


async def test_every_reader_hears_the_same(home: Home, tmp_path: Path) -> None:
    path = home.record()[0]
    clear, plain = path.read_bytes(), open_recording(path)
    make_key(home.settings, first=True, now=T0)
    await home.keeper.watch_once()
    assert path.read_bytes() != clear
    sound = open_recording(path)
    assert (sound.frames, sound.rate, sound.repaired) == (plain.frames, plain.rate, False)
    assert (sound.read(3.0, 9.5, 8000) == PCM[24_000:76_000]).all()
    write_pack(tmp_path / "e.zip", {}, {"recordings/a.wav": path})
    with zipfile.ZipFile(tmp_path / "e.zip") as pack:
        assert pack.read("recordings/a.wav") == clear
    async with home.database.reading() as unit:
        rows = await unit.recordings.of_call(CallId(BASE))
    assert {(row.state, row.duration_s) for row in rows} == {("closed", 10.0)}


async def test_a_recording_whose_header_was_never_finished(home: Home) -> None:
    path = home.record()[0]
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = bytes(4)
    path.write_bytes(bytes(content))
    make_key(home.settings, first=True, now=T0)
    await home.keeper.watch_once()
    assert sealed_with(path)
    sound = open_recording(path)
    assert sound.repaired
    assert (sound.read(0.0, 10.0, 8000) == PCM).all()


async def test_after_a_new_key_the_night_encrypts_again(home: Home) -> None:
    paths = home.record()
    make_key(home.settings, first=True, now=T0)
    await home.keeper.watch_once()
    newer, source = make_key(home.settings, first=False, now=T0 + 1)
    assert key_status(home.settings)["current"] == newer
    (home.settings.recordings / f".{paths[0].name}.sealing").write_bytes(b"TRSEAL1\n")
    await home.keeper.run()
    assert {sealed_with(path) for path in paths} == {newer}
    assert sorted(path.name for path in home.settings.recordings.iterdir()) == sorted(p.name for p in paths)
    with open_plain(paths[0], source.load) as file:
        assert file.read(4) == b"RIFF"


async def test_a_key_that_is_lost_is_told_and_nothing_is_overwritten(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    path = home.record()[0]
    make_key(home.settings, first=True, now=T0)
    await home.keeper.watch_once()
    source = key_source(home.settings.home)
    source.path.unlink()
    source.add(new_key(T0 + 5), first=True)
    before = path.read_bytes()
    assert await home.keeper.seal_rest() == 0
    assert path.read_bytes() == before
    assert "stays as it is" in caplog.text
    assert sum(key_status(home.settings)["key_missing"].values()) == 2


async def test_the_row_of_a_recording_says_what_was_recorded(home: Home) -> None:
    make_key(home.settings, first=True, now=T0)
    path = home.record()[0]
    size = path.stat().st_size
    await home.keeper.watch_once()
    assert path.stat().st_size > size
    assert look_at(path).bytes == size
    async with home.database.reading() as unit:
        rows: list[RecordingFile] = await unit.recordings.of_call(CallId(BASE))
    assert {row.bytes for row in rows} == {size}
