"""Facts and calls survive being stored as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_stories import answered_call

from core.errors import ToritsugiError
from core.facts.dialplan import StepResult
from core.phone import Caller, CallerKind
from ledger import facts as f
from ledger.call_codec import decode_call, encode_call
from ledger.codec import KINDS, decode_fact, encode_fact, kind_of
from ledger.fold import fold_call

pytestmark = pytest.mark.unit

texts = st.text(max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
callers = st.one_of(
    st.builds(Caller, st.just(CallerKind.NUMBER), texts),
    st.builds(Caller, st.sampled_from([CallerKind.WITHHELD, CallerKind.PAYPHONE]), st.none()),
)
sources = st.builds(f.Source, node=texts, file=texts, offset=st.integers(0, 2**62))


def _values(hint: Any) -> st.SearchStrategy[Any]:
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: texts,
        float: numbers,
        int: st.integers(-(2**53), 2**53),
        bool: st.booleans(),
        Caller: callers,
        f.Source: sources,
        StepResult: st.sampled_from(StepResult),
        f.QueueExit: st.sampled_from(f.QueueExit),
    }
    if hint in known:
        return known[hint]
    if hasattr(hint, "__supertype__"):
        return _values(hint.__supertype__)
    inner = [part for part in hint.__args__ if part is not type(None)]
    return st.one_of(st.none(), *(_values(part) for part in inner))


def _any_fact() -> st.SearchStrategy[f.Fact]:
    return st.one_of(
        *(
            st.builds(kind, **{name: _values(hint) for name, hint in get_type_hints(kind).items()})
            for kind in KINDS.values()
        )
    )


def test_every_fact_can_be_stored() -> None:
    defined = {name for name, kind in vars(f).items() if isinstance(kind, type) and issubclass(kind, f.Fact)}
    assert set(KINDS) == defined - {"Fact"}


@given(_any_fact())
def test_a_fact_comes_back_as_it_was(fact: f.Fact) -> None:
    stored = json.loads(json.dumps(encode_fact(fact)))
    assert decode_fact(kind_of(fact), stored, at=fact.at, source=fact.source, call=fact.call) == fact


def test_rows_of_another_version_are_named() -> None:
    source = f.Source(node="n1", file="cel:1", offset=0)
    with pytest.raises(ToritsugiError, match="知らない種類"):
        decode_fact("Teleported", {}, at=0, source=source, call=None)
    with pytest.raises(ToritsugiError, match="項目が足りません"):
        decode_fact("MenuStep", {"node": "main"}, at=0, source=source, call=None)
    newer = decode_fact("SelfServed", {"node": "x", "later": 1}, at=0, source=source, call=None)
    assert newer == f.SelfServed(at=0, source=source, call=None, node="x")


def test_a_call_comes_back_as_it_was() -> None:
    teller = answered_call()
    teller.cel(
        f.LegQuality, 82.7, leg="PJSIP/trunk-1", rx_lost=1, tx_lost=None, rx_count=9, tx_count=9,
        rx_jitter_s=0.001, tx_jitter_s=None, rtt_s=0.02,
    )  # fmt: skip
    teller.cel(f.MenuStep, 4, node="main", key="1", result=StepResult.CHOICE)
    teller.cel(f.Transferred, 50, to="701", label="課", result="BUSY")
    teller.cel(f.WaitTold, 15, position=2, least_min=1, most_min=3)
    teller.cel(f.WaitTold, 18, position=1, least_min=None, most_min=None)
    teller.cel(f.FellBack, 1, step="ivr", why="unfinished", by="dialplan")
    call = fold_call(teller.facts)
    assert call is not None
    assert [word.most_min for word in call.wait_words] == [3, None]
    stored = json.loads(json.dumps({**encode_call(call), "later": 1}))
    back = decode_call(stored)
    assert back == call
    assert dataclasses.asdict(back) == dataclasses.asdict(call)
    assert type(back.disposition) is type(call.disposition)
    del stored["wait_words"]
    assert decode_call(stored).wait_words == (), "stored before words were kept"
