"""The silence gate: where somebody speaks, told from energy alone.

A recogniser invents words in silence, so nothing but these stretches reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from speech.audio import Recording, from_pcm
from speech.ports import RECOGNISER_RATE, Pcm

_HOP_S = 0.02
_ABOVE_FLOOR_DB = 9.0
_LOWEST_DB, _HIGHEST_DB = -52.0, -38.0
_SHORTEST_S = 0.1
_BRIDGE_S = 0.35
_WINDOW_S = 300.0
MARGIN_S = 0.2
"""Silence kept on both sides of a stretch."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a recording in which somebody speaks, in seconds from its start."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


def stretches(pcm16k: Pcm) -> list[Stretch]:
    """Where `pcm16k` (16 kHz) holds speech: in order, apart, with a margin of 0.2 s on both sides."""
    hop = round(_HOP_S * RECOGNISER_RATE)
    count = len(pcm16k) // hop
    if not count:
        return []
    frames = from_pcm(pcm16k[: count * hop]).reshape(count, hop)
    decibel = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
    floor = float(np.percentile(decibel, 10))
    threshold = min(max(floor + _ABOVE_FLOOR_DB, _LOWEST_DB), _HIGHEST_DB)
    edges = np.diff(np.concatenate(([0], (decibel > threshold).astype(np.int8), [0])))
    raw = zip(np.flatnonzero(edges == 1) * _HOP_S, np.flatnonzero(edges == -1) * _HOP_S, strict=True)
    joined: list[Stretch] = []
    for start, end in raw:
        if joined and start - joined[-1].end_s < _BRIDGE_S:
            joined[-1] = Stretch(joined[-1].start_s, float(end))
        else:
            joined.append(Stretch(float(start), float(end)))
    length = len(pcm16k) / RECOGNISER_RATE
    spoken = [found for found in joined if found.length_s >= _SHORTEST_S]
    wide = (Stretch(max(0.0, s.start_s - MARGIN_S), min(length, s.end_s + MARGIN_S)) for s in spoken)
    return _apart(wide)


def _apart(found: Iterable[Stretch]) -> list[Stretch]:
    result: list[Stretch] = []
    for stretch in found:
        if result and stretch.start_s <= result[-1].end_s:
            result[-1] = Stretch(result[-1].start_s, max(stretch.end_s, result[-1].end_s))
        else:
            result.append(stretch)
    return result


def spoken_stretches(recording: Recording, ranges: Sequence[tuple[float, float]] = ()) -> list[Stretch]:
    """Where `recording` holds speech, looked for inside `ranges` (seconds) only; empty means everywhere.

    Memory is bounded: at most 300 s are held at once.
    """
    whole = [(0.0, recording.duration_s)]
    found: list[Stretch] = []
    for start, end in sorted(ranges) or whole:
        for first, last in recording.windows(start, end, _WINDOW_S):
            pcm = recording.read(first, last, RECOGNISER_RATE)
            found += [Stretch(s.start_s + first, s.end_s + first) for s in stretches(pcm)]
    return _apart(found)
