"""One signed-in operator and one waiting caller, as the floor keeps them between events."""

from __future__ import annotations

from dataclasses import dataclass, field

from acd.promise import Promise
from acd.view import Caller, Load, Seat
from core.facts.dialplan import PauseReason
from core.ids import CallId, OperatorId, QueueName, demand_of

AUTO_PAUSE = "Auto-Pause"
"""The reason app_queue gives when it pauses a member after a missed offer (app_queue.c, 22.10)."""
_BUSY = ("talking", "wrapup")


@dataclass(slots=True)
class Member:
    """One signed-in operator."""

    operator: OperatorId
    signed_in_at: float
    """Beginning of the shift: kept when they sign out and soon in again."""
    queues: dict[QueueName, str | None] = field(default_factory=dict)
    """Every queue they belong to, and why the switch makes no offers from it; None when it may."""
    penalty: int = 0
    """As last wished."""
    paused: str | None = None
    """Reason of the last word about a pause, None after a word of readiness."""
    since: float = 0.0
    """When the present state began."""
    ringing: str | None = None
    """Channel of the caller for whom the telephone rings."""
    talking_in: QueueName | None = None
    last_queue: QueueName | None = None
    talk: str = ""
    """Name of the last talk; empty when another may have begun unseen."""
    call: CallId | None = None
    """In hand; None when its beginning was not seen."""
    talk_at: float = float("-inf")
    """Beginning of the last talk that was counted."""
    busy_since: float | None = None
    missed_in_a_row: int = 0
    open_at: float | None = None
    """When they should be opened in the queues that are still closed to them."""
    asked_at: float | None = None
    """When they were last asked to be opened, until the switch says so."""
    asked_for: tuple[QueueName, ...] = ()
    """In which queues; empty for all."""
    sent_back_at: float | None = None
    """When they were last told to stand by instead of being opened."""
    calls: int = 0
    handled_s: float = 0.0
    breaks_s: float = 0.0
    carried_s: float = 0.0
    carried_calls: float = 0.0
    """From earlier shifts (`acd.order.carried_over`)."""
    last_ended_at: float = 0.0
    unseen: str = ""
    """The state in which they were lost sight of or signed out; empty before the first sign-in."""

    @property
    def state(self) -> str:
        """`talking`, `wrapup`, `ringing`, `paused:<reason>` or `ready`."""
        if self.talking_in is not None or self.paused == PauseReason.TALKING:
            return "talking"
        if None in self.queues.values():
            return "ringing" if self.ringing else "ready"
        if self.paused == PauseReason.CALLBACK:
            return "ringing"  # for a citizen who will be called back
        if self.paused is None:
            # Opened somewhere a moment ago, and that queue is theirs no longer.
            return "ready"
        return "wrapup" if self.paused == PauseReason.WRAP_UP else f"paused:{self.paused}"

    def moved(self, before: str, at: float) -> None:
        """Account for the time in the state that may just have ended. What was before the sign-in is not ours."""
        now = self.state
        if now == before:
            return
        if before.startswith("paused:"):
            self.breaks_s += self._of_shift(self.since, at)
        if before in _BUSY and now not in _BUSY and self.busy_since is not None:
            self.handled_s += max(0.0, at - self.busy_since)
            self.busy_since = None
        if now not in _BUSY:
            self.call = None
        if now == "talking" and self.busy_since is None:
            self.busy_since = max(at, self.signed_in_at)
        self.since = at

    def began_anew(self, at: float) -> None:
        """The present state ended and began again, unseen."""
        if self.state.startswith("paused:"):
            self.breaks_s += self._of_shift(self.since, at)
        self.since = at

    def _of_shift(self, since: float, until: float) -> float:
        return max(0.0, until - max(since, self.signed_in_at))

    def lost_from_sight(self) -> None:
        """The session to the switch is renewed: a snapshot will tell what holds now."""
        self.unseen = self.state
        self.queues.clear()
        self.ringing, self.talk, self.call = None, "", None

    def signed_out(self, at: float) -> None:
        """Their shift pauses; it goes on when they sign in again soon."""
        before = self.state
        self.queues.clear()
        self.paused, self.talking_in, self.ringing, self.talk = "", None, None, ""
        self.asked_at = self.open_at = None
        self.missed_in_a_row = 0
        self.moved(before, at)
        self.unseen = self.state

    def load(self, now: float) -> Load:
        breaks = self.breaks_s
        if self.state.startswith("paused:"):
            breaks += self._of_shift(self.since, now)
        busy = now - self.busy_since if self.busy_since is not None else 0.0
        return Load(
            calls=self.calls,
            handled_s=self.handled_s + max(0.0, busy),
            available_s=max(0.0, now - self.signed_in_at - breaks),
            carried_s=self.carried_s,
            carried_calls=self.carried_calls,
        )

    def seat(self, now: float) -> Seat:
        return Seat(
            operator=self.operator,
            state=self.state,
            since=self.since,
            queues={queue: reason is None for queue, reason in self.queues.items()},
            load=self.load(now),
            last_ended_at=self.last_ended_at or self.signed_in_at,
            talking_in=self.talking_in or (self.last_queue if self.state in _BUSY else None),
            call=self.call,
        )

    @property
    def open_queues(self) -> tuple[QueueName, ...]:
        """The queues whose next caller may be offered to them, now or once the switch has done what it was asked."""
        if self.asked_at is not None:
            return self.asked_for or tuple(self.queues)
        return tuple(queue for queue, reason in self.queues.items() if reason is None)

    @property
    def closed(self) -> bool:
        """Ready, but not in all of their queues."""
        return self.state == "ready" and any(reason is not None for reason in self.queues.values())


@dataclass(slots=True)
class Waiting:
    """One caller in a queue."""

    caller: str
    queue: QueueName
    joined_at: float
    """First entry: kept through stages, failed transfers and reconnects."""
    call: CallId | None = None
    told_at: float | None = None
    promised: Promise | None = None

    def seen(self, ringing_at: OperatorId | None) -> Caller:
        return Caller(
            channel=self.caller,
            call=self.call,
            queue=self.queue,
            demand=demand_of(self.queue),
            since=self.joined_at,
            ringing_at=ringing_at,
        )
