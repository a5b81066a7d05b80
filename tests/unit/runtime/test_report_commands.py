"""`report`, `report-file` and `staffing` on a month that came from disk."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1] / "reports"))
from raw_lines import disk_of, month_of_visits

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.settings import PROJECT_ROOT, settings_from
from runtime.cli import app
from runtime.instance import Instance
from runtime.staffing import days_of_month, open_times, outreach_made
from services.city import load_city

pytestmark = pytest.mark.unit
MONTH = date(2024, 12, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """松阪 in December 2024: 150 calls on disk, one line of them damaged."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORITSUGI_HOME", str(folder))
        patch.setenv("TORITSUGI_CITY", "matsusaka")
        patch.delenv("TORITSUGI_DATABASE_URL", raising=False)
        profile, settings = load_city("matsusaka"), settings_from()
        days = [day for day in days_of_month(MONTH) if open_times(profile.hours, day)]
        opens, closes = open_times(profile.hours, days[0])[0]
        visits = month_of_visits(days, opens, closes, 150, ("booking", "card", "portal"), 11)
        disk_of(visits).save(settings.cel_log, settings.queue_log)
        with settings.cel_log.open("a", encoding="utf-8") as file:
            file.write('{"eventtype":"HANGUP","eventti\n')
        yield folder


def said(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def told(*arguments: str) -> str:
    result = said(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def tables(text: str) -> dict[str, list[dict[str, str]]]:
    """The tables of a paper's CSV by name."""
    found: dict[str, list[dict[str, str]]] = {}
    rows = list(csv.reader(io.StringIO(text)))
    for place, row in enumerate(rows):
        if row[:1] == ["表"]:
            body = []
            for each in rows[place + 2 :]:
                if not each:
                    break
                body.append(dict(zip(rows[place + 1], each, strict=False)))
            found[row[1]] = body
    return found


@pytest.mark.usefixtures("home")
def test_the_meter_opens_to_its_calls() -> None:
    text = told("report", "meter", "--month", "2024-12", "--format", "csv")
    found = tables(text)
    results = Counter(row["結果"] for row in found["calls"])
    own = found["meter"][0]
    assert int(own["応答"]) == results["応答"] > 90
    counted = ("応答", "待ち中の切断", "混雑の案内", "折り返し予約", "システム障害")
    assert int(own["分母"]) == sum(results[name] for name in counted)
    assert found["days"][-1]["応答"] == own["応答"]
    assert "件" in text.partition("目標まで")[2]
    day = tables(told("report", "meter", "--date", "2024-12-10", "--format", "csv"))
    assert {row["着信"][:10] for row in day["calls"]} == {"2024-12-10"}
    assert day["hours"][-1]["入電"] == str(len(day["calls"]))


@pytest.mark.usefixtures("home")
def test_a_clerk_gets_the_calls_behind_a_figure_as_a_file(tmp_path: Path) -> None:
    found = tables(told("report", "meter", "--month", "2024-12", "--format", "csv"))
    hour = next(row for row in found["hours"] if row["時"] == "11時")
    target = tmp_path / "応答.csv"
    month = ("report", "calls", "--month", "2024-12", "--out", str(target))
    result = said(*month, "--metric", "answered", "--hour", "11")
    head, columns, *calls = csv.reader(io.StringIO(target.read_text(encoding="utf-8-sig")))
    assert head == ["応答", "answered", "2024-12-01", "2024-12-31", "11時", ""]
    assert columns[:2] == ["着信", "通話番号"]
    assert len(calls) == int(hour["応答"]) > 0
    assert f"{len(calls)}件" in result.stderr
    assert {(each[0][11:13], each[4]) for each in calls} == {("11", "応答")}
    day = told("report", "calls", "--date", "2024-12-10", "--metric", "offered", "--line", "-")
    assert len(day.splitlines()) == 2, "whoever chose no line asked for no operator"


@pytest.mark.usefixtures("home")
def test_a_day_shows_the_same_figures_on_its_page_and_in_the_workbook(tmp_path: Path) -> None:
    import openpyxl

    page = told("report", "daily", "--date", "2024-12-10", "--format", "csv")
    figures = {row[2]: row[4] for row in csv.reader(io.StringIO(page)) if len(row) > 4 and row[1] == "全日"}
    target = tmp_path / "日報.xlsx"
    told("report", "daily", "--date", "2024-12-10", "--format", "xlsx", "--out", str(target))
    book = openpyxl.load_workbook(target, data_only=True)
    counts = {row[0].value: row[1].value for row in book["入電の内訳"].iter_rows(min_row=5)}
    rates = {row[0].value: row[3].value for row in book["割合"].iter_rows(min_row=5)}
    times = {row[0].value: row[1].value for row in book["時間"].iter_rows(min_row=5)}
    assert counts["入電"] == int(figures["incoming"])
    assert counts["応答"] == int(figures["answered"])
    assert rates["応答率"] == pytest.approx(float(figures["answer_rate"]), abs=1e-4)
    assert times["平均応答速度"] == pytest.approx(float(figures["asa"]), abs=1e-3)
    assert times["最長待ち時間"] == pytest.approx(float(figures["longest_wait"]), abs=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["日報.xlsx"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("monthly", "--month", "2025-02"), "台帳にありません"),
        (("monthly", "--month", "2030-02"), "契約期間"),
        (("weekly", "--date", "2024-12-10"), "にはない報告"),
        (("monthly", "--month", "2024-12", "--format", "docx"), "知らない形式"),
        (("shortfall", "--month", "2024-12", "--format", "pdf"), "にはない形式"),
        (("monthly", "--month", "2024-12", "--date", "2024-12-10"), "両方"),
        (("monthly", "--month", "2024-13"), "日付が読めません"),
        (("daily", "--month", "2024-12"), "使えません"),
        (("monthly", "--month", "2024-12", "--save"), "使えません"),
        (("calls", "--month", "2024-12"), "指標がありません"),
        (("calls", "--month", "2024-12", "--metric", "unhappy"), "知らない指標"),
    ],
)
def test_what_cannot_be_made_is_told_plainly(arguments: tuple[str, ...], words: str) -> None:
    result = said("report", *arguments)
    assert isinstance(result.exception, ToritsugiError)
    assert words in str(result.exception)
    assert result.stdout == ""


@pytest.mark.usefixtures("home")
def test_an_unwritable_target_leaves_nothing(tmp_path: Path) -> None:
    result = said("report", "monthly", "--month", "2024-12", "--out", str(tmp_path / "none" / "a.html"))
    assert isinstance(result.exception, ToritsugiError)
    assert not list(tmp_path.iterdir())


def test_a_changed_definition_amends_and_leaves_the_delivered_report(home: Path, tmp_path: Path) -> None:
    month = ("monthly", "--month", "2024-12")
    told("report-file", "draft", *month, "--by", "青木", "--formats", "csv,html")
    early = said("report-file", "deliver", *month, "--by", "石川")
    assert isinstance(early.exception, ToritsugiError)
    told("report-file", "check", *month, "--by", "石川")
    told("report-file", "deliver", *month, "--by", "石川", "--note", "持参")
    folder = home / "reports" / "monthly-2024-12-01_2024-12-31"
    delivered = (folder / "v1.csv").read_bytes()
    text = (PROJECT_ROOT / "profiles" / "matsusaka.toml").read_text(encoding="utf-8")
    changed = tmp_path / "matsusaka.toml"
    changed.write_text(
        text.replace('answer_rate_definition = "offered_v1"', 'answer_rate_definition = "open_hours_v1"'),
        encoding="utf-8",
    )
    city = ("--city", str(changed))
    told("report-file", "draft", *month, "--by", "青木", "--note", "数え方の変更", "--formats", "csv", *city)
    assert (folder / "v1.csv").read_bytes() == delivered
    found = [json.loads(line) for line in told("report-file", "diff", *month, *city).splitlines()]
    assert found[0]["where"] == "応答率の定義"
    assert any(each["where"] == "割合/応答率/分母" for each in found)
    rows = [json.loads(line) for line in told("report-file", "list").splitlines()]
    assert [(row["version"], row["state"]) for row in rows] == [(1, "delivered"), (2, "draft")]
    assert rows[0]["data_version"] == rows[1]["data_version"]
    both = tables((folder / "v2.csv").read_text(encoding="utf-8-sig"))["meter"]
    assert both[0]["定義"] == "open_hours_v1"
    assert "offered_v1" in [row["定義"] for row in both]


# ---- staffing ------------------------------------------------------------------------------------


def history() -> Counter[tuple[int, str]]:
    """Calls that wanted an operator, by weekday and half-hour, from the meter's list."""
    counted = ("応答", "待ち中の切断", "混雑の案内", "折り返し予約", "システム障害")
    calls = tables(told("report", "meter", "--month", "2024-12", "--format", "csv"))["calls"]
    moments = [datetime.fromisoformat(row["着信"]) for row in calls if row["結果"] in counted]
    return Counter((each.weekday(), f"{each.hour:02d}:{30 * (each.minute // 30):02d}") for each in moments)


@pytest.mark.usefixtures("home")
def test_the_forecast_is_the_mean_of_the_same_weekdays() -> None:
    result = said("staffing", "forecast", "--month", "2025-01", "--weeks", "5")
    assert result.exit_code == 0, result.exception
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    seen = history()
    # Working Mondays from the first call on to the end of the year: 2, 9, 16, 23 December.
    monday = [row for row in rows if row["date"] == "2025-01-20"]
    assert {row["begins"]: row["calls"] for row in monday if row["calls"]} == {
        begins: pytest.approx(number / 4, abs=1e-3)
        for (weekday, begins), number in seen.items()
        if weekday == 0
    }
    assert "2025-01-01" not in {row["date"] for row in rows}
    assert "2025-01-13" not in {row["date"] for row in rows}
    assert all(row["seats"] >= 1 for row in rows if row["calls"] > 0)


@pytest.mark.usefixtures("home")
def test_a_roster_is_checked_against_the_forecast(tmp_path: Path) -> None:
    roster = tmp_path / "シフト.csv"
    roster.write_text(
        "日付,番号,開始,終了,休憩開始,休憩終了\n2025-01-20,101,08:30,17:30,,\n", encoding="utf-8"
    )
    result = said("staffing", "check", str(roster), "--month", "2025-01")
    assert result.exit_code == 1
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(row["planned"] < row["needed"] for row in rows)
    assert {row["planned"] for row in rows if row["date"] == "2025-01-21"} == {0}
    roster.write_text("日付,番号\n", encoding="utf-8")
    assert isinstance(said("staffing", "check", str(roster)).exception, ToritsugiError)


@pytest.mark.usefixtures("home")
def test_a_quiet_month_allows_outbound_calls_from_its_middle_on() -> None:
    early: dict[str, Any] = json.loads(told("staffing", "outbound", "--date", "2024-12-10"))
    assert (early["allowed"], early["cap"]) == (False, 0)
    late: dict[str, Any] = json.loads(told("staffing", "outbound", "--date", "2024-12-20", "--made", "2"))
    assert late["allowed"] is True
    assert late["expected_total"] < 350
    assert late["cap"] == min(35, int(late["expected_total"] // 20)) - 2
    assert isinstance(said("staffing", "outbound", "--city", "ageo").exception, ToritsugiError)
    ahead = datetime.now(TOKYO).date().replace(year=2099)
    assert isinstance(said("staffing", "outbound", "--date", ahead.isoformat()).exception, ToritsugiError)


@pytest.mark.usefixtures("home")
def test_a_call_to_an_office_is_written_down_and_counts_against_the_days_cap() -> None:
    words = ("--facility", "さくら苑", "--content", "出張申請の案内", "--result", "12月3日に希望")
    assert told("staffing", "called", *words, "--number", "0598-53-0000", "--by", "青木").startswith("t-")

    async def made() -> int:
        instance = Instance.open(city="matsusaka")
        try:
            return await outreach_made(instance, datetime.now(TOKYO).date())
        finally:
            await instance.database.close()

    assert asyncio.run(made()) == 1
    assert "契約に" in str(said("staffing", "called", *words, "--by", "青木", "--city", "ageo").exception)
    assert "--by" in str(said("staffing", "called", *words, "--by", " ").exception)
    assert "かけられない" in str(
        said("staffing", "called", *words, "--by", "青木", "--number", "12").exception
    )
    assert "ない種類" in str(said("tickets", "open", "outreach", "--content", "x").exception)


@pytest.mark.usefixtures("home")
def test_what_if_names_who_is_not_there() -> None:
    result = said(
        "staffing", "what-if", "--city", "ageo", "--date", "2026-06-01", "--seats", "2", "--without", "7"
    )
    assert "901, 902" in str(result.exception)
    no_volume = said("staffing", "seats", "--city", "chiba")
    assert "見込みがありません" in str(no_volume.exception)


# ---- a definition that changes within the month --------------------------------------------------


@pytest.fixture(scope="module")
def changed_on_the_16th(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """`--city`: a profile whose contract counts by another denominator from 16 December on."""
    text = (PROJECT_ROOT / "profiles" / "matsusaka.toml").read_text(encoding="utf-8")
    target = tmp_path_factory.mktemp("city") / "matsusaka.toml"
    before = 'answer_rate_definition = "offered_v1"'
    assert before in text
    target.write_text(
        text.replace(
            before,
            'answer_rate_definition = [{ from = 2023-12-01, rule = "offered_v1" }, '
            '{ from = 2024-12-16, rule = "open_hours_v1" }]',
        ),
        encoding="utf-8",
    )
    return ("--city", str(target))


@pytest.mark.usefixtures("home")
def test_a_definition_that_changes_within_the_month_stands_beside_the_old_one(
    changed_on_the_16th: tuple[str, str],
) -> None:
    found = tables(told("report", "meter", "--month", "2024-12", "--format", "csv", *changed_on_the_16th))
    shown = found["definitions_in_force"]
    assert [row["期間"] for row in shown] == ["12/1〜12/15"] * 2 + ["12/16〜12/31"] * 2 + ["全期間"] * 3
    assert [row["契約"] for row in shown] == ["この期間の契約", "", "", "この期間の契約", "", "", "計"]
    plain = tables(told("report", "meter", "--month", "2024-12", "--format", "csv"))
    assert "definitions_in_force" not in plain
    old_1, new_1, old_2, new_2, old, new, total = shown
    for column in ("応答", "分母"):
        numbers = [int(row[column]) for row in shown]
        assert (numbers[0] + numbers[2], numbers[1] + numbers[3]) == (int(old[column]), int(new[column]))
        assert int(total[column]) == int(old_1[column]) + int(new_2[column]) > 0
    assert int(new_1["分母"]) >= int(old_1["分母"])
    assert int(new_2["分母"]) >= int(old_2["分母"])
    by_rule = {row["定義"]: row for row in plain["meter"]}
    assert old["分母"] == by_rule["offered_v1"]["分母"]
    assert new["分母"] == by_rule["open_hours_v1"]["分母"]
    assert found["meter"][0]["定義"] == "open_hours_v1"
    early = tables(told("report", "meter", "--date", "2024-12-10", "--format", "csv", *changed_on_the_16th))
    assert early["meter"][0]["定義"] == "offered_v1"
    assert "definitions_in_force" not in early


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            '[{ from = 2024-12-16, rule = "offered_v1" }, { from = 2024-12-16, rule = "with_menu_v1" }]',
            "順に",
        ),
        ('[{ from = 2024-12-16, rule = "own_v1" }]', "知らない定義"),
        ("[]", "answer_rate_definition"),
    ],
)
def test_a_list_of_definitions_that_cannot_be_meant_is_told(tmp_path: Path, rules: str, words: str) -> None:
    text = (PROJECT_ROOT / "profiles" / "matsusaka.toml").read_text(encoding="utf-8")
    target = tmp_path / "matsusaka.toml"
    target.write_text(
        text.replace('answer_rate_definition = "offered_v1"', f"answer_rate_definition = {rules}"),
        encoding="utf-8",
    )
    result = said("report", "meter", "--month", "2024-12", "--city", str(target))
    assert words in str(result.exception)


# ---- what went wrong -----------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("step", ["check", "deliver", "reopen", "diff"])
def test_a_paper_that_was_never_drafted_is_told(step: str) -> None:
    who = () if step == "diff" else ("--by", "石川")
    result = said("report-file", step, "completion", "--month", "2024-12", *who)
    assert isinstance(result.exception, ToritsugiError)
    assert ("比べる版がありません" if step == "diff" else "案がありません") in str(result.exception)


@pytest.mark.usefixtures("home")
def test_an_unreadable_raw_line_is_said_and_a_damaged_call_stops_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raw lines that cannot be read are said; a record of the ledger that cannot be read makes no figure."""
    source = settings_from()
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path))
    settings = settings_from()
    for old, new in ((source.cel_log, settings.cel_log), (source.queue_log, settings.queue_log)):
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(old.read_bytes())
    target = tmp_path / "月報.html"
    month = ("report", "monthly", "--month", "2024-12", "--out", str(target))
    first = said(*month)
    assert first.exit_code == 0
    assert "読めない行が1行" in first.stderr
    whole = target.read_bytes()
    database = next(tmp_path.rglob("*.db"))
    for damage in ("{", '{"call_id": 1}'):
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            (call,) = connection.execute("SELECT max(call_id) FROM call").fetchone()
            connection.execute("UPDATE call SET record = ? WHERE call_id = ?", (damage, call))
        result = said(*month)
        assert isinstance(result.exception, ToritsugiError)
        assert "台帳の通話の記録が壊れています" in str(result.exception)
        assert target.read_bytes() == whole
    assert call in str(result.exception)


CUT = """
import os, signal, sys
import runtime.period_papers as papers

class Cut:
    def __init__(self, file): self.file, self.left = file, 2
    def __getattr__(self, name): return getattr(self.file, name)
    def write(self, data):
        self.left -= 1
        if self.left == 0:
            self.file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.file.write(data)

whole = papers.write_format
papers.write_format = lambda paper, format_, file: whole(paper, format_, Cut(file))
from runtime.cli import app
app(sys.argv[1:])
"""
"""`report`, killed when a part of its file is on disk and the next one is to follow."""


@pytest.mark.parametrize("kind", ["html", "csv", "xlsx"])
def test_a_killed_report_leaves_the_old_file_and_no_half_one(home: Path, tmp_path: Path, kind: str) -> None:
    """SIGKILL while it is written: the file that was there before is whole, and the next report replaces it."""
    target, half = tmp_path / f"月報.{kind}", tmp_path / f".月報.{kind}.new"
    target.write_text("昨日の月報", encoding="utf-8")
    report = ["report", "monthly", "--month", "2024-12", "--format", kind, "--out", str(target)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CUT, *report], env=environment, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert half.stat().st_size > 0, "it was killed half-way"
    assert target.read_text(encoding="utf-8") == "昨日の月報"
    assert home.exists()
    told(*report)
    begin, end = {"html": (b"<!DOCTYPE", b"</html>"), "csv": (b"\xef\xbb\xbf", b""), "xlsx": (b"PK", b"")}[
        kind
    ]
    made = target.read_bytes().rstrip()
    assert (made.startswith(begin), made.endswith(end), len(made) > 5000) == (True, True, True)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
