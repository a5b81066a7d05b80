"""The engine's word of the floor: made anew when something changed, told to whoever listens, and kept in a file.

A burst of events makes one word, not one each: between two words lies at least `LEAST_S`. Whoever is slow to take a
word gets the newest one next, so nothing piles up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from runtime.process import write_text

LEAST_S = 0.05
"""Between two words."""
MOST_S = 0.5
"""A word is made so often although nothing changed, so that its age tells that the engine lives."""
FILE_EVERY_S = 0.5


class LiveWord:
    """Makes words of the floor. `run` makes them, `words` yields them."""

    def __init__(self, make: Callable[[], Mapping[str, Any]], path: Path) -> None:
        """`make` is the word as JSON values; `path` the file for whoever does not listen."""
        self._make, self._path = make, path
        self._changed = asyncio.Event()
        self._made = asyncio.Condition()
        self._number = 0
        self._line = b""

    def changed(self) -> None:
        """Something of the floor is other than it was said to be."""
        self._changed.set()

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        loop = asyncio.get_running_loop()
        written_at = float("-inf")
        while True:
            # Before the word is made: what happens from here on belongs to the next one.
            self._changed.clear()
            text = json.dumps(self._make(), ensure_ascii=False)
            async with self._made:
                self._number += 1
                self._line = text.encode() + b"\n"
                self._made.notify_all()
            if loop.time() - written_at >= FILE_EVERY_S:
                written_at = loop.time()
                write_text(self._path, text)
            await asyncio.sleep(LEAST_S)
            try:
                async with asyncio.timeout(MOST_S - LEAST_S):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def words(self) -> AsyncIterator[bytes]:
        """The present word at once, then each newer one, as a line of JSON; those that came meanwhile are left out."""
        heard = 0
        while True:
            async with self._made:
                while self._number == heard:
                    await self._made.wait()
                heard, line = self._number, self._line
            yield line
