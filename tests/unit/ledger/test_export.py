"""Exported records have the agreed fields and can be opened without danger."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_stories import CALL, T0, Teller, answered_call

from core.clock import ManualClock
from core.phone import Caller, CallerKind
from ledger.export import BOM, FIELDS, call_record, safe_cell, to_csv, to_jsonl
from ledger.fold import fold_call

pytestmark = pytest.mark.unit


def test_a_record_has_the_agreed_fields_first() -> None:
    call = fold_call(answered_call().facts)
    assert call is not None
    record = call_record(call, "done", ManualClock(T0).city_time_of)
    assert tuple(record)[: len(FIELDS)] == FIELDS
    text = to_jsonl([record])
    assert text.endswith("\n")
    read = json.loads(text)
    assert read == record
    assert (read["call_id"], read["disposition"], read["operators"]) == (CALL, "answered", ["101"])
    assert (read["wait_s"], read["talk_s"], read["wrap_up_s"]) == (12.5, 60.0, 12.25)
    assert (read["arrived_at"], read["ended_at"]) == (T0, T0 + 82.8)
    assert (read["ended_by"], read["transcript_state"]) == ("operator", "done")
    assert read["city_time"].endswith("+09:00")


def test_an_open_or_withheld_call_has_empty_fields() -> None:
    call = fold_call(Teller().arrived(caller=Caller(CallerKind.WITHHELD)).facts)
    assert call is not None
    record = call_record(call)
    assert (record["caller"], record["disposition"], record["ended_at"]) == ("withheld", None, None)


def test_csv_is_one_safe_line_a_call() -> None:
    call = fold_call(Teller().arrived(caller=Caller(CallerKind.NUMBER, "+82212345678")).hung_up(9).facts)
    assert call is not None
    text = to_csv([call_record(call)])
    assert text.startswith(BOM)
    header, row = csv.reader(io.StringIO(text.removeprefix(BOM)))
    assert tuple(header) == FIELDS
    values = dict(zip(header, row, strict=True))
    assert values["caller"] == "'+82212345678"
    assert values["disposition"] == "abandoned_menu"
    assert values["recordings"] == CALL


@given(st.text(max_size=20))
def test_no_text_can_start_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert isinstance(cell, str)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text.removeprefix("'")


def test_numbers_stay_numbers() -> None:
    assert safe_cell(-1.5) == -1.5
