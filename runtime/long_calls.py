"""Calls that go on too long: the sentences that the profile has said by themselves, and whom they spare."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from acd.commands import Act, Asked, Asker, Command, Hand, Outcome, Role
from acd.long_call_profile import LongCallSection
from acd.view import FloorView
from core.ids import CallId, OperatorId
from core.phone import normalise_number
from runtime.commanding import CommandDesk
from telephony.ami.actions import Ami, channel_variable
from telephony.ami.errors import AmiError
from telephony.ami.hand import hand_of

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
YOUNG_S = 20.0
"""A talk is looked at after so long: nothing is due before, and most calls are soon over."""
BY = "自動"
"""Who had a sentence said that came by itself."""


@dataclass(slots=True, kw_only=True)
class LongCalls:
    """Looks at every long talk. What has been said is read off the switch, so a new engine says nothing twice."""

    rules: LongCallSection
    ami: Ami
    desk: CommandDesk
    view: Callable[[], FloorView]
    connected: Callable[[], bool]
    young_s: float = YOUNG_S
    relay: frozenset[OperatorId] = frozenset()
    """Whose call in hand is a relay service's."""
    _numbers: dict[CallId, bool] = field(default_factory=dict)

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self.connected():
                try:
                    await self.look()
                except AmiError as problem:
                    log.warning("long calls could not be looked at: %s", problem)

    async def look(self) -> None:
        """Have said what is due now."""
        view = self.view()
        spared: set[OperatorId] = set()
        alive: dict[CallId, bool] = {}
        for seat in view.seats:
            talked_s = view.at - seat.since
            if seat.state != "talking" or talked_s < self.young_s:
                continue
            hand = await hand_of(self.ami, seat.operator)
            if hand.call is None or not hand.citizen:
                continue
            known = self._numbers.get(hand.call)
            alive[hand.call] = await self._is_relays(hand) if known is None else known
            if alive[hand.call] or hand.relay:
                spared.add(seat.operator)
            elif hand.warned < self.rules.due(talked_s) and hand.asked is Asked.NO and hand.joined:
                await self._say(seat.operator)
        self._numbers = alive
        self.relay = frozenset(spared)

    async def _is_relays(self, hand: Hand) -> bool:
        number = await channel_variable(self.ami, hand.citizen, "T_CALLER")
        return self.rules.is_relay(normalise_number(number) if number else None)

    async def _say(self, operator: OperatorId) -> None:
        answer = await self.desk.do(
            Command(act=Act.WARN, asker=Asker(name=BY, role=Role.SUPERVISOR), operator=operator)
        )
        if answer.outcome is not Outcome.DONE:
            log.warning("a long call of %s was not told: %s", operator, answer.outcome)
