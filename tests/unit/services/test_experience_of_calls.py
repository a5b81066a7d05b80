"""A floor that starts again knows of service and patience what the ledger knows."""

from __future__ import annotations

import pytest
from ledger_stories import Teller, answered_call

from acd.experience import ENOUGH, PATIENCE_S
from core.ids import QueueName
from ledger.calls import Call
from ledger.facts import QueueExit
from ledger.fold import fold_call
from services.experience import experience_of

pytestmark = pytest.mark.unit

BOOKING = QueueName("booking-ja")


def folded(teller: Teller) -> Call:
    call = fold_call(teller.facts)
    assert call is not None
    return call


def test_talks_and_waits_of_past_calls() -> None:
    # 60 s of talk after 12.5 s of waiting, and one who gave up after 60 s.
    answered = [folded(answered_call())] * ENOUGH
    gave_up = folded(Teller().arrived().joined(5).left(65, QueueExit.ABANDONED, cel=False).hung_up(65))
    experience = experience_of([*answered, gave_up], {BOOKING: 20.0})
    handling = experience.handling(BOOKING)
    assert handling is not None
    assert handling.mean_s == pytest.approx(80.0)
    assert experience.gives_up_per_s(BOOKING) == pytest.approx(2 / (PATIENCE_S + 12.5 * ENOUGH + 60))


def test_what_is_not_known_of_a_call_teaches_nothing() -> None:
    never_queued = folded(Teller().arrived().hung_up(9))
    end_unknown = folded(Teller().arrived().joined(5).connected(9))
    experience = experience_of([never_queued, end_unknown], {})
    assert experience.handling(None) is None
    assert experience_of([], {}).gives_up_per_s(BOOKING) == 1 / PATIENCE_S
