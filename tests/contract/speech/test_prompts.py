"""Prompts through the real Open JTalk: made once, found again, replaced by a city's own recordings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import ToritsugiError
from speech import espeak, kokoro
from speech.audio import AudioUnreadable, active_level, from_pcm
from speech.ports import Voice
from speech.prompt_cache import PromptReport, build_prompts, cache_path, speak, speak_dynamic
from speech.recorded import RecordedPromptRefused, check_recorded_prompt
from speech.synthesis import (
    citizen_voices,
    dynamic_voice,
    operator_voices,
    prompt_voice,
    render,
)

pytestmark = pytest.mark.contract

TEXTS = {("ja", "greeting"): "お電話ありがとうございます。", ("ja", "goodbye"): "失礼いたします。"}
Build = Callable[..., PromptReport]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def build(texts: dict[tuple[str, str], str], **options: object) -> PromptReport:
        return build_prompts(
            texts,
            city="shiken",
            out_dir=tmp_path / "sounds",
            cache_dir=tmp_path / "cache",
            **options,  # type: ignore[arg-type]
        )

    return build


def test_a_prompt_is_what_a_telephone_plays(build: Build, tmp_path: Path) -> None:
    report = build(TEXTS)
    path = tmp_path / "sounds" / "ja" / "shiken" / "greeting.wav"
    assert report.files["ja", "greeting"] == path
    info = soundfile.info(str(path))
    assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")
    wave, _ = soundfile.read(path, dtype="float32")
    assert 1.0 < len(wave) / 8000 < 4.0
    assert active_level(wave, 8000) == pytest.approx(-20, abs=0.5)
    assert float(np.abs(wave).max()) < 0.97
    assert not wave[: 8000 // 20].any(), "begins with a short silence"


def test_prompts_are_made_once_and_a_changed_text_makes_one_new_file(build: Build) -> None:
    first = build(TEXTS)
    assert (first.made, first.cached) == (2, 0)
    again = build(TEXTS)
    assert (again.made, again.cached) == (0, 2)
    before = first.files["ja", "goodbye"].read_bytes()
    changed = build({**TEXTS, ("ja", "goodbye"): "ありがとうございました。"})
    assert (changed.made, changed.cached) == (1, 1)
    assert changed.files["ja", "goodbye"].read_bytes() != before


def test_a_reading_makes_another_sound_but_one_that_changes_nothing_does_not(build: Build) -> None:
    texts = {("ja", "city"): "松阪市の日本橋です。"}
    build(texts)
    assert build(texts, readings={"松阪市": "まつさかし"}).made == 0
    assert build(texts, readings={"日本橋": "にっぽんばし"}).made == 1


def test_many_are_made_side_by_side_with_progress(build: Build) -> None:
    texts = {("ja", f"number_{n}"): f"{n}番です。" for n in range(14)}
    seen: list[tuple[int, int, str]] = []
    report = build(texts, on_progress=lambda done, of, name: seen.append((done, of, name)))
    assert report.made == 14
    assert [done for done, _, _ in seen] == list(range(1, 15))
    assert {of for _, of, _ in seen} == {14}
    assert {name for _, _, name in seen} == {f"ja/number_{n}" for n in range(14)}


def test_the_cache_key_knows_text_voice_and_pitch(tmp_path: Path) -> None:
    plain = Voice(engine="open-jtalk")
    paths = {
        cache_path(tmp_path, "あ", plain),
        cache_path(tmp_path, "い", plain),
        cache_path(tmp_path, "あ", Voice(engine="open-jtalk", half_tone=-3)),
        cache_path(tmp_path, "あ", Voice(engine="open-jtalk", speed=1.1)),
    }
    assert len(paths) == 4


def test_a_citys_own_recording_wins(build: Build, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "ja").mkdir(parents=True)
    beep = 0.1 * np.sin(np.arange(8000) / 3)
    soundfile.write(own / "ja" / "greeting.wav", beep, 8000, subtype="PCM_16")
    report = build(TEXTS, overrides=own)
    assert (report.made, report.recorded) == (1, 1)
    assert report.files["ja", "greeting"].read_bytes() == (own / "ja" / "greeting.wav").read_bytes()


@pytest.mark.parametrize(
    ("rate", "channels", "seconds", "amplitude", "subtype", "word"),
    [
        (16000, 1, 1.0, 0.1, "PCM_16", "16000 Hz"),
        (8000, 2, 1.0, 0.1, "PCM_16", "2 チャンネル"),
        (8000, 1, 0.1, 0.1, "PCM_16", "0.1 秒"),
        (8000, 1, 200.0, 0.1, "PCM_16", "200.0 秒"),
        (8000, 1, 1.0, 0.0005, "PCM_16", "小さすぎ"),
        (8000, 1, 1.0, 3.0, "PCM_16", "割れて"),
        (8000, 1, 1.0, 0.1, "ULAW", "ULAW"),
    ],
)
def test_a_recording_that_cannot_be_played_is_refused_in_words(
    tmp_path: Path, rate: int, channels: int, seconds: float, amplitude: float, subtype: str, word: str
) -> None:
    at = np.arange(round(rate * seconds)) / rate
    wave = np.clip(amplitude * np.sin(2 * np.pi * 400 * at), -1, 1)
    path = tmp_path / "own.wav"
    soundfile.write(path, np.stack([wave] * channels, axis=1), rate, subtype=subtype)
    with pytest.raises(RecordedPromptRefused, match=word) as caught:
        check_recorded_prompt(path)
    assert caught.value.cure
    assert caught.value.where == str(path)


def test_a_broken_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.wav").write_bytes(b"no sound at all")
    with pytest.raises(AudioUnreadable, match="own"):
        check_recorded_prompt(tmp_path / "own.wav")


def test_a_prompt_without_words_is_refused(build: Build) -> None:
    with pytest.raises(ToritsugiError, match="読み上げる言葉"):
        build({("ja", "nothing"): "。"})


def test_sentences_on_the_spot_come_from_several_threads(tmp_path: Path) -> None:
    sentences = [f"ただいま、{n}番目にお待ちいただいております。" for n in range(1, 5)] * 2
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda text=text: paths.append(speak_dynamic(text, "ja", cache_dir=tmp_path)))
        for text in sentences
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 4
    assert all(soundfile.info(str(path)).frames > 8000 for path in paths)
    assert len(list((tmp_path / "prompts").rglob("*"))) == 4 + len({p.parent for p in paths})


def test_people_sound_different_from_each_other() -> None:
    voices = {*citizen_voices("ja"), *operator_voices("ja")}
    assert len(voices) >= 5
    pitches = [
        pitch(from_pcm(render("ああああああ", voice, language="ja"))) for voice in sorted(voices, key=str)
    ]
    assert max(pitches) / min(pitches) > 1.3


def pitch(wave: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    middle = wave[len(wave) // 2 - 800 : len(wave) // 2 + 800]
    same = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    return 8000 / (20 + int(np.argmax(same[20:130])))


def test_voices_are_chosen_by_setting() -> None:
    assert prompt_voice("ja", {}).engine == "open-jtalk"
    assert prompt_voice("ja", {"TORITSUGI_VOICE": "kokoro"}).engine == "kokoro"
    assert prompt_voice("en", {"TORITSUGI_ENGLISH_VOICE": "espeak"}).engine == "espeak"
    assert dynamic_voice("ja").engine == "open-jtalk"
    with pytest.raises(ToritsugiError, match="TORITSUGI_VOICE"):
        prompt_voice("ja", {"TORITSUGI_VOICE": "robot"})


def test_english_on_the_spot(tmp_path: Path) -> None:
    path = speak_dynamic("We open tomorrow at 8:30 a.m.", "en", cache_dir=tmp_path)
    wave, rate = soundfile.read(path, dtype="float32")
    assert (rate, 1.0 < len(wave) / rate < 6.0) == (8000, True)
    assert espeak.phonemes("one, two")[0].startswith("w")
    with pytest.raises(ToritsugiError, match="espeak"):
        espeak.Espeak().synthesise("one", Voice(engine="espeak", speaker="nobody"))


@pytest.mark.skipif(not kokoro.installed(), reason="the optional extra `voice` (kokoro) is not installed")
def test_kokoro_speaks_japanese_and_english(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for language, text, engine in (("ja", "はい。", "kokoro"), ("en", "Yes.", "kokoro-en")):
        path = speak(text, language=language, voice=Voice(engine=engine), cache_dir=cache)
        assert soundfile.info(str(path)).duration > 0.5
    with pytest.raises(ToritsugiError, match="jm_kumo"):
        kokoro.Kokoro().synthesise("はい", Voice(engine="kokoro", speaker="nobody"))
