"""Each figure against its definition, on calls counted by hand."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_calls import at, call_of

from ledger.calls import Call, Disposition, WaitWord
from reports import metrics as m
from reports.answer_rates import ANSWER_RATE_RULES, answer_rate, answers_needed, offered, rule_named
from reports.definitions import DEFINITIONS
from reports.tally import Tally, sum_of, tally_of

pytestmark = pytest.mark.unit
D = Disposition
RULE = ANSWER_RATE_RULES["offered_v1"]

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
ALL = tally_of(CALLS)


def test_counts_leave_test_calls_out() -> None:
    assert m.incoming(ALL) == 12
    assert (m.answered(ALL), m.abandoned_queue(ALL), m.abandoned_menu(ALL)) == (3, 2, 1)
    assert (m.overflow(ALL), m.after_hours(ALL), m.self_served(ALL), ALL.tests) == (1, 1, 1, 1)


def test_the_answer_rates_denominator_is_a_named_choice() -> None:
    assert offered(ALL, RULE) == 8
    assert answer_rate(ALL, RULE) == pytest.approx(3 / 8)
    assert answer_rate(ALL, replace(RULE, callbacks=False, system_failures=False)) == pytest.approx(3 / 6)
    assert answer_rate(ALL, replace(RULE, menu_abandons=True)) == pytest.approx(3 / 9)
    assert answer_rate(ALL, replace(RULE, short_abandon_s=5)) == pytest.approx(3 / 7)
    assert m.answer_rate_of_all(ALL) == pytest.approx(3 / 11)


def test_the_rule_is_printed_as_it_counts() -> None:
    assert RULE.text_ja == "応答 ÷（応答＋待ち中の切断＋混雑の案内＋折り返し予約＋システム障害）"
    assert "5秒未満" in replace(RULE, short_abandon_s=5).text_ja
    assert "案内中の切断" in replace(RULE, menu_abandons=True).text_ja


def test_times() -> None:
    assert m.average_speed_of_answer(ALL) == pytest.approx(120.0)
    assert m.average_from_arrival(ALL) == pytest.approx(140.0)
    assert m.longest_wait(ALL) == 400.0  # given up, not answered; the test call's 900 s do not count
    assert m.average_talk(ALL) == pytest.approx(120.0)
    assert m.average_wrap_up(ALL) == pytest.approx(15.0)
    assert m.service_level(ALL, 30, RULE) == pytest.approx(2 / 8)


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


def told_true_of(calls: list[Call]) -> float | None:
    return m.wait_told_true(tally_of(calls))


def test_a_range_was_true_when_the_answer_came_inside_it() -> None:
    # 180 s from the word at 20 s to the answer at 200 s.
    assert told_true_of([told(D.ANSWERED, 200.0, (20.0, 2, 3))]) == 1.0
    assert told_true_of([told(D.ANSWERED, 200.0, (20.0, 0, 2))]) == 0.0
    assert told_true_of([told(D.ANSWERED, 200.0, (20.0, 4, 6))]) == 0.0
    first_counts = told(D.ANSWERED, 200.0, (20.0, None, None), (65.0, 1, 3), (110.0, 0, 1))
    assert told_true_of([first_counts, told(D.ANSWERED, 200.0, (20.0, 0, 2))]) == 0.5
    untold = [told(D.ABANDONED_QUEUE, 200.0, (20.0, 0, 2)), told(D.ANSWERED, 50.0, (20.0, None, None))]
    assert told_true_of(untold) is None


def test_an_empty_denominator_is_neither_nought_nor_whole() -> None:
    quiet = tally_of([call_of(D.AFTER_HOURS, at(20)), call_of(D.TEST, at(9))])
    assert answer_rate(quiet, RULE) is None
    assert m.answer_rate_of_all(quiet) is None
    assert m.service_level(Tally(), 20, RULE) is None
    assert m.average_speed_of_answer(quiet) is None
    assert m.longest_wait(quiet) is None


@given(st.lists(st.tuples(st.sampled_from(D), st.floats(0, 1000)), max_size=30), st.integers(0, 60))
def test_rates_stay_between_nought_and_one(pairs: list[tuple[Disposition, float]], short: int) -> None:
    calls = [call_of(disposition, at(9) + number, wait) for number, (disposition, wait) in enumerate(pairs)]
    rule, tally = replace(RULE, short_abandon_s=short), tally_of(calls)
    rate = answer_rate(tally, rule)
    assert rate is None or 0 <= rate <= 1
    assert m.answered(tally) <= offered(tally, rule) <= m.incoming(tally)
    level = m.service_level(tally, 20, rule)
    assert level is None or (rate is not None and level <= rate)


@given(
    st.lists(st.tuples(st.sampled_from(D), st.floats(0, 1000)), max_size=30),
    st.sampled_from(list(ANSWER_RATE_RULES)),
    st.integers(0, 60),
    st.integers(1, 5),
)
def test_a_total_is_the_sum_of_its_parts(
    pairs: list[tuple[Disposition, float]], name: str, short: int, parts: int
) -> None:
    calls = [call_of(disposition, at(9) + number, wait) for number, (disposition, wait) in enumerate(pairs)]
    rule = rule_named(name, short)
    pieces = [tally_of(calls[part::parts]) for part in range(parts)]
    assert sum_of(pieces) == tally_of(calls)
    assert offered(tally_of(calls), rule) == sum(rule.offers(call) for call in calls)
    assert offered(tally_of(calls), rule) == sum(offered(piece, rule) for piece in pieces)


def test_every_legal_denominator_stands_beside_the_contracts() -> None:
    rates = {name: answer_rate(ALL, rule) for name, rule in ANSWER_RATE_RULES.items()}
    assert rates == {
        "offered_v1": 3 / 8,
        "without_short_v1": 3 / 7,
        "without_callbacks_v1": 3 / 7,
        "with_menu_v1": 3 / 9,
        "answered_or_abandoned_v1": 3 / 5,
        "open_hours_v1": 3 / 11,
        "all_incoming_v1": 3 / 12,
    }
    assert len({rule.text_ja for rule in ANSWER_RATE_RULES.values()}) == len(ANSWER_RATE_RULES)


def test_the_variants_of_the_service_level_differ_as_they_say() -> None:
    assert m.service_level_asterisk(ALL, 30) == pytest.approx(2 / 3)
    assert m.service_level_asterisk2(ALL, 30) == pytest.approx(3 / 5)
    assert m.service_level_genesys(ALL, 30, 5) == pytest.approx(2 / 5)
    assert m.service_level_xcally(ALL, 30) == pytest.approx(2 / 4)
    assert m.service_level_breakouts(ALL, 30) == pytest.approx(2 / 6)


def test_rates_of_who_gave_up_and_of_handling() -> None:
    assert m.abandon_rate(ALL) == pytest.approx(2 / 7)
    assert m.menu_abandon_rate(ALL) == pytest.approx(1 / 11)
    assert m.short_abandons(ALL, 3) == 0  # exactly three seconds is not below
    assert m.short_abandons(ALL, 4) == 1
    assert m.average_handling(ALL) == pytest.approx(135.0)
    assert m.line_loss(None, ALL) is None
    assert m.line_loss(4, ALL) == pytest.approx(4 / 16)
    assert m.occupancy(1800.0, 3600.0) == 0.5
    assert m.occupancy(0.0, 0.0) is None
    assert m.utilisation(900.0, 3600.0) == 0.25


@given(
    answered=st.integers(0, 200),
    lost=st.integers(0, 200),
    target=st.sampled_from((0.5, 0.85, 0.9, 1.0)),
    coming=st.integers(0, 300),
)
def test_the_answers_still_needed_are_the_least_that_reach_the_target(
    answered: int, lost: int, target: float, coming: int
) -> None:
    offered_so_far = answered + lost
    needed = answers_needed(answered, offered_so_far, target, coming)
    whole = offered_so_far + coming
    reaching = [n for n in range(coming + 1) if answered + n >= target * whole - 1e-9]
    assert needed == (reaching[0] if reaching else None)


def test_every_figure_has_a_function_that_is_its_definition() -> None:
    for definition in DEFINITIONS.values():
        assert definition.name_ja
        assert definition.text_ja or definition.id == "answer_rate"
        module, _, name = definition.function.rpartition(".")
        function = getattr(importlib.import_module(module), name)
        if module in ("reports.metrics", "reports.answer_rates", "reports.resolution"):
            assert (function.__doc__ or "").startswith(f"{definition.id} v{definition.version}"), (
                definition.id
            )
