"""The AMI actions the engine uses, typed. Each returns Asterisk's reply; `.required()` raises a refusal."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from telephony.ami.errors import AmiBadValue, AmiRefused
from telephony.ami.events import AmiEvent, ChannelRow, QueueEntry, QueueMember, QueueParams, translate
from telephony.ami.session import AmiResponse

log = logging.getLogger(__name__)


class Ami(Protocol):
    """What an action needs of a session (`AmiSession`, or a fake)."""

    async def action(
        self, name: str, /, *, timeout: float | None = None, **headers: str | Sequence[str]
    ) -> AmiResponse: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """Every queue, member and waiting caller at one moment."""

    queues: tuple[QueueParams, ...]
    members: tuple[QueueMember, ...]
    entries: tuple[QueueEntry, ...]


def _plain(value: str, what: str) -> str:
    """A name or reason that app_queue's member records can hold.

    They are byte buffers of 80 split at `,`, `|` and `;`: anything else would corrupt the persistent members.
    """
    if not value.isascii() or len(value) >= 80 or any(sign in value for sign in ",|;\r\n"):
        raise AmiBadValue(
            f"app_queue に渡せない値です: {value!r}", where=what, cure="短い ASCII の名前にする"
        )
    return value


def _flag(value: bool) -> str:
    return "true" if value else "false"


async def queue_add(
    ami: Ami,
    queue: str,
    interface: str,
    *,
    member: str,
    penalty: int = 0,
    paused: bool = False,
    reason: str = "",
    state_interface: str = "",
) -> AmiResponse:
    """Add a dynamic member. Refused (`success` false, `Already there`) when it is one."""
    headers: dict[str, str] = {
        "Queue": _plain(queue, "Queue"),
        "Interface": _plain(interface, "Interface"),
        "MemberName": _plain(member, "MemberName"),
        "Penalty": str(penalty),
        "Paused": _flag(paused),
    }
    if reason:
        headers["Reason"] = _plain(reason, "Reason")
    if state_interface:
        headers["StateInterface"] = _plain(state_interface, "StateInterface")
    return await ami.action("QueueAdd", timeout=None, **headers)


async def queue_remove(ami: Ami, queue: str, interface: str) -> AmiResponse:
    return await ami.action(
        "QueueRemove", Queue=_plain(queue, "Queue"), Interface=_plain(interface, "Interface")
    )


async def queue_pause(
    ami: Ami, interface: str, paused: bool, reason: str = "", queue: str | None = None
) -> AmiResponse:
    """Pause or unpause a member in one queue, or in all of its queues."""
    headers = {"Interface": _plain(interface, "Interface"), "Paused": _flag(paused)}
    if queue is not None:
        headers["Queue"] = _plain(queue, "Queue")
    if reason:
        headers["Reason"] = _plain(reason, "Reason")
    return await ami.action("QueuePause", timeout=None, **headers)


async def queue_penalty(ami: Ami, interface: str, penalty: int, queue: str | None = None) -> AmiResponse:
    """Set a member's penalty (0 and up) in one queue, or in all of its queues."""
    if penalty < 0:
        raise AmiBadValue(f"負の優先度です: {penalty}", where="Penalty")
    headers = {"Interface": _plain(interface, "Interface"), "Penalty": str(penalty)}
    if queue is not None:
        headers["Queue"] = _plain(queue, "Queue")
    return await ami.action("QueuePenalty", timeout=None, **headers)


async def qualify(ami: Ami, endpoint: str) -> AmiResponse:
    """Ask a registered telephone at once whether it is there."""
    return await ami.action("PJSIPQualify", Endpoint=_plain(endpoint, "Endpoint"))


async def queue_status(ami: Ami, queue: str | None = None, *, timeout: float = 10.0) -> QueueSnapshot:
    """A snapshot of one queue or of all."""
    headers = {} if queue is None else {"Queue": _plain(queue, "Queue")}
    rows = _rows((await ami.action("QueueStatus", timeout=timeout, **headers)).required())
    return QueueSnapshot(
        queues=_of(rows, QueueParams), members=_of(rows, QueueMember), entries=_of(rows, QueueEntry)
    )


async def queue_withdraw(ami: Ami, queue: str, channel: str, info: str = "") -> AmiResponse:
    """Ask app_queue to let a waiting caller go on in the dialplan. It happens between two offers."""
    headers = {"Queue": _plain(queue, "Queue"), "Caller": channel}
    if info:
        headers["WithdrawInfo"] = info
    return await ami.action("QueueWithdrawCaller", timeout=None, **headers)


async def core_show_channels(ami: Ami, *, timeout: float = 10.0) -> tuple[ChannelRow, ...]:
    """Every channel that exists now."""
    reply = await ami.action("CoreShowChannels", timeout=timeout)
    return _of(_rows(reply.required()), ChannelRow)


async def channel_variable(ami: Ami, channel: str, name: str) -> str:
    """A variable of a channel; empty when it is not set.

    Raises:
        AmiRefused: there is no such channel.
    """
    reply = (await ami.action("Getvar", Channel=channel, Variable=name)).required()
    return reply.fields.get("value", "")


async def global_variable(ami: Ami, name: str) -> str:
    """A global dialplan variable; empty when it is not set."""
    reply = await ami.action("Getvar", Variable=name)
    return reply.fields.get("value", "") if reply.success else ""


async def set_global(ami: Ami, name: str, value: str) -> AmiResponse:
    """Set a global dialplan variable."""
    return await ami.action("Setvar", Variable=name, Value=value)


async def set_channel_variable(ami: Ami, channel: str, name: str, value: str) -> AmiResponse:
    return await ami.action("Setvar", Channel=channel, Variable=name, Value=value)


async def originate(
    ami: Ami,
    channel: str,
    *,
    context: str,
    extension: str,
    priority: int = 1,
    caller_id: str = "",
    variables: Mapping[str, str] | None = None,
    ring_s: float = 30.0,
    account: str = "",
) -> AmiResponse:
    """Ring `channel`, then run the dialplan on it. Returns when queued; `OriginateResponse` tells the rest
    (its `action_id` is `fields["actionid"]` of this reply)."""
    headers: dict[str, str | Sequence[str]] = {
        "Channel": channel,
        "Context": context,
        "Exten": extension,
        "Priority": str(priority),
        "Timeout": str(int(ring_s * 1000)),
        "Async": "true",
    }
    if caller_id:
        headers["CallerID"] = caller_id
    if account:
        headers["Account"] = account
    if variables:
        headers["Variable"] = [f"{name}={value}" for name, value in variables.items()]
    return await ami.action("Originate", timeout=None, **headers)


async def command(ami: Ami, text: str, *, timeout: float = 10.0) -> tuple[str, ...]:
    """Run a CLI command; its output lines.

    Raises:
        AmiRefused: no such command, or not permitted; the message is Asterisk's output.
    """
    reply = await ami.action("Command", timeout=timeout, Command=text)
    output = reply.fields.get("output", "")
    if not reply.success:
        raise AmiRefused(output.strip() or reply.message, where=text)
    return tuple(output.split("\n"))


async def hangup(ami: Ami, channel: str, cause: int = 16) -> AmiResponse:
    return await ami.action("Hangup", Channel=channel, Cause=str(cause))


async def mute_recording(ami: Ami, channel: str, on: bool) -> AmiResponse:
    """Let the recordings of a channel be silent in both directions, or no longer; their length goes on."""
    return await ami.action("MixMonitorMute", Channel=channel, Direction="both", State="1" if on else "0")


async def blind_transfer(ami: Ami, channel: str, *, context: str, extension: str) -> AmiResponse:
    """Send the party bridged with `channel` (the transferer) into the dialplan."""
    return await ami.action("BlindTransfer", Channel=channel, Context=context, Exten=extension)


async def redirect(ami: Ami, channel: str, *, context: str, extension: str) -> AmiResponse:
    """Take a channel out of whatever it does, to a place in the dialplan."""
    return await ami.action("Redirect", Channel=channel, Context=context, Exten=extension, Priority="1")


async def press(ami: Ami, channel: str, keys: str) -> None:
    """Have the switch take `keys` (digits, `*`, `#`) as if the telephone behind `channel` had sent them.

    Raises:
        AmiRefused: there is no such channel.
    """
    for key in keys:
        reply = await ami.action("PlayDTMF", Channel=channel, Digit=key, Receive="true", Duration="100")
        reply.required()


async def ping(ami: Ami, *, timeout: float = 2.0) -> None:
    """Ask for a sign of life.

    Raises:
        AmiTimeout, AmiDisconnected: there was none.
    """
    (await ami.action("Ping", timeout=timeout)).required()


Row = TypeVar("Row", bound=AmiEvent)


def _rows(reply: AmiResponse) -> list[AmiEvent]:
    translated = (translate(fields, 0.0) for fields in reply.events)
    return [row for row in translated if row is not None]


def _of(rows: Sequence[AmiEvent], kind: type[Row]) -> tuple[Row, ...]:
    return tuple(row for row in rows if type(row) is kind)
