"""Identifiers as types of their own, so that a wrong id is a type error."""

from __future__ import annotations

from functools import cache
from typing import NewType

CallId = NewType("CallId", str)
"""One citizen's visit to a number: `c-` and the full Uniqueid of the trunk's channel."""

Uniqueid = NewType("Uniqueid", str)
"""Asterisk's channel id, never shortened: `<systemname>-<epoch>.<sequence>`."""

OperatorId = NewType("OperatorId", str)
"""Short number an operator signs in with, e.g. `101`. PJSIP endpoint and MemberName are `op101`."""

QueueName = NewType("QueueName", str)
"""Callers of one demand at one stage of relaxation: `booking-ja`, then `booking_2-ja`, … (ASCII only)."""

LineId = NewType("LineId", str)
"""A service line of the city's profile, e.g. `booking`."""

CALL_PREFIX = "c-"


def queue_name(line: str, language: str, stage: int = 1) -> QueueName:
    """The queue of a line's callers in `language` at a stage of relaxation (1 is where they enter)."""
    return QueueName(f"{line}-{language}" if stage == 1 else f"{line}_{stage}-{language}")


@cache
def demand_of(queue: QueueName) -> QueueName:
    """The demand behind a queue, named by its first queue: `booking_2-ja` → `booking-ja`."""
    line, _, language = queue.rpartition("-")
    return queue_name(line.partition("_")[0], language)


def language_of(queue: QueueName) -> str:
    """The language spoken in a queue."""
    return queue.rpartition("-")[2]


def call_id_of(uniqueid: Uniqueid) -> CallId:
    """The call id that the dialplan's first line mints for the trunk channel `uniqueid`."""
    return CallId(f"{CALL_PREFIX}{uniqueid}")


def uniqueid_of(call: CallId) -> Uniqueid:
    """The trunk channel's Uniqueid inside a call id.

    Raises:
        ValueError: the text is no call id.
    """
    if not call.startswith(CALL_PREFIX):
        raise ValueError(f"not a call id: {call!r}")
    return Uniqueid(call.removeprefix(CALL_PREFIX))
