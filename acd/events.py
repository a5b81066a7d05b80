"""What the floor is told, and what it asks for, in the centre's own words.

Times are real epoch seconds. A caller is known by the channel's name, because that is what a whisper needs.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.view import Load
from core.ids import CallId, OperatorId, QueueName


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
    """The switch makes no offers to this member in this queue."""

    at: float
    operator: OperatorId
    queue: QueueName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReady:
    """The switch may offer calls of this queue to this member again."""

    at: float
    operator: OperatorId
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade:
    at: float
    operator: OperatorId
    queue: QueueName
    caller: str
    call: CallId | None = None


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
    talk: str = ""
    """Uniqueid of the operator's channel: the talk's name in the dialplan."""
    call: CallId | None = None
    """The citizen's, where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkNamed:
    """The operator's telephone has hung up: the name of that talk, also of one that ended before it began."""

    at: float
    operator: OperatorId
    talk: str


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
    call: CallId | None = None
    since: float | None = None
    """First entry of this caller, when it is known to be earlier than `at`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerLeft:
    at: float
    caller: str
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld:
    """The switch has acknowledged every penalty of this version of the order."""

    at: float
    version: int


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
    | TalkNamed
    | TalkEnded
    | CallerJoined
    | CallerLeft
    | OrderHeld
    | Tick
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeReady:
    """Let the switch offer calls of these queues to this operator again.

    The dialplan does it only when the operator's last talk is still `talk` and they are neither talking nor on a
    break: an action that comes late must not end the next talk's wrap-up.
    """

    operator: OperatorId
    queues: tuple[QueueName, ...]
    """Empty for all."""
    talk: str
    """The last talk that the floor knows of (`TalkStarted.talk`), empty when it knows none."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBack:
    """Make no offers to this operator until they say they are ready."""

    operator: OperatorId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandBy:
    """Make no offers to this operator until the guard calls their group in.

    As with `MakeReady`, nothing happens to whoever talks, is on a break, or has had another talk since.
    """

    operator: OperatorId
    talk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOrder:
    """The operator's place in the order of offers, in all their queues: a lower penalty comes first."""

    operator: OperatorId
    penalty: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToQueue:
    """The operator's skills now cover this queue. Added closed (`PauseReason.ADDED`), and opened by `MakeReady`."""

    operator: OperatorId
    queue: QueueName
    penalty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFromQueue:
    """The operator's skills no longer cover this queue."""

    operator: OperatorId
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class TellWaiting:
    """Tell a waiting caller where they stand."""

    caller: str
    queue: QueueName
    position: int
    minutes: tuple[int, int] | None
    """The wait that remains, least and most (a least of 0 is "within"); None when it would be a guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One operator in the ranking of an offer, best first."""

    operator: OperatorId
    penalty: int
    """As the engine last set it."""
    score: float
    """The load by the city's rule; the least comes first."""
    load: Load
    idle_s: float
    free: bool
    """Whether the switch could have offered this call to them at that moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOffer:
    """Keep why this offer went to this operator: the ranking of that moment."""

    at: float
    operator: OperatorId
    queue: QueueName
    caller: str
    call: CallId | None
    waited_s: float
    version: int
    """Of the order that the switch had acknowledged; 0 before the first."""
    wanted: int
    """Of the order that the engine wished for."""
    ranking: tuple[Ranked, ...]
    deviation: str
    """Empty when the offer is what the engine wished; otherwise `order` (somebody freer came first in the engine's
    ranking), `caller` (a needier caller was passed over) or `unknown` (the floor did not know the operator free)."""


FloorCommand = (
    MakeReady | HoldBack | StandBy | SetOrder | AddToQueue | RemoveFromQueue | TellWaiting | ExplainOffer
)
