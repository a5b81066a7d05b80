"""Lets callers go whom no telephone can reach: the switch keeps them while a telephone may come back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from acd.away import AwayWatch, in_doubt
from core.clock import Clock
from core.ids import QueueName
from runtime.floor_loop import FloorLoop
from telephony.ami import actions
from telephony.ami.errors import AmiError
from telephony.ami.session import AmiSession

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
GONE = (4, 5)
"""Device states invalid and unavailable (`MemberState.status`)."""
NOBODY = "nobody"
"""`WithdrawInfo` that the dialplan takes for an empty queue (dialplans/30-queue.conf)."""


@dataclass(slots=True)
class AwayLoop:
    """Asks the switch about queues in doubt only: usually none."""

    loop: FloorLoop
    ami: AmiSession
    clock: Clock
    watch: AwayWatch = field(default_factory=AwayWatch)

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not (self.ami.connected and self.loop.settled):
                continue
            try:
                await self._once()
            except AmiError as problem:
                log.warning("telephones of waiting callers not looked at: %s", problem)

    async def _once(self) -> None:
        view = self.loop.floor.view(self.clock.epoch())
        gone = {queue: await self._telephones(queue) for queue in in_doubt(view)}
        for caller in self.watch.observe(view, gone):
            reply = await actions.queue_withdraw(self.ami, caller.queue, caller.channel, NOBODY)
            if reply.success:
                log.warning("every telephone of %s is gone; a caller who waits there is let go", caller.queue)

    async def _telephones(self, queue: QueueName) -> list[bool]:
        snapshot = await actions.queue_status(self.ami, queue)
        return [member.status in GONE for member in snapshot.members if member.queue == queue]
