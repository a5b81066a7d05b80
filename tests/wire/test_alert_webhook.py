"""Alerts by webhook, against a web server on loopback that takes, refuses, moves, hangs and vanishes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from smtp_peer import until

from core.clock import ManualClock
from notify.webhook import SIGNATURE_HEADER, WebhookNotifier
from runtime.process import free_port
from services.alerting import Channel, Notice, NotTold

pytestmark = pytest.mark.wire

T0 = 1_764_000_000.0
NOTICE = Notice(
    alert="abcd2345",
    kind="wait_limit",
    subject="booking-ja",
    what="raised",
    at=T0,
    since=T0 - 12,
    title="【警報】待ち時間が上限を超えました：「予約」",
    lines=("状況：「予約」で市民の方が5分12秒お待ちです（上限5分）。",),
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/alerts"
    finally:
        await runner.cleanup()


def hook(url: str, timeout_s: float = 2.0) -> WebhookNotifier:
    return WebhookNotifier(
        url, secret="s3cret", city="ageo", node="n1", clock=ManualClock(T0), timeout_s=timeout_s
    )


async def test_json_with_a_signature_that_the_receiver_can_check() -> None:
    got: list[tuple[str, bytes, str]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((request.method, await request.read(), request.headers[SIGNATURE_HEADER]))
        return web.Response(status=204)

    async with server(take) as url:
        await hook(url).send([NOTICE])
    ((method, body, signed),) = got
    assert method == "POST"
    value = json.loads(body)
    assert (value["city"], value["node"]) == ("ageo", "n1")
    assert value["notices"] == [
        {
            "alert": "abcd2345", "kind": "wait_limit", "subject": "booking-ja", "what": "raised", "at": T0,
            "since": T0 - 12, "title": NOTICE.title, "lines": list(NOTICE.lines),
        }
    ]  # fmt: skip
    parts = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", signed)
    assert parts is not None
    assert int(parts[1]) == int(T0)
    expected = hmac.new(b"s3cret", parts[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts[2], expected)


@pytest.mark.parametrize(
    ("status", "final"), [(400, True), (404, True), (408, False), (429, False), (500, False), (503, False)]
)
async def test_refusals_are_told_apart(status: int, final: bool) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with server(refuse) as url:
        with pytest.raises(NotTold, match=str(status)) as told:
            await hook(url).send([NOTICE])
    assert told.value.final is final


async def test_redirects_are_not_followed() -> None:
    seen: list[str] = []

    async def move(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with server(move) as url:
        with pytest.raises(NotTold, match="307") as told:
            await hook(url).send([NOTICE])
    assert told.value.final
    assert seen == ["/alerts"]


async def test_nobody_listens() -> None:
    with pytest.raises(NotTold) as told:
        await hook(f"http://127.0.0.1:{free_port()}/token-in-the-path").send([NOTICE])
    assert not told.value.final
    assert "token" not in str(told.value)


async def test_a_server_that_hangs_or_drips_is_left() -> None:
    gone = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        await gone.wait()
        return web.Response()

    async def closes(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with server(hang) as url:
        with pytest.raises(NotTold, match="Timeout") as told:
            await hook(url, timeout_s=0.3).send([NOTICE])
        gone.set()
    assert not told.value.final
    async with server(closes) as url:
        with pytest.raises(NotTold):
            await hook(url).send([NOTICE])


async def test_through_a_channel_a_server_in_trouble_gets_it_later() -> None:
    answers = [500, 503, 200]
    bodies: list[bytes] = []

    async def recover(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=answers.pop(0))

    async with server(recover) as url:
        channel = Channel(hook(url), ManualClock(T0), first_pause_s=0.02)
        task = asyncio.create_task(channel.run())
        channel.put([NOTICE])
        await until(lambda: channel.state.sent == 1)
        task.cancel()
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
