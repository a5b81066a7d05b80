"""Server-sent events for one screen."""

from __future__ import annotations

import asyncio

from aiohttp import web

from desk.guard import cookie_name, dress
from desk.hub import Draw
from desk.visit import Visit
from services.desk_ports import Stage

STILL_IN_EVERY_S = 10.0
"""A stream ends so long after its session at the latest."""


async def stream(visit: Visit, name: str, draw: Draw) -> web.StreamResponse:
    """Send a screen's regions until the browser goes, or its session ends."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    dress(visit.desk, response)
    await response.prepare(visit.request)
    await response.write(b"retry: 1000\n\n")
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    async with visit.desk.hub.listen(name, draw) as queue:
        while True:
            try:
                async with asyncio.timeout(STILL_IN_EVERY_S):
                    message = await queue.get()
                await response.write(message)
            except TimeoutError:
                pass
            except ConnectionError:
                break
            if loop.time() - asked_at >= STILL_IN_EVERY_S:
                asked_at = loop.time()
                if not await still_in(visit):
                    await response.write(b"event: over\ndata: {}\n\n")
                    break
    return response


async def still_in(visit: Visit) -> bool:
    """Whether the session goes on, and its person may still see what they began to look at."""
    found = await visit.desk.sign_in.session_of(visit.request.cookies.get(cookie_name(visit.desk), ""))
    if found is None or found[0].stage is not Stage.FULL:
        return False
    now, then = found[1], visit.me
    return (now.role, now.operator, now.department) == (then.role, then.operator, then.department)
