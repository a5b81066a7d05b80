"""What people do to a case: versions, joining and splitting, and that nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from interactions.case import CallSummary, Case, CaseStatus, TranscriptState, case_id_of, open_case
from interactions.case_edit import (
    CaseConflict,
    Change,
    changed_fields,
    checked_note,
    edited,
    joined,
    split,
    tidy_tags,
    transcript_of,
)

pytestmark = pytest.mark.unit


def summary(number: int) -> CallSummary:
    return CallSummary(
        call_id=CallId(f"c-{number}"), caller=None, line="card", language="ja", menu_path=(),
        operators=(OperatorId("101"),), started_at=float(100 - number), ended_at=float(200 - number),
    )  # fmt: skip


CASE = open_case(summary(1))


def test_a_change_makes_the_next_version_by_somebody() -> None:
    after = edited(
        CASE, Change(question="住所の変更", tags=(" 転居 ", "転居")), expected=1, at=5.0, by="佐藤"
    )
    assert (after.version, after.edited_by, after.edited_at) == (2, "佐藤", 5.0)
    assert (after.question, after.tags) == ("住所の変更", ("転居",))
    assert changed_fields(CASE, after) == ("tags", "question")


def test_what_changes_nothing_is_no_version() -> None:
    assert edited(CASE, Change(question="", complaint=False), expected=1, at=5.0, by="佐藤") is CASE


def test_a_lost_update_is_refused_and_says_whose_words_are_there() -> None:
    first = edited(CASE, Change(answer="窓口へ"), expected=1, at=5.0, by="佐藤")
    with pytest.raises(CaseConflict, match="佐藤が先に保存"):
        edited(first, Change(answer="郵送で"), expected=1, at=6.0, by="鈴木")


def test_values_are_taken_out_again() -> None:
    full = edited(CASE, Change(category="card", satisfaction=4), expected=1, at=1.0, by="a")
    bare = edited(full, Change(category="", satisfaction=0), expected=2, at=2.0, by="a")
    assert (bare.category, bare.satisfaction) == (None, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(satisfaction=6), "満足度"),
        (Change(question="あ" * 20_001), "長すぎ"),
        (Change(tags=("あ" * 41,)), "長すぎるタグ"),
        (Change(tags=tuple(str(n) for n in range(21))), "20 個"),
        (Change(status=CaseStatus.DONE), "完了にはできません"),
    ],
)
def test_what_is_out_of_range_is_refused(change: Change, words: str) -> None:
    with pytest.raises(ToritsugiError, match=words):
        edited(CASE, change, expected=1, at=1.0, by="a")


def test_a_case_that_was_joined_is_not_written_into() -> None:
    with pytest.raises(ToritsugiError, match="i-9 にまとめられています"):
        edited(replace(CASE, joined_into="i-9"), Change(answer="x"), expected=1, at=1.0, by="a")


def test_joining_keeps_the_words_the_flags_and_the_calls_by_time() -> None:
    first = replace(CASE, question="受け取り", tags=("a",), transcript=TranscriptState.WAITING)
    second = replace(
        open_case(summary(2)), question="日の変更", answer="変えた", tags=("b", "a"), complaint=True,
        transcript=TranscriptState.READY,
    )  # fmt: skip
    target, left = joined(first, second, at=9.0, by="佐藤")
    assert (target.question, target.answer) == ("受け取り\n\n日の変更", "変えた")
    assert (target.tags, target.complaint, target.transcript) == (("a", "b"), True, TranscriptState.READY)
    assert [call.call_id for call in target.calls] == ["c-2", "c-1"]
    assert (left.calls, left.joined_into, left.version, left.question) == ((), "i-1", 2, "日の変更")
    assert left.started_at == second.started_at
    assert changed_fields(second, left) == ("status", "calls", "joined_into")


def test_splitting_gives_the_joined_case_its_own_words_back() -> None:
    second = replace(open_case(summary(2)), question="日の変更")
    target, left = joined(CASE, second, at=1.0, by="a")
    stay, back = split(target, [CallId("c-2")], left, at=2.0, by="a")
    assert (back.case_id, back.question, back.joined_into) == ("i-2", "日の変更", None)
    assert [call.call_id for call in stay.calls] == ["c-1"]
    assert back.version == 3


@pytest.mark.parametrize("calls", [[], ["c-1"], ["c-1", "c-2"], ["c-7"]])
def test_what_does_not_part_a_case_is_refused(calls: list[str]) -> None:
    target, left = joined(CASE, open_case(summary(2)), at=1.0, by="a")
    with pytest.raises(ToritsugiError, match="分け"):
        split(target, [CallId(call) for call in calls], left, at=2.0, by="a")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5)), max_size=25))
def test_however_cases_are_joined_and_split_each_call_is_in_one(steps: list[tuple[bool, int, int]]) -> None:
    cases: dict[str, Case] = {
        case_id_of(summary(n).call_id): replace(open_case(summary(n)), question=f"質問{n}") for n in range(6)
    }
    for joins, one, other in steps:
        first, second = cases[f"i-{one}"], cases[f"i-{other}"]
        try:
            if joins:
                changed = joined(first, second, at=1.0, by="a")
            else:
                own = [call.call_id for call in first.calls if call.call_id == f"c-{other}"]
                changed = split(first, own, cases.get(f"i-{other}"), at=1.0, by="a")
        except ToritsugiError:
            continue
        versions = {case.case_id: case.version for case in cases.values()}
        for case in changed:
            assert case.version == versions[case.case_id] + 1
            cases[case.case_id] = case
    alive = [case for case in cases.values() if case.joined_into is None]
    held = sorted(call.call_id for case in alive for call in case.calls)
    assert held == [f"c-{n}" for n in range(6)]
    assert all(case.calls for case in alive)
    assert not any(case.calls for case in cases.values() if case.joined_into is not None)
    for n in range(6):
        assert any(f"質問{n}" in case.question for case in alive)


def test_the_best_text_of_several_calls_counts() -> None:
    state = TranscriptState
    assert transcript_of([]) is state.NONE
    assert transcript_of([state.UNAVAILABLE, state.WAITING]) is state.WAITING
    assert transcript_of([state.WAITING, state.READY]) is state.READY


def test_remarks_and_tags_are_tidy() -> None:
    assert checked_note("  済み ") == "済み"
    with pytest.raises(ToritsugiError, match="空"):
        checked_note(" \n")
    assert tidy_tags(["再 発行", " 再  発行", ""]) == ("再 発行",)


def test_every_status_has_a_name() -> None:
    assert all(status.label_ja for status in CaseStatus)


def test_words_are_kept_as_every_database_can() -> None:
    after = edited(CASE, Change(question="一\r\n二\r三\x00\ud800"), expected=1, at=1.0, by="a")
    assert after.question == "一\n二\n三"
    for change in (Change(category="a" * 65), Change(department="1" * 33)):
        with pytest.raises(ToritsugiError, match="長すぎ"):
            edited(CASE, change, expected=1, at=1.0, by="a")
