"""The child that transcribes: it may crash, hang or complain, and the next job finds a new one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import ToritsugiError
from speech.jobs import JobState, TranscriptionJob
from speech.transcript import Transcript
from speech.worker import ChildTranscriber, TranscriptionCrashed, limit_s

pytestmark = pytest.mark.contract


def serve_as_told(pipe: Connection, _folders: Sequence[Path], _options: Mapping[str, object]) -> None:
    """A child that does what the job's name says."""
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        if job.base == "crash":
            os._exit(11)
        if job.base == "hang":
            threading.Event().wait()
        if job.base == "complain":
            pipe.send("音声ファイルがありません")
            continue
        pipe.send(Transcript(base=job.base, language="ja", state=JobState.DONE, engine=str(os.getpid())))


@pytest.fixture
def transcriber() -> Iterator[ChildTranscriber]:
    child = ChildTranscriber([], serve=serve_as_told, limit=lambda job: 0.2 if job.base == "hang" else 60.0)
    yield child
    child.close()


def named(base: str, folder: Path = Path("/nowhere")) -> TranscriptionJob:
    return TranscriptionJob(
        base=base, citizen_path=folder / "citizen.wav", line_path=folder / "line.wav", language="ja"
    )


def test_one_child_does_many_jobs_and_each_loss_costs_one(transcriber: ChildTranscriber) -> None:
    first = transcriber.transcribe(named("a")).engine
    assert transcriber.transcribe(named("b")).engine == first
    with pytest.raises(ToritsugiError, match="ありません"):
        transcriber.transcribe(named("complain"))
    assert transcriber.transcribe(named("c")).engine == first, "a complaint is no crash"
    with pytest.raises(TranscriptionCrashed, match="crash"):
        transcriber.transcribe(named("crash"))
    second = transcriber.transcribe(named("d")).engine
    assert second != first
    with pytest.raises(TranscriptionCrashed, match="hang"):
        transcriber.transcribe(named("hang"))
    assert transcriber.transcribe(named("e")).engine not in (first, second)


def test_the_real_child_answers_for_a_machine_without_models(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "citizen.wav", np.zeros(8000, np.int16), 8000)
    transcriber = ChildTranscriber([tmp_path])
    try:
        assert set(transcriber.languages()) == set()
        assert transcriber.transcribe(named("a", tmp_path)).state is JobState.NO_MODEL
    finally:
        transcriber.close()


def test_the_limit_grows_with_the_audio(tmp_path: Path) -> None:
    assert limit_s(named("a", tmp_path)) == 120.0
    soundfile.write(tmp_path / "citizen.wav", np.zeros(8000 * 60, np.int16), 8000)
    assert limit_s(named("a", tmp_path)) == pytest.approx(300.0)
