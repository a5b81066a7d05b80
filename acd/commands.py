"""What a person at a screen may have done with a call, a seat or the centre, and what they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique

from core.ids import CallId, OperatorId


@unique
class Act(StrEnum):
    """What is asked for."""

    TRANSFER = "transfer"
    """The citizen goes to a department or another line, at once."""
    CONSULT = "consult"
    """A department is rung for the operator while the citizen waits."""
    COMPLETE = "complete"
    """The citizen and the department are joined, and the operator leaves."""
    JOIN = "join"
    """All three talk."""
    SWAP = "swap"
    """The operator changes between citizen and department."""
    RETURN = "return"
    """The question is over, and the operator is back with the citizen."""
    HANG_UP = "hang_up"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"
    MARK_RELAY = "mark_relay"
    """The call comes through a relay service (電話リレーサービス): long and repeated calls are no sign of trouble."""
    WARN = "warn"
    """The citizen hears the next sentence about a long call."""
    END = "end"
    """The citizen hears the last sentence, and the call is over."""
    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    TAKE_OVER = "take_over"
    PAUSE = "pause"
    READY = "ready"
    SIGN_OUT = "sign_out"
    SKILLS = "skills"
    HELP = "help"
    """The operator raises a hand."""
    CLOSE = "close"
    REOPEN = "reopen"
    NOTICE = "notice"
    """Every caller hears a message, and then the menu as always."""
    NOTICE_OVER = "notice_over"
    STATE = "state"
    """Nothing is changed: what the operator has in hand."""


@unique
class Role(StrEnum):
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    CITY = "city"


@unique
class Asked(StrEnum):
    """How far the operator's question to a department is."""

    NO = "no"
    RINGING = "ringing"
    TALKING = "talking"
    """Operator and department talk; the citizen hears music."""
    HELD = "held"
    """Operator and citizen talk; the department hears music."""
    TOGETHER = "together"


WATCHES = frozenset({Act.LISTEN, Act.WHISPER, Act.BARGE, Act.TAKE_OVER})
"""They ring the telephone of the supervisor who asks."""

NOBODY = OperatorId("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks. Whoever hands the command in has made sure that it is them."""

    name: str
    role: Role
    operator: OperatorId = NOBODY
    """Number of their telephone here; empty when they have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    act: Act
    asker: Asker
    operator: OperatorId = NOBODY
    """Whose call or seat it is about."""
    to: str = ""
    """Extension of the directory or of a line; the reason of a pause; the name of a message."""
    reason: str = ""
    """Why, for the record."""
    until: str = ""
    """ISO moment at which a closure or a message ends by itself; empty for never."""
    skills: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What an operator has in hand now, as the switch shows it."""

    operator: OperatorId
    state: str
    """As the telephone's own lines keep it: `ready`, `talking`, `wrapup`, `break`, `reserve`, `out`, or empty."""
    call: CallId | None = None
    leg: str = ""
    """The operator's channel; empty when it is gone."""
    citizen: str = ""
    """The citizen's channel; empty when it is gone."""
    joined: bool = False
    """Whether operator and citizen are in one talk now."""
    asked: Asked = Asked.NO
    by_telephone: bool = False
    """Whether the telephone itself asks, on a second leg, which only its own buttons can bring to an end."""
    muted: bool = False
    """Whether the recording is silent."""
    relay: bool = False
    """Whether this call was marked as a relay service's."""
    warned: int = 0
    """Sentences about a long call that the citizen has heard."""
    after: str = ""
    """What comes after this call and its after-call work: the reason of a pause, or `out`."""
    watchers: frozenset[OperatorId] = frozenset()
    """Supervisors whose telephones listen, whisper or barge in somewhere now."""

    @property
    def talking(self) -> bool:
        return self.state == "talking" and self.call is not None


@unique
class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    """Nothing was tried; the text says why."""
    SWITCH_REFUSED = "switch_refused"
    """The switch said no, or cannot be reached."""
    TIMED_OUT = "timed_out"
    """It was asked for, and its effect was not seen in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    outcome: Outcome
    text: str
    """In a sentence, for the person who asked."""
    hand: Hand | None = None
    """As it was last seen."""
    call: CallId | None = None
    """The call that was in hand when it was asked for."""
