"""AMI events as types. Whatever is missing or misspelt is an error here, not an empty string later.

Field names as Asterisk 22.10.1 sends them (seen on the wire). Times are epoch seconds: the event's own
`Timestamp` (`timestampevents=yes`), otherwise the moment of receipt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.ids import QueueName, Uniqueid

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiEvent:
    """Base of everything in the event stream."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected(AmiEvent):
    """Ours: the session was lost. What happens until the next `FullyBooted` is unknown."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(AmiEvent):
    """Ours: the consumer was too slow and `dropped` events are gone. Take a snapshot."""

    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FullyBooted(AmiEvent):
    """First event of every login, and again when a starting Asterisk is ready. Take a snapshot."""

    uptime_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCallerJoin(AmiEvent):
    queue: QueueName
    channel: str
    uniqueid: Uniqueid
    linkedid: Uniqueid
    account_code: str
    position: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCallerLeave(AmiEvent):
    """The caller is no longer waiting: connected, gone, or on the way elsewhere."""

    queue: QueueName
    channel: str
    uniqueid: Uniqueid
    linkedid: Uniqueid
    account_code: str
    position: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(AmiEvent):
    """Base of what happens between one waiting caller and one member."""

    queue: QueueName
    channel: str
    """The citizen's channel."""
    uniqueid: Uniqueid
    linkedid: Uniqueid
    account_code: str
    """Our call id: the trunk leg's account code."""
    member: str
    """MemberName, e.g. `op101`."""
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCalled(Offer):
    """The member's telephone starts to ring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConnect(Offer):
    hold_s: int
    ring_s: int
    member_uniqueid: str
    """The operator's channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentComplete(Offer):
    """The member's part ended. After a transfer: at the moment of transfer.

    Asterisk leaves out the headers of the citizen's channel when that is gone before it looks; they are empty then.
    """

    hold_s: int
    talk_s: int
    reason: str
    """`caller`, `agent` or `transfer`: who ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRingNoAnswer(Offer):
    ring_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberState(AmiEvent):
    """A member of one queue as app_queue sees it."""

    queue: QueueName
    member: str
    interface: str
    penalty: int
    calls_taken: int
    last_call: int
    """Epoch seconds of the end of the last call in this queue, 0 for never."""
    last_pause: int
    login_time: int
    in_call: bool
    status: int
    """Device state: 0 unknown, 1 not in use, 2 in use, 3 busy, 4 invalid, 5 unavailable, 6 ringing,
    7 ringing and in use, 8 on hold."""
    paused: bool
    paused_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberStatus(MemberState):
    """A device state, a call or a counter of the member changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberAdded(MemberState):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberRemoved(MemberState):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberPause(MemberState):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMemberPenalty(MemberState):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMember(MemberState):
    """Snapshot row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueParams(AmiEvent):
    """Snapshot row: one queue."""

    queue: QueueName
    strategy: str
    calls: int
    completed: int
    abandoned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry(AmiEvent):
    """Snapshot row: one waiting caller."""

    queue: QueueName
    position: int
    channel: str
    uniqueid: Uniqueid
    wait_s: int
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Newchannel(AmiEvent):
    channel: str
    uniqueid: Uniqueid
    linkedid: Uniqueid
    context: str
    exten: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup(AmiEvent):
    channel: str
    uniqueid: Uniqueid
    linkedid: Uniqueid
    account_code: str
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(AmiEvent):
    """This channel's telephone has put the other side on hold."""

    channel: str
    uniqueid: Uniqueid
    linkedid: Uniqueid
    account_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhold(AmiEvent):
    """This channel's telephone has taken the other side back."""

    channel: str
    uniqueid: Uniqueid
    linkedid: Uniqueid
    account_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow(AmiEvent):
    """Snapshot row of CoreShowChannels."""

    channel: str
    uniqueid: Uniqueid
    linkedid: Uniqueid
    account_code: str
    context: str
    exten: str
    state: str
    application: str
    bridge: str
    duration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStateChange(AmiEvent):
    device: str
    state: str
    """`NOT_INUSE`, `INUSE`, `RINGING`, `UNAVAILABLE`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStatus(AmiEvent):
    """A telephone registered, unregistered or became (un)reachable."""

    endpoint: str
    aor: str
    uri: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginateResponse(AmiEvent):
    action_id: str
    success: bool
    channel: str
    uniqueid: str
    """Channel's Uniqueid, or `<null>` when none was made."""
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent(AmiEvent):
    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    """Every other header, lower-case keys."""


class _Reader:
    """Reads typed values out of one event's headers."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def all_or_empty(self, *keys: str) -> _Reader:
        """The same with these headers empty when not one of them is there."""
        gone = not self._fields.keys() & set(keys)
        return _Reader({**dict.fromkeys(keys, ""), **self._fields}) if gone else self

    def text(self, key: str) -> str:
        return self._fields[key]

    def whole(self, key: str) -> int:
        return int(self._fields[key])

    def truth(self, key: str) -> bool:
        value = self._fields[key]
        if value not in {"0", "1"}:
            raise ValueError(f"{key} is neither 0 nor 1: {value!r}")
        return value == "1"

    def queue(self) -> QueueName:
        return QueueName(self._fields["queue"])

    def uniqueid(self, key: str = "uniqueid") -> Uniqueid:
        return Uniqueid(self._fields[key])

    def rest(self, *without: str) -> dict[str, str]:
        return {key: value for key, value in self._fields.items() if key not in without}


def _caller(kind: type[QueueCallerJoin] | type[QueueCallerLeave]) -> Callable[[_Reader, float], AmiEvent]:
    return lambda r, at: kind(
        at=at,
        queue=r.queue(),
        channel=r.text("channel"),
        uniqueid=r.uniqueid(),
        linkedid=r.uniqueid("linkedid"),
        account_code=r.text("accountcode"),
        position=r.whole("position"),
        count=r.whole("count"),
    )


def _member(
    kind: type[MemberState], name: str = "membername", interface: str = "interface"
) -> Callable[[_Reader, float], AmiEvent]:
    return lambda r, at: kind(
        at=at,
        queue=r.queue(),
        member=r.text(name),
        interface=r.text(interface),
        penalty=r.whole("penalty"),
        calls_taken=r.whole("callstaken"),
        last_call=r.whole("lastcall"),
        last_pause=r.whole("lastpause"),
        login_time=r.whole("logintime"),
        in_call=r.truth("incall"),
        status=r.whole("status"),
        paused=r.truth("paused"),
        paused_reason=r.text("pausedreason"),
    )


def _offer(kind: type[Offer], **more: str) -> Callable[[_Reader, float], AmiEvent]:
    def build(r: _Reader, at: float) -> AmiEvent:
        texts = ("reason", "member_uniqueid")
        extra = {name: r.text(key) if name in texts else r.whole(key) for name, key in more.items()}
        return kind(
            at=at,
            queue=r.queue(),
            channel=r.text("channel"),
            uniqueid=r.uniqueid(),
            linkedid=r.uniqueid("linkedid"),
            account_code=r.text("accountcode"),
            member=r.text("membername"),
            interface=r.text("interface"),
            **extra,
        )

    return build


def _held(kind: type[Hold] | type[Unhold]) -> Callable[[_Reader, float], AmiEvent]:
    return lambda r, at: kind(
        at=at,
        channel=r.text("channel"),
        uniqueid=r.uniqueid(),
        linkedid=r.uniqueid("linkedid"),
        account_code=r.text("accountcode"),
    )


_STREAM: dict[str, Callable[[_Reader, float], AmiEvent]] = {
    "FullyBooted": lambda r, at: FullyBooted(at=at, uptime_s=r.whole("uptime")),
    "QueueCallerJoin": _caller(QueueCallerJoin),
    "QueueCallerLeave": _caller(QueueCallerLeave),
    "AgentCalled": _offer(AgentCalled),
    "AgentConnect": _offer(
        AgentConnect, hold_s="holdtime", ring_s="ringtime", member_uniqueid="destuniqueid"
    ),
    "AgentComplete": lambda r, at: _offer(
        AgentComplete, hold_s="holdtime", talk_s="talktime", reason="reason"
    )(r.all_or_empty("channel", "uniqueid", "linkedid", "accountcode"), at),
    "AgentRingNoAnswer": _offer(AgentRingNoAnswer, ring_ms="ringtime"),
    "QueueMemberStatus": _member(QueueMemberStatus),
    "QueueMemberAdded": _member(QueueMemberAdded),
    "QueueMemberRemoved": _member(QueueMemberRemoved),
    "QueueMemberPause": _member(QueueMemberPause),
    "QueueMemberPenalty": _member(QueueMemberPenalty),
    "Newchannel": lambda r, at: Newchannel(
        at=at,
        channel=r.text("channel"),
        uniqueid=r.uniqueid(),
        linkedid=r.uniqueid("linkedid"),
        context=r.text("context"),
        exten=r.text("exten"),
    ),
    "Hangup": lambda r, at: Hangup(
        at=at,
        channel=r.text("channel"),
        uniqueid=r.uniqueid(),
        linkedid=r.uniqueid("linkedid"),
        account_code=r.text("accountcode"),
        cause=r.whole("cause"),
    ),
    "Hold": _held(Hold),
    "Unhold": _held(Unhold),
    "DeviceStateChange": lambda r, at: DeviceStateChange(
        at=at, device=r.text("device"), state=r.text("state")
    ),
    "ContactStatus": lambda r, at: ContactStatus(
        at=at,
        endpoint=r.text("endpointname"),
        aor=r.text("aor"),
        uri=r.text("uri"),
        status=r.text("contactstatus"),
    ),
    "OriginateResponse": lambda r, at: OriginateResponse(
        at=at,
        action_id=r.text("actionid"),
        success=r.text("response") == "Success",
        channel=r.text("channel"),
        uniqueid=r.text("uniqueid"),
        reason=r.whole("reason"),
    ),
    "UserEvent": lambda r, at: UserEvent(
        at=at, name=r.text("userevent"), values=r.rest("event", "userevent", "privilege", "timestamp")
    ),
}

_SNAPSHOT: dict[str, Callable[[_Reader, float], AmiEvent]] = {
    "QueueParams": lambda r, at: QueueParams(
        at=at,
        queue=r.queue(),
        strategy=r.text("strategy"),
        calls=r.whole("calls"),
        completed=r.whole("completed"),
        abandoned=r.whole("abandoned"),
    ),
    "QueueMember": _member(QueueMember, name="name", interface="location"),
    "QueueEntry": lambda r, at: QueueEntry(
        at=at,
        queue=r.queue(),
        position=r.whole("position"),
        channel=r.text("channel"),
        uniqueid=r.uniqueid(),
        wait_s=r.whole("wait"),
        priority=r.whole("priority"),
    ),
    "CoreShowChannel": lambda r, at: ChannelRow(
        at=at,
        channel=r.text("channel"),
        uniqueid=r.uniqueid(),
        linkedid=r.uniqueid("linkedid"),
        account_code=r.text("accountcode"),
        context=r.text("context"),
        exten=r.text("exten"),
        state=r.text("channelstatedesc"),
        application=r.text("application"),
        bridge=r.text("bridgeid"),
        duration=r.text("duration"),
    ),
}

WANTED = frozenset(_STREAM)
"""Names of the events that are decoded at all; every other one is dropped as bytes."""


def translate(fields: Mapping[str, str], received_at: float) -> AmiEvent | None:
    """The typed event of one AMI message (lower-case keys).

    None, with an error in the log, when the event is unknown or a field is missing or unreadable.
    """
    name = fields.get("event", "")
    build = _STREAM.get(name) or _SNAPSHOT.get(name)
    if build is None:
        log.error("AMI event %r has no translation", name)
        return None
    try:
        stamp = fields.get("timestamp")
        return build(_Reader(fields), float(stamp) if stamp else received_at)
    except KeyError as exc:
        log.error("AMI event %s lacks %s, skipped", name, exc)
    except ValueError as exc:
        log.error("AMI event %s cannot be read: %s, skipped", name, exc)
    return None
