"""Two sides become one transcript: times, order, masks, and a state for every kind of bad file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import ToritsugiError
from speech.audio import AudioUnreadable, from_pcm, to_pcm
from speech.engines import VOCABULARY
from speech.gate import stretches
from speech.invented import is_invented
from speech.jobs import ATTEMPTS, JobState, TranscriptionJob, failed
from speech.ports import Pcm, Recogniser, Word
from speech.transcript import transcribe_paths, transcribe_recording

pytestmark = pytest.mark.unit

RATE = 8000
WORDS = {300: "もしもし", 500: "暗証番号を。", 700: "4071です", 900: "はい"}


class ToneRecogniser:
    """Hears a word for each tone of `WORDS`, and a polite ending in the silence after the last one."""

    name, language, window_s = "tones", "ja", 15.0

    def __init__(self) -> None:
        self.longest_s = 0.0

    def transcribe(self, pcm16k: Pcm) -> Sequence[Word]:
        self.longest_s = max(self.longest_s, len(pcm16k) / 16000)
        found = []
        for stretch in stretches(pcm16k):
            part = from_pcm(pcm16k[round(stretch.start_s * 16000) : round(stretch.end_s * 16000)])
            spectrum = np.abs(np.fft.rfft(part))
            hertz = float(np.argmax(spectrum)) * 16000 / len(part)
            text = WORDS[min(WORDS, key=lambda known: abs(known - hertz))]
            found.append(
                Word(start_s=stretch.start_s + 0.2, end_s=stretch.end_s - 0.2, text=text, confidence=0.9)
            )
        end = len(pcm16k) / 16000
        return [*found, Word(start_s=end - 0.1, end_s=end, text="ご視聴", confidence=0.5)]


class Source:
    def __init__(self, recogniser: Recogniser | None) -> None:
        self._recogniser = recogniser

    def recogniser(self, language: str) -> Recogniser | None:
        return self._recogniser


HERE = Source(ToneRecogniser())


def write(path: Path, tones: Sequence[tuple[float, float, int]], length_s: float) -> None:
    samples = np.zeros(round(length_s * RATE), np.float32)
    for start, end, hertz in tones:
        at = np.arange(round((end - start) * RATE)) / RATE
        samples[round(start * RATE) : round(start * RATE) + len(at)] = 0.2 * np.sin(2 * np.pi * hertz * at)
    soundfile.write(path, to_pcm(samples), RATE)


@pytest.fixture
def job(tmp_path: Path) -> TranscriptionJob:
    citizen, line = tmp_path / "c-1-citizen.wav", tmp_path / "c-1-line.wav"
    write(citizen, [(2.0, 4.0, 300), (20.0, 22.0, 700)], 30.0)
    write(line, [(0.0, 1.5, 900), (10.0, 12.0, 500)], 30.0)
    return TranscriptionJob(base="c-1", citizen_path=citizen, line_path=line, language="ja")


def test_both_sides_in_order_of_time_with_times_of_the_recording(job: TranscriptionJob) -> None:
    transcript = transcribe_recording(job, HERE)
    assert transcript.state is JobState.DONE
    assert transcript.engine == "tones"
    assert transcript.duration_s == pytest.approx(30.0)
    assert transcript.spoken_s == pytest.approx(2.4 + 2.4 + 1.7 + 2.4, abs=0.1)
    told = [(s.side, s.start_s, s.end_s, s.text) for s in transcript.segments]
    assert [(side, text) for side, _, _, text in told] == [
        ("line", "はい"),
        ("citizen", "もしもし"),
        ("line", "暗証番号を。"),
        ("citizen", "［暗証番号］です"),
    ]
    for (_, start, end, _), (real_start, real_end) in zip(
        told, [(0.2, 1.5), (2, 4), (10, 12), (20, 22)], strict=True
    ):
        assert start == pytest.approx(real_start, abs=0.05)
        assert end == pytest.approx(real_end, abs=0.05)
    assert transcript.segments[1].kana == "モシモシ"
    assert transcript.segments[1].confidence == 0.9


def test_only_the_talk_is_listened_to(job: TranscriptionJob) -> None:
    transcript = transcribe_recording(replace(job, ranges=((0.0, 5.0),)), HERE)
    assert [segment.text for segment in transcript.segments] == ["はい", "もしもし"]


def test_without_a_model_the_job_waits(job: TranscriptionJob) -> None:
    assert transcribe_recording(job, Source(None)).state is JobState.NO_MODEL


def test_one_bad_side_is_told_and_the_other_counts(job: TranscriptionJob) -> None:
    job.line_path.write_bytes(b"RIFFgarbage")
    transcript = transcribe_recording(job, HERE)
    assert transcript.state is JobState.DONE
    assert "壊れて" in transcript.reason
    assert {segment.side for segment in transcript.segments} == {"citizen"}


def test_two_damaged_sides_and_two_empty_ones(job: TranscriptionJob) -> None:
    job.citizen_path.write_bytes(b"")
    job.line_path.write_bytes(b"RIFFgarbage")
    assert transcribe_recording(job, HERE).state is JobState.DAMAGED
    soundfile.write(job.line_path, np.zeros(0, np.int16), RATE)
    assert transcribe_recording(job, HERE).state is JobState.EMPTY


def test_silence_is_done_and_says_nothing(job: TranscriptionJob) -> None:
    for path in (job.citizen_path, job.line_path):
        write(path, [], 10.0)
    transcript = transcribe_recording(job, HERE)
    assert (transcript.state, transcript.segments, transcript.spoken_s) == (JobState.DONE, (), 0.0)


def test_a_missing_side_is_waited_for_and_then_left_behind(job: TranscriptionJob) -> None:
    job.line_path.unlink()
    with pytest.raises(ToritsugiError, match="c-1-line"):
        transcribe_recording(replace(job, attempts=1), HERE)
    assert transcribe_recording(replace(job, attempts=3), HERE).state is JobState.DONE
    job.citizen_path.unlink()
    with pytest.raises(ToritsugiError):
        transcribe_recording(replace(job, attempts=3), HERE)


def test_chunks_stay_short_however_long_the_speech(tmp_path: Path) -> None:
    recogniser = ToneRecogniser()
    write(tmp_path / "long.wav", [(1.0, 70.0, 300)], 72.0)
    rows = list(transcribe_paths([tmp_path / "long.wav"], Source(recogniser), "ja"))
    assert recogniser.longest_s <= 15.01
    assert rows[0]["side"] == "citizen"


def test_paths_give_rows_and_the_two_sides_are_one_conversation(job: TranscriptionJob) -> None:
    rows = list(transcribe_paths([job.citizen_path, job.line_path], HERE, "ja"))
    assert [row["text"] for row in rows][-1] == "［暗証番号］です", "the operator's question is known"
    assert set(rows[0]) == {"file", "side", "start_s", "end_s", "text", "confidence"}


def test_paths_that_give_no_audio_or_no_model_are_named(job: TranscriptionJob, tmp_path: Path) -> None:
    with pytest.raises(AudioUnreadable, match=r"none\.wav"):
        list(transcribe_paths([tmp_path / "none.wav"], HERE, "ja"))
    with pytest.raises(ToritsugiError, match="models fetch"):
        list(transcribe_paths([job.citizen_path], Source(None), "ja"))


def test_a_job_tries_again_ever_later_and_then_fails() -> None:
    job = TranscriptionJob(base="c-1", citizen_path=Path(), line_path=Path(), language="ja")
    pauses = []
    for attempt in range(1, ATTEMPTS):
        after = failed(replace(job, attempts=attempt), 1000.0, "why")
        assert (after.state, after.reason) == (JobState.WAITING, "why")
        pauses.append(after.due_at - 1000.0)
    assert pauses == [30.0, 120.0, 480.0, 1920.0]
    assert failed(replace(job, attempts=ATTEMPTS), 1000.0, "why").state is JobState.FAILED


@pytest.mark.parametrize(
    ("text", "length_s"),
    [
        ("ご視聴ありがとうございました。", 3.0),
        ("チャンネル登録お願いします", 3.0),
        ("Thanks for watching!", 2.0),
        ("はいはいはいはいはいはいはい", 4.0),
        ("マイナンバーカードの受け取りの予約をお願いいたします", 0.5),
        ("。", 1.0),
        ("マイナンバーカード、暗証番号、予約", 3.0),
    ],
)
def test_inventions_are_known(text: str, length_s: float) -> None:
    assert is_invented(text, length_s, ("マイナンバーカード", "暗証番号", "予約"))


def test_its_own_words_read_aloud_are_no_speech_though_some_are_garbled() -> None:
    """What the recogniser made of an engaged tone, and what people say with the same words."""
    told = VOCABULARY["ja"]
    tone = "戸籍謄、戸籍謄本、国民年金、住民票、運転免許証明書、予約、財力人、住民票、予約、財力人、住民票"
    assert is_invented(tone, 10.0, told)
    again = "国民年金、住民票、運転金、住民票、運転金、住民票、運転金、住民"
    assert is_invented(again, 10.0, told)
    for said in (
        "本人確認書類は、運転免許証、健康保険証、住民票、委任状ですか。",
        "予約、予約、ええと、住民票の予約をお願いします。",
        "引っ越しで、住民票と、国民年金と、印鑑登録と、住所変更です。",
    ):
        assert not is_invented(said, 10.0, told)


@pytest.mark.parametrize(
    "text", ["お電話ありがとうございました。", "はい、はい。", "番号は1111111です", "暗証番号の予約です"]
)
def test_what_people_say_is_believed(text: str) -> None:
    assert not is_invented(text, 2.0, ("マイナンバーカード", "暗証番号", "予約"))
