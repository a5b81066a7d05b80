"""A spoken twelve-digit number goes out of the transcript and out of the sound; hearing again finds none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.clock import SystemClock
from core.ids import CallId
from core.settings import settings_from
from services.muting import Muter, mutes_of
from services.speech_ports import MuteState
from speech.audio import from_pcm, telephone_channel, write_telephone_wav
from speech.digits import digit_runs
from speech.engines import EngineKind, Engines, choose
from speech.jobs import JobState, TranscriptionJob
from speech.models import models_dir
from speech.ports import Voice
from speech.profile import MuteSection
from speech.read_back import read_back
from speech.synthesis import render
from speech.transcript import transcribe_recording
from storage.database import Database

pytestmark = pytest.mark.contract

FOLDERS = [models_dir(settings_from().tools)]
BASE = "c-n1-1795228422.49"
NUMBER = "よんはちにいち、ぜろきゅうさんなな、ごごいちに"
TURNS = {
    "citizen": [
        "カードの予約をお願いします。",
        f"マイナンバーは、{NUMBER}、です。",
        "土曜日は空いていますか。",
    ],
    "line": [
        "ご用件をお伺いします。",
        "番号を復唱いたします。" + NUMBER + "、ですね。",
        "土曜日の十時でお取りします。",
    ],
}


@pytest.mark.skipif(
    choose("ja", FOLDERS).kind is EngineKind.NO_MODEL,
    reason="no recogniser model for ja (./toritsugi models fetch)",
)
@pytest.mark.timeout(300)
async def test_out_of_the_text_out_of_the_sound_and_proven(tmp_path: Path) -> None:
    pause = np.zeros(8000, np.int16)
    for side, turns in TURNS.items():
        wait = pause if side == "line" else np.zeros(4000, np.int16)
        parts = [wait]
        for text in turns:
            parts += [
                telephone_channel(from_pcm(render(text, Voice(engine="open-jtalk"), language="ja")), 8000),
                pause,
            ]
        write_telephone_wav(tmp_path / f"{BASE}-{side}.wav", np.concatenate(parts))
    engines = Engines(FOLDERS)
    recogniser = engines.recogniser("ja")
    assert recogniser is not None
    job = TranscriptionJob(
        base=BASE,
        citizen_path=tmp_path / f"{BASE}-citizen.wav",
        line_path=tmp_path / f"{BASE}-line.wav",
        language="ja",
    )
    heard = transcribe_recording(job, engines)
    assert heard.state is JobState.DONE
    mute = MuteSection()
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'toritsugi.db'}")
    await database.migrate()
    muter = Muter(
        folder=tmp_path,
        uow=database.uow,
        reading=database.reading,
        clock=SystemClock(),
        rules=mute,
        node="n1",
    )
    due = mutes_of(CallId(BASE), BASE, heard.segments, [kind.value for kind in mute.kinds], 0.0)
    assert {each.side for each in due} == {"citizen", "line"}
    async with database.uow() as unit:
        for each in due:
            await unit.mutes.merge(each)
    assert await muter.mute_due() == {"muted": 2}
    assert await muter.scan(BASE, lambda job: transcribe_recording(job, engines), "ja") is MuteState.PROVEN
    await database.close()
    left = {path: read_back(path, recogniser) for path in (job.citizen_path, job.line_path)}
    assert all(max((len(run.digits) for run in digit_runs(text)), default=0) < 4 for text in left.values())
    assert "土" in left[job.citizen_path], "what is no secret stays"
