"""Each city's papers from a seeded month: raw lines on disk, the real readers, the ledger, the papers.

`TORITSUGI_UPDATE_GOLDEN=1` writes the files anew; read the difference.
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "reports"))
from raw_lines import disk_of, month_of_visits

from core.clock import TOKYO
from core.errors import ToritsugiError
from faq_kb.article import Article, State, Version
from faq_kb.csv_file import read_rows
from faq_kb.workflow import taken_in
from interactions.case import CaseStatus
from interactions.case_edit import FaqUse
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep
from ledger.calls import Call
from reports.formats import Format, csv_lines, html_parts
from reports.metrics import average_handling
from reports.opening import SEARCHES, Opening
from reports.paper import Chart, Kind, Paper, Table
from reports.tally import tally_of
from runtime.faq_words import SEED as ENTRIES
from runtime.floor_papers import evenness_of, midnight, month_of, shortfall_of
from runtime.instance import Instance
from runtime.period_papers import meter_of_day, period_paper, write_format
from runtime.records import Records
from runtime.staffing import days_of_month, open_times
from services.faq_ports import FaqSet, SearchEntry
from services.figure_calls import FigureCalls
from services.figure_searches import FigureSearches
from services.ports import Transcript
from services.speech_ports import QualityCheck

pytestmark = pytest.mark.golden
FOLDER = Path(__file__).parent / "papers"
CITIES = {
    "matsusaka": (date(2024, 12, 10), ("daily", "monthly", "completion", "incident", "meter")),
    "ageo": (date(2026, 6, 10), ("monthly", "completion")),
    "chiba": (date(2023, 11, 15), ("weekly", "monthly", "completion")),
    "ube": (date(2025, 11, 12), ("monthly", "interim", "final", "results", "incident")),
    "inzai": (date(2026, 7, 8), ("monthly", "completion", "incident", "faq", "service")),
}
CALLS = 90
UNANSWERED = (
    "粗大ごみの収集日はいつでしょうか",
    "粗大ごみを出したいのですが収集日が分かりません",
    "粗大ごみの収集日を教えてください",
)
DESK = "https://desk.example.jp"
MADE_AT = datetime(2026, 11, 27, 9, 0, tzinfo=TOKYO)


async def fill(instance: Instance, day: date) -> None:
    """A month of calls taken in from disk, some cases written, two complaints."""
    profile, settings = instance.profile, instance.settings
    days = [each for each in days_of_month(day) if open_times(profile.hours, each)]
    opened = open_times(profile.hours, days[0])
    lines = [line.id for line in profile.acd.lines]
    disk_of(month_of_visits(days, opened[0][0], opened[-1][1], CALLS, lines, 7)).save(
        settings.cel_log, settings.queue_log
    )
    await instance.database.migrate()
    await Records(settings, profile, instance.database, instance.clock).take_in()
    dice = random.Random(f"cases {profile.city.id}")
    since, until = midnight(days[0]), midnight(days[-1]) + 86_400.0
    async with instance.database.uow() as unit:
        for case in await unit.cases.between(since, until):
            if dice.random() < 0.5:
                done = replace(
                    case,
                    status=CaseStatus.DONE,
                    question="交付の予約をしたい",
                    answer="空きを案内し予約した",
                )
                await unit.cases.put(done)
        if profile.acd.staffing is not None and profile.acd.staffing.outbound is not None:
            called = midnight(day) + 50_400.0
            done = TicketStep(at=called, by="青木", state=TicketState.DONE, note="12月20日に希望")
            await unit.tickets.add(
                Ticket(
                    ticket_id="t-9", kind=TicketKind.OUTREACH, opened_at=called, due_at=called, person="さくら苑",
                    content="出張申請の案内", state=TicketState.DONE, owner="青木", result="12月20日に希望",
                    steps=(done,),
                )
            )  # fmt: skip
        at = midnight(days[3]) + 36_000.0
        for number, kind in enumerate((TicketKind.COMPLAINT, TicketKind.WRONG_GUIDANCE), start=1):
            steps = (
                TicketStep(at=at + 7200.0, by="係長", state=TicketState.DONE, note="おわびし、説明した"),
            )
            await unit.tickets.add(
                Ticket(
                    ticket_id=f"t-{number}", kind=kind, opened_at=at + number, due_at=at + 86_400.0,
                    content="待ち時間が長い" if number == 1 else "持ち物を違って案内した",
                    state=TicketState.DONE, result="おわびし、説明した", steps=steps,
                )
            )  # fmt: skip


async def fill_faq(instance: Instance, day: date) -> None:
    """Entries in force, searches of them, what citizens were told and asked in vain, checks of the calls' quality."""
    begin, rows = midnight(day), read_rows((ENTRIES / "common.csv").read_bytes(), "common.csv")[:6]
    made = begin - 400 * 86_400.0
    articles, versions = list[Article](), dict[str, list[Version]]()
    for number, row in enumerate(rows):
        ends = day + timedelta(days=20) if number == 1 else None
        at = made if number == 0 else begin
        content = replace(row.content, related=(), valid_until=ends)
        articles.append(taken_in(None, row.article_id, State.PUBLISHED, at=at, by="hensyu", note="取込"))
        versions[row.article_id] = [
            Version(number=1, content=content, made_at=at, made_by="hensyu", note="取込")
        ]
    names = [row.article_id for row in rows]
    searched = (
        ("受け取り 持ち物", 3, True, True),
        ("ナンバーカード 図書館", 0, False, False),
        ("写真", 2, False, False),
    )
    async with instance.database.uow() as unit:
        await unit.faq.put(FaqSet(articles=articles, versions=versions))
        for number in range(12):
            words, found, strict, opened = searched[number % 3 if number % 2 else 0]
            shown = tuple(names[:found])
            await unit.faq.log_search(
                SearchEntry(
                    at=begin + 3600.0 * number, actor="aoki", words=words, found=shown, strict=strict,
                    clicked=shown[:1] if opened else (),
                )
            )  # fmt: skip
        cases = await unit.cases.between(begin, begin + 14 * 86_400.0)
        for number, case in enumerate(cases):
            told = case.started_at + 60.0 if number % 2 else None
            await unit.cases.add_faq(
                FaqUse(
                    case_id=case.case_id, article=names[number % 3], version=1, shown_at=case.started_at,
                    used_at=told, by="aoki",
                )
            )  # fmt: skip
            items = [
                {"id": name, "theme": theme, "weight": weight, "passed": bool((number + weight) % 3)}
                for name, theme, weight in (("name", "名乗りと用件の復唱", 1), ("close", "おわりの確認", 2))
            ]
            check = QualityCheck(
                call_id=case.calls[0].call_id, at=case.started_at, operator=case.operators[0], line="booking",
                score=80.0 + number % 5, record={"items": items},
            )  # fmt: skip
            await unit.quality.put(check)
        for case, text in zip(cases[0:6:2], UNANSWERED, strict=True):
            said = {"start_s": 1.0, "end_s": 6.0, "text": text, "confidence": 0.9}
            await unit.transcripts.put(
                Transcript(
                    call_id=case.calls[0].call_id, side="citizen", text=text, segments=[said], engine="x",
                    made_at=case.started_at + 300.0,
                )
            )  # fmt: skip


async def unequal_figures(instance: Instance, day: date, papers: Mapping[str, Paper]) -> list[str]:
    """Every figure of the papers that does not open, or opens to other calls than it counts."""
    kept = Kept(instance)
    listed = FigureCalls(kept.reading, instance.clock, instance.profile)
    searched = FigureSearches(instance.database.reading, instance.clock)
    behind: dict[Opening, list[tuple[Call, int]]] = {}
    found, figures = [], 0

    async def counted(opening: Opening) -> tuple[list[Call], int]:
        """The calls behind a figure, and the figure that they make."""
        if opening.metric.startswith(SEARCHES):
            return [], len(await searched.behind(opening))
        if opening not in behind:
            behind[opening] = [pair async for pair in listed.counted(opening)]
        return [call for call, _ in behind[opening]], sum(times for _, times in behind[opening])

    for where, value, opening in await own_pages(instance, day):
        figures, (_, figure) = figures + 1, await counted(opening)
        found += [f"{where}: {value} and {figure}, {opening.metric}"] if figure != value else []
    for kind, paper in papers.items():
        for chart in (block for block in paper.blocks if isinstance(block, Chart)):
            for series in chart.series:
                for label, bar, opening in zip(chart.labels, series.values, series.opens, strict=True):
                    figures, (_, figure) = figures + 1, await counted(opening)
                    if figure != bar:
                        found.append(f"{kind} {chart.id} {label} {series.name}: {bar} and {figure}")
            for place, opening in enumerate(chart.opens):
                _, figure = await counted(opening)
                if figure != sum(series.values[place] for series in chart.series):
                    found.append(f"{kind} {chart.id} {chart.labels[place]}: {figure}")
        for table in paper.tables():
            foot = table.foot() or ()
            for number, row in enumerate([] if table.listing else [*table.rows, foot]):
                opens = (
                    table.foot_opens if row is foot else {c: table.opens.get((number, c)) for c in ids(table)}
                )
                for column, value in zip(table.columns, row, strict=False):
                    opening, where = opens.get(column.id), f"{kind} {table.id} {row[0]} {column.id}"
                    if opening is None:
                        shut = (
                            column.kind in (Kind.CALLS, Kind.SECONDS, Kind.NUMBER)
                            and value
                            and (row is not foot or column.total)
                        )
                        found += [f"{where} does not open"] if shut else []
                        continue
                    figures, (calls, figure) = figures + 1, await counted(opening)
                    if column.kind in (Kind.CALLS, Kind.NUMBER) and figure != value:
                        found.append(f"{where}: {value} and {figure} calls, {opening.metric}")
                    elif column.kind is Kind.SECONDS and mean_of(str(row[0]), column.id, calls) != value:
                        found.append(f"{where}: {value} s, {opening.metric}")
    assert figures > 100
    return found


async def own_pages(instance: Instance, day: date) -> list[tuple[str, int, Opening]]:
    """Figures of papers with pages of their own, each with where it stands: evenness and shortfall."""
    first, last = month_of(day)
    week = await evenness_of(instance.profile, instance.database, instance.clock, day)
    found = []
    for part in week.parts:
        found.append((f"evenness {part.group.id}", part.offers, week.opening("offers", part)))
        for row in part.rows:
            where = f"evenness {part.group.id} {row.operator}"
            figures = {"calls": row.calls, "offers": row.offers, "missed": row.missed}
            found += [
                (f"{where} {what}", value, week.opening(what, part, row)) for what, value in figures.items()
            ]
            found.append((f"{where} all", row.all_calls, week.opening("calls", None, row)))
    short = await shortfall_of(instance.profile, instance.database, instance.clock, first, last)
    whole = {"offered": short.offered, "answered": short.answered, "lost": short.lost}
    found += [(f"shortfall {what}", value, short.opening(what)) for what, value in whole.items()]
    for each in short.hours:
        figures = {"offered": each.hour.offered, "answered": each.hour.answered, "lost": len(each.calls)}
        found += [
            (f"shortfall {each.hour.key} {what}", value, short.opening(what, each))
            for what, value in figures.items()
        ]
    kinds = ("calls", "offers", "all", "lost")
    assert [
        kind for kind in kinds if not any(value for where, value, _ in found if where.endswith(kind))
    ] == []
    return found


def ids(table: Table) -> list[str]:
    return [column.id for column in table.columns]


def mean_of(name: str, column: str, calls: list[Call]) -> float | None:
    """The time that a row tells, from nothing but the calls that it opens to."""
    tally = tally_of(calls)
    if column == "longest" or name == "最長待ち時間":
        return tally.waits.longest_s
    means = {
        "平均応答速度": tally.answered.mean_s, "平均応答速度（着信から）": tally.from_arrival.mean_s,
        "平均通話時間": tally.talk.mean_s, "平均後処理時間": tally.wrap_up.mean_s,
    }  # fmt: skip
    return means[name] if name in means else average_handling(tally)


class Kept:
    """The real records, each day of them read once: thousands of figures look at the same month."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._days: dict[tuple[str, float], Any] = {}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        async with self._instance.database.reading() as unit:

            async def read(store: Any, name: str, since: float, until: float) -> Any:
                if (name, since) not in self._days:
                    self._days[name, since] = await store.between(since, until)
                return self._days[name, since]

            yield SimpleNamespace(
                faq=unit.faq,
                quality=unit.quality,
                calls=SimpleNamespace(between=partial(read, unit.calls, "calls"), get=unit.calls.get),
                cases=SimpleNamespace(between=partial(read, unit.cases, "cases"), many=unit.cases.many),
            )


@pytest.fixture(scope="module", params=CITIES)
def city(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, Paper]]]:
    name = str(request.param)
    day, kinds = CITIES[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORITSUGI_HOME", str(tmp_path_factory.mktemp(name)))
        patch.delenv("TORITSUGI_DATABASE_URL", raising=False)

        async def made() -> dict[str, Paper]:
            instance = Instance.open(city=name)
            await fill(instance, day)
            if "faq" in kinds:
                await fill_faq(instance, day)
            papers = {kind: await period_paper(instance, kind, day) for kind in kinds}
            if "meter" in kinds:
                papers["meter-day"] = await meter_of_day(instance, day)
            assert await unequal_figures(instance, day, papers) == []
            with pytest.raises(ToritsugiError, match="台帳にありません"):
                await period_paper(instance, "monthly", day + timedelta(days=31))
            with pytest.raises(ToritsugiError, match="にはない報告"):
                await period_paper(instance, "yearly", day)
            await instance.database.close()
            return {
                kind: replace(paper, made_at=MADE_AT, notes=(), desk=DESK) for kind, paper in papers.items()
            }

        yield name, asyncio.run(made())


def same(path: Path, text: str) -> None:
    if os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="")
    assert path.read_bytes().decode("utf-8") == text


def test_the_papers_are_as_they_were(city: tuple[str, dict[str, Paper]]) -> None:
    name, papers = city
    for kind, paper in papers.items():
        same(FOLDER / f"{name}-{kind}.csv", "".join(csv_lines(paper)))


def test_the_monthly_page_is_as_it_was(city: tuple[str, dict[str, Paper]]) -> None:
    name, papers = city
    if name in ("matsusaka", "ube"):
        same(FOLDER / f"{name}-monthly.html", "".join(html_parts(papers["monthly"])))


def test_what_is_told_of_the_knowledge_base_is_what_was_done(city: tuple[str, dict[str, Paper]]) -> None:
    name, papers = city
    if name != "inzai":
        return
    faq, service = papers["faq"], papers["service"]
    searches = {row[0]: row[1] for row in faq.table("faq_searches").rows}
    assert (searches["検索"], searches["使われた（開いた、または案内した）"]) == (12, 8)
    assert [row[1] for row in faq.table("faq_in_vain").rows] == [2, 2]
    assert [row[4] for row in faq.table("faq_due").rows] == ["1年、改められていない", "有効期限が過ぎている"]
    entries = list(faq.table("faq_entries").rows)
    assert len(entries) == 3
    assert [
        row for table in papers["monthly"].tables() if table.id == "faq_entries" for row in table.rows
    ] == entries
    (lacking,) = faq.table("faq_gaps").rows
    assert lacking[1] == len(UNANSWERED)
    assert {row[0] for row in service.table("themes").rows} == {"名乗りと用件の復唱", "おわりの確認"}
    for paper in (faq, service):
        book, pages = io.BytesIO(), io.BytesIO()
        write_format(paper, Format.XLSX, book)
        write_format(paper, Format.PDF, pages)
        assert len(openpyxl.load_workbook(book).worksheets) == 1 + len(list(paper.tables()))
        assert pages.getvalue().startswith(b"%PDF")


def test_papers_of_the_same_calls_agree_with_each_other(city: tuple[str, dict[str, Paper]]) -> None:
    _name, papers = city
    days = {
        kind: [row[1:4] for row in paper.table("days").rows]
        for kind, paper in papers.items()
        if any(table.id == "days" for table in paper.tables()) and kind in ("monthly", "completion", "meter")
    }
    assert len({str(rows) for rows in days.values()}) <= 1
    monthly = papers["monthly"]
    counted = next(table for table in monthly.tables() if table.id in ("days", "lines"))
    foot = counted.foot() or ()
    assert sum(row[1] for row in counted.rows if isinstance(row[1], int)) == foot[1]
    if any(table.id == "topics" for table in monthly.tables()):
        answered = foot[3]
        assert (monthly.table("topics").foot() or ())[1] == answered
