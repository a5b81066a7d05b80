"""Short ways to call-backs, seats and waiting callers."""

from __future__ import annotations

from typing import Any

from acd.callback import Callback, CallbackRules
from acd.view import Caller, FloorView, Load, Seat
from core.ids import CallId, OperatorId, QueueName

CARD, PORTAL = QueueName("card-ja"), QueueName("portal-ja")
RULES = CallbackRules(tries=2, retry_after_s=60.0, offer_s=15.0, offer_again_s=3.0)


def a_callback(name: str = "1", *, entered: float = 0.0, demand: QueueName = CARD, **more: Any) -> Callback:
    return Callback(
        call=CallId(f"c-{name}"),
        number=f"0901111{int(name):04d}",
        caller=None,
        demand=demand,
        entered_at=entered,
        booked_at=entered + 20,
        expires_at=entered + 86_400,
        since=entered + 20,
        next_at=entered + 20,
        **more,
    )


def a_seat(operator: str, *queues: QueueName, state: str = "ready", calls: int = 0) -> Seat:
    return Seat(
        operator=OperatorId(operator),
        state=state,
        since=0.0,
        queues=dict.fromkeys(queues, state == "ready"),
        load=Load(calls=calls, handled_s=60.0 * calls, available_s=3600.0),
        last_ended_at=0.0,
    )


def a_caller(name: str, since: float, queue: QueueName = CARD, ringing_at: str | None = None) -> Caller:
    return Caller(
        channel=f"PJSIP/trunk-{name}",
        call=CallId(f"c-w{name}"),
        queue=queue,
        demand=queue,
        since=since,
        ringing_at=OperatorId(ringing_at) if ringing_at else None,
    )


def a_view(at: float, seats: list[Seat], callers: list[Caller] | None = None) -> FloorView:
    return FloorView(at=at, seats=tuple(seats), callers=tuple(callers or ()), handling_s={})
