"""What one end hears: a gapless recording with its wall-clock start, and live voice activity."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import numpy as np

from demo.ends.g711 import Samples

RATE = 8000
_RESYNC = RATE // 2
_LONGEST = RATE * 3600


@dataclass(frozen=True, slots=True)
class Recording:
    """Linear samples at 8 kHz; sample 0 was heard at `started_at` epoch seconds."""

    samples: Samples
    started_at: float

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    def part(self, start: float, end: float) -> Recording:
        """What was heard between two epoch times, clipped to the recording."""
        first = max(0, int((start - self.started_at) * RATE))
        last = max(first, int((end - self.started_at) * RATE))
        return Recording(self.samples[first:last], self.started_at + first / RATE)


class HeardAudio:
    """Puts payloads where their RTP timestamps say; gaps are silence.

    A new source, or a timestamp that has left the wall clock by more than half a second (Asterisk does so
    when it changes what feeds a channel), is placed by its time of arrival.
    """

    def __init__(self) -> None:
        self.started_at = 0.0
        self.resyncs = 0
        self._bytes = bytearray()
        self._ssrc: int | None = None
        self._origin = 0  # timestamp that belongs to `_place`
        self._place = 0  # sample position of `_origin`

    @property
    def position(self) -> int:
        """Samples heard so far."""
        return len(self._bytes) // 2

    def add(self, samples: Samples, timestamp: int, ssrc: int, arrival: float) -> None:
        """Samples of one packet that arrived at epoch `arrival`."""
        if not self.started_at:
            self.started_at = arrival
        expected = int((arrival - self.started_at) * RATE)
        delta = (timestamp - self._origin) & 0xFFFFFFFF
        at = self._place + (delta - (1 << 32) if delta >= 1 << 31 else delta)
        if ssrc != self._ssrc or abs(at - expected) > _RESYNC:
            if self._ssrc is not None:
                self.resyncs += 1
            self._ssrc, self._origin = ssrc, timestamp
            at = self._place = max(expected, self.position if self.position else 0)
        if at < 0 or at + len(samples) > _LONGEST:
            return
        if at > self.position:
            self._bytes.extend(bytes(2 * (at - self.position)))
        self._bytes[2 * at : 2 * (at + len(samples))] = samples.tobytes()

    def recording(self, *, last_s: float | None = None) -> Recording:
        """A copy of everything heard, or of its last seconds."""
        first = 0 if last_s is None else max(0, self.position - int(last_s * RATE))
        samples = np.frombuffer(bytes(self._bytes[2 * first :]), dtype=np.int16)
        return Recording(samples, self.started_at + first / RATE)


class VoiceActivity:
    """Live energy detector: tells sound (speech, music) from silence, and lets a task wait for either.

    Args:
        threshold: RMS of a 20 ms packet, linear, above which it counts as sound (about −40 dBFS).
    """

    def __init__(self, threshold: float = 300.0) -> None:
        self.threshold = threshold
        self.last_sound_at = 0.0
        """Epoch of the last packet that held sound; 0 when there was none."""
        self.sound_s = 0.0
        """Seconds of sound so far."""
        self._sounded = asyncio.Event()

    def add(self, samples: Samples, arrival: float) -> None:
        if not len(samples):
            return
        wide = samples.astype(np.float32)
        if float(np.sqrt(np.mean(wide * wide))) < self.threshold:
            return
        self.last_sound_at = arrival
        self.sound_s += len(samples) / RATE
        self._sounded.set()

    async def wait_sound(self, timeout: float, *, at_least_s: float = 0.1) -> bool:
        """Wait until `at_least_s` more seconds of sound were heard; False when `timeout` passed first."""
        wanted = self.sound_s + at_least_s - 1e-9
        try:
            async with asyncio.timeout(timeout):
                while self.sound_s < wanted:
                    self._sounded.clear()
                    await self._sounded.wait()
        except TimeoutError:
            return False
        return True

    async def wait_silence(self, gap_s: float, timeout: float) -> bool:
        """Wait until nothing sounded for `gap_s`; False when `timeout` passed first."""
        asked = time.time()
        limit = asked + timeout
        while True:
            now = time.time()
            quiet_at = max(self.last_sound_at, asked) + gap_s
            if now >= quiet_at:
                return True
            if now >= limit:
                return False
            await asyncio.sleep(min(quiet_at, limit) - now)
