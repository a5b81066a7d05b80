"""Mutes a recording while a secret number is said (dialplans/90-recording.conf)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.facts.dialplan import ManagerEvent
from telephony.ami.actions import mute_recording, set_channel_variable
from telephony.ami.errors import AmiError
from telephony.ami.events import AmiEvent, UserEvent
from telephony.ami.session import AmiSession

log = logging.getLogger(__name__)

MUTED = "T_MUTED"
"""Channel variable of the operator's leg: `on` or `off`, once it is so."""


@dataclass(slots=True)
class RecordingPause:
    """A listener of AMI events."""

    ami: AmiSession
    _muting: set[asyncio.Task[None]] = field(default_factory=set)

    def hear(self, event: AmiEvent) -> None:
        if isinstance(event, UserEvent) and event.name == ManagerEvent.MUTE:
            task = asyncio.create_task(self._mute(event.values))
            self._muting.add(task)
            task.add_done_callback(self._muting.discard)

    async def _mute(self, asked: Mapping[str, str]) -> None:
        wanted = asked.get("mute", "")
        try:
            (await mute_recording(self.ami, asked.get("citizen", ""), wanted == "on")).required()
            if asked.get("operator"):
                await set_channel_variable(self.ami, asked["operator"], MUTED, wanted)
        except AmiError as problem:
            log.warning("a recording was not muted: %s", problem)
