"""The first record of an answered call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.ids import CallId, OperatorId
from interactions.case import (
    CallSummary,
    CaseStatus,
    TranscriptState,
    case_id_of,
    open_case,
    with_transcript,
)

pytestmark = pytest.mark.unit

SUMMARY = CallSummary(
    call_id=CallId("c-n1-1764000000.1"),
    caller="09012345678",
    line="booking",
    language="ja",
    menu_path=("main:1",),
    operators=(OperatorId("101"),),
    started_at=10.0,
    ended_at=70.0,
    recordings=("c-n1-1764000000.1",),
)


def test_a_call_always_opens_the_same_case() -> None:
    assert open_case(SUMMARY) == open_case(SUMMARY)
    assert open_case(SUMMARY).case_id == case_id_of(SUMMARY.call_id) == "i-n1-1764000000.1"


def test_the_city_names_the_category_of_a_line() -> None:
    names = {"booking": "pickup"}
    assert open_case(SUMMARY, names.get).category == "pickup"
    assert open_case(SUMMARY).category == "booking"
    assert open_case(replace(SUMMARY, line=None)).category is None


def test_a_case_is_unwritten_until_someone_writes_and_waits_for_its_text() -> None:
    case = open_case(SUMMARY)
    assert (case.status, case.transcript) == (CaseStatus.IN_PROGRESS, TranscriptState.WAITING)
    assert case.unwritten
    assert not replace(case, answer="案内した").unwritten
    assert with_transcript(case, TranscriptState.READY).transcript is TranscriptState.READY
    silent = open_case(replace(SUMMARY, recordings=()))
    assert silent.transcript is TranscriptState.NONE
