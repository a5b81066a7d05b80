"""What the rest of this context needs from a voice and from a recogniser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
"""One channel of signed 16-bit samples. The rate is named where it is used."""

Wave = NDArray[np.float32]
"""One channel of samples in -1…1."""

RECOGNISER_RATE = 16_000
"""Hz. Every recogniser gets this rate: `vosk-model-small-en-us-0.15` refuses 8 kHz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who speaks. Everything here is part of a prompt's cache key."""

    engine: str
    """Name of a synthesiser: `open-jtalk`, `kokoro` or `espeak`."""
    speaker: str = ""
    """A voice of that engine, empty for its default."""
    speed: float = 1.0
    """1.0 is the engine's own pace, 1.2 a fifth faster."""
    half_tone: float = 0.0
    """Shift of the pitch in half tones. Engines without that control ignore it."""


class Synthesiser(Protocol):
    """A voice engine. Calls may come from any thread, one at a time for each object."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Changes whenever the same text would sound different."""
        ...

    def synthesise(self, text: str, voice: Voice) -> tuple[Wave, int]:
        """`text`, already in its spoken form, as samples and their rate in Hz.

        Raises:
            ToritsugiError: the engine or the voice cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A recognised word. Times are seconds from the start of what was passed in."""

    start_s: float
    end_s: float
    text: str
    """As it joins the word before it: with a leading space in languages that have spaces."""
    confidence: float
    """0…1. Engines differ in what they mean by it: compare within one engine only."""


class Recogniser(Protocol):
    """A speech recogniser for one language."""

    @property
    def name(self) -> str:
        """Engine and model, as stored with the transcript."""
        ...

    @property
    def language(self) -> str: ...

    @property
    def window_s(self) -> float:
        """How many seconds of speech it takes at once."""
        ...

    def transcribe(self, pcm16k: Pcm) -> Sequence[Word]:
        """The words in `pcm16k` (16 kHz), in order of time."""
        ...
