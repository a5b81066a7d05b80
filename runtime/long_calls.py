"""Calls that go on too long: the sentences that the profile has said by themselves, and whom they spare."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from acd.commands import Act, Asked, Asker, Command, Outcome, Role
from acd.long_call_profile import LongCallSection
from acd.view import FloorView
from core.ids import OperatorId
from core.phone import normalise_number
from runtime.commanding import CommandDesk
from telephony.ami.actions import Ami, channel_variable, global_variable
from telephony.ami.errors import AmiError, AmiRefused
from telephony.ami.hand import hand_of
from telephony.members import member_name_of

log = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
YOUNG_S = 20.0
"""A talk is looked at after so long: nothing is due before, and most calls are soon over."""
BY = "自動"
"""Who had a sentence said that came by itself."""


@dataclass(slots=True)
class _Known:
    """What has been learnt of a call in hand, so that the switch is asked little."""

    relay: bool
    """By its number."""
    warned: int = 0


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
    _known: dict[str, _Known] = field(default_factory=dict)
    """By call."""

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
        in_hand: dict[str, _Known] = {}
        for seat in view.seats:
            talked_s = view.at - seat.since
            if seat.state != "talking" or talked_s < self.young_s:
                continue
            name = member_name_of(seat.operator)
            call = await global_variable(self.ami, f"T_CALL_{name}")
            if not call:
                continue
            known = self._known.get(call) or _Known(relay=await self._is_relays(name))
            in_hand[call] = known
            if known.relay or await global_variable(self.ami, f"T_RELAY_{name}") == call:
                spared.add(seat.operator)
            elif known.warned < self.rules.due(talked_s):
                await self._warn(seat.operator, known, self.rules.due(talked_s))
        self._known = in_hand
        self.relay = frozenset(spared)

    async def _is_relays(self, member: str) -> bool:
        try:
            number = await channel_variable(
                self.ami, await global_variable(self.ami, f"T_CITIZEN_{member}"), "T_CALLER"
            )
        except AmiRefused:
            return False  # gone this moment
        return self.rules.is_relay(normalise_number(number) if number else None)

    async def _warn(self, operator: OperatorId, known: _Known, due: int) -> None:
        hand = await hand_of(self.ami, operator)
        known.warned = hand.warned
        if hand.warned >= due or hand.asked is not Asked.NO or not hand.joined:
            return
        answer = await self.desk.do(
            Command(act=Act.WARN, asker=Asker(name=BY, role=Role.SUPERVISOR), operator=operator)
        )
        if answer.outcome is not Outcome.DONE:
            log.warning("a long call of %s was not told: %s", operator, answer.outcome)
