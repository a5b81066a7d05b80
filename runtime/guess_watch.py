"""Tells of guessing at the desk's sign-in, with the alerts' own rules, channels and acknowledgement."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from acd.alerts import AlertKind, Reading
from core.clock import Clock
from desk.sign_in import Guessed
from desk.throttle import WINDOW_S
from services.alerting import AlertKeeper

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


@dataclass(slots=True)
class GuessWatch:
    """The desk's part of the alerts."""

    keeper: AlertKeeper
    clock: Clock
    _guessed: dict[tuple[str, str], Guessed] = field(default_factory=dict)

    def hear(self, guessed: Guessed) -> None:
        """`SignIn.on_guessing`."""
        self._guessed[guessed.what, guessed.value] = guessed

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            for channel in self.keeper.channels:
                group.create_task(channel.run(), name=f"guesses-{channel.notifier.name}")
            while True:
                try:
                    await self.keeper.look(self.readings())
                except Exception:
                    log.exception("guessing at sign-ins could not be told; the next look comes")
                await asyncio.sleep(LOOK_EVERY_S)

    def readings(self) -> Sequence[Reading]:
        """Names and addresses that are shut out now."""
        now = self.clock.epoch()
        self._guessed = {key: each for key, each in self._guessed.items() if now - each.at < WINDOW_S}
        return [
            Reading(
                kind=AlertKind.SIGN_IN,
                subject=f"{each.what}:{each.value}"[:96],
                value=1.0,
                label=each.value if each.what == "name" else "",
                text=f"{each.address} から、{_WHAT[each.what]}。15 分のあいだ受け付けません。",
                since=each.at,
            )
            for each in self._guessed.values()
        ]


_WHAT = {
    "name": "一つの利用者名に間違ったサインインが続きました",
    "address": "いろいろな利用者名に間違ったサインインが続きました",
}
