"""Each city's papers from a seeded month: raw lines on disk, the real readers, the ledger, the papers.

`TORITSUGI_UPDATE_GOLDEN=1` writes the files anew; read the difference.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "reports"))
from raw_lines import disk_of, month_of_visits

from core.clock import TOKYO
from core.errors import ToritsugiError
from interactions.case import CaseStatus
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep
from reports.formats import csv_lines, html_parts
from reports.paper import Paper
from runtime.floor_papers import midnight
from runtime.instance import Instance
from runtime.period_papers import meter_of_day, period_paper
from runtime.records import Records
from runtime.staffing import days_of_month, open_times

pytestmark = pytest.mark.golden
FOLDER = Path(__file__).parent / "papers"
CITIES = {
    "matsusaka": (date(2024, 12, 10), ("daily", "monthly", "completion", "incident", "meter")),
    "ageo": (date(2026, 6, 10), ("monthly", "completion")),
    "chiba": (date(2023, 11, 15), ("weekly", "monthly", "completion")),
    "ube": (date(2025, 11, 12), ("monthly", "interim", "final", "results", "incident")),
    "inzai": (date(2026, 7, 8), ("monthly", "completion", "incident")),
}
CALLS = 90
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
            papers = {kind: await period_paper(instance, kind, day) for kind in kinds}
            if "meter" in kinds:
                papers["meter-day"] = await meter_of_day(instance, day)
            with pytest.raises(ToritsugiError, match="台帳にありません"):
                await period_paper(instance, "monthly", day + timedelta(days=31))
            with pytest.raises(ToritsugiError, match="にはない報告"):
                await period_paper(instance, "yearly", day)
            await instance.database.close()
            return {kind: replace(paper, made_at=MADE_AT, notes=()) for kind, paper in papers.items()}

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
