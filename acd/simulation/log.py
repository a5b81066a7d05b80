"""What happened on the switch, word by word, as an observer beside it would write it down."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import NamedTuple, Protocol

from core.ids import OperatorId, QueueName


@unique
class What(StrEnum):
    """Kinds of happenings."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    BREAK = "break"
    BACK = "back"
    ENTERED = "entered"
    REFUSED = "refused"
    OFFERED = "offered"
    MISSED = "missed"
    ANSWERED = "answered"
    ENDED = "ended"
    HUNG_UP = "hung_up"
    MOVED_ON = "moved_on"
    OVERFLOW = "overflow"


class Happening(NamedTuple):
    """One line of the log."""

    at: float
    what: What
    call: int | None = None
    operator: OperatorId | None = None
    queue: QueueName | None = None


class Observer(Protocol):
    """Takes the log's lines as they are written."""

    def __call__(self, happening: Happening, /) -> None: ...
