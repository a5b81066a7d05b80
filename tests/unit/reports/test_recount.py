"""Random histories as raw lines, counted twice: through the ledger and the tally, and by the simple recount."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_lines import Disk, Visit, disk_of, month_of_visits
from simple_recount import calls_of, recount
from two_counts import assert_both_agree, counted, differences, facts_of, histories

from core.facts.dialplan import encode_payload
from ledger.fold import fold_calls
from reports import metrics as m
from reports.tally import tally_of

pytestmark = pytest.mark.unit
RECORDED = Path(__file__).parents[2] / "replay" / "telephony"


@settings(max_examples=100)
@given(histories(), st.integers(0, 30), st.integers(1, 60), st.sampled_from((180, 300)))
def test_both_counts_agree_exactly(visits: list[Visit], short: int, within: int, long: int) -> None:
    assert_both_agree(visits, short, within, long)


def test_both_counts_agree_on_the_recorded_minute() -> None:
    cel, queue_log = (
        (RECORDED / name).read_text("utf-8").splitlines() for name in ("cel.jsonl", "queue_log.txt")
    )
    assert differences(cel, queue_log)[0] == []
    assert len(differences(cel, queue_log)[1]) == 5


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


# ---- asterisk/asterisk#759 -----------------------------------------------------------------------

CITIZEN, CONSULT = "1717397243.239826", "1717397390.239830"
ROWS = f"""\
1717397243|{CITIZEN}|1501|NONE|ENTERQUEUE||9031396745|1
1717397255|{CITIZEN}|1501|op7009|CONNECT|12|1717397259.239827|11
1717397390|{CONSULT}|1509|NONE|ENTERQUEUE||7009|1
1717397391|{CONSULT}|1501|op7009|ATTENDEDTRANSFER|APP|Queue|12|120|1
1717397397|{CITIZEN}|1509|op7051|CONNECT|7|1717397390.239831|6
1717397570|{CITIZEN}|1509|op7051|COMPLETEAGENT|7|173|1
"""


def handed_to_another_queue() -> tuple[list[str], list[str]]:
    """The rows of the report, with what our dialplan and CEL write beside them."""
    disk, call, trunk = Disk(), f"c-{CITIZEN}", "PJSIP/trunk-0000000a"

    def citizen(at: float, name: str, **extra: object) -> None:
        disk.event(at, name, CITIZEN, trunk, CITIZEN, call, **extra)

    citizen(
        1717397240.5, "TS_ARRIVED",
        extra=encode_payload(call=call, sip="759@h", to="0120000101", user="09031396745", display="", privacy="",
                             diversion="", test=""),
    )  # fmt: skip
    citizen(1717397243.25, "TS_QUEUE", extra=encode_payload(queue="1501", line="booking", lang="ja"))
    talks = (
        ("7009", "1717397259.239827", 1717397255.25, 1717397375.25, "b1"),
        ("7051", "1717397390.239831", 1717397397.5, 1717397570.5, "b2"),
    )
    for operator, leg, begun, ended, bridge in talks:
        member = f"PJSIP/op{operator}-1"
        disk.event(
            begun, "TS_CONNECT", leg, member, CITIZEN, "",
            extra=encode_payload(call=call, member=f"PJSIP/op{operator}"),
        )  # fmt: skip
        disk.event(begun, "BRIDGE_ENTER", leg, member, CITIZEN, "", bridge_id=bridge)
        citizen(begun, "BRIDGE_ENTER", bridge_id=bridge)
        disk.event(ended, "BRIDGE_EXIT", leg, member, CITIZEN, "", bridge_id=bridge)
        citizen(ended, "BRIDGE_EXIT", bridge_id=bridge)
    citizen(1717397570.75, "HANGUP", hangupcause=16, hangupsource="PJSIP/op7051-1", dialstatus="")
    disk.event(1717397390.4, "CHAN_START", CONSULT, "PJSIP/op7009-3", CONSULT, "")
    disk.event(1717397391.4, "HANGUP", CONSULT, "PJSIP/op7009-3", CONSULT, "", hangupsource="")
    return disk.lines()[0], ROWS.splitlines()


def test_a_consultation_in_another_queue_is_no_second_call() -> None:
    """asterisk/asterisk#759. One call, nobody abandoned: 12 s of waiting, then 120 and 173 s of talk."""
    cel, queue_log = handed_to_another_queue()
    found, compared = differences(cel, queue_log)
    assert (found, compared) == ([], [f"c-{CITIZEN}"])
    (call,) = calls_of(cel, queue_log)
    assert (call["end"], call["wait"], call["talk"]) == ("answered", 12_000, 293_000)
    tally = tally_of(fold_calls(facts_of(cel, queue_log)))
    assert (m.incoming(tally), m.answered(tally), m.abandoned_queue(tally)) == (1, 1, 0)
    assert m.average_talk(tally) == 293.0
    assert counted(tally, 10, 20, 300) == recount(cel, queue_log, 10, 20, 300)
