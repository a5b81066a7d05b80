"""The floor at one moment, as everything that decides or tells sees it: read-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.ids import CallId, OperatorId, QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What an operator has carried since signing in."""

    calls: int
    """Handled; the one being handled now is counted."""
    handled_s: float
    """Talk and wrap-up, up to the moment of the view."""
    available_s: float
    """Signed in, breaks left out."""
    carried_s: float = 0.0
    """Handled time above (or below 0: short of) their share in earlier shifts, which this shift makes up for."""
    carried_calls: float = 0.0
    """The same in calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One signed-in operator."""

    operator: OperatorId
    state: str
    """`ready`, `ringing`, `talking`, `wrapup` or `paused:<reason>`."""
    since: float
    """When that state began (epoch seconds)."""
    queues: Mapping[QueueName, bool]
    """Every queue they are a member of, and whether the switch may offer them calls from it now."""
    load: Load
    last_ended_at: float
    """End of the last talk; when they signed in before the first. Longest idle is the least."""
    talking_in: QueueName | None = None
    """Queue of the call in hand (talking or wrapping up), when it is known."""
    call: CallId | None = None
    """The call in hand, when its beginning was seen."""

    @property
    def on_duty(self) -> bool:
        """Whether they will take calls without doing anything themselves."""
        return not self.state.startswith("paused:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One caller in a queue."""

    channel: str
    call: CallId | None
    queue: QueueName
    """Where they are now: the queue of their demand's present stage."""
    demand: QueueName
    """Queue of the demand's first stage (`core.ids.demand_of`)."""
    since: float
    """When they first entered; kept through stages, failed transfers and callbacks (epoch seconds)."""
    ringing_at: OperatorId | None = None
    """Whose telephone rings for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorView:
    """Who is there, who waits, and what service took lately."""

    at: float
    seats: tuple[Seat, ...]
    """By operator."""
    callers: tuple[Caller, ...]
    """Oldest first."""
    handling_s: Mapping[QueueName, tuple[float, ...]]
    """Recent talk plus wrap-up by demand, oldest first, some tens at most."""
