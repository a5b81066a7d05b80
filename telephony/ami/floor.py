"""Between app_queue's events and the floor's: translation one way, actions the other."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from acd.events import (
    AddToQueue,
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
    RemoveFromQueue,
    SetOrder,
    StandBy,
    TalkEnded,
    TalkNamed,
    TalkStarted,
)
from core.facts.dialplan import ManagerEvent, PauseReason, SeatVariable
from core.ids import CallId, OperatorId, call_id_of
from telephony.ami.actions import (
    QueueSnapshot,
    originate,
    queue_add,
    queue_pause,
    queue_penalty,
    queue_remove,
)
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
    UserEvent,
)
from telephony.ami.session import AmiResponse, AmiSession
from telephony.members import interface_of, member_name_of, operator_of

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
            return CallerJoined(
                at=event.at,
                caller=event.channel,
                queue=event.queue,
                position=event.position,
                call=CallId(event.account_code) if event.account_code else None,
            )
        case QueueCallerLeave():
            return CallerLeft(at=event.at, caller=event.channel, queue=event.queue)
        case AgentCalled() | AgentConnect() | AgentComplete() | AgentRingNoAnswer():
            return _offer(event)
        case QueueMemberAdded() | QueueMemberRemoved() | QueueMemberPause():
            return _member(event)
        case UserEvent() if event.name == ManagerEvent.TALK:
            operator = _operator(event.values.get("seat", ""))
            if operator is None:
                return None
            return TalkNamed(at=event.at, operator=operator, talk=event.values.get("talk", ""))
        case _:
            return None


def _offer(event: AgentCalled | AgentConnect | AgentComplete | AgentRingNoAnswer) -> FloorEvent | None:
    operator = _operator(event.member)
    if operator is None:
        return None
    match event:
        case AgentCalled():
            return OfferMade(
                at=event.at,
                operator=operator,
                queue=event.queue,
                caller=event.channel,
                call=CallId(event.account_code) if event.account_code else None,
            )
        case AgentConnect():
            return TalkStarted(
                at=event.at,
                operator=operator,
                queue=event.queue,
                caller=event.channel,
                talk=event.member_uniqueid,
                call=CallId(event.account_code) if event.account_code else None,
            )
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
                return MemberPaused(
                    at=event.at, operator=operator, queue=event.queue, reason=event.paused_reason
                )
            return MemberReady(at=event.at, operator=operator, queue=event.queue)


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


def snapshot_events(
    snapshot: QueueSnapshot, now: float, entered: Mapping[str, float]
) -> Iterable[FloorEvent]:
    """A fresh view of the whole floor after a login. `entered` is the first entry by channel, where known."""
    # Only the queue that the caller came from has the member in a call.
    in_call = {row.member for row in snapshot.members if row.in_call}
    for row in snapshot.members:
        operator = _operator(row.member)
        if operator is not None:
            yield _joined(row, operator, now, row.member in in_call)
    for entry in snapshot.entries:
        at = now - entry.wait_s
        yield CallerJoined(
            at=at,
            caller=entry.channel,
            queue=entry.queue,
            position=entry.position,
            call=call_id_of(entry.uniqueid),
            since=entered.get(entry.channel),
        )


SwitchCommand = MakeReady | HoldBack | StandBy | SetOrder | AddToQueue | RemoveFromQueue


async def carry_out(ami: AmiSession, command: SwitchCommand) -> bool:
    """Do one command of the floor on the switch; whether the switch took it.

    Raises:
        AmiError: it could not be sent; the next snapshot shows what holds.
    """
    reply = await _sent(ami, command)
    if not reply.success:
        # The operator may have signed out in between.
        log.warning("%s for %s refused: %s", type(command).__name__, command.operator, reply.message)
    return reply.success


async def _sent(ami: AmiSession, command: SwitchCommand) -> AmiResponse:
    interface = interface_of(command.operator)
    match command:
        case MakeReady():
            # Through the dialplan, which looks at the operator's state under a lock (dialplans/40-operator.conf).
            return await originate(
                ami,
                "Local/s@seat/n",
                context="seat",
                extension="s",
                variables={
                    SeatVariable.SEAT: member_name_of(command.operator),
                    SeatVariable.QUEUES: "&".join(command.queues),
                    SeatVariable.TALK: command.talk,
                    SeatVariable.WHY: command.why,
                },
                ring_s=5.0,
            )
        case StandBy():
            return await originate(
                ami,
                "Local/reserve@seat/n",
                context="seat",
                extension="reserve",
                variables={"T_SEAT": member_name_of(command.operator), "T_TALK": command.talk},
                ring_s=5.0,
            )
        case HoldBack():
            return await queue_pause(ami, interface, True, reason=command.reason)
        case SetOrder():
            return await queue_penalty(ami, interface, command.penalty)
        case AddToQueue():
            return await queue_add(
                ami,
                command.queue,
                interface,
                member=member_name_of(command.operator),
                penalty=command.penalty,
                paused=True,
                reason=PauseReason.ADDED,
            )
        case RemoveFromQueue():
            return await queue_remove(ami, command.queue, interface)
