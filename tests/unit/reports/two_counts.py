"""Random histories, and the figures of the catalogue in the words of the simple recount: what both counts share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from raw_lines import Visit, disk_of
from simple_recount import Figures, calls_of, figures_of, recount

from ledger.calls import Disposition
from ledger.facts import Fact, Source
from ledger.fold import fold_calls
from reports import metrics as m
from reports.answer_rates import ANSWER_RATE_RULES, answer_rate
from reports.tally import Tally, tally_of
from telephony.disk.cel import translate_cel
from telephony.disk.errors import DamagedLine
from telephony.disk.queue_log import translate_queue_log

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


def facts_of(cel: Sequence[str], queue_log: Sequence[str]) -> list[Fact]:
    """What the ledger's readers make of raw lines; damaged ones tell nothing."""
    found: list[Fact] = []
    for kind, translate, lines in (
        ("cel:1", translate_cel, cel),
        ("queue_log:1", translate_queue_log, queue_log),
    ):
        for place, line in enumerate(lines):
            try:
                fact = translate(line, Source(node="n1", file=kind, offset=place))
            except DamagedLine:
                continue
            if fact is not None:
                found.append(fact)
    return found


def assert_both_agree(visits: Sequence[Visit], short: int, within: int, long: int) -> None:
    """One history, counted through the ledger and by the recount.

    Raises:
        AssertionError: they differ, or a caller is missing.
    """
    disk = disk_of(visits)
    cel, queue_log = disk.lines()
    calls = fold_calls(disk.facts())
    assert len(calls) == len(visits)
    assert counted(tally_of(calls), short, within, long) == recount(cel, queue_log, short, within, long)


def differences(
    cel: Sequence[str], queue_log: Sequence[str], told: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """What the two counts of a real switch's lines differ in, call by call, and the ended calls that were compared.

    Args:
        told: calls that were compared before.
    """
    folded = {str(call.call_id): call for call in fold_calls(facts_of(cel, queue_log))}
    counts = {each["call"]: each for each in calls_of(cel, queue_log)}
    found = [f"{call}: only one count knows it" for call in sorted(folded.keys() ^ counts.keys())]
    ended = [
        call
        for call in sorted(folded.keys() & counts.keys())
        if call not in told and (folded[call].disposition or counts[call]["end"])
    ]
    for call in ended:
        ours = counted(tally_of([folded[call]]), 10, 20, 300)
        theirs = figures_of([counts[call]], 10, 20, 300)
        found += [f"{call}: {name}: fold {ours[name]}, recount {theirs[name]}" for name in ours
                  if ours[name] != theirs[name]]  # fmt: skip
    return found, ended
