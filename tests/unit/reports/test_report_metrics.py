"""Each figure against its definition, on calls counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_calls import at, call_of

from ledger.calls import Call, Disposition, WaitWord
from reports import metrics as m
from reports.definitions import DEFINITIONS

pytestmark = pytest.mark.unit
D = Disposition
RULE = m.ANSWER_RATE_RULES["offered_v1"]

CALLS = [
    call_of(D.ANSWERED, at(9), 10.0, talk=60.0),
    call_of(D.ANSWERED, at(9, 5), 30.0, talk=120.0),
    call_of(D.ANSWERED, at(9, 10), 320.0, talk=180.0),
    call_of(D.ABANDONED_QUEUE, at(9, 15), 3.0),
    call_of(D.ABANDONED_QUEUE, at(9, 20), 400.0),
    call_of(D.OVERFLOW, at(9, 25), 0.5, overflow_reason="full"),
    call_of(D.CALLBACK, at(9, 30), 90.0),
    call_of(D.SYSTEM_FAILURE, at(9, 35)),
    call_of(D.ABANDONED_MENU, at(9, 40)),
    call_of(D.SELF_SERVED, at(9, 45)),
    call_of(D.REFERRED, at(9, 50)),
    call_of(D.AFTER_HOURS, at(18)),
    call_of(D.TEST, at(9, 55), 900.0),
]


def test_counts_leave_test_calls_out() -> None:
    assert m.incoming(CALLS) == 12
    assert (m.answered(CALLS), m.abandoned_queue(CALLS), m.abandoned_menu(CALLS)) == (3, 2, 1)
    assert (m.overflow(CALLS), m.after_hours(CALLS), m.self_served(CALLS), m.tests(CALLS)) == (1, 1, 1, 1)


def test_the_answer_rates_denominator_is_a_named_choice() -> None:
    assert m.offered(CALLS, RULE) == 8
    assert m.answer_rate(CALLS, RULE) == pytest.approx(3 / 8)
    assert m.answer_rate(CALLS, replace(RULE, callbacks=False, system_failures=False)) == pytest.approx(3 / 6)
    assert m.answer_rate(CALLS, replace(RULE, menu_abandons=True)) == pytest.approx(3 / 9)
    assert m.answer_rate(CALLS, replace(RULE, short_abandon_s=5.0)) == pytest.approx(3 / 7)
    assert m.answer_rate_of_all(CALLS) == pytest.approx(3 / 11)


def test_the_rule_is_printed_as_it_counts() -> None:
    assert RULE.text_ja == "応答 ÷（応答＋待ち中の切断＋混雑の案内＋折り返し予約＋システム障害）"
    assert "5秒未満" in replace(RULE, short_abandon_s=5.0).text_ja
    assert "案内中の切断" in replace(RULE, menu_abandons=True).text_ja


def test_times() -> None:
    assert m.average_speed_of_answer(CALLS) == pytest.approx(120.0)
    assert m.average_from_arrival(CALLS) == pytest.approx(140.0)
    assert m.longest_wait(CALLS) == 400.0  # given up, not answered; the test call's 900 s do not count
    assert m.average_talk(CALLS) == pytest.approx(120.0)
    assert m.average_wrap_up(CALLS) == pytest.approx(15.0)
    assert m.service_level(CALLS, 30.0, RULE) == pytest.approx(2 / 8)


def test_five_minutes_counts_unanswered_calls_and_exactly_300_seconds() -> None:
    assert [call.wait_s for call in m.waits_of_at_least(CALLS, 300)] == [320.0, 400.0]
    assert len(m.waits_of_at_least([call_of(D.ANSWERED, at(9), 300.0)], 300)) == 1


def told(disposition: Disposition, wait: float, *words: tuple[float, int | None, int | None]) -> Call:
    """A call that waited so long; words are (seconds of waiting, least, most)."""
    call = call_of(disposition, at(9), wait)
    joined = call.arrived_at + 20
    return replace(
        call,
        wait_words=tuple(
            WaitWord(at=joined + after, position=1, least_min=least, most_min=most)
            for after, least, most in words
        ),
    )


def test_a_range_was_true_when_the_answer_came_inside_it() -> None:
    # 180 s from the word at 20 s to the answer at 200 s.
    assert m.wait_told_true([told(D.ANSWERED, 200.0, (20.0, 2, 3))]) == 1.0
    assert m.wait_told_true([told(D.ANSWERED, 200.0, (20.0, 0, 2))]) == 0.0
    assert m.wait_told_true([told(D.ANSWERED, 200.0, (20.0, 4, 6))]) == 0.0
    first_counts = told(D.ANSWERED, 200.0, (20.0, None, None), (65.0, 1, 3), (110.0, 0, 1))
    assert m.wait_told_true([first_counts, told(D.ANSWERED, 200.0, (20.0, 0, 2))]) == 0.5
    untold = [told(D.ABANDONED_QUEUE, 200.0, (20.0, 0, 2)), told(D.ANSWERED, 50.0, (20.0, None, None))]
    assert m.wait_told_true(untold) is None


def test_an_empty_denominator_is_neither_nought_nor_whole() -> None:
    quiet = [call_of(D.AFTER_HOURS, at(20)), call_of(D.TEST, at(9))]
    assert m.answer_rate(quiet, RULE) is None
    assert m.answer_rate_of_all(quiet) is None
    assert m.service_level([], 20, RULE) is None
    assert m.average_speed_of_answer(quiet) is None
    assert m.longest_wait(quiet) is None


@given(st.lists(st.tuples(st.sampled_from(D), st.floats(0, 1000)), max_size=30), st.floats(0, 60))
def test_rates_stay_between_nought_and_one(pairs: list[tuple[Disposition, float]], short: float) -> None:
    calls = [call_of(disposition, at(9) + number, wait) for number, (disposition, wait) in enumerate(pairs)]
    rule = replace(RULE, short_abandon_s=short)
    rate = m.answer_rate(calls, rule)
    assert rate is None or 0 <= rate <= 1
    assert m.answered(calls) <= m.offered(calls, rule) <= m.incoming(calls)
    level = m.service_level(calls, 20, rule)
    assert level is None or (rate is not None and level <= rate)


def test_every_figure_has_a_printed_definition() -> None:
    for definition in DEFINITIONS.values():
        assert definition.name_ja
        assert definition.text_ja or definition.id == "answer_rate"
        assert definition.key.startswith(definition.id)
