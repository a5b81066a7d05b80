"""FastAGI on asyncio streams (docs/adr/0002-fastagi-server.md).

Asterisk waits for ever on a silent peer and reports success after a dead one, so every way out of a session
ends in a closed socket: the dialplan then sees that `TORITSUGI_DONE` is not set and falls back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from core.errors import ToritsugiError
from ivr.ports import CallerGone
from telephony.agi.errors import AgiError, AgiTimeout
from telephony.agi.replies import Reply, ReplyReader
from telephony.agi.voice import AgiVoice, Command

log = logging.getLogger(__name__)

MAX_LINE = 64 * 1024
MAX_HEADER = 32 * 1024


class FastAgiChannel(AgiVoice):
    """One call on one FastAGI connection. One command at a time; a lost reply ends the channel."""

    def __init__(
        self,
        environment: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(environment)
        self._reader, self._writer = reader, writer
        self._replies = ReplyReader()
        self._lock = asyncio.Lock()
        self._gone = False

    async def _execute(self, command: Command) -> Reply:
        async with self._lock:
            if self._gone or self._replies.hung_up:
                raise CallerGone
            whole = False
            try:
                async with asyncio.timeout(command.patience):
                    self._writer.write(command.line)
                    await self._writer.drain()
                    while (reply := self._replies.feed(await self._reader.readuntil(b"\n"))) is None:
                        pass
                whole = True
                return reply
            except TimeoutError:
                verb = command.line.split(b'"')[0].decode().strip()
                raise AgiTimeout(
                    f"{command.patience:.0f} 秒以内に AGI の返事がありません", where=verb
                ) from None
            except (asyncio.IncompleteReadError, ConnectionError):
                raise CallerGone from None
            except asyncio.LimitOverrunError as exc:
                raise AgiError("AGI の返事が長すぎます") from exc
            finally:
                if not whole:
                    # Also when cancelled: the next reply would be taken for another command's.
                    self._gone = True
                    self._writer.transport.abort()


Handler = Callable[[FastAgiChannel], Awaitable[None]]


@dataclass(slots=True)
class FastAgiCounters:
    """What happened since the start, for metrics."""

    accepted: int = 0
    refused: int = 0
    """Turned away: too many at once, or stopping."""
    unreadable: int = 0
    """No whole header, or no such script: port scans, health checks, mistakes."""
    failed: int = 0
    """Sessions whose handler raised."""


class FastAgiServer:
    """Serves `agi://host:port/<script>` with the handler named `script`.

    Args:
        port: 0 takes a free one, see `port` after `start()`.
        max_sessions: further calls are turned away at once (the dialplan then falls back).
        header_timeout: seconds within which Asterisk must have said what it wants.
    """

    def __init__(
        self,
        host: str,
        port: int,
        handlers: Mapping[str, Handler],
        *,
        max_sessions: int = 500,
        header_timeout: float = 5.0,
    ) -> None:
        self._host, self._port = host, port
        self._handlers = dict(handlers)
        self._max_sessions, self._header_timeout = max_sessions, header_timeout
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self.counters = FastAgiCounters()

    @property
    def port(self) -> int:
        """The port listened on."""
        if self._server is None or not self._server.sockets:
            return self._port
        address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return address[1]

    @property
    def active(self) -> int:
        """Sessions now."""
        return len(self._sessions)

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            ToritsugiError: the address cannot be had.
        """
        try:
            self._server = await asyncio.start_server(
                self._accept, self._host, self._port, limit=MAX_LINE, backlog=256
            )
        except OSError as exc:
            raise ToritsugiError(
                f"FastAGI のポートを開けません: {exc.strerror}",
                where=f"{self._host}:{self._port}",
                cure="TORITSUGI_AGI_PORT を空いているポートにする",
            ) from exc

    async def stop(self, grace: float = 5.0) -> None:
        """Stop listening, give running sessions `grace` seconds, then end them (their callers fall back)."""
        if self._server is not None:
            self._server.close()
        if self._sessions:
            await asyncio.wait(self._sessions, timeout=grace)
        for task in self._sessions:
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._sessions) >= self._max_sessions:
            self.counters.refused += 1
            log.error("FastAGI session refused: %d are running", len(self._sessions))
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._session(reader, writer))
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            environment = await self._environment(reader)
            script = environment.get("agi_network_script", "").partition("?")[0]
            handler = self._handlers.get(script)
            if handler is None:
                self.counters.unreadable += 1
                log.warning("FastAGI connection without a script of ours: %r", script[:80])
                return
            self.counters.accepted += 1
            await self._handle(handler, FastAgiChannel(environment, reader, writer))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _handle(self, handler: Handler, channel: FastAgiChannel) -> None:
        uniqueid = channel.environment.get("agi_uniqueid", "?")
        try:
            await handler(channel)
        except CallerGone:
            log.info("FastAGI %s: the caller has gone", uniqueid)
        except Exception:
            self.counters.failed += 1
            log.exception("FastAGI %s: the step failed, the dialplan falls back", uniqueid)

    async def _environment(self, reader: asyncio.StreamReader) -> dict[str, str]:
        """The header block; empty when the peer closes, dawdles or talks something else."""
        environment: dict[str, str] = {}
        size = 0
        try:
            async with asyncio.timeout(self._header_timeout):
                while (line := await reader.readuntil(b"\n")).strip():
                    size += len(line)
                    key, colon, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
                    if size > MAX_HEADER:
                        return {}
                    if colon:
                        environment[key] = value
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return {}
        return environment
