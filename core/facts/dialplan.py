"""The words that dialplan, engine, fallback script and ledger share (docs/dialplan-contract.md)."""

from __future__ import annotations

from enum import StrEnum, unique
from urllib.parse import parse_qsl, quote


@unique
class Variable(StrEnum):
    """Channel and global variables, each with one writer."""

    CALL = "TORITSUGI_CALL"
    RECORDING = "TORITSUGI_REC"
    DONE = "TORITSUGI_DONE"
    NEXT = "TORITSUGI_NEXT"
    QUEUE = "TORITSUGI_QUEUE"
    LINE = "TORITSUGI_LINE"
    LANGUAGE = "TORITSUGI_LANGUAGE"
    PRIORITY = "TORITSUGI_PRIORITY"
    BEAT = "TORITSUGI_BEAT"
    CALLBACK_TO = "TORITSUGI_CALLBACK_TO"
    SAY = "TORITSUGI_SAY"
    STAFF = "TORITSUGI_STAFF"
    STRAIGHT = "TORITSUGI_STRAIGHT"
    CLOSED = "TORITSUGI_CLOSED"
    ENTERED = "T_ENTERED"


@unique
class SeatVariable(StrEnum):
    """What the engine hands to the context [seat] when it has an operator opened."""

    SEAT = "T_SEAT"
    QUEUES = "T_QUEUES"
    TALK = "T_TALK"
    WHY = "T_WHY"


ENTERED = "T_ENTERED"
"""Channel variable: the caller's first entry into any queue, epoch seconds; the engine reads it after a login."""


@unique
class Next(StrEnum):
    """What the dialplan does after an AGI step."""

    QUEUE = "queue"
    OVERFLOW = "overflow"
    HANGUP = "hangup"
    CALLBACK = "callback"
    STAFF = "staff"


@unique
class UserEvent(StrEnum):
    """CEL events that we write ourselves."""

    ARRIVED = "TS_ARRIVED"
    RECORDING = "TS_RECORDING"
    STEP = "TS_STEP"
    LANGUAGE = "TS_LANGUAGE"
    CLOSED = "TS_CLOSED"
    QUEUE = "TS_QUEUE"
    QUEUE_EXIT = "TS_QUEUE_EXIT"
    WAIT_WORD = "TS_WAIT_WORD"
    OVERFLOW = "TS_OVERFLOW"
    SELF_SERVED = "TS_SELF_SERVED"
    REFERRED = "TS_REFERRED"
    CALLBACK = "TS_CALLBACK"
    CALLBACK_TRY = "TS_CALLBACK_TRY"
    CALLBACK_TALK = "TS_CALLBACK_TALK"
    CALLBACK_END = "TS_CALLBACK_END"
    FALLBACK = "TS_FALLBACK"
    CONNECT = "TS_CONNECT"
    QUALITY = "TS_QUALITY"
    TRANSFER = "TS_TRANSFER"
    CONSULT = "TS_CONSULT"
    STAFF = "TS_STAFF"
    RETURN = "TS_RETURN"
    SUPERVISE = "TS_SUPERVISE"
    RECORDING_PAUSE = "TS_RECORDING_PAUSE"
    WARNED = "TS_WARNED"
    RELAY = "TS_RELAY"
    HELP = "TS_HELP"
    OPERATOR = "TS_OPERATOR"
    REFUSED = "TS_REFUSED"
    CENTRE = "TS_CENTRE"


@unique
class ManagerEvent(StrEnum):
    """AMI user events that the dialplan sends to the engine; nothing durable rests on them."""

    TALK = "TS_TALK"
    WATCHED = "TS_WATCHED"
    MUTE = "TS_MUTE"
    HELP = "TS_HELP"


@unique
class StepResult(StrEnum):
    """What a menu step came to."""

    CHOICE = "choice"
    INVALID = "invalid"
    SILENCE = "silence"
    REPEAT = "repeat"


@unique
class PauseReason(StrEnum):
    """Why app_queue makes no offers to a member; `break1`…`break9` come from the profile."""

    TALKING = "talking"
    WRAP_UP = "wrapup"
    MISSED = "missed"
    RESERVE = "reserve"
    """Stands by until the guard calls their group in."""
    CALLBACK = "callback"
    ADDED = "added"
    """In this queue since a moment, by new skills; opened as soon as the operator may be."""
    ELSEWHERE = "elsewhere"
    """Serves as much on other channels as their caps allow."""


def encode_payload(**values: str) -> str:
    """The payload text of a user event: `key=value&…`, percent-encoded."""
    return "&".join(f"{key}={quote(value, safe='')}" for key, value in values.items())


def decode_payload(text: str) -> dict[str, str]:
    """The values of a payload; keys that cannot be read are left out."""
    return dict(parse_qsl(text, keep_blank_values=True))
