"""What the engine says of the floor, to the desk as it changes and twice a second in a file: no names, no numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from acd.callback import Callback
from acd.view import FloorView


def live_record(
    view: FloorView,
    *,
    speaks: bool,
    city_time: datetime,
    ami_connected: bool,
    called_in: Collection[str],
    callbacks: Iterable[Callback],
    expected_s: Mapping[str, float],
) -> dict[str, Any]:
    """The floor as JSON values; moments are epoch seconds.

    Args:
        expected_s: whole wait by the guard's estimate, by the caller's channel.
    """
    return {
        "at": view.at,
        "engine": os.getpid(),
        "speaks": speaks,
        "city_time": city_time.isoformat(timespec="seconds"),
        "ami_connected": ami_connected,
        "operators": {seat.operator: seat.state for seat in view.seats},
        "waiting": [
            {"queue": caller.queue, "waited_s": round(view.at - caller.since, 1)} for caller in view.callers
        ],
        "seats": [
            {
                "operator": seat.operator,
                "state": seat.state,
                "since": round(seat.since, 3),
                "queues": sorted(seat.queues),
                "talking_in": seat.talking_in,
                "call": seat.call,
                "calls": seat.load.calls,
                "handled_s": round(seat.load.handled_s, 1),
                "available_s": round(seat.load.available_s, 1),
            }
            for seat in view.seats
        ],
        "callers": [
            {
                "call": caller.call,
                "demand": caller.demand,
                "since": round(caller.since, 3),
                "ringing_at": caller.ringing_at,
                "expected_s": _whole(expected_s.get(caller.channel)),
            }
            for caller in view.callers
        ],
        "called_in": sorted(called_in),
        "callbacks": [
            {
                "queue": each.demand,
                "state": each.state.value,
                "waited_s": round(view.at - each.entered_at, 1),
            }
            for each in callbacks
        ],
    }


def _whole(seconds: float | None) -> int | None:
    return round(seconds) if seconds is not None and math.isfinite(seconds) else None
