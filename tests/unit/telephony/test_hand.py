"""How far an operator's question is, from the switch's list of channels (as Asterisk 22.10 gives it)."""

from __future__ import annotations

import pytest

from acd.commands import Asked
from core.ids import Uniqueid
from telephony.ami.events import ChannelRow
from telephony.ami.hand import asked_of

pytestmark = pytest.mark.unit
CALL = "c-n1-1.0"


def row(
    channel: str, bridge: str = "", *, state: str = "Up", call: str = CALL, application: str = ""
) -> ChannelRow:
    return ChannelRow(
        at=0.0, channel=channel, uniqueid=Uniqueid("u"), linkedid=Uniqueid("l"), account_code=call, context="",
        exten="", state=state, application=application, bridge=bridge, duration="",
    )  # fmt: skip


OPERATOR, CITIZEN = row("PJSIP/op101-00000001", "one"), row("PJSIP/trunk-00000002", "one")
ALONE, WAITS = row("PJSIP/op101-00000001", "two"), row("PJSIP/trunk-00000002", "one")
HALVES = [
    row("Local/702@operator-transfer-00000001;1", "two"),
    row("Local/702@operator-transfer-00000001;2", "three"),
]


@pytest.mark.parametrize(
    ("operator", "citizen", "others", "asked"),
    [
        (OPERATOR, CITIZEN, [], Asked.NO),
        (ALONE, WAITS, HALVES, Asked.RINGING),
        (ALONE, WAITS, [*HALVES, row("PJSIP/city1-00000003", state="Ringing")], Asked.RINGING),
        (ALONE, WAITS, [*HALVES, row("PJSIP/city1-00000003", "three")], Asked.TALKING),
        (ALONE, WAITS, [row("PJSIP/city1-00000003", "two")], Asked.TALKING),
        (OPERATOR, CITIZEN, [row("PJSIP/city1-00000003", "two")], Asked.HELD),
        (OPERATOR, CITIZEN, [row("PJSIP/city1-00000003", "one")], Asked.TOGETHER),
        (OPERATOR, CITIZEN, [row("PJSIP/city1-00000003", "two", call="c-n1-2.0")], Asked.NO),
        (OPERATOR, CITIZEN, [row("PJSIP/op301-00000004", application="ChanSpy")], Asked.NO),
        (None, CITIZEN, HALVES, Asked.NO),
    ],
)
def test_how_far_a_question_is(
    operator: ChannelRow | None, citizen: ChannelRow, others: list[ChannelRow], asked: Asked
) -> None:
    rows = [each for each in (operator, citizen, *others) if each]
    assert asked_of(CALL, operator, citizen, rows) is asked
