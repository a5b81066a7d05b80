"""Random histories as raw lines, counted twice: through the ledger and the tally, and by the simple recount."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_lines import Visit, disk_of, month_of_visits
from simple_recount import Figures, recount

from ledger.calls import Disposition
from ledger.fold import fold_calls
from reports import metrics as m
from reports.answer_rates import ANSWER_RATE_RULES, answer_rate
from reports.tally import Tally, tally_of

pytestmark = pytest.mark.unit
NAMES = (
    "offered_v1", "without_callbacks_v1", "with_menu_v1", "answered_or_abandoned_v1", "open_hours_v1",
    "all_incoming_v1",
)  # fmt: skip
HOW = (
    "answered", "answered", "answered", "abandoned", "overflow_full", "overflow_wait", "callback", "closed", "menu",
    "greeting", "info", "referred", "test", "cut",
)  # fmt: skip
LENGTH = st.integers(125, 700_000).map(lambda ms: ms / 1000)


@st.composite
def histories(draw: st.DrawFn) -> list[Visit]:
    """Callers by arrival; an operator has one call at a time, as on any telephone."""
    at, found = 1_790_000_000.0, []
    free: dict[str, float] = {}
    for number in range(1, draw(st.integers(0, 12)) + 1):
        at += draw(st.integers(0, 400_000)) / 1000
        how = draw(st.sampled_from(HOW))
        visit = Visit(
            number=number,
            at=at,
            how=how,
            menu_s=draw(st.integers(5_000, 60_000)) / 1000,
            wait_s=draw(st.one_of(LENGTH, st.sampled_from((2.0, 20.0, 300.0, 5.0)))),
            talk_s=draw(st.integers(4_000, 900_000)) / 1000,
            wrap_up_s=draw(st.sampled_from((None, 5, 60))),
            operator=draw(st.sampled_from(("101", "102", "103"))),
            missed=draw(st.sampled_from(((), ("104",), ("104", "105")))),
            transfer=draw(st.sampled_from(("", "", "answered", "in_vain"))) if how == "answered" else "",
            told=draw(st.sampled_from((None, (0, 2), (2, 5)))),
        )
        begins = at + visit.menu_s + visit.wait_s
        if how in ("answered", "test"):
            # A telephone that is busy until then; an unknown after-call work ends unseen with the next talk.
            if begins < free.get(visit.operator, 0.0):
                visit = replace(visit, operator=str(200 + number))
            free[visit.operator] = begins + visit.talk_s + 70.0
        found.append(visit)
    return found


def counted(tally: Tally, short: int, within: int, long: int) -> Figures:
    """The same figures by the catalogue."""
    rules = {name: replace(ANSWER_RATE_RULES[name], short_abandon_s=short) for name in NAMES}
    return {
        "tests": tally.tests,
        "incoming": m.incoming(tally),
        **{each.value: tally.ends[each] for each in Disposition if each is not Disposition.TEST},
        **{f"rate {name}": answer_rate(tally, rule) for name, rule in rules.items()},
        "short": m.short_abandons(tally, short),
        "level": m.service_level(tally, within, rules["offered_v1"]),
        "level asterisk": m.service_level_asterisk(tally, within),
        "level asterisk2": m.service_level_asterisk2(tally, within),
        "level xcally": m.service_level_xcally(tally, within),
        "level breakouts": m.service_level_breakouts(tally, within),
        "abandon": m.abandon_rate(tally),
        "longest": m.longest_wait(tally),
        "asa": m.average_speed_of_answer(tally),
        "asa arrival": m.average_from_arrival(tally),
        "att": m.average_talk(tally),
        "acw": m.average_wrap_up(tally),
        "aht": m.average_handling(tally),
        "long": m.long_waits(tally, long),
        "told": tally.told,
        "told true": tally.told_true,
        "transferred": tally.transferred,
        "reached": tally.reached,
        "handed": tally.handed_over,
    }


@settings(max_examples=100)
@given(histories(), st.integers(0, 30), st.integers(1, 60), st.sampled_from((180, 300)))
def test_both_counts_agree_exactly(visits: list[Visit], short: int, within: int, long: int) -> None:
    disk = disk_of(visits)
    cel, queue_log = disk.lines()
    calls = fold_calls(disk.facts())
    assert len(calls) == len(visits)
    assert counted(tally_of(calls), short, within, long) == recount(cel, queue_log, short, within, long)


def test_a_caller_who_left_after_exactly_the_limit_is_no_short_abandon() -> None:
    disk = disk_of([Visit(number=1, at=1_790_000_000.0, how="abandoned", wait_s=5.0)])
    tally = tally_of(fold_calls(disk.facts()))
    assert (m.short_abandons(tally, 5), m.short_abandons(tally, 6)) == (0, 1)
    assert recount(*disk.lines(), 5, 20, 300)["short"] == 0


def test_the_month_of_made_up_calls_is_counted_the_same() -> None:
    days = [date(2024, 12, day) for day in (2, 3, 4, 5, 6)]
    disk = disk_of(month_of_visits(days, 540, 1035, 250, ("booking", "card", "portal"), 4))
    tally = tally_of(fold_calls(disk.facts()))
    assert counted(tally, 0, 20, 300) == recount(*disk.lines(), 0, 20, 300)
    assert m.incoming(tally) > 200
