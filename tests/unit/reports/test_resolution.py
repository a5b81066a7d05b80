"""Whether one call was enough, on calls counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_calls import at, call_of

from core.ids import CallId, OperatorId
from core.phone import Caller, CallerKind
from ledger.calls import Call, Disposition, Segment, Transfer
from reports.resolution import (
    AGAIN_DAYS,
    SELF_SERVED_HOURS,
    Resolution,
    first_contact,
    repeat_callers,
    resolution_of,
    self_resolved,
)

pytestmark = pytest.mark.unit
D = Disposition
DAY_S = 86_400.0


def call(kind: Disposition, when: float, number: str | None, **values: object) -> Call:
    made = call_of(kind, when, 5.0)
    caller = Caller(CallerKind.NUMBER, number) if number else Caller(CallerKind.WITHHELD, None)
    return replace(made, call_id=CallId(f"c-{when}-{number}"), caller=caller, **values)


def found(*calls: Call) -> Resolution:
    return resolution_of(calls, at(0), at(0) + 31 * DAY_S)


def test_one_call_is_enough_when_nobody_calls_again_about_it() -> None:
    first = call(D.ANSWERED, at(9), "0901")
    assert first_contact(found(first)) == 1.0
    again = call(D.ABANDONED_QUEUE, at(9) + AGAIN_DAYS * DAY_S - 1, "0901")
    assert first_contact(found(first, again)) == 0.0
    assert first_contact(found(first, replace(again, arrived_at=at(9) + AGAIN_DAYS * DAY_S))) == 1.0
    assert first_contact(found(first, replace(again, line="card"))) == 1.0
    assert first_contact(found(first, call(D.ANSWERED, at(10), "0902"))) == 1.0


def test_a_call_that_went_on_to_somebody_else_was_not_enough() -> None:
    moved = Transfer(at=at(9), to="201", label="市民課", result="ANSWER")
    assert first_contact(found(call(D.ANSWERED, at(9), "0901", transfers=(moved,)))) == 0.0
    in_vain = replace(moved, result="NOANSWER")
    assert first_contact(found(call(D.ANSWERED, at(9), "0901", transfers=(in_vain,)))) == 1.0
    two = tuple(
        Segment(operator=OperatorId(each), started_at=at(9), ended_at=at(9, 1)) for each in ("101", "102")
    )
    assert first_contact(found(call(D.ANSWERED, at(9), "0901", segments=two))) == 0.0


def test_who_cannot_be_recognised_stands_in_no_denominator() -> None:
    assert first_contact(found(call(D.ANSWERED, at(9), None))) is None
    assert found(call(D.ANSWERED, at(9), None), call(D.ANSWERED, at(10), None)).callers == 0


def test_self_service_is_undone_by_any_call_within_its_hours() -> None:
    heard = call(D.SELF_SERVED, at(9), "0901")
    assert self_resolved(found(heard)) == 1.0
    later = call(D.ANSWERED, at(9) + SELF_SERVED_HOURS * 3600.0 - 1, "0901", line="card")
    assert self_resolved(found(heard, later)) == 0.0
    assert self_resolved(found(heard, replace(later, arrived_at=at(9) + SELF_SERVED_HOURS * 3600.0))) == 1.0


def test_only_the_period_counts_and_what_comes_after_it_only_tells() -> None:
    inside, after = call(D.ANSWERED, at(9), "0901"), call(D.ANSWERED, at(9) + DAY_S, "0901")
    counts = resolution_of([inside, after], at(0), at(0) + DAY_S)
    assert (counts.answered, counts.resolved, counts.callers, counts.repeaters) == (1, 0, 1, 0)
    both = found(inside, after)
    assert repeat_callers(both) == 1.0
    assert (both.answered, both.resolved) == (2, 1)
