"""Keeps the departments' hours on the switch (`T_HOURS_…`), where a transfer reads them without the engine."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from core.clock import Clock
from services.city import CityProfile
from services.city_directory import office_hours
from telephony.ami import actions
from telephony.ami.errors import AmiError
from telephony.ami.session import AmiSession

log = logging.getLogger(__name__)

EVERY_S = 1.0
AGAIN_S = 60.0
"""All of it is told again after this long, whatever the switch has forgotten meanwhile."""


@dataclass(slots=True, kw_only=True)
class OfficeHours:
    """Tells the switch what has changed: the next day, another city time, a switch that started again."""

    ami: AmiSession
    profile: CityProfile
    clock: Clock
    _told: dict[str, str] = field(default_factory=dict)
    _forget_at: float = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self.ami.connected:
                try:
                    await self.tell()
                except AmiError as problem:
                    log.warning("the departments' hours are not on the switch yet: %s", problem)
                    self._told.clear()
            else:
                self._told.clear()
            await asyncio.sleep(EVERY_S)

    async def tell(self) -> None:
        """What the switch has not been told yet.

        Raises:
            AmiError: the switch is away, or refuses.
        """
        if self.clock.epoch() >= self._forget_at:
            self._forget_at = self.clock.epoch() + AGAIN_S
            self._told.clear()
        for extension, moments in office_hours(self.profile.acd, self.profile.hours, self.clock).items():
            if self._told.get(extension) != moments:
                (await actions.set_global(self.ami, f"T_HOURS_{extension}", moments)).required()
                self._told[extension] = moments
