"""A sentence for one waiting caller, without taking them out of the queue (dialplans/60-whisper.conf)."""

from __future__ import annotations

from telephony.ami.actions import originate
from telephony.ami.session import AmiResponse, AmiSession


async def whisper(ami: AmiSession, channel: str, sound: str, *, told: str = "") -> AmiResponse:
    """Play `sound` (absolute path without extension) to the caller on `channel`, over the music.

    `told` is the payload of a `TS_WAIT_WORD` event, written when the sentence begins; without one none is.
    The place in the queue, and any offer being made, are untouched. Nothing is heard when the caller has just
    been connected or has gone: the spy then finds no channel, or ends with it.
    """
    return await originate(
        ami,
        "Local/s@whisper/n",
        context="whisper-spy",
        extension="s",
        variables={"T_WHISPER": sound, "T_SPIED": channel, "T_TOLD": told},
        ring_s=5.0,
    )
