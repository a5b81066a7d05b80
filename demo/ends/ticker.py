"""One 20 ms beat for all streams of a loop: absolute times, so nothing drifts with many calls."""

from __future__ import annotations

import asyncio
import weakref
from typing import Protocol

FRAME_S = 0.02
_SKIP_AFTER_S = 0.3


class Stream(Protocol):
    def tick(self) -> None:
        """Send the next 20 ms."""
        ...

    def skip(self, frames: int) -> None:
        """The machine slept: leave out `frames` packets, and let time pass for them."""
        ...


class Ticker:
    """Runs while it has streams. A short delay is caught up packet by packet, a long one is skipped."""

    def __init__(self) -> None:
        self._streams: dict[int, Stream] = {}
        self._task: asyncio.Task[None] | None = None
        self.skipped = 0

    def add(self, stream: Stream) -> None:
        self._streams[id(stream)] = stream
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="rtp-ticker")

    def discard(self, stream: Stream) -> None:
        self._streams.pop(id(stream), None)
        if not self._streams and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self._streams:
            due += FRAME_S
            late = loop.time() - due
            if late > _SKIP_AFTER_S:
                frames = int(late / FRAME_S)
                due += frames * FRAME_S
                self.skipped += frames
                for stream in tuple(self._streams.values()):
                    stream.skip(frames)
            await asyncio.sleep(max(0.0, -late))
            for stream in tuple(self._streams.values()):
                stream.tick()


_tickers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Ticker] = weakref.WeakKeyDictionary()


def shared_ticker() -> Ticker:
    """The running loop's ticker."""
    loop = asyncio.get_running_loop()
    ticker = _tickers.get(loop)
    if ticker is None:
        ticker = _tickers[loop] = Ticker()
    return ticker
