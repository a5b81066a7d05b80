"""What has had its time, and what is left of a record without its caller's number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts.dialplan import StepResult
from core.ids import CallId, OperatorId
from core.phone import Caller, CallerKind
from core.traces import ERASED, without_number
from interactions.case import CallSummary, Case
from interactions.profile import RetentionSection
from ledger.calls import Call
from ledger.facts import Arrived, CallbackBooked, CallRefused, MenuStep, Source
from services.ports import Transcript
from services.retention import (
    DAY_S,
    RAW_LOG_DAYS,
    cut_offs,
    erased_call,
    erased_case,
    erased_fact,
    erased_transcript,
)

pytestmark = pytest.mark.unit

NOW = 2_000_000_000.0
NUMBER = "09012345678"
SOURCE = Source(node="n1", file="cel:1", offset=0)
CALL = CallId("c-n1-100.1")


def days(**values: int) -> RetentionSection:
    return RetentionSection(
        **{"recordings": 180, "transcripts": 180, "calls": 1826, "caller_numbers": 365, **values}
    )


def test_days_become_moments() -> None:
    cut = cut_offs(days(recordings=90), NOW)
    assert cut.recordings == NOW - 90 * DAY_S
    assert cut.transcripts == NOW - 180 * DAY_S
    assert cut.caller_numbers == NOW - 365 * DAY_S
    assert cut.calls == NOW - 1826 * DAY_S
    assert cut.raw_logs == NOW - RAW_LOG_DAYS * DAY_S


@given(st.lists(st.integers(1, 3660), min_size=4, max_size=4))
def test_nothing_outlives_its_call_and_no_raw_log_its_numbers(values: list[int]) -> None:
    cut = cut_offs(
        days(recordings=values[0], transcripts=values[1], calls=values[2], caller_numbers=values[3]), NOW
    )
    assert min(cut.recordings, cut.transcripts, cut.caller_numbers, cut.raw_logs) >= cut.calls
    assert cut.raw_logs >= cut.caller_numbers
    assert cut.raw_logs >= NOW - RAW_LOG_DAYS * DAY_S


@pytest.mark.parametrize(
    "written",
    [
        "09012345678", "090-1234-5678", "090 1234 5678", "０９０－１２３４－５６７８",
        "+819012345678", "+81-90-1234-5678", "81 90 1234 5678", "+81 (0)90-1234-5678", "090・1234・5678",
    ],
)  # fmt: skip
def test_a_number_goes_however_it_is_written(written: str) -> None:
    left = without_number(f"折返し先は{written}、明日10時", NUMBER)
    assert left == f"折返し先は{ERASED}、明日10時"


@pytest.mark.parametrize("text", ["109012345678", "090123456789", "090-1234-5679", "2026-11-21 10:00", ""])
def test_other_numbers_stay(text: str) -> None:
    assert without_number(text, NUMBER) == text


def test_a_bracket_before_the_number_may_stay() -> None:
    assert without_number("(090)1234-5678", NUMBER) == f"({ERASED}"


def test_extensions_and_missing_numbers_take_nothing_out() -> None:
    assert without_number("200円、内線200", "200") == "200円、内線200"
    assert without_number("090-1234-5678", None) == "090-1234-5678"
    assert without_number("+1 555 010 9999 へ", "+15550109999") == f"{ERASED} へ"


@given(st.from_regex(r"0[1-9][0-9]{8,9}", fullmatch=True), st.lists(st.sampled_from(["", "-", " ", "－"])))
def test_no_notation_with_separators_survives(number: str, between: list[str]) -> None:
    text = number[0]
    for place, digit in enumerate(number[1:]):
        text += (between[place] if place < len(between) else "") + digit
    assert without_number(f"電話 {text}。", number) == f"電話 {ERASED}。"


def arrived(kind: CallerKind, number: str | None, diverted: str | None) -> Arrived:
    return Arrived(
        at=1.0, source=SOURCE, call=CALL, channel="PJSIP/trunk-1", sip_call_id="a@b", dialled="0120000101",
        caller=Caller(kind, number), diverted_from=diverted,
    )  # fmt: skip


def test_facts_lose_numbers_of_people_only() -> None:
    fact = erased_fact(arrived(CallerKind.NUMBER, NUMBER, "09099998888"), {"0598000000"})
    assert fact == arrived(CallerKind.NUMBER, None, None)
    kept = arrived(CallerKind.WITHHELD, None, "0598000000")
    assert erased_fact(kept, {"0598000000"}) == kept
    refused = CallRefused(at=1.0, source=SOURCE, call=None, to=NUMBER, why="not_allowed", sip_call_id="a@b")
    assert erased_fact(refused, ()) == CallRefused(
        at=1.0, source=SOURCE, call=None, to="", why="not_allowed", sip_call_id="a@b"
    )
    booked = CallbackBooked(at=1.0, source=SOURCE, call=CALL, to=NUMBER)
    assert erased_fact(booked, ()) == CallbackBooked(at=1.0, source=SOURCE, call=CALL, to="")
    step = MenuStep(at=1.0, source=SOURCE, call=CALL, node="main", key="1", result=StepResult.CHOICE)
    assert erased_fact(step, ()) is step


def test_a_call_keeps_all_but_the_number() -> None:
    call = Call(
        call_id=CALL, sip_call_id="a@b", caller=Caller(CallerKind.NUMBER, NUMBER), dialled="0120000101",
        diverted_from="0598000000", arrived_at=1.0, ended_at=2.0, line="card",
    )  # fmt: skip
    erased = erased_call(call, {"0598000000"})
    assert erased.caller == Caller(CallerKind.NUMBER)
    assert (erased.diverted_from, erased.line, erased.ended_at) == ("0598000000", "card", 2.0)
    assert NUMBER not in str(erased_call(call, ()))


def test_a_case_loses_the_number_of_that_call_alone() -> None:
    def summary(call: str, caller: str) -> CallSummary:
        return CallSummary(
            call_id=CallId(call), caller=caller, line="card", language="ja", menu_path=(),
            operators=(OperatorId("101"),), started_at=1.0, ended_at=2.0,
        )  # fmt: skip

    case = Case(
        case_id="i-1",
        calls=(summary("c-1", NUMBER), summary("c-2", "0598123456")),
        question="090-1234-5678 から。家は 0598-12-3456",
        answer="090-1234-5678 へ折返し",
    )
    erased = erased_case(case, CallId("c-1"), NUMBER)
    assert [each.caller for each in erased.calls] == [None, "0598123456"]
    assert erased.question == f"{ERASED} から。家は 0598-12-3456"
    assert erased.answer == f"{ERASED} へ折返し"


def test_a_transcript_loses_it_in_its_segments_too() -> None:
    text = Transcript(
        call_id=CALL, side="citizen", text=NUMBER, segments=[{"start_s": 0.5, "text": "090 1234 5678"}],
        engine="vosk", made_at=1.0,
    )  # fmt: skip
    erased = erased_transcript(text, NUMBER)
    assert erased.text == ERASED
    assert erased.segments == [{"start_s": 0.5, "text": ERASED}]
