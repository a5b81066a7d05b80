"""What an operator has in hand, read off the switch; and how a command of `acd.commands` is put to it.

Within a call every command is a code of the switch itself (features.conf), taken as if the operator's telephone had
sent it: so it does what the code does, with the same lines on disk, whoever asks
([ADR 21](../../docs/adr/0021-commands-for-a-desk.md)).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from acd.commands import Act, Asked, Command, Hand
from core.ids import CallId, OperatorId
from telephony.ami import actions
from telephony.ami.actions import Ami
from telephony.ami.errors import AmiRefused
from telephony.ami.events import ChannelRow
from telephony.ami.session import AmiResponse
from telephony.members import interface_of, member_name_of, operator_of

CODES = {
    Act.CONSULT: "*8",
    Act.COMPLETE: "*2",
    Act.JOIN: "*3",
    Act.SWAP: "*4",
    Act.RETURN: "*1",
    Act.PAUSE_RECORDING: "*5",
    Act.RESUME_RECORDING: "*5",
    Act.MARK_RELAY: "*6",
    Act.WARN: "*9",
}
"""As `asterisk_conf/templates/features.conf.j2` has them."""
WATCH_CODES = {Act.LISTEN: "1", Act.WHISPER: "2", Act.BARGE: "3", Act.TAKE_OVER: "4"}
"""First digit of an extension of [supervise]; the operator's number follows."""
EXTENSION = "TRANSFER_EXTEN"
"""Asterisk's own: whom an attended transfer rings, so that it asks for no digits."""
_BUSY_WITH_US = frozenset({"Playback", "Gosub", "Wait", "While", "EndWhile", "Set", "ExecIf", "UserEvent"})
"""Applications of a leg that a code of ours has taken out of the talk for a moment."""
_SPY = "ChanSpy"


async def hand_of(ami: Ami, operator: OperatorId) -> Hand:
    """What the operator has in hand at this moment.

    Raises:
        AmiError: the switch cannot be asked.
    """
    seat = member_name_of(operator)
    names = ("STATE", "CALL", "LEG", "CITIZEN", "AFTER", "RELAY")
    state, call, leg, citizen, after, relay = await asyncio.gather(
        *(actions.global_variable(ami, f"T_{name}_{seat}") for name in names)
    )
    bare = Hand(operator=operator, state=state, after=after)
    if state != "talking" or not call:
        return bare
    rows = {row.channel: row for row in await actions.core_show_channels(ami)}
    mine, theirs = rows.get(leg), rows.get(citizen)
    muted = await _variable(ami, leg, "T_MUTED") == "on" if mine else False
    warned = await _variable(ami, citizen, "T_WARNED") if theirs else ""
    return Hand(
        operator=operator,
        state=state,
        call=CallId(call),
        leg=leg if mine else "",
        citizen=citizen if theirs else "",
        joined=_together(mine, theirs),
        asked=asked_of(call, mine, theirs, list(rows.values())),
        by_telephone=any(
            row.channel.startswith(f"{interface_of(operator)}-")
            and row.channel != leg
            and row.account_code == call
            for row in rows.values()
        ),
        muted=muted,
        relay=relay == call,
        warned=int(warned) if warned.isdigit() else 0,
        after=after,
        watchers=frozenset(_supervisors(rows.values())),
    )


def _supervisors(rows: Iterable[ChannelRow]) -> Iterator[OperatorId]:
    for row in rows:
        # The half of a whisper that spies is a Local channel.
        if row.application == _SPY and row.channel.startswith("PJSIP/op"):
            yield operator_of(row.channel)


async def _variable(ami: Ami, channel: str, name: str) -> str:
    try:
        return await actions.channel_variable(ami, channel, name)
    except AmiRefused:
        return ""  # the channel has just ended


def _together(*legs: ChannelRow | None) -> bool:
    bridges = {leg.bridge if leg else "" for leg in legs}
    return len(bridges) == 1 and "" not in bridges


def asked_of(
    call: str, operator: ChannelRow | None, citizen: ChannelRow | None, rows: Sequence[ChannelRow]
) -> Asked:
    """How far the operator's question is, from the channels of this call."""
    if operator is None or citizen is None:
        return Asked.NO
    others = [
        row
        for row in rows
        if row.account_code == call
        and row.channel not in (operator.channel, citizen.channel)
        and row.application != _SPY
        and not row.channel.startswith("PJSIP/op")
    ]
    departments = [row for row in others if row.channel.startswith("PJSIP/")]
    if any(_together(operator, citizen, row) for row in departments):
        return Asked.TOGETHER
    ways = [
        row for row in others if row.channel.startswith("Local/") and "@operator-transfer-" in row.channel
    ]
    answered = any(row.state == "Up" for row in departments)
    if not departments and not ways:
        return Asked.NO
    if not answered:
        return Asked.RINGING
    return Asked.HELD if _together(operator, citizen) else Asked.TALKING


async def carry_out(ami: Ami, command: Command, hand: Hand) -> None:
    """Put a command about a call or a seat to the switch; nothing is waited for.

    Raises:
        AmiError: the switch said no, or cannot be asked.
    """
    act = command.act
    if act in CODES:
        await _idle(ami, hand.leg)
        if act is Act.CONSULT:
            (await actions.set_channel_variable(ami, hand.leg, EXTENSION, command.to)).required()
        await actions.press(ami, hand.leg, CODES[act])
        return
    match act:
        case Act.TRANSFER:
            reply = await actions.blind_transfer(
                ami, hand.leg, context="operator-transfer", extension=command.to
            )
        case Act.HANG_UP:
            reply = await actions.hangup(ami, hand.leg)
        case Act.END:
            await _idle(ami, hand.citizen)
            (
                await actions.set_channel_variable(ami, hand.citizen, "T_ENDED_BY", command.asker.name)
            ).required()
            reply = await actions.redirect(ami, hand.citizen, context="long-call-end", extension="s")
        case Act.PAUSE | Act.READY | Act.SIGN_OUT | Act.HELP:
            reply = await _seat(ami, command, hand)
        case _:
            raise AmiRefused(f"交換機に頼めない操作です: {act.value}")
    reply.required()


async def asked_for(ami: Ami, hand: Hand) -> None:
    """The question has begun: the next one that the operator dials by hand must ask for digits again."""
    if hand.leg:
        await actions.set_channel_variable(ami, hand.leg, EXTENSION, "")


async def ring_supervisor(ami: Ami, command: Command, *, ring_s: float) -> str:
    """Ring the supervisor's telephone, which then listens, whispers, barges in or takes over; the action's id.

    Raises:
        AmiError: the switch said no, or cannot be asked.
    """
    reply = await actions.originate(
        ami,
        interface_of(command.asker.operator),
        context="supervise",
        extension=f"{WATCH_CODES[command.act]}{command.operator}",
        caller_id=f'"" <{command.operator}>',
        ring_s=ring_s,
    )
    return reply.required().fields.get("actionid", "")


async def _idle(ami: Ami, channel: str) -> None:
    """A leg that still hears what the last code did takes no new one, and would come back from wherever it is moved."""
    for _ in range(120):
        rows = await actions.core_show_channels(ami)
        mine = next((row for row in rows if row.channel == channel), None)
        if mine is None or mine.application not in _BUSY_WITH_US:
            return
        await asyncio.sleep(0.1)


async def _seat(ami: Ami, command: Command, hand: Hand) -> AmiResponse:
    extension = {Act.SIGN_OUT: "out"}.get(command.act, command.act.value)
    return await actions.originate(
        ami,
        f"Local/{extension}@desk-seat/n",
        context="desk-seat",
        extension=extension,
        variables={"T_SEAT": member_name_of(hand.operator), "T_WHY": command.to},
        ring_s=5.0,
    )
