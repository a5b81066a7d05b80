"""One lasting AMI session: login, pings, bounded reconnect, ordered typed events, actions with a deadline."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from core.clock import Clock, SystemClock
from telephony.ami.errors import (
    AmiBusy,
    AmiDisconnected,
    AmiError,
    AmiLoginRefused,
    AmiRefused,
    AmiTimeout,
    AmiUnreachable,
)
from telephony.ami.events import WANTED, AmiEvent, Disconnected, FullyBooted, Gap, translate
from telephony.ami.guarded import Fields, GuardedProtocol, fields_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiResponse:
    """The reply to one action. Keys are lower case."""

    success: bool
    message: str
    fields: Mapping[str, str]
    events: Sequence[Mapping[str, str]] = ()
    """Events of a list action, without the closing `…Complete`."""

    def required(self) -> AmiResponse:
        """This reply.

        Raises:
            AmiRefused: Asterisk answered with an error.
        """
        if not self.success:
            raise AmiRefused(f"Asterisk が断りました: {self.message}")
        return self


@dataclass(slots=True)
class AmiCounters:
    """What happened since the start, for metrics."""

    events: int = 0
    dropped: int = 0
    """Events lost to overflows of the queue; each overflow is one `Gap` in the stream."""
    malformed: int = 0
    connects: int = 0
    skipped: int = 0
    """Events that nobody wants, dropped before decoding (of ended connections)."""


@dataclass(slots=True, kw_only=True)
class AmiTiming:
    """Seconds."""

    connect: float = 5.0
    action: float = 5.0
    ping_every: float = 5.0
    booted: float = 10.0
    retry_first: float = 0.25
    retry_last: float = 5.0


class AmiSession:
    """A session that comes back by itself.

    `connect()` logs in once (with retries), `run()` keeps the session up until `close()`. Events arrive in
    order in `events`; `FullyBooted` opens every (new) login and `Gap` follows an overflow: after either, or
    in `on_connected`, take a snapshot (`telephony.ami.actions.queue_status`, `core_show_channels`).
    """

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        *,
        clock: Clock | None = None,
        on_connected: Callable[[AmiSession], Awaitable[None]] | None = None,
        queue_size: int = 10_000,
        timing: AmiTiming | None = None,
    ) -> None:
        self._host, self._port, self._user, self._secret = host, port, user, secret
        self._clock: Clock = clock or SystemClock()
        self._on_connected = on_connected
        self._timing = timing or AmiTiming()
        self._link: GuardedProtocol | None = None
        self._booted = asyncio.Event()
        self._closing = asyncio.Event()
        self.events: asyncio.Queue[AmiEvent] = asyncio.Queue(maxsize=queue_size)
        self.counters = AmiCounters()

    @property
    def connected(self) -> bool:
        """Whether an action would be sent now."""
        return self._link is not None and not self._link.lost.done()

    async def action(
        self, name: str, /, *, timeout: float | None = None, **headers: str | Sequence[str]
    ) -> AmiResponse:
        """Send an action once and wait for its whole reply, at most `timeout` seconds (default 5).

        A `Response: Error` is returned, not raised (`AmiResponse.required()` raises). The action is never
        sent twice: after `AmiDisconnected` or `AmiTimeout` look at the state before doing it again.

        Raises:
            AmiBadValue, AmiBusy: nothing was sent.
            AmiDisconnected: no session, or it ended before the reply.
            AmiTimeout: no whole reply in time.
        """
        if self._link is None:
            raise AmiDisconnected("Asterisk への管理接続 (AMI) がありません", where=name)
        return await self._request(self._link, name, headers, timeout or self._timing.action)

    async def _request(
        self, link: GuardedProtocol, name: str, headers: Mapping[str, str | Sequence[str]], timeout: float
    ) -> AmiResponse:
        action = link.request(name, headers)
        try:
            # Not wait_for(): before Python 3.12 it swallows a cancellation that meets the reply.
            async with asyncio.timeout(timeout):
                messages = await action.future
        except TimeoutError:
            raise AmiTimeout(f"AMI の返事が {timeout:g} 秒以内にありません", where=name) from None
        finally:
            link.forget(action)
        first, *rest = [fields_of(message) for message in messages]
        return AmiResponse(
            success=first.get("response") in {"Success", "Follows", "Goodbye"},
            message=first.get("message", ""),
            fields=first,
            events=tuple(event for event in rest if not event.get("eventlist")),
        )

    async def connect(self, *, timeout: float = 30.0) -> None:
        """Log in, trying again until `timeout` seconds have passed; then run `on_connected`.

        Raises:
            AmiLoginRefused: wrong user or secret.
            AmiUnreachable: no login in time.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._connect_with_retries()
        except TimeoutError:
            raise AmiUnreachable(
                f"Asterisk (AMI {self._host}:{self._port}) に {timeout:g} 秒以内につながりません",
                cure="Asterisk が動いているか、ポートが正しいかを確かめる",
            ) from None

    async def run(self) -> None:
        """Keep the session up until `close()`.

        Raises:
            AmiLoginRefused: the user or secret is (no longer) accepted.
        """
        while not self._closing.is_set():
            if not self.connected:
                await self._connect_with_retries()
            await self._watch()

    async def close(self) -> None:
        """End the session for good; `run()` returns."""
        self._closing.set()
        if self.connected and self._link is not None:
            with suppress(AmiError):
                await self._request(self._link, "Logoff", {}, 0.5)
        self._drop()

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()

    async def _connect_with_retries(self) -> None:
        delay = self._timing.retry_first
        while not self._closing.is_set():
            try:
                await self._open()
                return
            except AmiLoginRefused:
                raise
            except (OSError, TimeoutError, AmiError) as exc:
                log.warning("AMI %s:%d: %s; next try in %.1f s", self._host, self._port, exc, delay)
            # Jitter keeps several engines from knocking at the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(delay * random.uniform(0.8, 1.2)):
                    await self._closing.wait()
            delay = min(delay * 2, self._timing.retry_last)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._booted.clear()
        async with asyncio.timeout(self._timing.connect):
            _, link = await loop.create_connection(
                lambda: GuardedProtocol(self._receive, WANTED), self._host, self._port
            )
        try:
            reply = await self._request(
                link,
                "Login",
                {"Username": self._user, "Secret": self._secret, "Events": "on"},
                self._timing.connect,
            )
            if not reply.success:
                raise AmiLoginRefused(
                    f"AMI のログインが断られました: {reply.message}",
                    where=f"{self._host}:{self._port} {self._user}",
                    cure="manager.conf と設定の利用者名・パスワードを合わせる",
                )
            self._link = link
            self.counters.connects += 1
            try:
                async with asyncio.timeout(self._timing.booted):
                    await self._booted.wait()
            except TimeoutError:
                log.warning("AMI sent no FullyBooted: the user needs the `system` read class")
            if self._on_connected is not None:
                await self._on_connected(self)
        except BaseException:
            link.close()
            raise

    async def _watch(self) -> None:
        link = self._link
        if link is None:
            return
        while not link.lost.done() and not self._closing.is_set():
            # close() also ends `lost`, so this one wait serves both.
            await asyncio.wait({link.lost}, timeout=self._timing.ping_every)
            if link.lost.done():
                break
            try:
                await self._request(link, "Ping", {}, self._timing.action)
            except (AmiTimeout, AmiBusy):
                # Half-open: the peer is gone or stopped, TCP has not noticed.
                log.warning("AMI gives no Pong, connection dropped")
                link.close()
                await link.lost
            except AmiDisconnected:
                await link.lost
        self.counters.skipped += link.skipped
        if not self._closing.is_set():
            reason = link.lost.result()
            log.warning("AMI connection lost: %s", reason)
            self._put(Disconnected(at=self._clock.epoch(), reason=reason))

    def _receive(self, fields: Fields) -> None:
        event = translate(fields, self._clock.epoch())
        if event is None:
            self.counters.malformed += 1
            return
        self.counters.events += 1
        self._put(event)
        if isinstance(event, FullyBooted):
            self._booted.set()

    def _put(self, event: AmiEvent) -> None:
        if self.events.full():
            # Half a history misleads; the consumer starts again from a snapshot.
            dropped = 0
            while not self.events.empty():
                self.events.get_nowait()
                dropped += 1
            self.counters.dropped += dropped
            log.error("AMI consumer too slow: %d events dropped, snapshot needed", dropped)
            self.events.put_nowait(Gap(at=self._clock.epoch(), dropped=dropped))
        self.events.put_nowait(event)
