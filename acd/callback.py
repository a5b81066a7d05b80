"""One call-back, from the booking to its end: a fold over what happened, with commands out.

A pending call-back is a waiting caller who has put the receiver down: it keeps the moment at which they first
entered a queue. It is rung to one operator at a time; only an operator who has taken it makes the citizen's
telephone ring, and only that counts as a try.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum, unique

from core.ids import CallId, OperatorId, QueueName
from core.masking import mask_number

OFFER_SLACK_S = 5.0
"""A telephone that the switch was told to ring for n seconds has stopped ringing after n and this."""
LOST_TRY_S = 90.0
"""Longer than announcement and ringing together can last: the switch died and nobody wrote the end."""
LOST_TALK_S = 4 * 3600.0


@unique
class CallbackState(StrEnum):
    BOOKED = "booked"
    """Waits for its turn, or for the gap after a try."""
    OPERATOR_RINGING = "operator_ringing"
    CITIZEN_RINGING = "citizen_ringing"
    TALKING = "talking"
    DONE = "done"
    FAILED = "failed"
    """Every try went unanswered."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        return self in _OPEN

    @property
    def in_flight(self) -> bool:
        """Whether it occupies an operator."""
        return self in _IN_FLIGHT

    @property
    def label_ja(self) -> str:
        return _LABELS[self]


_IN_FLIGHT = frozenset({CallbackState.OPERATOR_RINGING, CallbackState.CITIZEN_RINGING, CallbackState.TALKING})
_OPEN = _IN_FLIGHT | {CallbackState.BOOKED}
_LABELS = {
    CallbackState.BOOKED: "予約",
    CallbackState.OPERATOR_RINGING: "オペレーター呼出中",
    CallbackState.CITIZEN_RINGING: "市民呼出中",
    CallbackState.TALKING: "通話中",
    CallbackState.DONE: "完了",
    CallbackState.FAILED: "不在",
    CallbackState.CANCELLED: "取消",
    CallbackState.EXPIRED: "期限切れ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRules:
    """What the profile says about call-backs."""

    tries: int
    """How often the citizen's telephone may be rung."""
    retry_after_s: float
    offer_s: float = 15.0
    """How long one operator's telephone rings for it."""
    offer_again_s: float = 3.0
    """After an operator who did not take it, until it is offered again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One booking. Times are epoch seconds. It holds personal data."""

    call: CallId
    """The call in which it was booked; its name ever after."""
    number: str
    """National digits of the telephone to ring."""
    caller: str | None
    """The number that the booking call came from, None when withheld."""
    demand: QueueName
    entered_at: float
    """When the caller first entered a queue: their place."""
    booked_at: float
    expires_at: float
    """By the city's clock, which runs faster than real time in a demonstration."""
    state: CallbackState = CallbackState.BOOKED
    since: float = 0.0
    """When the state began."""
    next_at: float = 0.0
    """Not offered before this moment."""
    offers: int = 0
    """How often an operator's telephone was rung for it."""
    tries: int = 0
    """How often the citizen's telephone was rung."""
    over: int = 0
    """How many of the tries have ended."""
    operator: OperatorId | None = None
    reason: str = ""
    """Why it ended: `answered`, the last try's result, `called_again`, `duplicate`, `by_hand`, `expired`."""
    by: CallId | None = None
    """The later call that cancelled it."""
    talk_s: float = 0.0

    def __repr__(self) -> str:
        return f"Callback({self.call}, {mask_number(self.number)}, {self.demand}, {self.state.value})"

    def numbers(self) -> frozenset[str]:
        """By which the citizen may call again."""
        return frozenset(number for number in (self.number, self.caller) if number)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRung:
    """We are about to ring an operator for it."""

    at: float
    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorMissed:
    """The operator was not idle after all, did not answer, or hung up before the citizen was dialled."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenRung:
    """The dialplan is about to dial the citizen; `attempt` counts from 1."""

    at: float
    operator: OperatorId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkBegun:
    at: float
    operator: OperatorId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOver:
    """The operator's leg of a try has ended. `talk_s` is None when the two never talked."""

    at: float
    operator: OperatorId
    attempt: int
    result: str
    """Asterisk's DIALSTATUS, in lower case."""
    talk_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """It is no longer wanted."""

    at: float
    reason: str
    by: CallId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The city's clock has passed the last day on which it may be called."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Time passes."""

    at: float


CallbackEvent = (
    OperatorRung | OperatorMissed | CitizenRung | TalkBegun | TryOver | Withdrawn | Expired | Passing
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RingOperator:
    """Pause the operator, make sure that they are idle, ring them, then the citizen."""

    call: CallId
    operator: OperatorId
    number: str
    demand: QueueName
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack:
    """The operator had nothing to wrap up: offers may come again."""

    call: CallId
    operator: OperatorId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRinging:
    """End an operator's telephone ringing for a call-back that is no longer wanted."""

    call: CallId
    operator: OperatorId


CallbackCommand = RingOperator | GiveBack | StopRinging


def advance(
    callback: Callback, event: CallbackEvent, rules: CallbackRules
) -> tuple[Callback, list[CallbackCommand]]:
    """Take one event in. What comes late, twice or out of turn changes nothing."""
    if not callback.state.is_open:
        return callback, []
    match event:
        case OperatorRung():
            return _rung(callback, event)
        case OperatorMissed():
            return _missed(callback, event.at, rules)
        case CitizenRung():
            return _citizen_rung(callback, event), []
        case TalkBegun():
            return _talking(callback, event), []
        case TryOver():
            return _try_over(callback, event, rules)
        case Withdrawn():
            return _withdrawn(callback, event)
        case Expired():
            if callback.state is not CallbackState.BOOKED:
                return callback, []
            return replace(callback, state=CallbackState.EXPIRED, since=event.at, reason="expired"), []
        case Passing():
            return _passing(callback, event.at, rules)


def _rung(callback: Callback, event: OperatorRung) -> tuple[Callback, list[CallbackCommand]]:
    if not is_due(callback, event.at):
        return callback, []
    rung = replace(
        callback,
        state=CallbackState.OPERATOR_RINGING,
        since=event.at,
        operator=event.operator,
        offers=callback.offers + 1,
    )
    return rung, [
        RingOperator(
            call=callback.call,
            operator=event.operator,
            number=callback.number,
            demand=callback.demand,
            attempt=callback.tries + 1,
        )
    ]


def _missed(callback: Callback, at: float, rules: CallbackRules) -> tuple[Callback, list[CallbackCommand]]:
    if callback.state is not CallbackState.OPERATOR_RINGING or callback.operator is None:
        return callback, []
    back = replace(
        callback,
        state=CallbackState.BOOKED,
        since=at,
        operator=None,
        next_at=max(callback.next_at, at + rules.offer_again_s),
    )
    return back, [GiveBack(call=callback.call, operator=callback.operator, why="callback_not_taken")]


def _citizen_rung(callback: Callback, event: CitizenRung) -> Callback:
    if event.attempt <= callback.tries:
        return callback
    # Also from `booked`: the disk knows better than an engine that gave the ringing operator up.
    return replace(
        callback,
        state=CallbackState.CITIZEN_RINGING,
        since=event.at,
        operator=event.operator,
        tries=event.attempt,
    )


def _talking(callback: Callback, event: TalkBegun) -> Callback:
    if event.attempt <= callback.over or callback.state is CallbackState.TALKING:
        return callback
    return replace(
        callback,
        state=CallbackState.TALKING,
        since=event.at,
        operator=event.operator,
        tries=max(callback.tries, event.attempt),
    )


def _try_over(
    callback: Callback, event: TryOver, rules: CallbackRules
) -> tuple[Callback, list[CallbackCommand]]:
    if event.attempt <= callback.over:
        return callback, []
    if event.attempt > callback.tries:
        # The operator took it and was gone before the citizen was dialled.
        return _missed(callback, event.at, rules)
    if event.attempt < callback.tries and event.talk_s is None:
        # The end of an earlier try comes late: the one that lasts goes on.
        late = replace(callback, over=event.attempt)
        if event.operator == callback.operator:
            return late, []
        return late, [GiveBack(call=callback.call, operator=event.operator, why="callback_unanswered")]
    ended = replace(callback, over=event.attempt, since=event.at, operator=None)
    if event.talk_s is not None:
        return replace(ended, state=CallbackState.DONE, reason="answered", talk_s=event.talk_s), []
    commands: list[CallbackCommand] = [
        GiveBack(call=callback.call, operator=event.operator, why="callback_unanswered")
    ]
    if event.attempt >= rules.tries:
        return replace(ended, state=CallbackState.FAILED, reason=event.result), commands
    return (
        replace(ended, state=CallbackState.BOOKED, next_at=event.at + rules.retry_after_s),
        commands,
    )


def _withdrawn(callback: Callback, event: Withdrawn) -> tuple[Callback, list[CallbackCommand]]:
    if callback.state in (CallbackState.CITIZEN_RINGING, CallbackState.TALKING):
        return callback, []  # too late: the two are about to talk, or do
    commands: list[CallbackCommand] = []
    if callback.operator is not None:
        commands.append(StopRinging(call=callback.call, operator=callback.operator))
    gone = replace(
        callback,
        state=CallbackState.CANCELLED,
        since=event.at,
        operator=None,
        reason=event.reason,
        by=event.by,
    )
    return gone, commands


def _passing(callback: Callback, at: float, rules: CallbackRules) -> tuple[Callback, list[CallbackCommand]]:
    stayed = at - callback.since
    operator = callback.operator or OperatorId("")
    if callback.state is CallbackState.OPERATOR_RINGING and stayed >= rules.offer_s + OFFER_SLACK_S:
        return _missed(callback, at, rules)
    if callback.state is CallbackState.CITIZEN_RINGING and stayed >= LOST_TRY_S:
        lost = TryOver(at=at, operator=operator, attempt=callback.tries, result="lost", talk_s=None)
        return _try_over(callback, lost, rules)
    if callback.state is CallbackState.TALKING and stayed >= LOST_TALK_S:
        lost = TryOver(at=at, operator=operator, attempt=callback.tries, result="lost", talk_s=stayed)
        return _try_over(callback, lost, rules)
    return callback, []


def is_due(callback: Callback, at: float) -> bool:
    """Whether it may be offered to an operator now, the hours aside."""
    return callback.state is CallbackState.BOOKED and at >= callback.next_at
