"""A floor that starts again knows of service and patience what the ledger knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.experience import ENOUGH, PATIENCE_S
from core.ids import CallId, OperatorId, QueueName
from ledger.calls import Call, Disposition, Segment
from services.experience import experience_of

pytestmark = pytest.mark.unit

BOOKING, LATER_STAGE = QueueName("booking-ja"), QueueName("booking_2-ja")
ANSWERED = Call(
    call_id=CallId("c-n1-1.1"),
    sip_call_id="a@b",
    caller=None,
    dialled="0598000000",
    arrived_at=1000.0,
    ended_at=1100.0,
    disposition=Disposition.ANSWERED,
    queue=LATER_STAGE,
    wait_s=12.5,
    segments=(
        Segment(
            operator=OperatorId("101"), started_at=1030.0, ended_at=1090.0, queue=LATER_STAGE, wrap_up_s=900.0
        ),
    ),
)


def test_talks_and_waits_of_past_calls() -> None:
    gave_up = replace(ANSWERED, segments=(), disposition=Disposition.ABANDONED_QUEUE, wait_s=60.0)
    over = replace(ANSWERED, segments=(), disposition=Disposition.OVERFLOW, wait_s=600.0)
    experience = experience_of([*[ANSWERED] * ENOUGH, gave_up, over], {BOOKING: 20.0})
    handling = experience.handling(BOOKING)
    assert handling is not None
    assert handling.mean_s == pytest.approx(80.0), "a break after the call is no handling"
    assert experience.gives_up_per_s(BOOKING) == pytest.approx(2 / (PATIENCE_S + 12.5 * ENOUGH + 660))


def test_what_is_not_known_of_a_call_teaches_nothing() -> None:
    never_queued = replace(ANSWERED, queue=None, wait_s=None, segments=())
    end_unknown = replace(ANSWERED, segments=(replace(ANSWERED.segments[0], ended_at=None),), wait_s=None)
    experience = experience_of([never_queued, end_unknown] * ENOUGH, {})
    assert experience.handling(None) is None
    assert experience.gives_up_per_s(BOOKING) == 1 / PATIENCE_S
