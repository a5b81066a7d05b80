"""`queue_log` lines as facts.

`time|call|queue|member|event|data…`; times are whole seconds; a member is a MemberName or an interface, depending
on the event. Rows about a member carry whatever channel acted, so they belong to no call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.ids import CallId, OperatorId, QueueName, Uniqueid, call_id_of
from ledger.facts import (
    Connected,
    EnteredQueue,
    Fact,
    LeftQueue,
    OfferCancelled,
    OfferMissed,
    OperatorPaused,
    OperatorSignedIn,
    OperatorSignedOut,
    OperatorUnpaused,
    QueueExit,
    Served,
    Source,
    SwitchStarted,
)
from telephony.disk.errors import DamagedLine, moment
from telephony.members import operator_of


@dataclass(frozen=True, slots=True)
class _Row:
    at: float
    source: Source
    caller: str
    queue_field: str
    member: str
    event: str
    data: tuple[str, ...]

    @property
    def call(self) -> CallId | None:
        return None if self.caller in {"NONE", "MANAGER", ""} else call_id_of(Uniqueid(self.caller))

    @property
    def queue(self) -> QueueName:
        if self.queue_field in {"NONE", ""}:
            raise DamagedLine(f"{self.event} without a queue")
        return QueueName(self.queue_field)

    @property
    def queue_or_all(self) -> QueueName | None:
        return None if self.queue_field in {"NONE", ""} else QueueName(self.queue_field)

    @property
    def operator(self) -> OperatorId:
        return operator_of(self.member)

    @property
    def reason(self) -> str:
        return self.data[0] if self.data else ""


def _entered(row: _Row) -> Fact:
    return EnteredQueue(at=row.at, source=row.source, call=row.call, queue=row.queue)


def _connected(row: _Row) -> Fact:
    return Connected(
        at=row.at,
        source=row.source,
        call=row.call,
        queue=row.queue,
        operator=row.operator,
        exact=False,
        ring_s=float(row.data[2]),
        member_channel=Uniqueid(row.data[1]),
    )


def _served(talk: int) -> Callable[[_Row], Fact]:
    """`talk` is the place of the talk time, from the end where the fields before it vary."""
    return lambda row: Served(
        at=row.at,
        source=row.source,
        call=row.call,
        queue=row.queue,
        operator=row.operator,
        how=row.event,
        talk_s=float(row.data[talk]),
    )


def _left(how: QueueExit) -> Callable[[_Row], Fact]:
    return lambda row: LeftQueue(at=row.at, source=row.source, call=row.call, queue=row.queue, how=how)


def _offer(kind: type[OfferMissed] | type[OfferCancelled]) -> Callable[[_Row], Fact]:
    return lambda row: kind(
        at=row.at,
        source=row.source,
        call=row.call,
        queue=row.queue,
        operator=row.operator,
        ring_s=int(row.data[0]) / 1000,
    )


def _pause(kind: type[OperatorPaused] | type[OperatorUnpaused]) -> Callable[[_Row], Fact]:
    return lambda row: kind(
        at=row.at,
        source=row.source,
        call=None,
        operator=row.operator,
        reason=row.reason,
        queue=row.queue_or_all,
    )


def _sign(kind: type[OperatorSignedIn] | type[OperatorSignedOut]) -> Callable[[_Row], Fact]:
    return lambda row: kind(at=row.at, source=row.source, call=None, operator=row.operator, queue=row.queue)


_EVENTS: dict[str, Callable[[_Row], Fact] | None] = {
    "QUEUESTART": lambda row: SwitchStarted(at=row.at, source=row.source, call=None),
    "ENTERQUEUE": _entered,
    "CONNECT": _connected,
    "COMPLETEAGENT": _served(1),
    "COMPLETECALLER": _served(1),
    "BLINDTRANSFER": _served(-2),
    "ATTENDEDTRANSFER": _served(-2),
    "RINGNOANSWER": _offer(OfferMissed),
    "RINGCANCELED": _offer(OfferCancelled),
    "ABANDON": _left(QueueExit.ABANDONED),
    "EXITWITHTIMEOUT": _left(QueueExit.TIMEOUT),
    "EXITEMPTY": _left(QueueExit.LEAVE_EMPTY),
    "EXITWITHKEY": _left(QueueExit.KEY),
    "WITHDRAW": _left(QueueExit.WITHDRAWN),
    "SYSCOMPAT": _left(QueueExit.INCOMPATIBLE),
    "AGENTDUMP": _left(QueueExit.AGENT_DUMPED),
    "PAUSE": _pause(OperatorPaused),
    "PAUSEALL": _pause(OperatorPaused),
    "UNPAUSE": _pause(OperatorUnpaused),
    "UNPAUSEALL": _pause(OperatorUnpaused),
    "ADDMEMBER": _sign(OperatorSignedIn),
    "REMOVEMEMBER": _sign(OperatorSignedOut),
    # Known, and nothing we keep:
    "CONFIGRELOAD": None,
    "PENALTY": None,
    "MEMBERRINGINUSE": None,
    "RINGINUSE": None,
    "DID": None,
    "INFO": None,
}


def translate_queue_log(text: str, source: Source) -> Fact | None:
    """The fact in one line; None when it tells nothing that the ledger keeps.

    Raises:
        DamagedLine: the line cannot be read, or its event is unknown.
    """
    fields = text.split("|")
    if len(fields) < 5:
        raise DamagedLine("fewer than five fields")
    event = fields[4]
    if event not in _EVENTS:
        raise DamagedLine(f"unknown event {event[:40]!r}")
    build = _EVENTS[event]
    try:
        at, caller, queue, member = moment(float(int(fields[0]))), fields[1], fields[2], fields[3]
        row = _Row(at, source, caller, queue, member, event, tuple(fields[5:]))
        return build(row) if build else None
    except IndexError as exc:
        raise DamagedLine(f"{event} lacks data") from exc
    except (ValueError, OverflowError) as exc:
        raise DamagedLine(f"{event}: {exc}") from exc
