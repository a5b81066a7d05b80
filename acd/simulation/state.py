"""What the model of the switch keeps about members, queues and callers."""

from __future__ import annotations

from enum import IntEnum

from acd.simulation.centre import DemandRules
from acd.simulation.trace import TraceCall
from core.ids import OperatorId, QueueName


class Device(IntEnum):
    """A telephone as the switch sees it."""

    IDLE = 0
    RINGING = 1
    IN_USE = 2


class Operator:
    """One operator with one telephone, in any number of queues."""

    __slots__ = (
        "calls",
        "device",
        "last_ended",
        "number",
        "on_call",
        "ringing_for",
        "seats",
        "state",
        "talk",
    )

    def __init__(self, number: OperatorId) -> None:
        self.number = number
        self.seats: dict[QueueName, Seat] = {}
        self.device = Device.IDLE
        self.state = "ready"
        """The dialplan's `T_STATE_…`: ready, talking, wrapup or break."""
        self.calls = 0
        self.last_ended: int | None = None
        """Whole second; all queues share it (`shared_lastcall`)."""
        self.ringing_for: Waiting | None = None
        self.on_call: Waiting | None = None
        self.talk = ""
        """Name of the last talk: the channel's Uniqueid in the dialplan."""


class Seat:
    """An operator's membership in one queue."""

    __slots__ = ("operator", "paused", "penalty", "place", "queue")

    def __init__(self, operator: Operator, queue: Line, penalty: int, place: int) -> None:
        self.operator = operator
        self.queue = queue
        self.penalty = penalty
        self.paused: str | None = None
        self.place = place

    @property
    def available(self) -> bool:
        return self.paused is None and self.operator.device == Device.IDLE


class Line:
    """One queue of app_queue: the callers of one demand at one stage."""

    __slots__ = ("callers", "name", "place", "rr_place", "rr_wrapped", "rules", "seats")

    def __init__(self, name: QueueName, rules: DemandRules, place: int) -> None:
        self.name = name
        self.rules = rules
        self.place = place
        """Of the stage within its demand, from 0."""
        self.seats: list[Seat] = []
        """In the order of joining, which is app_queue's own order of members whose interfaces begin alike."""
        self.callers: list[Waiting] = []
        self.rr_place = 0
        self.rr_wrapped = False

    def available(self) -> int:
        return sum(1 for seat in self.seats if seat.paused is None and seat.operator.device == Device.IDLE)


class Waiting:
    """One caller from entering until the end of the talk."""

    __slots__ = (
        "answered_at",
        "answered_by",
        "attempt",
        "call",
        "due",
        "entry",
        "expired",
        "gone",
        "looks_from",
        "next_rr",
        "offered_to",
        "offers",
        "pending",
        "queue",
        "since",
    )

    def __init__(self, call: TraceCall, since: float) -> None:
        self.call = call
        self.since = since
        """First entry."""
        self.queue: Line | None = None
        self.entry = 0
        """Counts the queues entered, so that an old queue's timer is known as stale."""
        self.expired = False
        self.attempt = 0
        self.pending = False
        self.offers = 0
        self.offered_to: Operator | None = None
        self.looks_from = 0.0
        """Moment from which the once-a-second looks are counted."""
        self.due = False
        """Whether a look is on the agenda."""
        self.next_rr: int | None = None
        self.gone = False
        self.answered_at: float | None = None
        self.answered_by: OperatorId | None = None

    @property
    def channel(self) -> str:
        return f"PJSIP/trunk-{self.call.number}"
