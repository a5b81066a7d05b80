"""Prompts are recognised in what was heard, also when cut, noisy, or alike at the beginning."""

from __future__ import annotations

import time

import numpy as np
import pytest
from demo_sounds import speech_like
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.ends.g711 import Samples, decode, encode
from demo.ends.hearing import RATE
from demo.ends.listening import Fingerprints

pytestmark = pytest.mark.unit

PROMPTS = {f"p{seed}": speech_like(1.5 + seed % 4, seed) for seed in range(8)}
KNOWN = Fingerprints(PROMPTS)


def heard(*parts: Samples, noise: float = 60.0) -> Samples:
    line = np.concatenate(parts).astype(np.float64)
    line += np.random.default_rng(99).normal(0, noise, len(line))
    return decode(encode(line.clip(-32000, 32000).astype(np.int16), 0), 0)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), dtype=np.int16)


def test_prompts_are_found_in_order_with_exact_times() -> None:
    line = heard(silence(0.7), PROMPTS["p3"], silence(0.4), PROMPTS["p1"], silence(1))
    found = KNOWN.find(line)
    assert [(one.name, one.whole) for one in found] == [("p3", True), ("p1", True)]
    assert found[0].start_s == pytest.approx(0.7, abs=0.02)
    assert found[0].end_s == pytest.approx(0.7 + 4.5, abs=0.02)
    assert found[1].start_s == pytest.approx(0.7 + 4.5 + 0.4, abs=0.02)


def test_a_prompt_cut_by_a_key_is_partly_heard() -> None:
    line = heard(silence(0.2), PROMPTS["p2"][: int(1.3 * RATE)], PROMPTS["p5"], silence(0.2))
    found = KNOWN.find(line)
    assert [(one.name, one.heard_partially) for one in found] == [("p2", True), ("p5", False)]
    assert found[0].end_s == pytest.approx(1.5, abs=0.3)


def test_a_prompt_cut_by_the_end_of_the_call_is_partly_heard() -> None:
    found = KNOWN.find(heard(silence(0.5), PROMPTS["p6"][: int(0.8 * RATE)]))
    assert [(one.name, one.whole) for one in found] == [("p6", False)]


def test_the_same_prompt_twice_is_found_twice() -> None:
    found = KNOWN.find(heard(PROMPTS["p0"], silence(0.5), PROMPTS["p0"]))
    assert [one.name for one in found] == ["p0", "p0"]


def test_of_prompts_that_begin_alike_the_one_that_was_heard_is_named() -> None:
    opening = speech_like(1.6, 77)
    prompts = {
        "short": np.concatenate([opening, speech_like(1.0, 78)]),
        "long": np.concatenate([opening, speech_like(1.4, 79)]),
        "bare": opening,
    }
    known = Fingerprints(prompts)
    for name, samples in prompts.items():
        line = heard(silence(0.3), samples, silence(0.5))
        assert [(one.name, one.whole) for one in known.find(line)] == [(name, True)]


def test_strangers_and_silence_are_not_recognised() -> None:
    assert KNOWN.find(heard(speech_like(6, 1234), silence(1))) == []
    assert KNOWN.find(silence(3)) == []
    assert KNOWN.find(np.zeros(0, dtype=np.int16)) == []


def test_a_burst_of_lost_packets_does_not_end_a_prompt() -> None:
    line = heard(silence(0.2), PROMPTS["p3"], silence(0.5)).copy()
    line[int(2.0 * RATE) : int(2.1 * RATE)] = 0
    assert [(one.name, one.whole) for one in KNOWN.find(line)] == [("p3", True)]


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 2.0), st.sampled_from(sorted(PROMPTS)), st.floats(1.2, 5.0), st.floats(0.3, 1.0))
def test_any_prompt_is_found_wherever_and_however_far_it_played(
    before: float, name: str, played: float, gain: float
) -> None:
    part = (PROMPTS[name][: int(played * RATE)] * gain).astype(np.int16)
    found = KNOWN.find(heard(silence(before), part, silence(0.5)))
    assert [one.name for one in found] == [name]
    assert found[0].start_s == pytest.approx(before, abs=0.02)


def test_a_minute_against_forty_prompts_costs_less_than_two_seconds() -> None:
    prompts = {f"q{seed}": speech_like(4, 200 + seed) for seed in range(40)}
    line = heard(*[prompts[f"q{seed}"] for seed in range(0, 30, 2)])
    assert len(line) == 60 * RATE
    known = Fingerprints(prompts)
    began = time.process_time()
    found = known.find(line)
    assert time.process_time() - began < 2.0
    assert [one.name for one in found] == [f"q{seed}" for seed in range(0, 30, 2)]


def test_a_prompt_whose_beginning_was_lost_is_known_by_its_end() -> None:
    lost = PROMPTS["p3"].copy()
    lost[: int(1.4 * RATE)] = 0
    found = KNOWN.find(heard(silence(0.5), lost, silence(1)))
    assert [one.name for one in found] == ["p3"]
    assert found[0].end_s == pytest.approx(0.5 + 4.5, abs=0.02)
