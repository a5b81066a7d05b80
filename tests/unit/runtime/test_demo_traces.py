"""A number that was left is found, wherever it lies and however it is written; what is clean is called clean."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from runtime.demo_traces import look_for, said_in

pytestmark = pytest.mark.unit

NUMBERS = frozenset({"358162947070", "09003724815", "7294"})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a table, a full-text index, and a log, all masked."""
    folder = tmp_path / "home"
    (folder / "asterisk" / "log").mkdir(parents=True)
    (folder / "asterisk" / "log" / "queue_log").write_text("1790000000|1|NONE|NONE|ADDED|7294\n", "utf-8")
    with closing(sqlite3.connect(folder / "toritsugi.db")) as connection:
        connection.execute("create table transcript (call text, segments text, made_at real)")
        connection.execute("create virtual table words using fts5 (body)")
        connection.execute(
            "insert into transcript values ('c-n1-1790007294.12', ?, 1790007294.12)",
            [json.dumps([{"text": "番号は［マイナンバー］です", "start_s": 7.294}], ensure_ascii=False)],
        )
        connection.commit()
    return folder


def insert(home: Path, table: str, value: str) -> None:
    with closing(sqlite3.connect(home / "toritsugi.db")) as connection:
        connection.execute(
            f"insert into {table} ({'body' if table == 'words' else 'segments'}) values (?)", [value]
        )
        connection.commit()


def test_a_clean_home_is_clean(home: Path) -> None:
    found = look_for(NUMBERS, home)
    assert found.traces == ()
    assert found.tables >= 3
    assert found.values >= 3
    assert found.files == 2


@pytest.mark.parametrize(
    "text",
    [
        "私は358162947070です",
        "私は３５８１-６２９４-７０７０です",
        "さんごおはちいち、ろくにいきゅうよん",
        "三五八一六二九",
        "9947070 162947",
        "でんわは 090 0372 4815",
        "暗証番号はななにいきゅうよんです",
        "7 2 9 4",
    ],
)
def test_a_trace_in_words_is_found_in_whatever_notation(home: Path, text: str) -> None:
    insert(home, "transcript", json.dumps([{"text": text}]))
    assert [each.split(":")[0] for each in look_for(NUMBERS, home).traces if "." in each][-1] in {
        "transcript.segments",
        "toritsugi.db",
    }


def test_the_search_index_is_a_table_too(home: Path) -> None:
    insert(home, "words", "番号 358162947070 です")
    assert any(each.startswith("words") for each in look_for(NUMBERS, home).traces)


def test_a_log_and_a_written_file_are_searched(home: Path, tmp_path: Path) -> None:
    with (home / "service.log").open("w", encoding="utf-8") as log:
        log.write("heard: ぜろきゅうぜろ、ぜろさんななにい\n")
    page = tmp_path / "report.html"
    page.write_text("<p>0900-372-4815</p>", "utf-8")
    assert look_for(NUMBERS, home, [page]).traces == ("service.log: spoken", "report.html: number")


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-13T07:29:40",
        "c-n1-1790007294.12",
        "七千二百九十四円",
        "お電話は07000010001です",
        "ありがとうございます",
    ],
)
def test_other_digits_are_no_trace(text: str) -> None:
    assert not said_in(text, {"358162947070", "09003724815"})
