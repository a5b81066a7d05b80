"""CEL lines (JSON, `cel_custom.conf`) as facts.

Seen from Asterisk 22.10.1: all keys lower case and all values text, `eventtime` in epoch seconds with microseconds;
a user event's name is the `eventtype` itself; `eventextra` is JSON inside the text.

A line's call is its account code, which the first dialplan line sets on the trunk's leg and Local channels inherit;
a member's leg has none and carries the caller's linkedid. Operators' own calls thereby get ids that no trunk call
has; the fold passes over them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.facts.dialplan import StepResult, UserEvent, decode_payload
from core.ids import CALL_PREFIX, CallId, OperatorId, QueueName, Uniqueid, call_id_of
from core.phone import classify_caller, normalise_number
from ledger.facts import (
    Answered,
    Arrived,
    CallbackBooked,
    CallbackEnded,
    CallbackTalked,
    CallbackTried,
    CallRefused,
    Connected,
    Consulted,
    Fact,
    FellBack,
    FoundClosed,
    HelpAsked,
    HungUp,
    JoinedQueue,
    LanguageChosen,
    LeftQueue,
    LegJoined,
    LegLeft,
    LegQuality,
    MenuStep,
    Overflowed,
    QueueExit,
    RecordingMuted,
    RecordingStarted,
    Referred,
    RelayMarked,
    Returned,
    SelfServed,
    Source,
    StaffReached,
    Supervised,
    Transferred,
    WaitTold,
    Warned,
)
from telephony.disk.errors import DamagedLine, moment
from telephony.members import operator_of

_URI_USER = re.compile(r"(?:sips?|tel):([^@;>?]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Record:
    at: float
    source: Source
    fields: Mapping[str, str]
    extra: Mapping[str, Any]
    payload: Mapping[str, str]

    @property
    def uniqueid(self) -> Uniqueid:
        return Uniqueid(self.fields["uniqueid"])

    @property
    def channel(self) -> str:
        return self.fields["channame"]

    @property
    def own_call(self) -> CallId | None:
        """The call id that the dialplan gave this leg."""
        account = self.fields["accountcode"]
        return CallId(account) if account.startswith(CALL_PREFIX) else None

    @property
    def call(self) -> CallId:
        return self.own_call or call_id_of(Uniqueid(self.fields["linkedid"]))


def _number_in(diversion: str) -> str | None:
    """The diverting number in a Diversion or History-Info value."""
    found = _URI_USER.search(diversion)
    user = found[1] if found else diversion
    return normalise_number(user) if user else None


def _arrived(r: _Record) -> Fact:
    p = r.payload
    return Arrived(
        at=r.at,
        source=r.source,
        call=CallId(p["call"]),
        channel=r.channel,
        sip_call_id=p["sip"],
        dialled=normalise_number(p["to"]) or p["to"],
        caller=classify_caller(p["user"], p.get("display", ""), p.get("privacy", "")),
        diverted_from=_number_in(p.get("diversion", "")),
        test=p.get("test") == "1",
    )


def _queue_exit(r: _Record) -> Fact | None:
    status = r.payload["status"]
    if not status:
        return None  # served: queue_log tells by whom
    known = {item.value for item in QueueExit}
    how = QueueExit(status) if status in known else QueueExit.UNKNOWN
    return LeftQueue(at=r.at, source=r.source, call=r.call, queue=QueueName(r.payload["queue"]), how=how)


_RTT_WRAPPED_S = 60.0


def _quality(r: _Record) -> Fact:
    def count(key: str) -> int | None:
        text = r.payload.get(key, "")
        return int(text) if text else None

    def seconds(key: str) -> float | None:
        text = r.payload.get(key, "")
        return float(text) if text else None

    def round_trip() -> float | None:
        """None before the first report, and where Asterisk's unsigned difference has wrapped (65535.99…)."""
        told = seconds("rtt")
        return told if told is not None and told < _RTT_WRAPPED_S else None

    return LegQuality(
        at=r.at,
        source=r.source,
        call=r.call,
        leg=r.payload["leg"],
        rx_lost=count("rx_lost"),
        tx_lost=count("tx_lost"),
        rx_count=count("rx_count"),
        tx_count=count("tx_count"),
        rx_jitter_s=seconds("rx_jitter"),
        tx_jitter_s=seconds("tx_jitter"),
        rtt_s=round_trip(),
        channel=r.uniqueid,
    )


def _refused(r: _Record) -> Fact:
    p = r.payload
    return CallRefused(
        at=r.at, source=r.source, call=r.own_call, to=p["to"], why=p["why"], sip_call_id=p.get("sip", "")
    )


def _wait_told(r: _Record) -> Fact:
    def minutes(key: str) -> int | None:
        text = r.payload[key]
        return int(text) if text else None

    return WaitTold(
        at=r.at,
        source=r.source,
        # The leg that speaks is none of the call's.
        call=CallId(r.payload["call"]),
        position=int(r.payload["position"]),
        least_min=minutes("least"),
        most_min=minutes("most"),
    )


def _help(r: _Record) -> Fact | None:
    call = r.payload["call"]
    if not call:
        return None  # no call in hand
    return HelpAsked(at=r.at, source=r.source, call=CallId(call), operator=OperatorId(r.payload["op"]))


def _callback_booked(r: _Record) -> Fact:
    entered = r.payload.get("entered", "")
    return CallbackBooked(
        at=r.at,
        source=r.source,
        call=r.call,
        to=r.payload["to"],
        queue=QueueName(r.payload.get("queue", "")),
        language=r.payload.get("lang", ""),
        entered_at=float(entered) if entered else None,
    )


_USER: dict[UserEvent, Callable[[_Record], Fact | None] | None] = {
    UserEvent.ARRIVED: _arrived,
    UserEvent.RECORDING: lambda r: RecordingStarted(
        at=r.at, source=r.source, call=r.call, base=r.payload["rec"]
    ),
    UserEvent.STEP: lambda r: MenuStep(
        at=r.at,
        source=r.source,
        call=r.call,
        node=r.payload["node"],
        key=r.payload["key"],
        result=StepResult(r.payload["result"]),
    ),
    UserEvent.LANGUAGE: lambda r: LanguageChosen(
        at=r.at, source=r.source, call=r.call, language=r.payload["lang"]
    ),
    UserEvent.CLOSED: lambda r: FoundClosed(
        at=r.at,
        source=r.source,
        call=r.call,
        reason=r.payload["reason"],
        next_opening=r.payload.get("next", ""),
    ),
    UserEvent.QUEUE: lambda r: JoinedQueue(
        at=r.at,
        source=r.source,
        call=r.call,
        queue=QueueName(r.payload["queue"]),
        line=r.payload["line"],
        language=r.payload["lang"],
    ),
    UserEvent.QUEUE_EXIT: _queue_exit,
    UserEvent.WAIT_WORD: _wait_told,
    UserEvent.OVERFLOW: lambda r: Overflowed(
        at=r.at, source=r.source, call=r.call, reason=r.payload["reason"]
    ),
    UserEvent.SELF_SERVED: lambda r: SelfServed(
        at=r.at, source=r.source, call=r.call, node=r.payload["node"]
    ),
    UserEvent.REFERRED: lambda r: Referred(
        at=r.at, source=r.source, call=r.call, node=r.payload["node"], to=r.payload["to"]
    ),
    UserEvent.CALLBACK: _callback_booked,
    UserEvent.CALLBACK_TRY: lambda r: CallbackTried(
        at=r.at,
        source=r.source,
        call=CallId(r.payload["call"]),
        attempt=int(r.payload["try"]),
        operator=OperatorId(r.payload["op"]),
        member_channel=r.uniqueid,
    ),
    UserEvent.CALLBACK_TALK: lambda r: CallbackTalked(
        at=r.at,
        source=r.source,
        call=CallId(r.payload["call"]),
        attempt=int(r.payload["try"]),
        operator=OperatorId(r.payload["op"]),
        citizen_channel=r.uniqueid,
    ),
    UserEvent.CALLBACK_END: lambda r: CallbackEnded(
        at=r.at,
        source=r.source,
        call=CallId(r.payload["call"]),
        attempt=int(r.payload["try"]),
        operator=OperatorId(r.payload["op"]),
        result=r.payload["result"],
    ),
    UserEvent.FALLBACK: lambda r: FellBack(
        at=r.at,
        source=r.source,
        call=r.call,
        step=r.payload["step"],
        why=r.payload["why"],
        by=r.payload["by"],
    ),
    UserEvent.CONNECT: lambda r: Connected(
        at=r.at,
        source=r.source,
        call=CallId(r.payload["call"]),
        queue=None,
        operator=operator_of(r.payload["member"]),
        exact=True,
        member_channel=r.uniqueid,
    ),
    UserEvent.QUALITY: _quality,
    UserEvent.TRANSFER: lambda r: Transferred(
        at=r.at,
        source=r.source,
        call=r.call,
        to=r.payload["to"],
        label=r.payload.get("label", ""),
        result=r.payload.get("result", ""),
        straight=r.payload.get("straight", "") == "yes",
        in_place_of=r.payload.get("for", ""),
    ),
    UserEvent.CONSULT: lambda r: Consulted(
        at=r.at,
        source=r.source,
        call=CallId(r.payload["call"]),
        operator=OperatorId(r.payload["op"]),
        to=r.payload["to"],
        result=r.payload.get("result", ""),
        in_place_of=r.payload.get("for", ""),
    ),
    UserEvent.STAFF: lambda r: StaffReached(
        at=r.at, source=r.source, call=CallId(r.payload["call"]), to=r.payload["to"], channel=r.uniqueid
    ),
    UserEvent.RETURN: lambda r: Returned(
        at=r.at,
        source=r.source,
        call=r.call,
        operator=OperatorId(r.payload["op"]),
        result=r.payload.get("result", ""),
    ),
    UserEvent.SUPERVISE: lambda r: Supervised(
        at=r.at,
        source=r.source,
        call=CallId(r.payload["call"]),
        by=OperatorId(r.payload["by"]),
        operator=OperatorId(r.payload["op"]),
        how=r.payload["how"],
    ),
    UserEvent.RECORDING_PAUSE: lambda r: RecordingMuted(
        at=r.at, source=r.source, call=CallId(r.payload["call"]), on=r.payload["state"] == "on"
    ),
    UserEvent.WARNED: lambda r: Warned(
        at=r.at, source=r.source, call=CallId(r.payload["call"]), stage=r.payload["stage"], by=r.payload["by"]
    ),
    UserEvent.RELAY: lambda r: RelayMarked(
        at=r.at, source=r.source, call=CallId(r.payload["call"]), operator=OperatorId(r.payload["op"])
    ),
    UserEvent.HELP: _help,
    UserEvent.REFUSED: _refused,
    UserEvent.CENTRE: None,  # the audit tells it (core/emergency.py)
    UserEvent.OPERATOR: None,  # queue_log tells the same, with its effect
}


def _answered(r: _Record) -> Fact | None:
    """Only the trunk's own leg: its call id is made of its own Uniqueid."""
    if r.call != call_id_of(r.uniqueid):
        return None
    return Answered(at=r.at, source=r.source, call=r.call)


def _leg(kind: type[LegJoined] | type[LegLeft]) -> Callable[[_Record], Fact]:
    return lambda r: kind(
        at=r.at,
        source=r.source,
        call=r.call,
        channel=r.channel,
        uniqueid=r.uniqueid,
        bridge=r.extra["bridge_id"],
    )


def _hung_up(r: _Record) -> Fact:
    return HungUp(
        at=r.at,
        source=r.source,
        call=r.call,
        channel=r.channel,
        uniqueid=r.uniqueid,
        cause=int(r.extra["hangupcause"]),
        by_channel=r.extra["hangupsource"],
    )


_OWN: dict[str, Callable[[_Record], Fact | None] | None] = {
    "ANSWER": _answered,
    "BRIDGE_ENTER": _leg(LegJoined),
    "BRIDGE_EXIT": _leg(LegLeft),
    "HANGUP": _hung_up,
    # Known, and nothing we keep:
    "CHAN_START": None,
    "CHAN_END": None,
    "LINKEDID_END": None,
    "APP_START": None,
    "APP_END": None,
    "BLINDTRANSFER": None,
    "ATTENDEDTRANSFER": None,
    "FORWARD": None,
    "PICKUP": None,
    "LOCAL_OPTIMIZE": None,
    "LOCAL_OPTIMIZE_BEGIN": None,
    "PARK_START": None,
    "PARK_END": None,
    "DTMF": None,
    "STREAM_BEGIN": None,
    "STREAM_END": None,
}


def translate_cel(text: str, source: Source) -> Fact | None:
    """The fact in one line; None when it tells nothing that the ledger keeps.

    Raises:
        DamagedLine: the line cannot be read, or its event is unknown.
    """
    try:
        fields = json.loads(text)
        name = fields["eventtype"]
        build = _builder(fields["userdeftype"] if name == "USER_DEFINED" else name)
        if build is None:
            return None
        extra = json.loads(fields["eventextra"]) if fields["eventextra"] else {}
        payload = decode_payload(extra.get("extra", ""))
        return build(_Record(moment(float(fields["eventtime"])), source, fields, extra, payload))
    except DamagedLine:
        raise
    except KeyError as exc:
        raise DamagedLine(f"lacks {exc}") from exc
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise DamagedLine(f"cannot be read: {type(exc).__name__}") from exc


def _builder(name: str) -> Callable[[_Record], Fact | None] | None:
    if name in _OWN:
        return _OWN[name]
    try:
        return _USER[UserEvent(name)]
    except (ValueError, KeyError):
        raise DamagedLine(f"unknown event {name[:40]!r}") from None
