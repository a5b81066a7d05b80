"""Tells an operator that somebody listens, where the city wants it told."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from core.facts.dialplan import ManagerEvent
from runtime.sounds import PromptFiles
from telephony.ami.errors import AmiError
from telephony.ami.events import AmiEvent, UserEvent
from telephony.ami.session import AmiSession
from telephony.ami.whisper import whisper

log = logging.getLogger(__name__)

_TAKES_OVER = "take_over"


@dataclass(slots=True)
class SupervisionNotice:
    """A listener of AMI events. Without the engine nothing is told, and the supervision works all the same."""

    ami: AmiSession
    prompts: PromptFiles
    _telling: set[asyncio.Task[None]] = field(default_factory=set)

    def hear(self, event: AmiEvent) -> None:
        if not isinstance(event, UserEvent) or event.name != ManagerEvent.WATCHED:
            return
        leg = event.values.get("leg", "")
        if leg and event.values.get("how") != _TAKES_OVER:
            task = asyncio.create_task(self._tell(leg))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, leg: str) -> None:
        try:
            await whisper(self.ami, leg, self.prompts.path("ja", "op_watched"))
        except AmiError as problem:
            log.warning("an operator was not told of the supervision: %s", problem)
