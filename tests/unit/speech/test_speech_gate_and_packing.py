"""Where somebody speaks, how that is packed, and how times find their way back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from speech.audio import open_recording, to_pcm
from speech.gate import Stretch, spoken_stretches, stretches
from speech.packing import GAP_S, chunk_audio, plan_chunks
from speech.ports import Pcm

pytestmark = pytest.mark.unit

RATE = 16000


def sound(parts: list[tuple[float, float]], length_s: float, noise: float = 0.0) -> Pcm:
    """Tones at `parts` (start, end) over a floor of noise."""
    rng = np.random.default_rng(7)
    samples = rng.normal(0, noise, round(length_s * RATE)) if noise else np.zeros(round(length_s * RATE))
    for start, end in parts:
        at = np.arange(round((end - start) * RATE)) / RATE
        first = round(start * RATE)
        samples[first : first + len(at)] += 0.2 * np.sin(2 * np.pi * 300 * at)
    return to_pcm(samples.astype(np.float32))


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.005])
def test_speech_is_found_with_a_margin_in_silence_and_in_noise(noise: float) -> None:
    found = stretches(sound([(1.0, 2.0), (4.0, 5.5)], 8.0, noise))
    assert [(round(s.start_s, 1), round(s.end_s, 1)) for s in found] == [(0.8, 2.2), (3.8, 5.7)]


def test_silence_noise_and_nothing_hold_no_speech() -> None:
    assert stretches(sound([], 5.0)) == []
    assert stretches(sound([], 5.0, noise=0.003)) == []
    assert stretches(np.zeros(0, np.int16)) == []


def test_a_click_is_no_speech_and_a_breath_between_words_no_end() -> None:
    assert stretches(sound([(1.0, 1.04)], 3.0)) == []
    assert len(stretches(sound([(1.0, 2.0), (2.3, 3.0)], 5.0))) == 1


def test_hold_music_outside_the_talk_is_never_looked_at(tmp_path: Path) -> None:
    pcm = sound([(0.0, 10.0), (12.0, 13.0), (15.0, 20.0)], 20.0)
    soundfile.write(tmp_path / "r.wav", pcm, RATE)
    found = spoken_stretches(open_recording(tmp_path / "r.wav"), [(11.0, 14.0)])
    assert [(round(s.start_s, 1), round(s.end_s, 1)) for s in found] == [(11.8, 13.2)]
    to_the_end = spoken_stretches(open_recording(tmp_path / "r.wav"), [(11.0, float("inf"))])
    assert len(to_the_end) == 2


def test_known_plan() -> None:
    plans = plan_chunks([Stretch(10, 12), Stretch(20, 25), Stretch(30, 39)], 15.0)
    assert len(plans) == 2
    first = plans[0]
    assert first.length_s == pytest.approx(2 + GAP_S + 5)
    assert first.source_time(1.0) == pytest.approx(11.0)
    assert first.source_time(2.0 + GAP_S + 1.5) == pytest.approx(21.5)
    assert first.source_time(2.05) == pytest.approx(12.0), "a time in the gap snaps to the nearer piece"
    assert first.source_time(2.25) == pytest.approx(20.0)
    assert first.source_time(99.0) == pytest.approx(25.0)


def test_a_chunk_holds_the_sound_of_its_pieces(tmp_path: Path) -> None:
    ramp = np.arange(RATE * 4, dtype=np.int16)
    soundfile.write(tmp_path / "ramp.wav", ramp, RATE)
    plan = plan_chunks([Stretch(1, 2), Stretch(3, 3.5)], 15.0)[0]
    audio = chunk_audio(open_recording(tmp_path / "ramp.wav"), plan)
    assert np.array_equal(audio[:RATE], ramp[RATE : 2 * RATE])
    gap = round((1 + GAP_S) * RATE)
    assert not audio[RATE:gap].any()
    assert np.array_equal(audio[gap : gap + RATE // 2], ramp[3 * RATE : 3 * RATE + RATE // 2])


@st.composite
def some_stretches(draw: st.DrawFn) -> list[Stretch]:
    gaps = draw(st.lists(st.tuples(st.floats(0.01, 60), st.floats(0.1, 70)), max_size=12))
    at, found = 0.0, []
    for gap, length in gaps:
        found.append(Stretch(at + gap, at + gap + length))
        at += gap + length
    return found


@given(some_stretches(), st.sampled_from([15.0, 28.0, 60.0]))
def test_plans_cover_every_second_of_speech_once_and_map_back(found: list[Stretch], window_s: float) -> None:
    plans = plan_chunks(found, window_s)
    assert all(plan.length_s <= window_s + 1e-6 for plan in plans)
    pieces = [piece for plan in plans for piece in plan.pieces]
    assert sum(p.length_s for p in pieces) == pytest.approx(sum(s.length_s for s in found), abs=1e-6)
    assert [p.source_s for p in pieces] == sorted(p.source_s for p in pieces)
    for plan in plans:
        for piece in plan.pieces:
            middle = piece.length_s / 2
            assert plan.source_time(piece.chunk_s + middle) == pytest.approx(piece.source_s + middle)
