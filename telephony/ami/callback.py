"""Taking an operator for a call-back and ringing them, on the switch (dialplans/70-callback.conf)."""

from __future__ import annotations

from collections.abc import Iterable

from acd.callback import RingOperator
from core.facts.dialplan import PauseReason
from core.ids import CallId, OperatorId, QueueName, demand_of, language_of
from core.phone import callable_number
from telephony.ami import actions
from telephony.ami.actions import Ami
from telephony.ami.errors import AmiBadValue
from telephony.ami.events import QueueMember
from telephony.ami.session import AmiResponse
from telephony.members import interface_of, member_name_of

NOT_IN_USE = 1
"""Device state of a telephone that is there and idle (`MemberState.status`)."""


async def hold(ami: Ami, operator: OperatorId) -> AmiResponse:
    """Pause an operator everywhere with the reason `callback`, unless they talk or are on a break by now."""
    return await actions.originate(
        ami,
        "Local/s@callback-hold/n",
        context="callback-hold",
        extension="s",
        variables={"T_SEAT": member_name_of(operator)},
        ring_s=5.0,
    )


async def is_held(ami: Ami, operator: OperatorId, queue: QueueName) -> bool | None:
    """Whether the switch sees the operator held for a call-back and idle; None when the hold is not there yet."""
    snapshot = await actions.queue_status(ami, queue)
    return held_and_idle(snapshot.members, operator)


def held_and_idle(members: Iterable[QueueMember], operator: OperatorId) -> bool | None:
    """The same, from a snapshot."""
    row = next((row for row in members if row.interface == interface_of(operator)), None)
    if row is None:
        return False
    if not row.paused or row.paused_reason != PauseReason.CALLBACK:
        return None
    return row.status == NOT_IN_USE and not row.in_call


async def ring(ami: Ami, wanted: RingOperator, *, offer_s: float, ring_s: float) -> AmiResponse:
    """Ring the operator's telephone, showing the citizen's number; answered, it dials the citizen.

    Args:
        offer_s: how long the operator's telephone rings.
        ring_s: how long the citizen's rings.

    Raises:
        AmiBadValue: the number may not be called; checked again here, whoever booked it.
    """
    if callable_number(wanted.number) != wanted.number:
        raise AmiBadValue("折り返せない番号です", where="Exten", cure="予約を取り消す")
    demand = demand_of(wanted.demand)
    language = language_of(demand)
    return await actions.originate(
        ami,
        interface_of(wanted.operator),
        context="callback-out",
        extension=wanted.number,
        caller_id=f'"" <{wanted.number}>',
        variables={
            "__TORITSUGI_CALL": wanted.call,
            "__TORITSUGI_QUEUE": demand,
            "__TORITSUGI_LINE": demand.removesuffix(f"-{language}"),
            "__TORITSUGI_LANGUAGE": language,
            "__T_CB_TRY": str(wanted.attempt),
            "__T_CB_SEAT": member_name_of(wanted.operator),
            "__T_CB_RING": str(int(ring_s)),
        },
        ring_s=offer_s,
        account=wanted.call,
    )


async def stop_ringing(ami: Ami, call: CallId, operator: OperatorId) -> int:
    """Hang up the operator's telephone that rings for a call-back; how many channels there were."""
    prefix = f"{interface_of(operator)}-"
    rows = [
        row
        for row in await actions.core_show_channels(ami)
        if row.account_code == call and row.channel.startswith(prefix)
    ]
    for row in rows:
        await actions.hangup(ami, row.channel)
    return len(rows)
