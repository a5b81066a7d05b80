"""Hold music of our own: slow, soft, made once. No licence to clear, nothing that sounds like a voice."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 8000
_BEAT_S = 0.75
# A pentatonic phrase (no tension to resolve) over 32 beats; 0 rests.
_PHRASE = (
    392, 440, 523, 0, 587, 523, 440, 0, 392, 330, 392, 0, 440, 0, 392, 0,
    330, 392, 440, 0, 523, 440, 392, 0, 330, 294, 330, 0, 262, 0, 0, 0,
)  # fmt: skip
_PEAK = 5000
"""About −20 dBFS: under the level of the prompts, so a spoken sentence stands out."""


def hold_music() -> npt.NDArray[np.int16]:
    """One round of the phrase, 24 s, 16-bit samples at 8 kHz, ending in a rest so that it can repeat."""
    beat = int(RATE * _BEAT_S)
    out = np.zeros(beat * (len(_PHRASE) + 3))
    for place, pitch in enumerate(_PHRASE):
        if not pitch:
            continue
        t = np.arange(beat * 3) / RATE
        attack = np.minimum(t / 0.04, 1.0)
        tone = np.sin(2 * np.pi * pitch * t) + 0.25 * np.sin(4 * np.pi * pitch * t)
        out[place * beat : place * beat + len(t)] += tone * attack * np.exp(-1.6 * t)
    out = out[: beat * len(_PHRASE)]
    scaled: npt.NDArray[np.int16] = (out / np.abs(out).max() * _PEAK).astype("<i2")
    return scaled


def write_hold_music(folder: Path) -> Path:
    """Make `folder/hold.wav` unless it is there."""
    path = folder / "hold.wav"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(hold_music().tobytes())
    partial.replace(path)
    return path
