"""The `faq` commands on a home of their own: from a file to a search, and from a draft to a call-back request."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.errors import ToritsugiError
from core.ids import CallId
from faq_kb.csv_file import RowsRefused
from interactions.case import CallSummary, open_case
from runtime.cli import app
from services.ports import Transcript
from storage.database import Database

pytestmark = pytest.mark.contract

CSV = """id,question,answer
7,カードを紛失しました,電話で一時停止をしてください
8,暗証番号を忘れました,窓口で再設定します
"""


@pytest.fixture(scope="session")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of word vectors, made once for all homes."""
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture
def home(tmp_path: Path, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home" / "faq").mkdir(parents=True)
    (tmp_path / "home" / "faq" / "vectors").symlink_to(vectors)
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TORITSUGI_DATABASE_URL", raising=False)
    return tmp_path


def faq(*arguments: str) -> list[dict[str, Any]]:
    """The JSON Lines of a command that must succeed; a refusal is raised."""
    done = CliRunner().invoke(app, ["faq", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return [
        json.loads(line) for line in done.stdout.splitlines() if line.startswith("{") and line.endswith("}")
    ]


def test_a_file_is_found_at_once_and_goes_out_again(home: Path) -> None:
    path = home / "faq.csv"
    path.write_text(CSV, encoding="utf-8")
    assert [row["change"] for row in faq("import", str(path), "--dry-run")] == ["new", "new"]
    assert faq("search", "カードを無くした") == []
    faq("import", str(path))
    hit = faq("search", "カードの紛失", "--limit", "1", "--format", "json")[0]
    assert list(hit) == ["id", "question", "score"]
    assert (hit["id"], hit["question"]) == ("7", "カードを紛失しました")
    faq("export", str(home / "out.csv"))
    whole = (home / "out.csv").read_bytes()
    faq("import", str(home / "out.csv"))
    faq("export", str(home / "again.csv"))
    assert (home / "again.csv").read_bytes() == whole
    assert faq("import", str(home / "out.csv"), "--dry-run") == []


def test_many_questions_in_one_go(home: Path) -> None:
    path, asked = home / "faq.csv", home / "asked.txt"
    path.write_text(CSV, encoding="utf-8")
    asked.write_text("暗証番号\n\n紛失\n", encoding="utf-8")
    faq("import", str(path))
    found = faq("search", "--file", str(asked), "--limit", "1", "--explain")
    assert [(row["query"], row["id"], row["hit"]) for row in found] == [
        (1, "8", "strict"),
        (3, "7", "strict"),
    ]
    assert [row["words"] for row in faq("log")] == ["暗証番号", "", "紛失"]
    assert [row["words"] for row in faq("log", "--zero")] == [""]
    CliRunner().invoke(app, ["faq", "show", "8", "--search", str(found[0]["search"])])
    assert [row["clicked"] for row in faq("log")] == [["8"], [], []]


def test_a_bad_file_changes_nothing(home: Path) -> None:
    path = home / "faq.csv"
    path.write_text(CSV + "9,,答え\n", encoding="utf-8")
    with pytest.raises(RowsRefused, match="4行目 question"):
        faq("import", str(path))
    with pytest.raises(ToritsugiError, match="読めません"):
        faq("import", str(home / "none.csv"))
    assert faq("list") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("search",), ("search", "x", "--format", "xml"), ("search", "x", "--file", "y"), ("show", "none"),
        ("history", "none"), ("use", "none", "--call", "c-1"), ("publish", "none"), ("effect", "none"),
        ("recall", "none", "--version", "1", "--note", "x"), ("list", "--state", "lost"), ("suggest",),
        ("suggest", "c-none"), ("write", "q", "--question", "x"), ("write", "q", "--answer", "x", "--as", "king"),
        ("request", "--content", " "), ("answer-request", "f-0", "--result", "x"), ("synonyms", "add", "一つ"),
        ("synonyms", "remove", "w-0"), ("import", "x.csv", "--state", "retired"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_mistake_is_told_with_its_cure(home: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(ToritsugiError) as told:
        faq(*arguments)
    assert told.value.cure


def test_from_a_draft_to_a_correction_and_its_call_backs(home: Path) -> None:
    def publish(answer: str, *more: str) -> list[str]:
        faq("write", "fee", "--question", "手数料はいくらですか", "--answer", answer, "--by", "田中", *more)
        faq("submit", "fee", "--by", "田中")
        faq("review", "fee", "--by", "佐藤")
        assert [row["id"] for row in faq("list", "--state", "approval")] == ["fee"]
        faq("approve", "fee", "--by", "市民課")
        done = CliRunner().invoke(app, ["faq", "publish", "fee"])
        assert done.exit_code == 0
        return [line for line in done.stdout.splitlines() if line.startswith("r-")]

    assert publish("無料です。") == []
    faq("show", "fee", "--call", "c-n1-1.1")
    faq("use", "fee", "--call", "c-n1-1.2")
    assert publish("千円です。", "--correcting", "--note", "無料ではなく千円") == [
        "r-fee-1-n1-1.1", "r-fee-1-n1-1.2",
    ]  # fmt: skip
    done = CliRunner().invoke(app, ["faq", "recall", "fee", "--version", "1", "--note", "もう一度"])
    assert (done.exit_code, "r-fee" in done.stdout) == (0, False)
    history = faq("history", "fee")
    assert [row["version"] for row in history if "changes" in row] == [1, 2]
    changed = [row for row in history if "changes" in row][1]
    assert changed["changes"] == [{"field": "回答", "removed": ["無料です。"], "added": ["千円です。"]}]
    assert faq("search", "手数料")[0]["id"] == "fee"
    faq("retire", "fee", "--note", "制度の廃止")
    assert faq("search", "手数料") == []


def test_requests_synonyms_and_the_text_of_a_call(home: Path) -> None:
    path = home / "faq.csv"
    path.write_text(CSV, encoding="utf-8")
    faq("import", str(path))
    made = CliRunner().invoke(
        app, ["faq", "request", "--entry", "7", "--content", "番号が古い", "--by", "受付"]
    )
    request = made.stdout.strip().splitlines()[0]
    assert [(row["request"], row["id"], row["late"]) for row in faq("requests")] == [(request, "7", False)]
    faq("answer-request", request, "--result", "直した")
    assert faq("requests") == []
    assert faq("requests", "--all")[0]["result"] == "直した"
    faq("synonyms", "add", "パスワード", "暗証番号")
    assert faq("synonyms", "list")[0]["words"] == ["パスワード", "暗証番号"]
    assert faq("search", "パスワード")[0]["id"] == "8"
    said = home / "said.txt"
    said.write_text("もしもし。パスワードを忘れてしまって。", encoding="utf-8")
    found = faq("suggest", "--file", str(said))
    assert (found[0]["id"], found[0]["sentences"]) == ("8", ["パスワードを忘れてしまって。"])
    usage = CliRunner().invoke(app, ["faq", "usage"])
    assert json.loads(usage.stdout)["searches"]["searches"] == 1


def test_first_entries_are_there_at_once_and_only_once(home: Path) -> None:
    faq("seed", "--city", "ube")
    assert faq("search", "カードをなくした")[0]["id"] == "card-lost"
    assert faq("search", "リモート窓口", "--limit", "1")[0]["id"] == "remote-desk"
    count = len(faq("list"))
    faq("seed", "--city", "ube", "--state", "draft")
    assert len(faq("list", "--state", "published")) == count


def test_drafts_of_gaps_come_in_as_drafts(home: Path) -> None:
    path = home / "faq.csv"
    path.write_text(CSV, encoding="utf-8")
    faq("import", str(path))
    asyncio.run(two_calls(home / "home" / "toritsugi.db"))
    gap = faq("gaps", "--since", "2025-01-01", "--drafts", str(home / "drafts.csv"))[0]
    assert gap["count"] == 2
    faq("import", str(home / "drafts.csv"))
    draft = faq("list", "--state", "draft")[0]
    assert draft["question"] == gap["draft"]["question"]
    assert "ごみ" in draft["question"]


async def two_calls(path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{path}")
    async with database.uow() as unit:
        for number, said in enumerate(("粗大ごみの回収はいつですか", "粗大ごみの回収を頼みたい")):
            call, at = CallId(f"c-{number}"), 1_764_000_000.0 + number
            summary = CallSummary(
                call_id=call, caller=None, line="card", language="ja", menu_path=(), operators=(),
                started_at=at, ended_at=at + 9.0,
            )  # fmt: skip
            await unit.cases.add(open_case(summary))
            segments = [{"start_s": 0.0, "end_s": 2.0, "text": said, "confidence": 1.0}]
            await unit.transcripts.put(
                Transcript(call_id=call, side="citizen", text=said, segments=segments, engine="x", made_at=at)
            )
    await database.close()
