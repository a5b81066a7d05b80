"""Calls for report tests, made without the fold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from core.clock import TOKYO
from core.ids import CallId, OperatorId, QueueName
from core.phone import Caller, CallerKind
from ledger.calls import Call, Disposition, EndedBy, Segment

DAY = datetime(2024, 11, 25, tzinfo=TOKYO)


def at(hour: int, minute: int = 0, second: float = 0) -> float:
    return DAY.timestamp() + hour * 3600 + minute * 60 + second


def city_time_of(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, TOKYO)


def call_of(
    disposition: Disposition | None, arrived: float, wait: float | None = None, **values: Any
) -> Call:
    """A call with plausible times around what is asked for."""
    answered = disposition is Disposition.ANSWERED
    operator = OperatorId(values.pop("operator", "101"))
    talk = values.pop("talk", 120.0)
    connect = arrived + 20 + (wait or 0.0)
    segments = (
        (Segment(operator=operator, started_at=connect, ended_at=connect + talk, wrap_up_s=15.0),)
        if answered
        else ()
    )
    call = Call(
        call_id=CallId(f"c-n1-{arrived:.0f}.1"),
        sip_call_id=f"sip-{arrived:.0f}",
        caller=Caller(CallerKind.NUMBER, "09012345678"),
        dialled="0120000101",
        arrived_at=arrived,
        ended_at=None if disposition is None else connect + (talk if answered else 5.0),
        line="booking" if wait is not None else None,
        language="ja",
        disposition=disposition,
        queue=None if wait is None else QueueName("booking-ja"),
        segments=segments,
        wait_s=wait,
        wait_from_arrival_s=connect - arrived if answered else None,
        talk_s=talk if answered else 0.0,
        ended_by=None if disposition is None else EndedBy.CITIZEN,
    )
    return replace(call, **values)
