"""What a transcript hides becomes silence in the recording, whatever dies between; a second hearing proves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from ledger_stories import CALL, T0

from core.clock import ManualClock
from services.muting import ROUNDS, Muter, mutes_of
from services.ports import JobState, RecordingFile, TranscriptJob
from services.speech_ports import MuteState, RecordingMute
from speech.audio import write_telephone_wav
from speech.jobs import JobState as HeardState
from speech.jobs import TranscriptionJob
from speech.muting import quiet
from speech.profile import MuteSection
from speech.transcript import Transcript, TranscriptSegment
from speech.words import Hidden
from storage.database import Database

pytestmark = pytest.mark.contract

BASE = str(CALL)
NOW = T0 + 600.0
LOUD = np.full(8000 * 20, 1000, dtype=np.int16)


def segment(side: str, *hidden: tuple[float, float, str]) -> TranscriptSegment:
    return TranscriptSegment(
        side=side, start_s=0.0, end_s=20.0, text="番号は［マイナンバー］です", kana="", confidence=0.9,
        hidden=tuple(Hidden(start_s=start, end_s=end, kind=kind) for start, end, kind in hidden),
    )  # fmt: skip


def heard(*segments: TranscriptSegment, state: HeardState = HeardState.DONE) -> Transcript:
    return Transcript(base=BASE, language="ja", state=state, segments=segments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "recordings"
    path.mkdir()
    for side in ("citizen", "line"):
        write_telephone_wav(path / f"{BASE}-{side}.wav", LOUD)
    return path


@pytest.fixture
def muter(database: Database, folder: Path) -> Muter:
    return Muter(
        folder=folder, uow=database.uow, reading=database.reading, clock=ManualClock(NOW),
        rules=MuteSection(margin_s=0.5), node="n1",
    )  # fmt: skip


async def store(database: Database, *mutes: RecordingMute) -> None:
    async with database.uow() as unit:
        for mute in mutes:
            await unit.mutes.merge(mute)


async def state_of(database: Database, side: str = "citizen") -> RecordingMute:
    async with database.reading() as unit:
        found = await unit.mutes.get(BASE, side)
    assert found is not None
    return found


SECRET = mutes_of(CALL, BASE, [segment("citizen", (5.0, 8.0, "my_number"))], ["my_number"], NOW + 100)


def test_only_the_profile_s_kinds_and_only_sides_with_a_secret() -> None:
    segments = [segment("citizen", (5, 8, "my_number"), (10, 11, "name")), segment("line", (12, 13, "name"))]
    assert [mute.spans for mute in mutes_of(CALL, BASE, segments, ["my_number"], 0)] == [
        ((5, 8, "my_number"),)
    ]


async def test_what_is_due_is_silent_with_its_margin_and_the_other_side_untouched(
    database: Database, folder: Path, muter: Muter
) -> None:
    other = (folder / f"{BASE}-line.wav").read_bytes()
    await store(database, *SECRET)
    assert await muter.mute_due() == {"muted": 1}
    after, _ = soundfile.read(folder / f"{BASE}-citizen.wav", dtype="int16")
    assert not after[36000:68000].any()
    assert after[:35999].all()
    assert after[68001:].all()
    assert (folder / f"{BASE}-line.wav").read_bytes() == other
    assert await muter.mute_due() == {}


async def test_killed_between_file_and_row_it_is_muted_once_more_and_nothing_changes(
    database: Database, folder: Path, muter: Muter
) -> None:
    await store(database, *SECRET)
    await muter.mute_due()
    once = (folder / f"{BASE}-citizen.wav").read_bytes()
    async with database.uow() as unit:
        await unit.mutes.put(replace(await state_of(database), state=MuteState.DUE, muted_at=None))
    await muter.mute_due()
    assert (folder / f"{BASE}-citizen.wav").read_bytes() == once
    assert (await state_of(database)).state is MuteState.MUTED


async def test_a_clean_second_hearing_proves_it(database: Database, muter: Muter) -> None:
    await store(database, *SECRET)
    await muter.mute_due()
    assert await muter.to_scan() == [BASE]
    assert await muter.scan(BASE, lambda job: heard(segment("citizen")), "ja") is MuteState.PROVEN
    assert await muter.to_scan() == []
    assert await muter.to_scan(everything=True) == [BASE]
    assert (await state_of(database)).scanned_at == NOW


async def test_what_a_second_hearing_finds_is_muted_too(
    database: Database, folder: Path, muter: Muter
) -> None:
    await store(database, *SECRET)
    await muter.mute_due()
    hearings = [
        heard(segment("citizen", (9.0, 10.0, "twelve_digits")), segment("line", (1.0, 2.0, "telephone"))),
        heard(),
    ]

    def hear(job: TranscriptionJob) -> Transcript:
        return hearings.pop(0)

    assert await muter.scan(BASE, hear, "ja") is MuteState.PROVEN
    assert quiet(folder / f"{BASE}-citizen.wav", [(5.0, 8.0), (9.0, 10.0)])
    assert quiet(folder / f"{BASE}-line.wav", [(1.0, 2.0)])
    assert [span[:2] for span in (await state_of(database)).spans] == [(5.0, 8.0), (9.0, 10.0)]


@pytest.mark.parametrize("hear", [lambda n: heard(segment("citizen", (n * 2.0, n * 2.0 + 1, "pin")))])
async def test_what_is_heard_again_and_again_is_left_to_a_person(
    database: Database, muter: Muter, hear: Callable[[int], Transcript]
) -> None:
    await store(database, *SECRET)
    await muter.mute_due()
    rounds = iter(range(ROUNDS))
    assert await muter.scan(BASE, lambda job: hear(next(rounds)), "ja") is MuteState.LEFT
    assert next(rounds, None) is None
    assert quiet(muter.folder / f"{BASE}-citizen.wav", [(n * 2.0, n * 2.0 + 1) for n in range(ROUNDS)])
    assert await muter.to_scan() == []


async def test_a_file_that_is_gone_or_damaged_is_told(database: Database, folder: Path, muter: Muter) -> None:
    (folder / f"{BASE}-citizen.wav").unlink()
    (folder / f"{BASE}-line.wav").write_bytes(b"RIFFgarbage")
    await store(database, *SECRET, replace(SECRET[0], side="line"))
    assert await muter.mute_due() == {"gone": 1, "unreadable": 1}
    assert not (folder / f"{BASE}-citizen.wav").exists()


async def test_late_and_unheard_recordings_are_counted(database: Database, muter: Muter) -> None:
    await store(database, *SECRET)
    async with database.uow() as unit:
        await unit.recordings.put(
            RecordingFile(
                base=BASE,
                side="citizen",
                call_id=CALL,
                path="",
                state="closed",
                bytes=1,
                duration_s=1.0,
                started_at=T0,
            )
        )
        await unit.jobs.add(TranscriptJob(call_id=CALL, base=BASE, language="ja"))
    async with database.reading() as unit:
        assert await unit.mutes.counts(NOW) == {"due": 1, "overdue": 0}
        assert await unit.mutes.counts(NOW + 200) == {"due": 1, "overdue": 1}
        assert await unit.mutes.unheard(T0) == []
        assert await unit.mutes.unheard(T0 + 1) == [BASE]
    async with database.uow() as unit:
        await unit.jobs.finish(CALL, JobState.DONE, now=NOW)
        assert await unit.mutes.unheard(T0 + 1) == []
