"""The installed recognisers on real speech: prompts read back, silence kept silent, calls transcribed in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.settings import settings_from
from ivr.announcements import OnTheSpot, wait_announcement
from ivr.prompts import JAPANESE_ONLY
from services.city import list_cities, load_city
from speech.audio import from_pcm, telephone_channel, to_pcm
from speech.dictionary import heard as words_heard
from speech.engines import VOCABULARY, EngineKind, Engines, choose
from speech.jobs import JobState, TranscriptionJob
from speech.kana import kana_errors, total, word_errors
from speech.models import models_dir
from speech.ports import Recogniser
from speech.prompt_cache import speak
from speech.read_back import read_back
from speech.spoken import spoken_text
from speech.synthesis import citizen_voices, dynamic_voice, operator_voices, prompt_voice, render
from speech.transcript import transcribe_recording

pytestmark = pytest.mark.contract

CITY = "matsusaka"
FOLDERS = [models_dir(settings_from().tools)]


def needs(language: str) -> pytest.MarkDecorator:
    choice = choose(language, FOLDERS)
    return pytest.mark.skipif(
        choice.kind is EngineKind.NO_MODEL,
        reason=f"no recogniser model for {language} under {FOLDERS[0].name}/ (./toritsugi models fetch)",
    )


@pytest.fixture(scope="module")
def engines() -> Engines:
    return Engines(FOLDERS, threads=2)


@pytest.fixture(scope="module")
def japanese(engines: Engines) -> Recogniser:
    recogniser = engines.recogniser("ja")
    assert recogniser is not None
    return recogniser


def prompts_to_read() -> Iterator[tuple[str, str, dict[str, str]]]:
    """(name, text, readings): what citizens hear in Japanese in one city, greeting and menu of the others.

    What operators hear comes from the same voice and would cost as much time again.
    """
    seen = set()
    for city in sorted(list_cities(), key=lambda name: name != CITY):
        profile = load_city(city)
        readings = dict(profile.prompts.readings)
        for name, text in profile.prompts.static("ja").items():
            if name in JAPANESE_ONLY or text in seen:
                continue
            if city == CITY or name in ("greeting", "menu_main"):
                seen.add(text)
                yield f"{city}/{name}", text, readings


@needs("ja")
@pytest.mark.timeout(700)
def test_prompts_are_understood(japanese: Recogniser, tmp_path: Path) -> None:
    """At most 8 of 100 kana wrong, over all prompts together."""
    counted, worst = [], []
    for name, text, readings in prompts_to_read():
        path = speak(text, language="ja", voice=prompt_voice("ja", {}), cache_dir=tmp_path, readings=readings)
        heard = read_back(path, japanese)
        errors = kana_errors(spoken_text(text, "ja", readings), heard)
        counted.append(errors)
        worst.append((errors.rate, name, heard))
    assert len(counted) >= 20
    assert total(counted).rate <= 0.08, sorted(worst, reverse=True)[:5]


@needs("ja")
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("position", "minutes"), [(1, (0, 1)), (2, (0, 2)), (1, (1, 3)), (3, (2, 4)), (4, (3, 6)), (5, (10, 14))]
)
def test_the_told_wait_is_understood(
    japanese: Recogniser, tmp_path: Path, position: int, minutes: tuple[int, int]
) -> None:
    profile = load_city(CITY)
    readings = dict(profile.prompts.readings)
    told = wait_announcement({"ja": profile.prompts.templates("ja")}, position, minutes, "ja")[0]
    assert isinstance(told, OnTheSpot)
    path = speak(told.text, language="ja", voice=dynamic_voice("ja"), cache_dir=tmp_path, readings=readings)
    heard = read_back(path, japanese)
    assert kana_errors(spoken_text(told.text, "ja", readings), heard).rate <= 0.05, heard


@needs("en")
def test_english_prompts_are_understood(engines: Engines, tmp_path: Path) -> None:
    recogniser = engines.recogniser("en")
    assert recogniser is not None
    voice = prompt_voice("en", {})
    if voice.engine == "espeak":
        pytest.skip("the optional extra `voice` is not installed: espeak-ng alone is not understood well")
    text = "Thank you for calling. We are connecting you. Please hold the line."
    path = speak(text, language="en", voice=voice, cache_dir=tmp_path)
    assert word_errors(text, read_back(path, recogniser)).rate <= 0.3


@needs("ja")
def test_silence_and_noise_say_nothing(engines: Engines, tmp_path: Path) -> None:
    noise = np.random.default_rng(3).normal(0, 0.002, 8000 * 20)
    soundfile.write(tmp_path / "c-citizen.wav", np.zeros(8000 * 20, np.int16), 8000)
    soundfile.write(tmp_path / "c-line.wav", to_pcm(noise.astype(np.float32)), 8000)
    transcript = transcribe_recording(job(tmp_path, "ja"), engines)
    assert (transcript.state, transcript.segments) == (JobState.DONE, ())


@needs("ja")
def test_an_engaged_tone_is_not_the_hints_read_aloud(engines: Engines, tmp_path: Path) -> None:
    seconds = np.arange(8000 * 10) / 8000
    tone = 0.1 * np.sin(2 * np.pi * 400 * seconds) * (seconds % 1.0 >= 0.5)
    soundfile.write(tmp_path / "c-citizen.wav", to_pcm(tone.astype(np.float32)), 8000)
    soundfile.write(tmp_path / "c-line.wav", np.zeros(8000, np.int16), 8000)
    told = "".join(each.text for each in transcribe_recording(job(tmp_path, "ja"), engines).segments)
    assert words_heard(VOCABULARY["ja"], told) == 0, told


def job(folder: Path, language: str) -> TranscriptionJob:
    return TranscriptionJob(
        base="c",
        citizen_path=folder / "c-citizen.wav",
        line_path=folder / "c-line.wav",
        language=language,
    )


@needs("ja")
def test_a_call_is_transcribed_with_times_and_masks_in_good_time(engines: Engines, tmp_path: Path) -> None:
    said = {
        "citizen": [
            (4.0, "マイナンバーカードの受け取りの予約をお願いします。"),
            (16.0, "電話番号は、090、1234、5678です。"),
        ],
        "line": [(0.0, "お電話ありがとうございます。"), (11.0, "お電話番号をお願いいたします。")],
    }
    voices = {"citizen": citizen_voices("ja")[0], "line": operator_voices("ja")[0]}
    for side, lines in said.items():
        track = np.zeros(8000 * 26, np.float32)
        for start, text in lines:
            voice = from_pcm(telephone_channel(from_pcm(render(text, voices[side], language="ja")), 8000))
            track[round(start * 8000) : round(start * 8000) + len(voice)] = voice
        soundfile.write(tmp_path / f"c-{side}.wav", to_pcm(track), 8000)
    engines.recogniser("ja")
    began = time.process_time()
    transcript = transcribe_recording(job(tmp_path, "ja"), engines)
    spent = time.process_time() - began
    assert transcript.state is JobState.DONE
    assert transcript.segments[0].side == "line"
    booking = next(s for s in transcript.segments if "予約" in s.text)
    assert booking.side == "citizen"
    assert booking.start_s == pytest.approx(4.0, abs=0.5)
    everything = "".join(segment.text for segment in transcript.segments)
    assert "番号］" in everything, "masked; which kind depends on how many digits were heard"
    assert not any(group in everything for group in ("1234", "5678"))
    assert spent < 60, "two sides of 8 s take about 4 CPU seconds; eight calls must be done within a minute"
