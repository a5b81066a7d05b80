"""Browsers' telephones: whose window holds which telephone, and SIP passed on between that window and the switch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType, web

from core.ids import OperatorId
from desk.sip_seen import Calls, may_pass

log = logging.getLogger(__name__)

PROTOCOL = "sip"
"""RFC 7118."""
MOST_MESSAGE = 64 * 1024
HEARTBEAT_S = 15.0
"""A browser that gives no sign for one and a half times this is gone, and its place is free."""
LOOK_EVERY_S = 10.0


@unique
class Close(IntEnum):
    """Why the desk closes a window's wire; `static/softphone.js` tells it in words."""

    OVER = 4401
    """The session is over, or its person has another telephone now."""
    ELSEWHERE = 4409
    """Another window has the telephone."""
    NO_SWITCH = 4503
    """The switch cannot be reached."""


@dataclass(eq=False, slots=True)
class Holder:
    """A window with an open wire."""

    user: str
    """As whom it speaks, `op101`."""
    window: str
    browser: web.WebSocketResponse
    calls: Calls = field(default_factory=Calls)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Another wire has taken the telephone; whoever passes on closes this one."""


class Phones:
    """Whose telephone is in which window. One window at a time has an operator's telephone."""

    def __init__(self) -> None:
        self._claimed: dict[OperatorId, str] = {}
        self._held: dict[OperatorId, Holder] = {}

    def elsewhere(self, operator: OperatorId, window: str) -> bool:
        """Whether another window has the telephone now."""
        holder = self._held.get(operator)
        return holder is not None and holder.window != window

    def talks(self, operator: OperatorId) -> bool:
        """Whether something rings or talks in the window that has the telephone."""
        holder = self._held.get(operator)
        return holder is not None and holder.calls.any

    def claim(self, operator: OperatorId, window: str) -> None:
        """From now on this window has it; the one that had it is told."""
        self._claimed[operator] = window
        if self.elsewhere(operator, window):
            self._held.pop(operator).lost.set()

    def take(self, operator: OperatorId, window: str, browser: web.WebSocketResponse) -> Holder | None:
        """The window's wire is open; None when another window has claimed the telephone."""
        if self._claimed.setdefault(operator, window) != window:
            return None
        # The same window again: what it had was cut off, though we may not have noticed.
        if (before := self._held.get(operator)) is not None:
            before.lost.set()
        holder = self._held[operator] = Holder(f"op{operator}", window, browser)
        return holder

    def gone(self, operator: OperatorId, holder: Holder) -> None:
        """A window's wire is closed."""
        if self._held.get(operator) is holder:
            del self._held[operator]


async def pass_on(
    holder: Holder, address: str, look: Callable[[Calls], Awaitable[bool]], look_every_s: float = LOOK_EVERY_S
) -> None:
    """Pass SIP on in both directions until one side closes, or `look` says that the session is over and nobody talks.

    Args:
        address: of the switch's websocket.
        look: asked every `look_every_s`; whether the session goes on.
    """
    browser, calls = holder.browser, holder.calls
    try:
        async with (
            ClientSession() as session,
            session.ws_connect(address, protocols=(PROTOCOL,), max_msg_size=MOST_MESSAGE) as switch,
        ):
            tasks: list[asyncio.Task[Any]] = [
                asyncio.create_task(_pump(browser, switch, calls, holder.user), name="wire up"),
                asyncio.create_task(_pump(switch, browser, calls), name="wire down"),
                asyncio.create_task(_watch(calls, look, look_every_s), name="wire watch"),
                asyncio.create_task(holder.lost.wait(), name="wire lost"),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            code = (
                Close.ELSEWHERE if tasks[3] in done else Close.OVER if tasks[2] in done else Close.NO_SWITCH
            )
    except (ClientError, OSError) as problem:
        log.warning("the switch's websocket cannot be reached: %s", type(problem).__name__)
        code = Close.NO_SWITCH
    if not browser.closed:
        await browser.close(code=code)


async def _pump(
    source: web.WebSocketResponse | ClientWebSocketResponse,
    target: web.WebSocketResponse | ClientWebSocketResponse,
    calls: Calls,
    user: str = "",
) -> None:
    """`user`: as whom the source may speak; anybody when empty."""
    async for message in source:
        # Asterisk sends text; a browser may send either.
        if message.type is WSMsgType.TEXT:
            text = message.data
        elif message.type is WSMsgType.BINARY:
            text = message.data.decode("utf-8", "replace")
        else:
            break
        if user and not may_pass(text, user):
            log.warning("a browser's telephone said what %s may not say; not passed on", user)
            continue
        calls.hear(text)
        try:
            await target.send_str(text)
        except ConnectionError:
            break


async def _watch(calls: Calls, look: Callable[[Calls], Awaitable[bool]], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            goes_on = await look(calls)
        except Exception:
            # A database that is away for a moment costs nobody their telephone.
            log.exception("whether a telephone's session goes on could not be asked; asked again")
            continue
        if not goes_on and not calls.any:
            return
