"""What the floor is told, and what it asks for, in the centre's own words.

Times are real epoch seconds. A caller is known by the channel's name, because that is what a whisper needs.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.ids import OperatorId, QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined:
    """An operator signed in to a queue (or was found there after a reconnect)."""

    at: float
    operator: OperatorId
    queue: QueueName
    penalty: int
    paused: str | None
    """Pause reason, None when ready. A pause without a reason is ``""``."""
    paused_since: float | None = None
    in_call: bool = False
    """Whether the switch sees this member in a queue's call now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeft:
    at: float
    operator: OperatorId
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPaused:
    at: float
    operator: OperatorId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReady:
    at: float
    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade:
    at: float
    operator: OperatorId
    queue: QueueName
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMissed:
    at: float
    operator: OperatorId
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkStarted:
    at: float
    operator: OperatorId
    queue: QueueName
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkEnded:
    """The operator's part ended; with a transfer the citizen may still be talking to somebody else."""

    at: float
    operator: OperatorId
    queue: QueueName
    talk_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerJoined:
    at: float
    caller: str
    queue: QueueName
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerLeft:
    at: float
    caller: str
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    at: float


FloorEvent = (
    MemberJoined
    | MemberLeft
    | MemberPaused
    | MemberReady
    | OfferMade
    | OfferMissed
    | TalkStarted
    | TalkEnded
    | CallerJoined
    | CallerLeft
    | Tick
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeReady:
    """Let the switch offer calls to this operator again, in all queues."""

    operator: OperatorId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBack:
    """Make no offers to this operator until they say they are ready."""

    operator: OperatorId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOrder:
    """The operator's place in the order of offers of one queue: a lower penalty comes first (steps of 10)."""

    operator: OperatorId
    queue: QueueName
    penalty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TellWaiting:
    """Tell a waiting caller where they stand. `minutes` is a range, None when it would be a guess."""

    caller: str
    queue: QueueName
    position: int
    minutes: tuple[int, int] | None


FloorCommand = MakeReady | HoldBack | SetOrder | TellWaiting
