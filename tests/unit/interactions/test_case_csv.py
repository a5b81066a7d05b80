"""Cases as a table: safe in Excel, the same when they come back, and every bad row named."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import CallId, OperatorId
from interactions.case import CallSummary, Case, CaseStatus, HandedOn, open_case
from interactions.case_csv import BOM, COLUMNS, CsvInvalid, head, read, row, safe, unsafe
from interactions.case_edit import CONTENT, FaqUse, Note, edited, plain_text
from interactions.record import SCHEMA, bare_record, case_record

pytestmark = pytest.mark.unit

CALL = CallSummary(
    call_id=CallId("c-n1-1764000000.1"), caller="09012345678", line="card", language="ja", menu_path=("main:4",),
    operators=(OperatorId("101"),), started_at=1764000000.25, ended_at=1764000060.5, transferred_to=("課",),
    recordings=("r1",), transfers=(HandedOn(at=1764000050.0, to="702", label="課", result="BUSY"),),
)  # fmt: skip
CASE = replace(
    open_case(CALL), question="再発行", answer="窓口へ", tags=("急ぎ", "A"), satisfaction=4, version=3
)
NOTE = Note(note_id="n1", at=1764000100.0, by="佐藤", side="city", text="080-1111-2222 に折り返した")
USE = FaqUse(case_id=CASE.case_id, article="faq-1", version=2, shown_at=1.0, used_at=2.0)

words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)


def exported(*cases: Case) -> bytes:
    return (head() + "".join(row(case, [NOTE], [USE], numbers=True) for case in cases)).encode()


@given(words)
def test_a_safe_cell_is_no_formula_and_comes_back(text: str) -> None:
    cell = safe(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert unsafe(cell) == text


@given(words, words, st.lists(words, max_size=3), st.booleans(), st.sampled_from(CaseStatus))
def test_what_is_exported_changes_nothing_when_it_is_read(
    question: str, answer: str, tags: list[str], complaint: bool, status: CaseStatus
) -> None:
    tidy = tuple(dict.fromkeys(tag for each in tags if (tag := " ".join(each.replace("|", "").split()))))
    case = replace(
        CASE, question=plain_text(question), answer=plain_text(answer), tags=tidy,
        complaint=complaint, status=status,
    )  # fmt: skip
    (found,) = read(exported(case), "x.csv")
    assert found.version == 3
    assert edited(case, found.change, expected=3, at=1.0, by="x") is case
    assert found.calls == (replace(CALL, caller=None),)


def test_the_file_opens_in_excel() -> None:
    text = exported(replace(CASE, question='=HYPERLINK("http://x")\n二行目')).decode()
    assert text.startswith(BOM)
    assert text.count("\r\n") == 2
    cells = list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))
    assert cells[0]["内容"] == '\'=HYPERLINK("http://x")\n二行目'
    assert cells[0]["開始日時"] == "2025-11-25 01:00:00"
    assert (cells[0]["転送"], cells[0]["使ったFAQ"]) == ("課(BUSY)", "faq-1.2")


def test_numbers_are_masked_in_what_people_wrote_too() -> None:
    masked = row(CASE, [NOTE], [], numbers=False)
    assert "09012345678" not in masked
    assert "1111" not in masked
    assert "090****5678" in masked
    assert "09012345678" in row(CASE, [NOTE], [], numbers=True)


def test_a_file_saved_by_excel_in_japan_is_read() -> None:
    text = "応対番号,開始日時,内容\r\n,2026/11/24 9:05,髙い手数料\r\n"
    (found,) = read(text.encode("cp932"), "x.csv")
    assert found.change.question == "髙い手数料"
    assert found.case_id.startswith("i-import-")
    assert found.calls[0].started_at == 1795478700.0
    assert read(text.encode("cp932"), "x.csv")[0].case_id == found.case_id


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("i-1,1,済,,", "2 行: ない状況です: 済"),
        ("x-1,1,,,", "2 行: 応対番号ではありません"),
        ("i-1,二,,,", "2 行: 版が数ではありません"),
        ("i-1,1,,たぶん,", "2 行: 苦情は「はい」か空です"),
        ("i-1,1,,,9", "2 行: 満足度"),
        ("i-1,1", "2 行: 列の数が 2 です"),
        ("i-1,1,,,\ni-1,1,,,", "3 行: 2 行と同じ応対です"),
        ('i-1,1,,,\n"i-2', "3 行: CSV として読めません"),
    ],
)
def test_each_bad_row_is_named_with_its_reason(body: str, reason: str) -> None:
    with pytest.raises(CsvInvalid) as found:
        read(f"応対番号,版,状況,苦情,満足度\n{body}\n".encode(), "x.csv")
    assert any(problem.startswith(reason) for problem in found.value.problems), found.value.problems


@pytest.mark.parametrize(
    "calls",
    [
        "[" * 100_000,
        '[{"call_id": "c-1", "line": "card", "language": "ja", "menu_path": [], "operators": [], "started_at": 1.7e9, '
        '"ended_at": 1.7e9, "recordings": [], "transfers": [[NaN, "701", "", "ANSWER"]]}]',
    ],
    ids=["deep", "no moment"],
)
def test_calls_that_cannot_be_are_a_bad_row(calls: str) -> None:
    cell = calls.replace('"', '""')
    with pytest.raises(CsvInvalid, match="通話の列が読めません"):
        read(f'応対番号,通話\ni-1,"{cell}"\n'.encode(), "x.csv")


def test_all_bad_rows_are_named_and_heads_are_checked() -> None:
    with pytest.raises(CsvInvalid) as found:
        read("応対番号,版\ni-1,a\ni-2,2\ni-3,b\n".encode(), "x.csv")
    assert [problem[:3] for problem in found.value.problems] == ["2 行", "4 行"]
    for heads in ("応対番号,謎", "", "版,版"):
        with pytest.raises(CsvInvalid, match="1 行"):
            read(f"{heads}\n".encode(), "x.csv")
    with pytest.raises(CsvInvalid, match="文字コード"):
        read(b"\xff\xfe\x00\x81", "x.csv")
    with pytest.raises(CsvInvalid, match="ない分類です"):
        read("応対番号,分類\ni-1,謎\n".encode(), "x.csv", ["card"])


def test_every_content_has_a_column_and_a_field_of_the_record() -> None:
    assert set(CONTENT) <= set(COLUMNS)
    record = case_record(CASE, [NOTE], [USE], numbers=False)
    assert set(CONTENT) <= set(record)
    assert record["schema"] == SCHEMA


def test_a_record_without_numbers_holds_none_and_a_bare_one_no_words() -> None:
    record = case_record(CASE, [NOTE], [USE], numbers=False)
    assert record["calls"][0]["caller"] == "090****5678"
    assert "1111" not in str(record)
    assert case_record(CASE, [NOTE], [USE], numbers=True)["calls"][0]["caller"] == "09012345678"
    bare = str(bare_record(CASE))
    assert "再発行" not in bare
    assert "0901" not in bare
