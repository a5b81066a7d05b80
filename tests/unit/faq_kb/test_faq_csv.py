"""Entries as CSV: they come back as they went, nothing runs in Excel, and bad rows are named with their line."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ToritsugiError
from faq_kb.article import Audience, Content, State
from faq_kb.csv_file import COLUMNS, RowsRefused, read_rows, unknown_columns, write_rows

pytestmark = pytest.mark.unit

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t=+-@'\",＝"), max_size=30
)
FILLED = TEXT.filter(lambda text: text.strip() != "")
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=10)
DAY = st.dates(date(2020, 1, 1), date(2040, 1, 1))
CONTENT = st.builds(
    Content,
    question=FILLED,
    answer=FILLED,
    spoken=TEXT,
    category=TEXT,
    forms=st.lists(LINE, max_size=3).map(tuple),
    related=st.lists(LINE, max_size=3).map(tuple),
    audience=st.sampled_from(Audience),
    department=TEXT,
    valid_from=st.none() | st.just(date(2020, 1, 1)),
    valid_until=st.none() | DAY,
    source=TEXT,
)


def file_of(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


@given(st.lists(st.tuples(CONTENT, st.sampled_from(State)), max_size=4))
def test_what_is_written_is_read_again_as_it_was(entries: list[tuple[Content, State]]) -> None:
    named = [(f"q{number}", content, state) for number, (content, state) in enumerate(entries)]
    data = "".join(write_rows(named)).encode()
    rows = read_rows(data, "faq.csv")
    assert [(row.article_id, row.content, row.state) for row in rows] == named
    again = "".join(write_rows((row.article_id, row.content, row.state or State.DRAFT) for row in rows))
    assert again.encode() == data


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "'=", "''-"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    content = Content(question=f"{start}1+1", answer=f"{start}cmd")
    text = "".join(write_rows([("q1", content, State.DRAFT)]))
    assert text.startswith("\ufeff")
    for cell in list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))[1]:
        assert not cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r"))
    assert read_rows(text.encode(), "x")[0].content == content


def test_three_columns_are_enough_in_any_order_with_or_without_the_mark() -> None:
    for data in (
        file_of("answer,ID,question", "はい,7,何ですか"),
        "\ufeffid,question,answer\n7,何ですか,はい".encode(),
    ):
        row = read_rows(data, "x")[0]
        assert (row.article_id, row.content.question, row.content.answer) == ("7", "何ですか", "はい")
        assert (row.state, row.content.audience) == (None, Audience.OPERATOR)


def test_every_bad_row_is_named_with_its_line_and_reason() -> None:
    data = file_of(
        "id,question,answer,state,valid_from,valid_until,audience",
        'q1,"二行の\n質問",答え,,,,',
        ",質問,答え,,,,",
        "q2,質問,  ,,,,",
        "q1,質問,答え,,,,",
        "q3,質問,答え,公開,2026-13-01,,だれでも",
        "q4,質問,答え,,2026-04-02,2026-04-01,",
        "q5,質問",
    )
    with pytest.raises(RowsRefused) as refused:
        read_rows(data, "faq.csv")
    told = [(problem.line, problem.column) for problem in refused.value.problems]
    assert told == [
        (4, "id"), (5, "answer"), (6, "id"), (7, "audience"), (7, "state"), (7, "valid_from"),
        (8, "valid_until"), (9, ""),
    ]  # fmt: skip
    assert "2行目にもあります" in str(refused.value)
    assert "何も取り込みませんでした" in str(refused.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "列: id, question, answer"),
        (file_of("id,question", "1,2"), "answer"),
        (file_of("id,question,answer,answer", "1,2,3,4"), "二つある列: answer"),
        ("id,question,answer\n1,質問,答え".encode("cp932"), "UTF-8"),
        (b'id,question,answer\n1,"open', "CSV"),
        (b"id,question,answer\n1,a\x00b,c", "制御文字"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_cure(data: bytes, words: str) -> None:
    with pytest.raises(ToritsugiError, match=words) as refused:
        read_rows(data, "faq.csv")
    assert refused.value.cure


def test_columns_that_nobody_reads_are_named() -> None:
    data = file_of("id,question,answer,備考", "1,2,3,4")
    assert unknown_columns(data) == ["備考"]
    assert set(COLUMNS).isdisjoint(unknown_columns(data))


def test_reading_tells_how_far_it_is() -> None:
    told: list[int] = []
    lines = [f"{number},質問,答え" for number in range(10_001)]
    assert len(read_rows(file_of("id,question,answer", *lines), "x", told.append)) == 10_001
    assert told == [5000, 10_000]
