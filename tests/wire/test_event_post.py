"""Events to a receiver on loopback: signed, and not told unless it says so."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from core.clock import ManualClock
from interactions.profile import WebhookSection
from notify.event_post import EventPoster
from notify.webhook import SIGNATURE_HEADER, signature
from services.alerting import NotTold

pytestmark = pytest.mark.wire

EVENT = {"schema": "toritsugi.event/1", "event_id": "e1", "data": {"内容": "再発行"}}


class Receiver:
    """Answers what it is told to."""

    def __init__(self) -> None:
        self.status = 204
        self.heard: list[tuple[dict[str, str], bytes]] = []

    async def __aenter__(self) -> Receiver:
        app = web.Application()
        app.router.add_post("/events", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.endpoint = WebhookSection(id="bi", url=f"http://127.0.0.1:{port}/events")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": "/events"} if self.status == 302 else {})


async def test_an_event_is_signed_over_its_moment_and_its_bytes() -> None:
    poster = EventPoster(lambda name: f"secret of {name}", ManualClock(1764000000.7))
    async with Receiver() as receiver:
        await poster.post(receiver.endpoint, EVENT)
        ((headers, body),) = receiver.heard
    assert json.loads(body) == EVENT
    assert headers[SIGNATURE_HEADER] == signature("secret of bi", 1764000000, body)
    assert headers[SIGNATURE_HEADER] != signature("another", 1764000000, body)


@pytest.mark.parametrize("status", [302, 404, 410, 500])
async def test_whatever_is_not_a_yes_is_a_no(status: int) -> None:
    poster = EventPoster(lambda name: "s", ManualClock(0.0))
    async with Receiver() as receiver:
        receiver.status = status
        with pytest.raises(NotTold, match=str(status)):
            await poster.post(receiver.endpoint, EVENT)
        assert len(receiver.heard) == 1


async def test_nobody_there_is_told_without_the_address() -> None:
    poster = EventPoster(lambda name: "s", ManualClock(0.0))
    async with Receiver() as receiver:
        endpoint = receiver.endpoint
    with pytest.raises(NotTold) as problem:
        await poster.post(endpoint, EVENT)
    assert "127.0.0.1" not in str(problem.value)
