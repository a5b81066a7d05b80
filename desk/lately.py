"""What a screen shows of the database: read beside it and never waited for, shown by the next look after it came."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Lately(Generic[Key, Found]):
    """The last answer to one question, asked again when its key is another one."""

    def __init__(self, read: Callable[[Key], Awaitable[Found]], nothing: Found, *, keeps: bool) -> None:
        """`keeps`: the answer to the key before is shown until the new one has come; `nothing` otherwise."""
        self._read, self._nothing, self._keeps = read, nothing, keeps
        self._asked: Key | None = None
        self._found = nothing
        self._reading: asyncio.Task[None] | None = None

    def of(self, key: Key) -> Found:
        """What is known; begins to read when it is of another key."""
        if key != self._asked:
            self._asked = key
            if not self._keeps:
                self._found = self._nothing
            if self._reading is not None:
                self._reading.cancel()
            self._reading = asyncio.create_task(self.read(key))
        return self._found

    async def read(self, key: Key) -> None:
        """Read now; for a page that is made once."""
        try:
            found = await self._read(key)
        except Exception:
            # Asked again with the next key; what was known before stays.
            log.exception("what a screen shows of the database could not be read")
            return
        self._asked, self._found = key, found
