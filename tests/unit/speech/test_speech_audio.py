"""Rates, levels and files: known answers, and every way a file can be bad."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech.audio import (
    AudioProblem,
    AudioUnreadable,
    active_level,
    from_pcm,
    level,
    open_recording,
    resample,
    telephone_channel,
    to_pcm,
    trim,
    write_telephone_wav,
)
from speech.gate import spoken_stretches
from speech.ports import Wave

pytestmark = pytest.mark.unit


def tone(hertz: float, seconds: float, rate: int, amplitude: float = 0.5) -> Wave:
    at = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def strength(samples: Wave, hertz: float, rate: int) -> float:
    """Amplitude of one frequency, away from the edges."""
    middle = samples[rate // 4 : -rate // 4]
    at = np.arange(len(middle)) / rate
    return float(2 * abs(np.mean(middle * np.exp(-2j * np.pi * hertz * at))))


def test_a_tone_keeps_pitch_and_loudness_from_8_to_16_khz() -> None:
    doubled = resample(tone(1000, 2, 8000), 8000, 16000)
    assert len(doubled) == 32000
    assert strength(doubled, 1000, 16000) == pytest.approx(0.5, abs=0.005)
    assert strength(doubled, 7000, 16000) < 0.001, "no image above the old band"


def test_what_8_khz_cannot_hold_is_gone_and_does_not_fold_back() -> None:
    halved = resample(tone(5000, 2, 16000), 16000, 8000)
    assert strength(halved, 3000, 8000) < 0.001


def test_the_same_rate_is_the_same_object() -> None:
    samples = tone(440, 0.1, 8000)
    assert resample(samples, 8000, 8000) is samples


def test_the_telephone_channel_cuts_what_the_network_cuts() -> None:
    both = tone(1000, 2, 16000, 0.3) + tone(100, 2, 16000, 0.3) + tone(3700, 2, 16000, 0.3)
    heard = from_pcm(telephone_channel(both, 16000))
    assert strength(heard, 1000, 8000) == pytest.approx(0.3, abs=0.02)
    assert strength(heard, 100, 8000) < 0.01
    assert strength(heard, 3700, 8000) < 0.01


@pytest.mark.parametrize("amplitude", [0.003, 0.05, 0.9])
def test_speech_is_brought_to_one_loudness_without_clipping(amplitude: float) -> None:
    speech = np.concatenate([tone(300, 1, 8000, amplitude), np.zeros(8000, np.float32)])
    even = level(speech, 8000)
    assert active_level(even, 8000) == pytest.approx(-20, abs=0.2)
    assert float(np.abs(even).max()) <= 0.95


def test_peaks_bend_instead_of_clipping() -> None:
    peaky = tone(300, 1, 8000, 0.02)
    peaky[::400] = 0.9
    assert float(np.abs(level(peaky, 8000)).max()) <= 0.95


def test_silence_stays_silence_and_trims_to_nothing() -> None:
    silence = np.zeros(8000, np.float32)
    assert not level(silence, 8000).any()
    assert len(trim(silence, 8000)) == 0


def test_a_written_prompt_is_8_khz_16_bit_mono(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "prompt.wav"
    write_telephone_wav(path, to_pcm(tone(440, 1, 8000)))
    info = soundfile.info(str(path))
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (8000, 1, "PCM_16", 8000)
    assert list(path.parent.iterdir()) == [path], "no temporary file is left"


def problem_of(path: Path) -> AudioProblem:
    with pytest.raises(AudioUnreadable) as caught:
        open_recording(path)
    assert str(path) in str(caught.value)
    return caught.value.problem


def test_a_missing_file(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "none.wav") is AudioProblem.MISSING


def test_an_empty_file_and_a_bare_header(tmp_path: Path) -> None:
    (tmp_path / "zero.wav").touch()
    soundfile.write(tmp_path / "bare.wav", np.zeros(0, np.int16), 8000)
    assert (tmp_path / "bare.wav").stat().st_size == 44
    assert problem_of(tmp_path / "zero.wav") is AudioProblem.EMPTY
    assert problem_of(tmp_path / "bare.wav") is AudioProblem.EMPTY


def test_damaged_files(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    (tmp_path / "noise.wav").write_bytes(noise)
    (tmp_path / "cut.wav").write_bytes(b"RIFF\x24\x00\x00")
    soundfile.write(tmp_path / "good.wav", tone(440, 1, 8000), 8000)
    whole = (tmp_path / "good.wav").read_bytes()
    (tmp_path / "head.wav").write_bytes(b"XXXX" + whole[4:])
    for name in ("noise", "cut", "head"):
        assert problem_of(tmp_path / f"{name}.wav") is AudioProblem.DAMAGED, name


def test_a_file_cut_off_in_the_middle_gives_what_is_there(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", tone(440, 2, 8000), 8000, subtype="PCM_16")
    (tmp_path / "cut.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[: 44 + 16000])
    recording = open_recording(tmp_path / "cut.wav")
    assert recording.duration_s == pytest.approx(1.0)
    assert len(recording.read(0, 9, 8000)) == 8000


@pytest.mark.parametrize("length", [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff"])
def test_a_header_that_was_never_finished_still_gives_all_its_sound(tmp_path: Path, length: bytes) -> None:
    """Asterisk writes the length at the end: killed in between, it leaves such a file."""
    soundfile.write(tmp_path / "whole.wav", tone(1000, 2, 8000), 8000, subtype="PCM_16")
    data = bytearray((tmp_path / "whole.wav").read_bytes())
    data[40:44] = length
    (tmp_path / "killed.wav").write_bytes(data)
    recording = open_recording(tmp_path / "killed.wav")
    assert recording.repaired
    assert recording.duration_s == pytest.approx(2.0)
    assert strength(from_pcm(recording.read(0, 2, 16000)), 1000, 16000) == pytest.approx(0.5, abs=0.01)
    assert strength(from_pcm(recording.read(1, 2, 8000)), 1000, 8000) == pytest.approx(0.5, abs=0.01)


def test_any_rate_and_two_channels_become_16_khz_mono(tmp_path: Path) -> None:
    stereo = np.stack([tone(1000, 2, 44100), tone(1000, 2, 44100)], axis=1)
    soundfile.write(tmp_path / "other.wav", stereo, 44100)
    pcm = open_recording(tmp_path / "other.wav").read(0, 2, 16000)
    assert len(pcm) == 32000
    assert strength(from_pcm(pcm), 1000, 16000) == pytest.approx(0.5, abs=0.01)


def test_a_rate_that_nothing_records_at_counts_as_damaged(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "slow.wav", tone(40, 1, 500), 500)
    assert problem_of(tmp_path / "slow.wav") is AudioProblem.DAMAGED


def test_two_hours_are_read_with_the_memory_of_minutes(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        quiet = np.zeros(8000 * 600, np.int16)
        for _ in range(11):
            file.write(quiet)
        file.write(quiet[: 8000 * 590])
        file.write(to_pcm(tone(440, 2, 8000)))
        file.write(quiet[: 8000 * 8])
    recording = open_recording(path)
    tracemalloc.start()
    found = spoken_stretches(recording)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(round(s.start_s, 1), round(s.end_s, 1)) for s in found] == [(7189.8, 7192.2)]
    assert peak < 120e6, "the file itself has 115 MB, as floating point 16 kHz samples 460 MB"
