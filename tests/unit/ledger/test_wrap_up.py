"""After-call work from operators' pauses."""

from __future__ import annotations

import pytest
from ledger_stories import T0, Teller

from core.ids import OperatorId
from ledger import facts as f
from ledger.fold import fold_call
from ledger.operators import busy_periods

pytestmark = pytest.mark.unit
OP = OperatorId("101")


def pause(teller: Teller, at: float, reason: str) -> Teller:
    return teller.log(f.OperatorPaused, at, call=None, operator=OP, reason=reason, queue=None)


def unpause(teller: Teller, at: float, reason: str = "") -> Teller:
    return teller.log(f.OperatorUnpaused, at, call=None, operator=OP, reason=reason, queue=None)


def periods(teller: Teller) -> list[tuple[float, float | None]]:
    return [
        (each.started_at - T0, None if each.ended_at is None else each.ended_at - T0)
        for each in busy_periods(teller.facts)
    ]


def test_a_change_of_reason_in_one_second_is_no_end() -> None:
    teller = unpause(pause(Teller(), 10, "talking"), 70, "talking")
    assert periods(unpause(pause(teller, 70, "wrapup"), 90)) == [(10, 90)]


def test_without_the_logged_unpause_it_is_the_same() -> None:
    teller = pause(pause(Teller(), 10, "talking"), 70, "wrapup")
    assert periods(unpause(teller, 90)) == [(10, 90)]


def test_a_dead_engine_leaves_talking_until_the_ready_code() -> None:
    assert periods(unpause(pause(Teller(), 10, "talking"), 90)) == [(10, 90)]


def test_a_break_or_signing_out_ends_it() -> None:
    assert periods(pause(pause(Teller(), 10, "talking"), 80, "break1")) == [(10, 80)]
    out = pause(Teller(), 10, "talking").log(f.OperatorSignedOut, 85, call=None, operator=OP, queue="q-ja")
    assert periods(out) == [(10, 85)]


def test_the_next_call_in_the_same_second_is_an_end() -> None:
    teller = unpause(pause(Teller(), 10, "talking"), 90)
    assert periods(pause(teller, 90, "talking")) == [(10, 90), (90, None)]


def test_rows_for_every_queue_count_once_and_breaks_not_at_all() -> None:
    teller = pause(pause(Teller(), 10, "talking"), 11, "talking")
    assert periods(pause(teller, 5, "break1")) == [(10, None)]


def test_each_segment_gets_its_own() -> None:
    teller = Teller().arrived().joined(1).connected(10, leg="2").parted(70, leg="2")
    teller.connected(100, operator="102", leg="3").parted(160, operator="102", leg="3").hung_up(160)
    teller.wrapped_up(70, 90).wrapped_up(160, 165, operator="102")
    call = fold_call(teller.facts)
    assert call is not None
    assert [segment.wrap_up_s for segment in call.segments] == [20, 5]
    assert call.wrap_up_s == 25
    assert call.wrapped_up_at == T0 + 165
    assert not call.wrap_up_pending
