"""Says to a waiting caller what the floor wants said, over the music."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acd.events import TellWaiting
from core.ids import language_of
from ivr.announcements import OnTheSpot, wait_announcement
from runtime.sounds import PromptFiles
from services.city import CityProfile
from telephony.ami.session import AmiSession
from telephony.ami.whisper import whisper


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingWords:
    """Position and expected wait, made on the spot and whispered."""

    ami: AmiSession
    prompts: PromptFiles
    profile: CityProfile
    waits: Callable[[str], bool]
    """Whether the caller on this channel still waits; making a sentence takes a moment."""

    async def __call__(self, command: TellWaiting) -> None:
        """Raises AmiError when it cannot be said."""
        language = language_of(command.queue)
        templates = {language: self.profile.prompts.templates(language)}
        files = [
            await self.prompts.dynamic(part.text, part.language)
            if isinstance(part, OnTheSpot)
            else self.prompts.path(part.language, part.name)
            for part in wait_announcement(templates, command.position, command.minutes, language)
        ]
        sound = "&".join(file for file in files if file)
        if sound and self.waits(command.caller):
            await whisper(self.ami, command.caller, sound)
