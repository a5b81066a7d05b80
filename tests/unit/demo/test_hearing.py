"""What is heard stands where it was heard; the beat does not drift; voice is told from silence."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.ends.hearing import RATE, HeardAudio, VoiceActivity
from demo.ends.ticker import FRAME_S, Ticker

pytestmark = pytest.mark.unit

LOUD = np.full(160, 5000, dtype=np.int16)
QUIET = np.zeros(160, dtype=np.int16)


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(0, 0xFFFFFFFF), st.randoms())
def test_lost_and_late_packets_leave_silence_in_the_right_place(
    kept: set[int], first: int, chance: object
) -> None:
    heard = HeardAudio()
    begin = min(kept)
    for number in sorted(kept):
        at = (number - begin) * FRAME_S + 100.0
        heard.add(LOUD, (first + number * 160) & 0xFFFFFFFF, 1, at)
    frames = heard.recording().samples.reshape(-1, 160)
    assert [bool(frame.any()) for frame in frames] == [n in kept for n in range(begin, max(kept) + 1)]
    assert heard.recording().started_at == 100.0


def test_a_new_source_or_a_jumped_clock_is_placed_by_its_arrival() -> None:
    heard = HeardAudio()
    heard.add(LOUD, 1000, 1, 50.0)
    heard.add(LOUD, 777_000, 2, 51.0)
    heard.add(LOUD, 777_160, 2, 51.02)
    heard.add(LOUD, 5, 2, 53.0)
    samples = heard.recording().samples
    assert heard.resyncs == 2
    for place in (0, RATE, RATE + 160, 3 * RATE):
        assert samples[place : place + 160].all()
    assert not samples[160:RATE].any()


def test_a_part_is_cut_by_the_wall_clock() -> None:
    heard = HeardAudio()
    for number in range(100):
        heard.add(LOUD if number >= 50 else QUIET, number * 160, 1, 10.0 + number * FRAME_S)
    part = heard.recording().part(11.0, 11.5)
    assert part.started_at == pytest.approx(11.0)
    assert len(part.samples) == RATE // 2
    assert part.samples.all()
    assert len(heard.recording().part(0, 1).samples) == 0


class Counting:
    def __init__(self, wanted: int) -> None:
        self.times: list[float] = []
        self.skipped = 0
        self.first, self.done = asyncio.Event(), asyncio.Event()
        self._wanted = wanted

    def tick(self) -> None:
        self.times.append(asyncio.get_running_loop().time())
        self.first.set()
        if len(self.times) >= self._wanted:
            self.done.set()

    def skip(self, frames: int) -> None:
        self.skipped += frames


async def test_fifty_streams_share_a_beat_that_does_not_drift() -> None:
    ticker, streams = Ticker(), [Counting(50) for _ in range(50)]
    began = asyncio.get_running_loop().time()
    for stream in streams:
        ticker.add(stream)
    await streams[0].done.wait()
    elapsed = streams[0].times[-1] - began
    for stream in streams:
        ticker.discard(stream)
    frames = len(streams[0].times) + streams[0].skipped
    assert elapsed == pytest.approx(frames * FRAME_S, abs=0.1)
    assert {len(stream.times) for stream in streams} <= {49, 50}


async def test_a_short_stall_is_caught_up_and_a_long_one_skipped() -> None:
    ticker, stream = Ticker(), Counting(30)
    ticker.add(stream)
    await stream.first.wait()
    time.sleep(0.15)  # noqa: ASYNC251 - the stall is the subject
    await stream.done.wait()
    assert stream.skipped == 0
    assert stream.times[-1] - stream.times[0] == pytest.approx(29 * FRAME_S, abs=0.1)
    time.sleep(0.6)  # noqa: ASYNC251
    stream.done.clear()
    await stream.done.wait()
    ticker.discard(stream)
    assert stream.skipped >= 25


async def test_sound_and_silence_can_be_waited_for() -> None:
    voice = VoiceActivity()
    waiting = asyncio.create_task(voice.wait_sound(2, at_least_s=0.04))
    await asyncio.sleep(0)
    voice.add(QUIET, time.time())
    voice.add(LOUD, time.time())
    assert voice.sound_s == pytest.approx(0.02)
    voice.add(LOUD, time.time())
    assert await waiting
    began = time.time()
    assert await voice.wait_silence(0.05, 1)
    assert time.time() - began >= 0.05
    assert not await voice.wait_sound(0.02)


async def test_silence_is_not_found_while_somebody_speaks() -> None:
    voice = VoiceActivity()

    async def speak() -> None:
        while True:
            voice.add(LOUD, time.time())
            await asyncio.sleep(0.01)

    speaking = asyncio.create_task(speak())
    assert not await voice.wait_silence(0.1, 0.3)
    speaking.cancel()
