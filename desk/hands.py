"""What operators have in hand, as the switch last showed it: asked for while somebody looks, never waited for."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict

from acd.commands import Hand
from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from services.desk_ports import FloorControl, User

log = logging.getLogger(__name__)

ASK_EVERY_S = 1.5
"""Each question costs the switch a few looks."""
WITHIN_S = 4.0
MOST_AT_ONCE = 8
"""Questions under way: a large centre would otherwise ask the switch a hundred times a second, and use up the engine's
connections."""


class Hands:
    """The last word about each hand. One question at a time is under way for each operator."""

    def __init__(self, control: FloorControl) -> None:
        self._control = control
        self._known: dict[OperatorId, Hand] = {}
        self._asked_at: defaultdict[OperatorId, float] = defaultdict(lambda: float("-inf"))
        self._asking: dict[OperatorId, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    def of(self, by: User, operator: OperatorId, call: CallId | None) -> Hand | None:
        """What is known of this call; asks again in the background when that is old."""
        loop = asyncio.get_running_loop()
        if operator not in self._asking and loop.time() - self._asked_at[operator] >= ASK_EVERY_S:
            task = loop.create_task(self.renew(by, operator), name=f"hand of {operator}")
            self._asking[operator] = task
            task.add_done_callback(lambda _: self._asking.pop(operator, None))
        known = self._known.get(operator)
        return known if known is not None and known.call == call else None

    async def renew(self, by: User, operator: OperatorId) -> None:
        """Ask now. What cannot be learnt is not known any more."""
        loop = asyncio.get_running_loop()
        try:
            async with self._turns, asyncio.timeout(WITHIN_S):
                self._known[operator] = await self._control.hand(by, operator)
        except (ToritsugiError, TimeoutError):
            self._known.pop(operator, None)
        except Exception:
            log.exception("an answer about a call in hand could not be read")
            self._known.pop(operator, None)
        finally:
            self._asked_at[operator] = loop.time()
