"""A call as it is once all is known: who, when, what became of it. The fold (`ledger.fold`) makes these.

All moments are real time in epoch seconds, all lengths seconds. A call is one caller's visit to a number,
from the trunk's INVITE to the caller's release; an offer is one attempt to ring one operator and never a
call; a segment is one operator with the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique

from core.facts.dialplan import StepResult
from core.ids import CallId, OperatorId, QueueName, Uniqueid
from core.phone import Caller


@unique
class Disposition(StrEnum):
    """What became of a call: exactly one for each (design §10)."""

    ANSWERED = "answered"
    ABANDONED_QUEUE = "abandoned_queue"
    ABANDONED_MENU = "abandoned_menu"
    SELF_SERVED = "self_served"
    OVERFLOW = "overflow"
    AFTER_HOURS = "after_hours"
    CALLBACK = "callback"
    REFERRED = "referred"
    SYSTEM_FAILURE = "system_failure"
    TEST = "test"

    @property
    def label_ja(self) -> str:
        return _LABELS[self]


_LABELS = {
    Disposition.ANSWERED: "応答",
    Disposition.ABANDONED_QUEUE: "待ち中の切断",
    Disposition.ABANDONED_MENU: "案内中の切断",
    Disposition.SELF_SERVED: "自動案内で完了",
    Disposition.OVERFLOW: "混雑の案内",
    Disposition.AFTER_HOURS: "時間外の案内",
    Disposition.CALLBACK: "折り返し予約",
    Disposition.REFERRED: "他の番号を案内",
    Disposition.SYSTEM_FAILURE: "システム障害",
    Disposition.TEST: "試験呼",
}


@unique
class EndedBy(StrEnum):
    """Who hung up first."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    STAFF = "staff"
    """Whoever was reached by a transfer."""
    SYSTEM = "system"

    @property
    def label_ja(self) -> str:
        return {"citizen": "市民", "operator": "オペレーター", "staff": "転送先", "system": "システム"}[
            self.value
        ]


@unique
class OfferOutcome(StrEnum):
    ANSWERED = "answered"
    MISSED = "missed"
    CANCELLED = "cancelled"
    """The caller left while the phone rang."""
    DUMPED = "dumped"
    """The operator picked up and was gone before the two were joined."""


@unique
class Gap(StrEnum):
    """What is declared incomplete about a call."""

    ARRIVAL = "arrival_unknown"
    """No record of the arrival: number, caller and SIP Call-ID are missing, the start is the first thing
    known.
    """
    END = "end_unknown"
    """The switch died: the call ended between the last thing known and the restart."""
    SEGMENT_END = "segment_end_unknown"
    COARSE_WAIT = "wait_in_whole_seconds"
    """The queue's times come from queue_log alone."""
    OVERRULED = "restart_overruled"
    """A restart of the switch was logged in the middle of a call that went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One menu step."""

    at: float
    node: str
    key: str
    result: StepResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One attempt to ring one operator. `at` is when the phone began to ring."""

    operator: OperatorId
    at: float
    outcome: OfferOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One operator with the caller. `ended_at` is None while it lasts, or when the end is unknown."""

    operator: OperatorId
    started_at: float
    ended_at: float | None
    queue: QueueName | None = None
    channel: Uniqueid | None = None
    wrap_up_s: float | None = None
    """After-call work of this operator for this segment; None while it lasts or when nothing tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitWord:
    """What the caller was told of the wait that remained; the minutes are None when only the position was."""

    at: float
    position: int
    least_min: int | None
    most_min: int | None


@unique
class TransferKind(StrEnum):
    """How a citizen was to be handed on."""

    BLIND = "blind"
    ATTENDED = "attended"
    """Asked first, then joined."""
    CONSULT = "consult"
    """Asked, and the citizen stayed with the operator."""
    STRAIGHT = "straight"
    """By the menu or the number dialled, before any operator: no operator's transfer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transfer. `to` is empty for a colleague."""

    at: float
    to: str
    label: str
    result: str
    """A DIALSTATUS or a word of ours (`TS_TRANSFER` in docs/dialplan-contract.md); empty when none was told."""
    kind: TransferKind = TransferKind.BLIND
    in_place_of: str = ""
    """The entry that was asked for, when this one was tried as its deputy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffSegment:
    """Somebody of the directory with the caller. `ended_at` is None while it lasts, or when the end is unknown."""

    to: str
    """The directory's extension."""
    started_at: float
    ended_at: float | None
    channel: Uniqueid


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """A supervisor in an operator's talk. `ended_at` is None while it lasts, and for a take-over (a segment)."""

    at: float
    by: OperatorId
    operator: OperatorId
    how: str
    """`listen`, `whisper`, `barge` or `take_over`."""
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCallWord:
    """A sentence about a long call that the citizen heard."""

    at: float
    stage: str
    """`1`, `2`, or `end`, after which the call was over."""
    by: str
    """Who had it said; empty for the operator's own code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
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
    """None in calls of an earlier version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """An engine step that could not be used; `by` (`script` or `dialplan`) stood in for it."""

    step: str
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTry:
    """One time that the citizen's telephone was rung for a call-back."""

    attempt: int
    operator: OperatorId
    at: float
    """When the citizen's telephone was dialled."""
    result: str = ""
    """A DIALSTATUS in lower case; empty while it lasts, or when the switch died."""
    talk_started_at: float | None = None
    ended_at: float | None = None
    channel: Uniqueid | None = None
    """The operator's."""

    @property
    def talk_s(self) -> float | None:
        """Seconds of talk; None without one, or while it lasts."""
        if self.talk_started_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.talk_started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackNotTaken:
    """An operator picked up and was gone again before the citizen was dialled: no try."""

    operator: OperatorId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A call-back booked in this call, and what became of it."""

    booked_at: float
    to: str
    queue: QueueName
    language: str
    entered_at: float
    """When the caller first entered a queue."""
    tries: tuple[CallbackTry, ...] = ()
    not_taken: tuple[CallbackNotTaken, ...] = ()

    @property
    def talk(self) -> CallbackTry | None:
        """The try in which the two talked, once it has ended."""
        return next((each for each in self.tries if each.talk_s is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One citizen's call."""

    call_id: CallId
    sip_call_id: str
    caller: Caller | None
    dialled: str
    diverted_from: str | None = None
    channel: str = ""
    arrived_at: float
    answered_at: float | None = None
    """When the IVR took the call (not an operator)."""
    ended_at: float | None = None
    line: str | None = None
    language: str | None = None
    steps: tuple[Step, ...] = ()
    disposition: Disposition | None = None
    """None while the call is open."""
    queue: QueueName | None = None
    """The last queue joined."""
    offers: tuple[Offer, ...] = ()
    segments: tuple[Segment, ...] = ()
    wait_s: float | None = None
    """In queues, from entry to the first operator or to leaving, summed; None if never queued."""
    wait_from_arrival_s: float | None = None
    """From the trunk's INVITE to the first operator; None without one."""
    wait_words: tuple[WaitWord, ...] = ()
    talk_s: float = 0.0
    """With operators (holds included, overlaps counted once); staff reached by a transfer are not in it."""
    transfers: tuple[Transfer, ...] = ()
    staff: tuple[StaffSegment, ...] = ()
    """Who of the directory talked with the caller, in order."""
    supervisions: tuple[Supervision, ...] = ()
    help_asked: tuple[float, ...] = ()
    """When an operator raised a hand."""
    long_call_words: tuple[LongCallWord, ...] = ()
    relay: bool = False
    """Whether an operator marked it as a relay service's (電話リレーサービス)."""
    ended_by: EndedBy | None = None
    recordings: tuple[str, ...] = ()
    """Base names: `<base>-citizen.wav`, `<base>-line.wav`."""
    silences: tuple[tuple[float, float | None], ...] = ()
    """Stretches in which the recording was silent on purpose; the last may last to the end."""
    recorded_from: float | None = None
    """When the first recording began."""
    qualities: tuple[Quality, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()
    closed_reason: str | None = None
    overflow_reason: str | None = None
    callback: Callback | None = None
    gaps: tuple[Gap, ...] = ()

    @property
    def open(self) -> bool:
        return self.ended_at is None

    @property
    def connected(self) -> bool:
        """Whether an operator and the caller were joined."""
        return bool(self.segments)

    @property
    def operators(self) -> tuple[OperatorId, ...]:
        """Operators in the order they took the call."""
        return tuple(segment.operator for segment in self.segments)

    @property
    def menu_path(self) -> tuple[str, ...]:
        """The keys that were taken, as `node:key`."""
        return tuple(f"{step.node}:{step.key}" for step in self.steps if step.result is StepResult.CHOICE)

    @property
    def handed_on(self) -> tuple[Transfer, ...]:
        """Operators' and departments' transfers, whether or not they were answered; a consultation alone is none."""
        none = (TransferKind.CONSULT, TransferKind.STRAIGHT)
        return tuple(each for each in self.transfers if each.kind not in none)

    @property
    def queued(self) -> bool:
        return self.queue is not None

    @property
    def wrap_up_s(self) -> float | None:
        """After-call work of all its operators; None when no segment's is known."""
        known = [segment.wrap_up_s for segment in self.segments if segment.wrap_up_s is not None]
        return sum(known) if known else None

    @property
    def wrapped_up_at(self) -> float | None:
        """When the last of its operators was free again; None while one is not, or when nothing tells."""
        ends = [
            None
            if segment.ended_at is None or segment.wrap_up_s is None
            else segment.ended_at + segment.wrap_up_s
            for segment in self.segments
        ]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    @property
    def wrap_up_pending(self) -> bool:
        """Whether more is to be learnt about after-call work."""
        return any(segment.wrap_up_s is None for segment in self.segments)
