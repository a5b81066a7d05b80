"""A road to the desk that can be cut."""

from __future__ import annotations

import asyncio
import contextlib


class Road:
    """Passes on what goes to the desk and back. While it is cut nothing passes and nobody is told: what was open is
    dead and is never closed, as when a switch in the wall loses its power."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self.to = port, to
        self._open = asyncio.Event()
        self._open.set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._live: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._server: asyncio.Server | None = None

    @property
    def browser_args(self) -> tuple[str, ...]:
        """What makes a Chromium go to the desk on this road, by the desk's own address."""
        return (f"--host-resolver-rules=MAP localhost:{self.to} 127.0.0.1:{self.port}",)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def cut(self) -> None:
        self._open.clear()
        for pair in self._live:
            self._dead.update(pair)

    def mend(self, *, close: bool = False) -> None:
        """Pass on what comes from now on.

        Args:
            close: tell both ends of what was open that it is over.
        """
        self._open.set()
        if close:
            self._end()

    def _end(self) -> None:
        for writer in self._dead:
            writer.close()
        self._dead.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open.is_set():
            # Whoever knocks meanwhile is not answered either.
            self._dead.add(writer)
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        self._live.add((writer, back))
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        finally:
            self._live.discard((writer, back))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if writer in self._dead:
                    return
                writer.write(data)
                await writer.drain()
        if writer not in self._dead:
            writer.close()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._end()
