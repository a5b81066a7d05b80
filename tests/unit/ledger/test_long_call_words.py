"""What a citizen was told about a long call, and that it came through a relay service."""

from __future__ import annotations

import pytest
from ledger_stories import T0, Teller

from core.ids import OperatorId
from ledger import facts as f
from ledger.call_codec import decode_call, encode_call
from ledger.export import call_record
from ledger.fold import fold_call

pytestmark = pytest.mark.unit


def test_each_sentence_stands_in_the_record_with_who_had_it_said() -> None:
    teller = Teller().arrived().joined(5.0).connected(10.0)
    teller.cel(f.RelayMarked, 20.0, operator=OperatorId("101"))
    for at, stage, by in ((900.0, "1", "自動"), (1500.0, "2", ""), (1600.0, "end", "佐藤")):
        teller.cel(f.Warned, at, stage=stage, by=by)
    call = fold_call(reversed(teller.facts))
    assert call is not None
    assert decode_call(encode_call(call)) == call
    told = call_record(call)
    assert [(each["at"] - T0, each["stage"], each["by"]) for each in told["long_call_words"]] == [
        (900.0, "1", "自動"),
        (1500.0, "2", ""),
        (1600.0, "end", "佐藤"),
    ]
    assert told["relay"] is True


def test_a_call_stored_before_there_were_such_words_can_be_read() -> None:
    call = fold_call(Teller().arrived().joined(5.0).facts)
    assert call is not None
    old = encode_call(call)
    del old["long_call_words"], old["relay"]
    assert decode_call(old) == call
