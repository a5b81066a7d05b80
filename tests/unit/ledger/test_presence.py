"""Signed-in and available time from the operators' rows in queue_log."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_stories import T0

from core.ids import OperatorId, QueueName
from ledger import facts as f
from ledger.presence import Presence, available_s, presences, unattended_s

pytestmark = pytest.mark.unit

CARD, BOOKING = QueueName("card-ja"), QueueName("booking-ja")
OP = OperatorId("101")


class Log:
    """Rows of queue_log; times are seconds after T0."""

    def __init__(self) -> None:
        self.facts: list[f.Fact] = []

    def _add(self, kind: type[f.Fact], at: float, **values: object) -> Log:
        source = f.Source(node="n1", file="queue_log:1", offset=len(self.facts))
        self.facts.append(kind(at=T0 + at, source=source, call=None, **values))
        return self

    def signed_in(self, at: float, *queues: QueueName, operator: OperatorId = OP) -> Log:
        for queue in queues:
            self._add(f.OperatorSignedIn, at, operator=operator, queue=queue)
        return self

    def signed_out(self, at: float, *queues: QueueName, operator: OperatorId = OP) -> Log:
        for queue in queues:
            self._add(f.OperatorSignedOut, at, operator=operator, queue=queue)
        return self

    def paused(self, at: float, reason: str, operator: OperatorId = OP) -> Log:
        return self._add(f.OperatorPaused, at, operator=operator, reason=reason, queue=None)

    def unpaused(self, at: float, reason: str = "ready", operator: OperatorId = OP) -> Log:
        return self._add(f.OperatorUnpaused, at, operator=operator, reason=reason, queue=None)


def spans(found: list[Presence]) -> list[tuple[float, float, str]]:
    return [(each.started_at - T0, each.ended_at - T0, each.away) for each in found]


def test_a_shift_with_a_break() -> None:
    log = Log().signed_in(0, CARD, BOOKING).paused(100, "break1").unpaused(160).signed_out(300, CARD, BOOKING)
    found = presences(log.facts, T0 + 1000)
    assert spans(found) == [(0, 100, ""), (100, 160, "break1"), (160, 300, "")]
    assert {each.queues for each in found} == {frozenset({CARD, BOOKING})}
    assert available_s(found, T0, T0 + 1000) == 240
    assert available_s(found, T0 + 50, T0 + 170) == 60
    assert unattended_s(found, T0, T0 + 400) == 160


def test_a_call_is_work_and_no_absence() -> None:
    log = (
        Log()
        .signed_in(0, CARD)
        .paused(10, "talking")
        .unpaused(60, "talking")
        .paused(60, "wrapup")
        .unpaused(80)
    )
    assert spans(presences(log.facts, T0 + 100)) == [(0, 100, "")]


def test_a_break_that_only_changes_its_reason_goes_on() -> None:
    log = (
        Log().signed_in(0, CARD).paused(10, "break1").unpaused(20, "break1").paused(20, "break2").unpaused(30)
    )
    assert spans(presences(log.facts, T0 + 40)) == [
        (0, 10, ""),
        (10, 20, "break1"),
        (20, 30, "break2"),
        (30, 40, ""),
    ]


def test_held_back_for_missed_offers_counts_as_away() -> None:
    log = Log().signed_in(0, CARD).paused(10, "Auto-Pause").unpaused(13).paused(20, "missed")
    assert spans(presences(log.facts, T0 + 30)) == [
        (0, 10, ""),
        (10, 13, "Auto-Pause"),
        (13, 20, ""),
        (20, 30, "missed"),
    ]


def test_signing_in_again_begins_without_the_old_break() -> None:
    log = Log().signed_in(0, CARD).paused(10, "break1").signed_out(20, CARD).signed_in(50, CARD)
    assert spans(presences(log.facts, T0 + 60)) == [(0, 10, ""), (10, 20, "break1"), (50, 60, "")]


def test_queues_count_one_by_one() -> None:
    other = OperatorId("102")
    log = (
        Log()
        .signed_in(0, CARD)
        .signed_in(50, BOOKING)
        .signed_out(80, CARD)
        .signed_in(0, BOOKING, operator=other)
    )
    found = presences(log.facts, T0 + 100)
    assert available_s(found, T0, T0 + 100, queues=[CARD]) == 80
    assert available_s(found, T0, T0 + 100, queues=[BOOKING]) == 150
    assert available_s(found, T0, T0 + 100, queues=[BOOKING], operator=OP) == 50
    assert unattended_s(found, T0, T0 + 100, queues=[CARD]) == 20
    assert unattended_s(found, T0 + 200, T0 + 260, queues=[CARD]) == 60


def test_a_restart_of_the_switch_signs_nobody_out() -> None:
    log = Log().signed_in(0, CARD)
    log._add(f.SwitchStarted, 50)
    assert spans(presences(log.facts, T0 + 100)) == [(0, 100, "")]


_kinds = st.sampled_from(["in", "out", "break", "talk", "ready"])


@given(
    st.lists(st.tuples(st.integers(0, 500), _kinds, st.sampled_from(["101", "102"])), max_size=60),
    st.integers(0, 2**32),
)
def test_whatever_the_log_says_time_adds_up(rows: list[tuple[int, str, str]], seed: int) -> None:
    log = Log()
    for at, kind, operator in rows:
        op = OperatorId(operator)
        match kind:
            case "in":
                log.signed_in(at, CARD, operator=op)
            case "out":
                log.signed_out(at, CARD, operator=op)
            case "break":
                log.paused(at, "break1", operator=op)
            case "talk":
                log.paused(at, "talking", operator=op)
            case _:
                log.unpaused(at, operator=op)
    found = presences(log.facts, T0 + 600)
    for one, two in pairwise(found):
        assert one.operator < two.operator or one.ended_at <= two.started_at
    assert all(each.started_at < each.ended_at and each.queues for each in found)
    alone = unattended_s(found, T0, T0 + 600)
    busy = available_s(found, T0, T0 + 600)
    assert 0 <= alone <= 600
    assert 600 - alone <= busy + 1e-6
    shuffled = list(log.facts) * 2
    random.Random(seed).shuffle(shuffled)
    assert presences(shuffled, T0 + 600) == found
