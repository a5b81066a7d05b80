"""`ivr.ports.VoiceChannel` in AGI commands; how a command travels is left to the two kinds of channel."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.facts.dialplan import UserEvent, encode_payload
from ivr.ports import CallerGone
from telephony.agi.errors import AgiError
from telephony.agi.quoting import command_line
from telephony.agi.replies import Reply

log = logging.getLogger(__name__)

QUICK_S = 5.0
"""Patience for commands that Asterisk answers at once."""
ANY_KEY = "0123456789*#"
UNKNOWN_SOUND_S = 120.0
"""Longest sound whose file we cannot measure."""
_WAV_BYTES_A_SECOND = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One AGI command and the longest time it may take, in seconds."""

    line: bytes
    patience: float


def sound_seconds(file: str) -> float | None:
    """Length of an 8 kHz 16 bit mono sound given without extension; None when there is no such `.wav`."""
    try:
        return max(0, os.stat(f"{file}.wav").st_size - 44) / _WAV_BYTES_A_SECOND
    except OSError:
        return None


class AgiVoice(ABC):
    """One call under AGI control."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        """What Asterisk said at the start: `agi_channel`, `agi_uniqueid`, `agi_arg_1`, …"""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The script's arguments; by contract the first is the call id."""
        found: list[str] = []
        while (value := self.environment.get(f"agi_arg_{len(found) + 1}")) is not None:
            found.append(value)
        return tuple(found)

    @abstractmethod
    async def _execute(self, command: Command) -> Reply:
        """Send one command and return its reply.

        Raises:
            CallerGone: the channel or the connection is gone.
            AgiTimeout: no reply in time.
        """

    async def _run(self, verb: str, *arguments: str, patience: float = QUICK_S) -> Reply:
        reply = await self._send(verb, *arguments, patience=patience)
        if reply.failed:
            raise CallerGone
        return reply

    async def _send(self, verb: str, *arguments: str, patience: float) -> Reply:
        reply = await self._execute(Command(line=command_line(verb, *arguments), patience=patience))
        if reply.code == 511:
            raise CallerGone
        if reply.code != 200:
            raise AgiError("Asterisk が AGI の命令を受け付けません", where=verb, cure=reply.text[:200])
        return reply

    async def play(self, files: Sequence[str], *, interrupt: str = "") -> str | None:
        for file in files:
            reply = await self._stream(file, interrupt)
            if reply is not None and reply.result not in {"0", ""}:
                return _digit(reply)
        return None

    async def play_through(self, files: Sequence[str]) -> str | None:
        pressed: str | None = None
        for file in files:
            reply = await self._stream(file, "" if pressed else ANY_KEY)
            if reply is not None and reply.result not in {"0", ""}:
                pressed = _digit(reply)
                # The key stopped the sound; the rest follows from the same sample.
                await self._stream(file, "", reply.endpos or 0)
        return pressed

    async def _stream(self, file: str, interrupt: str, offset: int = 0) -> Reply | None:
        """Play one file; None when it is missing or unreadable, which is logged and passed over."""
        seconds = sound_seconds(file)
        patience = (UNKNOWN_SOUND_S if seconds is None else seconds) + QUICK_S
        place = (str(offset),) if offset else ()
        reply = await self._send("STREAM FILE", file, interrupt, *place, patience=patience)
        if reply.result == "-1":
            if reply.endpos:
                raise CallerGone
            await self._missing(file)
            return None
        return reply

    async def _missing(self, file: str) -> None:
        """Asterisk says the same for a missing file and for a caller who has gone.

        Raises:
            CallerGone: the latter.
        """
        await self._run("CHANNEL STATUS")
        log.error("sound not played, missing or unreadable: %s", file)

    async def collect(self, files: Sequence[str], *, timeout: float, most: int = 1) -> str | None:
        *first, last = files
        for file in first:
            reply = await self._stream(file, ANY_KEY)
            if reply is not None and reply.result not in {"0", ""}:
                return await self._more(_digit(reply), timeout, most)
        seconds = sound_seconds(last)
        patience = (UNKNOWN_SOUND_S if seconds is None else seconds) + most * timeout + QUICK_S
        reply = await self._send("GET DATA", last, _milliseconds(timeout), str(most), patience=patience)
        if reply.result == "-1":
            await self._missing(last)
            return await self._more(await self.wait_digit(timeout), timeout, most)
        if not reply.result and reply.value != "timeout":
            return "#"
        return reply.result or None

    async def _more(self, pressed: str | None, timeout: float, most: int) -> str | None:
        """What follows a first key, or its absence."""
        if pressed is None or pressed == "#":
            return pressed
        while len(pressed) < most:
            key = await self.wait_digit(timeout)
            if key is None or key == "#":
                break
            pressed += key
        return pressed

    async def wait_digit(self, timeout: float) -> str | None:
        reply = await self._run("WAIT FOR DIGIT", _milliseconds(timeout), patience=timeout + QUICK_S)
        return None if reply.result in {"0", ""} else _digit(reply)

    async def set_variable(self, name: str, value: str) -> None:
        await self._run("SET VARIABLE", name, value)

    async def get_variable(self, name: str) -> str | None:
        reply = await self._run("GET VARIABLE", name)
        return reply.value if reply.result == "1" else None

    async def record_event(self, event: UserEvent, **values: str) -> None:
        reply = await self._run("EXEC", "CELGenUserEvent", f"{event.value},{encode_payload(**values)}")
        if reply.result == "-2":
            raise AgiError("CELGenUserEvent がありません", cure="app_celgenuserevent.so を読み込む")


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))  # 0 and less would be for ever


def _digit(reply: Reply) -> str:
    try:
        return chr(int(reply.result))
    except (ValueError, OverflowError) as exc:
        raise AgiError("AGI の返事が数字ではありません", cure=reply.text[:200]) from exc
