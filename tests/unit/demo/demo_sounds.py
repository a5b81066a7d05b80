"""Sound that behaves like speech: coloured noise in syllables, another for each seed."""

from __future__ import annotations

import numpy as np

from demo.ends.g711 import Samples
from demo.ends.hearing import RATE


def speech_like(seconds: float, seed: int, *, lead_s: float = 0.1) -> Samples:
    """Syllables of filtered noise after `lead_s` of silence."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    syllable = RATE // 6
    loudness = np.repeat(random.uniform(0.15, 1.0, count // syllable + 1), syllable)[:count]
    window = np.hanning(9)
    wave = np.convolve(random.normal(0, 1, count), window / window.sum(), "same") * loudness
    wave[: int(lead_s * RATE)] = 0
    made: Samples = (wave / np.abs(wave).max() * 12000).astype(np.int16)
    return made
