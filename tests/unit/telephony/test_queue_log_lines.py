"""Rows of queue_log that a short recording does not hold, and rows that cannot be used."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import Fact, LeftQueue, OfferCancelled, QueueExit, Served, Source, SwitchStarted
from telephony.disk.errors import DamagedLine
from telephony.disk.queue_log import translate_queue_log

pytestmark = pytest.mark.unit

SOURCE = Source(node="n1", file="queue_log:1-00000000", offset=0)
CALL = "1795228422|n1-1795228422.49|booking-ja"


def fact(line: str) -> Fact | None:
    return translate_queue_log(line, SOURCE)


@pytest.mark.parametrize(
    "line",
    [
        f"{CALL}|op101|COMPLETECALLER|4|31|1",
        f"{CALL}|op101|BLINDTRANSFER|200|transfer|4|31|1",
        f"{CALL}|op101|ATTENDEDTRANSFER|BRIDGE|6d2f|4|31|1",
        f"{CALL}|op101|ATTENDEDTRANSFER|APP|Queue|4|31|1",
        f"{CALL}|op101|ATTENDEDTRANSFER|LINK|PJSIP/a-1|PJSIP/b-1|4|31|1",
    ],
)
def test_talk_time_wherever_it_stands(line: str) -> None:
    found = fact(line)
    assert isinstance(found, Served)
    assert (found.operator, found.talk_s, found.call) == ("101", 31, "c-n1-1795228422.49")


@pytest.mark.parametrize(
    ("event", "how"),
    [
        ("EXITEMPTY|1|1|5", QueueExit.LEAVE_EMPTY),
        ("EXITWITHKEY|1|1|1|5", QueueExit.KEY),
        ("WITHDRAW|1|1|5", QueueExit.WITHDRAWN),
        ("SYSCOMPAT", QueueExit.INCOMPATIBLE),
    ],
)
def test_ways_out(event: str, how: QueueExit) -> None:
    found = fact(f"{CALL}|NONE|{event}")
    assert isinstance(found, LeftQueue)
    assert found.how is how


def test_a_cancelled_offer_is_in_milliseconds() -> None:
    found = fact(f"{CALL}|op101|RINGCANCELED|2500")
    assert isinstance(found, OfferCancelled)
    assert found.ring_s == 2.5


def test_a_start_of_the_switch() -> None:
    assert isinstance(fact("1795226770|NONE|NONE|NONE|QUEUESTART|"), SwitchStarted)


def test_known_rows_without_a_fact() -> None:
    assert fact("1795228421|NONE|NONE|NONE|CONFIGRELOAD|") is None
    assert fact("1795226831|NONE|booking-ja|PJSIP/op101|PENALTY|20") is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1795228422|n1-1",
        f"{CALL}|op101|NEWEVENT|1",
        f"{CALL}|op101|CONNECT|0",
        f"{CALL}|op101|COMPLETEAGENT|4|many|1",
        f"{CALL}|op101|RINGNOANSWER|",
        f"{CALL}|somebody|CONNECT|0|n1-1.2|0",
        f"{'9' * 400}|n1-1.1|q|op101|CONNECT|0|n1-1.2|0",
        "99999999999|n1-1.1|q|op101|CONNECT|0|n1-1.2|0",
        "soon|n1-1.1|q|op101|CONNECT|0|n1-1.2|0",
        "1795228422|n1-1.1|NONE|NONE|ENTERQUEUE||0|1",
    ],
)
def test_damaged_lines_say_so(line: str) -> None:
    with pytest.raises(DamagedLine):
        fact(line)


@given(st.text(max_size=80))
def test_no_text_does_anything_else(text: str) -> None:
    with suppress(DamagedLine):
        fact(text)
