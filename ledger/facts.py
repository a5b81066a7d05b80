"""What the disk says happened, in our words: the only input of the ledger.

Adapters translate CEL and queue_log lines into these; the fold (`ledger.fold`) turns the facts of one call
into a `Call`. Facts may come late, twice, or in the wrong order; they are sorted by `at`, then by source
position.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique

from core.facts.dialplan import StepResult
from core.ids import CallId, OperatorId, QueueName, Uniqueid
from core.phone import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where on disk a fact stands; makes every insert idempotent."""

    node: str
    file: str
    """`cel` or `queue_log`, with the inode: `cel:1234`."""
    offset: int
    """Byte offset of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Base of every fact. `at` is real time, epoch seconds (CEL: microseconds; queue_log: whole seconds)."""

    at: float
    source: Source
    call: CallId | None
    """The citizen's call; None when the line belongs to none (sign-in, pause, a refused call)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived(Fact):
    """The trunk brought a call to one of the city's numbers."""

    channel: str
    sip_call_id: str
    dialled: str
    caller: Caller
    diverted_from: str | None
    """The city's own number that forwarded the call (Diversion / History-Info)."""
    test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Fact):
    """The trunk leg was answered by the IVR (not by an operator)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(Fact):
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageChosen(Fact):
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuStep(Fact):
    node: str
    key: str
    result: StepResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundClosed(Fact):
    """The caller came outside opening hours and heard so."""

    reason: str
    next_opening: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedQueue(Fact):
    """The dialplan is about to run `Queue()` (TS_QUEUE, exact time)."""

    queue: QueueName
    line: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredQueue(Fact):
    """app_queue took the caller in (queue_log ENTERQUEUE)."""

    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMissed(Fact):
    """An operator's phone rang unanswered, was busy or was refused (RINGNOANSWER). Never a call."""

    queue: QueueName
    operator: OperatorId
    ring_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCancelled(Fact):
    """The caller left while this operator's phone rang (RINGCANCELED)."""

    queue: QueueName
    operator: OperatorId
    ring_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Fact):
    """An operator and the citizen talk. From TS_CONNECT (exact) and queue_log CONNECT (hold time)."""

    queue: QueueName | None
    operator: OperatorId
    exact: bool
    """True from CEL; False from queue_log, whose time is a whole second."""
    ring_s: float | None = None
    member_channel: Uniqueid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Fact):
    """The operator's part ended: COMPLETEAGENT, COMPLETECALLER, BLINDTRANSFER, ATTENDEDTRANSFER."""

    queue: QueueName
    operator: OperatorId
    how: str
    """The queue_log event name."""
    talk_s: float


@unique
class QueueExit(StrEnum):
    """Why a caller left a queue without an operator."""

    ABANDONED = "ABANDON"
    TIMEOUT = "TIMEOUT"
    FULL = "FULL"
    JOIN_EMPTY = "JOINEMPTY"
    LEAVE_EMPTY = "LEAVEEMPTY"
    JOIN_UNAVAILABLE = "JOINUNAVAIL"
    LEAVE_UNAVAILABLE = "LEAVEUNAVAIL"
    KEY = "EXITWITHKEY"
    WITHDRAWN = "WITHDRAW"
    CONTINUE = "CONTINUE"
    INCOMPATIBLE = "SYSCOMPAT"
    AGENT_DUMPED = "AGENTDUMP"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftQueue(Fact):
    """The caller left the queue unserved (queue_log row or TS_QUEUE_EXIT)."""

    queue: QueueName
    how: QueueExit


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTold(Fact):
    """A waiting caller was told the position, and the range of whole minutes when there was one."""

    position: int
    least_min: int | None
    most_min: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflowed(Fact):
    """The overflow announcement began; `reason` is full, nobody, wait_limit or failure."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfServed(Fact):
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred(Fact):
    node: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackBooked(Fact):
    """The caller put the receiver down and is to be called: the durable record of the booking."""

    to: str
    """The number to call."""
    queue: QueueName | None = None
    language: str = ""
    entered_at: float | None = None
    """When the caller first entered a queue (whole second)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTried(Fact):
    """An operator has taken the call-back; the citizen's telephone is about to ring. `attempt` counts from 1."""

    attempt: int
    operator: OperatorId
    member_channel: Uniqueid


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTalked(Fact):
    """The citizen answered; operator and citizen are about to be joined."""

    attempt: int
    operator: OperatorId
    citizen_channel: Uniqueid | None = None
    """The leg on which the citizen was called back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackEnded(Fact):
    """The operator's leg of a try ended. `result` is a DIALSTATUS, empty when nobody was dialled."""

    attempt: int
    operator: OperatorId
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FellBack(Fact):
    """An engine step could not be used; `by` is `script` or `dialplan`."""

    step: str
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred(Fact):
    """A transfer to a directory entry; `result` is a DIALSTATUS or a word of ours, empty while dialling."""

    to: str
    label: str
    result: str
    straight: bool = False
    """By a menu's choice or by the number that was dialled, without an operator."""
    in_place_of: str = ""
    """The entry that was asked for, when a deputy is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulted(Fact):
    """An operator asked a directory entry while the citizen waited; `result` as in `Transferred`."""

    operator: OperatorId
    to: str
    result: str
    in_place_of: str = ""
    """As in `Transferred`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffReached(Fact):
    """A directory entry's telephone answered, asked or handed the citizen."""

    to: str
    channel: Uniqueid


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(Fact):
    """Nobody took the citizen, and the operator they had is rung; `result` is a DIALSTATUS, empty while ringing."""

    operator: OperatorId
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised(Fact):
    """A supervisor listens, whispers, barges in or takes over; `how` is `end` when that is over."""

    by: OperatorId
    operator: OperatorId
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMuted(Fact):
    """The recording is silent from here on (`on`), or no longer."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Fact):
    """The citizen began to hear a sentence about a long call: `1`, `2`, or `end`, after which the call is over."""

    stage: str
    by: str
    """Who had it said: a name; empty for the operator's own code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayMarked(Fact):
    """An operator found that the call comes through a relay service."""

    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpAsked(Fact):
    """An operator raised a hand in a call."""

    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class LegQuality(Fact):
    """RTCP figures of one leg at its end (lost packets are counts, jitter and round trip seconds)."""

    leg: str
    rx_lost: int | None
    tx_lost: int | None
    rx_count: int | None
    tx_count: int | None
    rx_jitter_s: float | None
    tx_jitter_s: float | None
    rtt_s: float | None
    channel: Uniqueid | None = None
    """Of the leg; None in rows of an earlier version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegJoined(Fact):
    """A channel entered a bridge (CEL BRIDGE_ENTER)."""

    channel: str
    uniqueid: Uniqueid
    bridge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLeft(Fact):
    """A channel left a bridge (CEL BRIDGE_EXIT)."""

    channel: str
    uniqueid: Uniqueid
    bridge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp(Fact):
    """A leg ended (CEL HANGUP). `by_channel` is Asterisk's hangupsource: a channel name, or empty."""

    channel: str
    uniqueid: Uniqueid
    cause: int
    by_channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPaused(Fact):
    operator: OperatorId
    reason: str
    queue: QueueName | None
    """None when it counts for all queues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorUnpaused(Fact):
    operator: OperatorId
    reason: str
    queue: QueueName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSignedIn(Fact):
    operator: OperatorId
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSignedOut(Fact):
    operator: OperatorId
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused(Fact):
    """A call that never became one of ours: an unknown number, or a destination that is not allowed."""

    to: str
    why: str
    sip_call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchStarted(Fact):
    """Asterisk (re)started (queue_log QUEUESTART): calls open before it have ended without a word."""
