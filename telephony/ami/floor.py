"""Between app_queue's events and the floor's: translation one way, actions the other."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from acd.events import (
    CallerJoined,
    CallerLeft,
    FloorEvent,
    HoldBack,
    MakeReady,
    MemberJoined,
    MemberLeft,
    MemberPaused,
    MemberReady,
    OfferMade,
    OfferMissed,
    SetOrder,
    TalkEnded,
    TalkStarted,
)
from core.ids import OperatorId
from telephony.ami.actions import QueueSnapshot, queue_pause, queue_penalty
from telephony.ami.events import (
    AgentCalled,
    AgentComplete,
    AgentConnect,
    AgentRingNoAnswer,
    AmiEvent,
    MemberState,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueMemberAdded,
    QueueMemberPause,
    QueueMemberRemoved,
)
from telephony.ami.session import AmiSession
from telephony.members import interface_of, operator_of

log = logging.getLogger(__name__)


def _operator(member: str) -> OperatorId | None:
    try:
        return operator_of(member)
    except ValueError:
        return None  # a member that is not ours, added by hand on the console


def floor_event(event: AmiEvent) -> FloorEvent | None:
    """The floor's word for an AMI event; None when the floor has no use for it."""
    match event:
        case QueueCallerJoin():
            return CallerJoined(at=event.at, caller=event.channel, queue=event.queue, position=event.position)
        case QueueCallerLeave():
            return CallerLeft(at=event.at, caller=event.channel, queue=event.queue)
        case AgentCalled() | AgentConnect() | AgentComplete() | AgentRingNoAnswer():
            return _offer(event)
        case QueueMemberAdded() | QueueMemberRemoved() | QueueMemberPause():
            return _member(event)
        case _:
            return None


def _offer(event: AgentCalled | AgentConnect | AgentComplete | AgentRingNoAnswer) -> FloorEvent | None:
    operator = _operator(event.member)
    if operator is None:
        return None
    match event:
        case AgentCalled():
            return OfferMade(at=event.at, operator=operator, queue=event.queue, caller=event.channel)
        case AgentConnect():
            return TalkStarted(at=event.at, operator=operator, queue=event.queue, caller=event.channel)
        case AgentComplete():
            return TalkEnded(at=event.at, operator=operator, queue=event.queue, talk_s=float(event.talk_s))
        case AgentRingNoAnswer():
            return OfferMissed(at=event.at, operator=operator, queue=event.queue)


def _member(event: QueueMemberAdded | QueueMemberRemoved | QueueMemberPause) -> FloorEvent | None:
    operator = _operator(event.member)
    if operator is None:
        return None
    match event:
        case QueueMemberAdded():
            return _joined(event, operator, event.at, event.in_call)
        case QueueMemberRemoved():
            return MemberLeft(at=event.at, operator=operator, queue=event.queue)
        case QueueMemberPause():
            if event.paused:
                return MemberPaused(at=event.at, operator=operator, reason=event.paused_reason)
            return MemberReady(at=event.at, operator=operator)


def _joined(event: MemberState, operator: OperatorId, at: float, in_call: bool) -> MemberJoined:
    return MemberJoined(
        at=at,
        operator=operator,
        queue=event.queue,
        penalty=event.penalty,
        paused=event.paused_reason if event.paused else None,
        paused_since=float(event.last_pause) if event.paused and event.last_pause else None,
        in_call=in_call,
    )


def snapshot_events(snapshot: QueueSnapshot, now: float) -> Iterable[FloorEvent]:
    """A fresh view of the whole floor after a login."""
    # Only the queue that the caller came from has the member in a call.
    in_call = {row.member for row in snapshot.members if row.in_call}
    for row in snapshot.members:
        operator = _operator(row.member)
        if operator is not None:
            yield _joined(row, operator, now, row.member in in_call)
    for entry in snapshot.entries:
        yield CallerJoined(
            at=now - entry.wait_s, caller=entry.channel, queue=entry.queue, position=entry.position
        )


async def carry_out(ami: AmiSession, command: MakeReady | HoldBack | SetOrder) -> None:
    """Do one command of the floor on the switch.

    Raises:
        AmiError: it could not be sent; the next snapshot shows what holds.
    """
    interface = interface_of(command.operator)
    if isinstance(command, MakeReady):
        reply = await queue_pause(ami, interface, False, reason=command.why)
    elif isinstance(command, HoldBack):
        reply = await queue_pause(ami, interface, True, reason=command.reason)
    else:
        reply = await queue_penalty(ami, interface, command.penalty, queue=command.queue)
    if not reply.success:
        # The operator may have signed out in between.
        log.warning("%s for %s refused: %s", type(command).__name__, command.operator, reply.message)
