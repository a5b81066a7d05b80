"""Says to a waiting caller what the floor wants said, over the music."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from acd.events import TellWaiting
from acd.members import Waiting
from core.facts.dialplan import encode_payload
from core.ids import CallId, language_of
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
    waiting: Mapping[str, Waiting]
    """Who still waits, by channel; making a sentence takes a moment."""

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
        caller = self.waiting.get(command.caller)
        if sound and caller is not None:
            await whisper(self.ami, command.caller, sound, told=_payload(command, caller.call))


def _payload(command: TellWaiting, call: CallId | None) -> str:
    """What the ledger keeps of the sentence; nothing when nobody knows whose call it is."""
    if call is None:
        return ""
    least, most = command.minutes or ("", "")
    return encode_payload(call=call, position=str(command.position), least=str(least), most=str(most))
