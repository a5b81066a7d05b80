"""Speech packed into short chunks for a recogniser, with the map from chunk time back to recording time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speech.audio import Recording
from speech.gate import Stretch
from speech.ports import RECOGNISER_RATE, Pcm

GAP_S = 0.3
"""Silence between two stretches in a chunk."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`length_s` seconds from `source_s` of the recording lie at `chunk_s` of the chunk."""

    chunk_s: float
    source_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What one chunk is made of."""

    pieces: tuple[Piece, ...]

    @property
    def length_s(self) -> float:
        last = self.pieces[-1]
        return last.chunk_s + last.length_s

    def piece_at(self, chunk_s: float) -> int:
        """Index of the piece at a chunk's second; a time in a gap belongs to the nearer piece."""
        return min(range(len(self.pieces)), key=lambda n: _distance(self.pieces[n], chunk_s))

    def source_time(self, chunk_s: float, piece: int | None = None) -> float:
        """The recording's second for a chunk's second, kept inside `piece` (default: the nearest)."""
        best = self.pieces[self.piece_at(chunk_s) if piece is None else piece]
        inside = min(max(chunk_s, best.chunk_s), best.chunk_s + best.length_s)
        return best.source_s + inside - best.chunk_s


def _distance(piece: Piece, chunk_s: float) -> float:
    return max(piece.chunk_s - chunk_s, chunk_s - piece.chunk_s - piece.length_s, 0.0)


def plan_chunks(found: Sequence[Stretch], window_s: float) -> list[Plan]:
    """Pack stretches in order into chunks of at most `window_s`; a longer stretch is cut evenly."""
    plans: list[Plan] = []
    pieces: list[Piece] = []
    at = 0.0
    for start, length in _cut(found, window_s):
        if pieces and at + GAP_S + length > window_s:
            plans.append(Plan(tuple(pieces)))
            pieces, at = [], 0.0
        if pieces:
            at += GAP_S
        pieces.append(Piece(at, start, length))
        at += length
    if pieces:
        plans.append(Plan(tuple(pieces)))
    return plans


def _cut(found: Iterable[Stretch], window_s: float) -> Iterator[tuple[float, float]]:
    for stretch in found:
        parts = max(1, int(np.ceil(stretch.length_s / window_s - 1e-9)))
        length = stretch.length_s / parts
        for part in range(parts):
            yield stretch.start_s + part * length, length


def chunk_audio(recording: Recording, plan: Plan) -> Pcm:
    """The samples (16 kHz) of one chunk."""
    audio = np.zeros(round(plan.length_s * RECOGNISER_RATE) + 1, dtype=np.int16)
    for piece in plan.pieces:
        pcm = recording.read(piece.source_s, piece.source_s + piece.length_s, RECOGNISER_RATE)
        first = round(piece.chunk_s * RECOGNISER_RATE)
        usable = min(len(pcm), len(audio) - first)
        audio[first : first + usable] = pcm[:usable]
    return audio
