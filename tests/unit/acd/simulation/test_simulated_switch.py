"""The model of app_queue does what apps/app_queue.c does."""

from __future__ import annotations

import math

import pytest
from sim_centres import Log, call, centre, operator, rules, trace

from acd.simulation.centre import Centre, Play, Strategy
from acd.simulation.log import What
from acd.simulation.outcome import Day, End
from acd.simulation.play import play
from acd.simulation.trace import Trace

pytestmark = pytest.mark.unit


def played(where: Centre, what: Trace, strategy: Strategy = Strategy.LEASTRECENT) -> tuple[Day, Log]:
    log = Log()
    return play(where, what, Play(strategy=strategy), observers=[log]), log


def test_a_free_operator_is_rung_at_once_and_a_waiting_caller_at_the_next_whole_second() -> None:
    day, log = played(centre(), trace([call(1, 10.0, service_s=30.4), call(2, 12.25)]))
    assert [h.at for h in log.of(What.OFFERED)] == [10.0, 41.25]
    # The talk ends at 40.4; the second caller looks every second from 12.25 on.
    assert day.callers[2].wait_s == pytest.approx(29.0)


def test_of_equal_members_the_one_who_signed_in_last_is_rung() -> None:
    people = [operator(n, shifts=((float(i), 1000.0),)) for i, n in enumerate(("1", "2", "3"))]
    _, log = played(centre(), trace([call(1, 10.0)], *people))
    assert log.operators() == ["3"]


def test_leastrecent_rings_who_ended_longest_ago_and_those_without_a_call_first() -> None:
    calls = [call(1, 10.0, service_s=5), call(2, 20.0, service_s=5), call(3, 30.0), call(4, 31.0)]
    _, log = played(centre(), trace(calls, operator("1"), operator("2")))
    assert log.operators() == ["2", "1", "2", "1"]


def test_fewestcalls_counts_the_calls_of_all_queues() -> None:
    calls = [
        call(1, 10.0, line="portal", service_s=5),
        call(2, 30.0, service_s=5),
        call(3, 50.0, service_s=5),
    ]
    people = [operator("1", {"card": 1}), operator("2", {"card": 1, "portal": 1})]
    _, log = played(centre(rules("card"), rules("portal")), trace(calls, *people), Strategy.FEWESTCALLS)
    assert log.operators() == ["2", "1", "2"]


def test_rrmemory_goes_round() -> None:
    calls = [call(n, 10.0 * n, service_s=2) for n in range(1, 8)]
    _, log = played(centre(), trace(calls, operator("1"), operator("2"), operator("3")), Strategy.RRMEMORY)
    assert log.operators() == ["1", "2", "3", "1", "2", "3", "1"]


def test_random_rings_everybody() -> None:
    calls = [call(n, 10.0 * n, service_s=2) for n in range(1, 60)]
    _, log = played(centre(), trace(calls, operator("1"), operator("2")), Strategy.RANDOM)
    assert set(log.operators()) == {"1", "2"}


def test_autofill_lets_as_many_callers_try_as_members_are_free() -> None:
    calls = [
        call(1, 0.5),
        call(2, 1.0, answer_s={"1": 5.0, "2": 5.0}),
        call(3, 1.5, answer_s={"1": 5, "2": 5}),
    ]
    _, log = played(centre(), trace(calls[1:], operator("1"), operator("2")))
    assert [h.at for h in log.of(What.OFFERED)] == [1.0, 1.5]
    assert set(log.operators()) == {"1", "2"}


def test_a_later_caller_waits_while_the_first_one_is_due() -> None:
    calls = [call(1, 1.0, service_s=10.0), call(2, 2.9), call(3, 3.1)]
    _, log = played(centre(), trace(calls))
    # Free at 11.0. The third caller looks at 11.1, but it is the second one's turn at 11.9.
    assert [(h.call, h.at) for h in log.of(What.OFFERED)][1] == (2, pytest.approx(11.9))


def test_a_missed_offer_pauses_in_all_queues_and_the_caller_looks_again_after_a_second() -> None:
    both = {"card": 1, "portal": 1}
    calls = [call(1, 10.0, answer_s={"2": math.inf}), call(2, 31.5, line="portal")]
    _, log = played(
        centre(rules("card"), rules("portal")), trace(calls, operator("1", both), operator("2", both))
    )
    assert [(h.call, h.operator, h.at) for h in log.of(What.OFFERED)] == [
        (1, "2", 10.0),
        (1, "1", 31.0),
        # The missed operator is back after three seconds.
        (2, "2", 33.5),
    ]


def test_who_hangs_up_while_it_rings_frees_the_operator() -> None:
    calls = [call(1, 10.0, patience_s=3.0, answer_s={"1": 8.0}), call(2, 11.25)]
    day, log = played(centre(), trace(calls))
    assert day.callers[1].end is End.ABANDONED
    assert [(h.call, h.at) for h in log.of(What.OFFERED)] == [(1, 10.0), (2, 13.25)]


def test_stages_are_queues_that_a_caller_walks_by_time() -> None:
    staged = rules(asks=((0.0, {"card": 4}), (30.0, {"card": 2}), (60.0, {"card": 1})), limit_s=90.0)
    people = [
        operator("4", {"card": 4}, shifts=((0.0, 1000.0),), breaks=((1.0, 1000.0),)),
        operator("2", {"card": 2}, shifts=((0.0, 1000.0),)),
    ]
    day, log = played(centre(staged), trace([call(1, 10.0)], *people))
    assert [(h.queue, h.at) for h in log.of(What.ENTERED)] == [("card-ja", 10.0), ("card_2-ja", 40.0)]
    assert day.callers[1].wait_s == pytest.approx(30.0)
    assert log.operators() == ["2"]


def test_a_stage_that_nobody_serves_is_passed_at_once() -> None:
    staged = rules(asks=((0.0, {"card": 4}), (30.0, {"card": 1})))
    day, _ = played(centre(staged), trace([call(1, 10.0)]))
    assert day.callers[1].wait_s == 0.0


def test_at_the_limit_the_caller_hears_the_overflow_words_unless_it_rings() -> None:
    short = rules(limit_s=30.0, ring_s=20.0)
    calls = [call(1, 0.5, service_s=100.0), call(2, 10.0), call(3, 75.0, answer_s={"1": 10.0})]
    day, _ = played(centre(short), trace(calls))
    assert (day.callers[2].end, day.callers[2].wait_s) == (End.OVERFLOW, pytest.approx(30.0))
    # Offered at 101, four seconds before the limit; the telephone rings on past it.
    assert day.callers[3].end is End.ANSWERED


def test_full_and_empty_queues_overflow_and_lines_run_out() -> None:
    calls = [call(n, 1.0 + n / 10, service_s=100.0) for n in range(4)]
    day, _ = played(centre(rules(max_waiting=1)), trace(calls))
    assert [day.callers[n].end for n in range(4)] == [End.ANSWERED, End.ANSWERED, End.OVERFLOW, End.OVERFLOW]
    day, _ = played(Centre(demands=(rules(),), lines_in=2), trace(calls))
    assert day.count(End.REFUSED) == 2
    day, _ = played(centre(), trace([call(1, 1.0)], operator("1", {"portal": 1})))
    assert day.callers[1].end is End.OVERFLOW


def test_wrap_up_ends_by_itself_where_no_engine_is() -> None:
    day, _ = played(centre(rules(wrap_up_s=20.0)), trace([call(1, 10.0, service_s=30.0), call(2, 20.5)]))
    assert day.callers[2].wait_s == pytest.approx(40.0)
    assert day.workers[day.callers[1].operator or ""].handled_s == pytest.approx(30 + 60 + 2 * 20)


def test_breaks_wait_for_the_end_of_a_talk_and_signing_out_does_not_end_it() -> None:
    person = operator("1", shifts=((0.0, 200.0),), breaks=((20.0, 100.0),))
    calls = [call(1, 10.0, service_s=30.0), call(2, 50.5), call(3, 190.0, service_s=60.0)]
    day, log = played(centre(), trace(calls, person))
    assert [h.at for h in log.of(What.BREAK)] == [40.0]
    assert day.callers[2].wait_s == pytest.approx(50.0)
    assert day.callers[3].talk_s == pytest.approx(60.0)
    assert day.workers[person.operator].signed_in_s == pytest.approx(200.0 - 60.0)


def test_a_trace_survives_json() -> None:
    what = trace([call(1, 10.0, answer_s={"1": math.inf})], operator("1", breaks=((5.0, 6.0),)))
    assert Trace.from_json(what.to_json()) == what
