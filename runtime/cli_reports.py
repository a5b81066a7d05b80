"""The command `report`: every paper, in every format."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError
from runtime.cli_parts import City, day_of, out, say

DAYS_OWN = ("daily", "evenness", "shortfall", "quality", "complaints")
"""Papers with pages of their own, as HTML or CSV."""


def add_report(app: typer.Typer) -> None:
    """Put the command where the others of the records stand."""
    app.command()(report)


def report(
    kind: Annotated[
        str,
        typer.Argument(
            help="報告の種類: daily, evenness, shortfall, quality, complaints, meter, faq, "
            "service (応対品質), availability (稼働率), due, "
            "calls (数字の元になった通話), または市の報告 (weekly, monthly, interim, final, completion, "
            "results, incident)"
        ),
    ],
    date_: Annotated[
        str | None, typer.Option("--date", help="日付 (既定: 昨日)。期間の報告はその日を含む期間")
    ] = None,
    month: Annotated[str | None, typer.Option("--month", help="月。例: 2026-10")] = None,
    format_: Annotated[str, typer.Option("--format", help="html, csv, xlsx, pdf")] = "html",
    target: Annotated[Path | None, typer.Option("--out", help="書き出すファイル (既定: 標準出力)")] = None,
    save: Annotated[
        bool,
        typer.Option("--save", help="shortfall を、書き込むための案として置く (書き込みのある案は変えない)"),
    ] = False,
    metric: Annotated[
        str | None, typer.Option("--metric", help="calls の指標。例: answered, offered, five_minutes:300")
    ] = None,
    hour: Annotated[int | None, typer.Option("--hour", min=0, max=23, help="calls をこの時台に限る")] = None,
    line: Annotated[
        str | None, typer.Option("--line", help="calls をこの用件に限る。用件を選ぶ前の電話は -")
    ] = None,
    city: City = None,
) -> None:
    """市に出す報告を作ります: 日報、週報、月報、応答率メーター、均等配分、未達の報告、通話品質、苦情、提出期限の一覧。

    例: ./toritsugi report monthly --month 2026-10 --format xlsx --out 月報.xlsx
    例: ./toritsugi report calls --metric abandoned_queue --month 2026-10 --hour 9 --out 切断.csv
    """
    if month is not None and date_ is not None:
        raise ToritsugiError("日と月の両方があります", where="--date, --month", cure="どちらか一つにする")
    if kind in ("daily", "evenness") and month is not None:
        raise ToritsugiError(f"{kind} では使えません", where="--month", cure="--date で日を書く")
    if save and kind != "shortfall":
        raise ToritsugiError(f"{kind} では使えません", where="--save", cure="shortfall で使うか、外す")
    if kind == "due":
        _due(city, day_of(f"{month}-01", "--month") if month else datetime.now(TOKYO).date())
        return
    day = day_of(date_, "--date") if date_ else datetime.now(TOKYO).date() - timedelta(days=1)
    if month is not None:
        day = day_of(f"{month}-01", "--month")
    if kind == "calls":
        _calls(city, metric, day, month is not None, hour, line, target)
        return
    if kind in DAYS_OWN and format_ in ("html", "csv"):
        _write(_own(city, kind, day, month is not None, format_, save=save), target)
        return
    _period(city, kind, day, month is not None, format_, target)


def _own(city: str | None, kind: str, day: date, whole_month: bool, format_: str, *, save: bool) -> str:
    from runtime.floor_papers import month_of
    from runtime.papers import daily_paper, evenness_paper, shortfall_paper
    from runtime.service_papers import complaints_paper, quality_paper

    match kind:
        case "daily":
            return asyncio.run(daily_paper(city, day, format_))
        case "evenness":
            return asyncio.run(evenness_paper(city, day, format_))
        case "quality":
            first, last = month_of(day) if whole_month else (day, day)
            return asyncio.run(quality_paper(city, first, last, format_))
        case "complaints":
            return asyncio.run(complaints_paper(city, *month_of(day), format_))
        case _:
            first, last = month_of(day) if whole_month else (day, day)
            return asyncio.run(shortfall_paper(city, first, last, format_, save=save, say=say))


def _write(text: str, target: Path | None) -> None:
    if target is None:
        sys.stdout.write(text)
    else:
        from runtime.period_papers import write_whole

        write_whole(target, lambda file: file.write(text.encode("utf-8")))


def _period(
    city: str | None, kind: str, day: date, whole_month: bool, format_: str, target: Path | None
) -> None:
    from reports.formats import Format
    from runtime.period_papers import made_paper, write_paper

    if format_ not in list(Format):
        raise ToritsugiError(
            f"知らない形式です: {format_}", where="--format", cure=f"次のどれか: {', '.join(Format)}"
        )
    if kind in DAYS_OWN[1:]:
        raise ToritsugiError(
            f"{kind} にはない形式です: {format_}", where="--format", cure="html か csv を書く"
        )
    if target is None and format_ in ("xlsx", "pdf") and sys.stdout.isatty():
        raise ToritsugiError(
            "画面には書けない形式です", where="--format", cure="--out でファイルを書くか、> で送る"
        )
    _instance, paper = asyncio.run(made_paper(city, kind, day, whole_month=whole_month, say=say))
    write_paper(paper, Format(format_), target)


def _calls(
    city: str | None,
    metric: str | None,
    day: date,
    whole_month: bool,
    hour: int | None,
    line: str | None,
    target: Path | None,
) -> None:
    """The calls behind a figure, as CSV."""
    from reports.opening import NO_LINE_CHOSEN, SEARCHES, Opening
    from runtime.figure_files import write_calls
    from runtime.floor_papers import month_of

    if metric is None:
        raise ToritsugiError("指標がありません", where="--metric", cure="例: --metric answered")
    first, last = month_of(day) if whole_month else (day, day)
    line = "" if line == NO_LINE_CHOSEN else line
    if metric.startswith(SEARCHES):
        raise ToritsugiError(
            "検索の数字で、元になった通話はありません",
            where="--metric",
            cure="画面の報告から数字を選ぶと、検索の一覧が開く",
        )
    opening = Opening(metric=metric, first=first, last=last, hour=hour, line=line)
    number = asyncio.run(write_calls(city, opening, target, say))
    say(f"{number:,}件")


def _due(city: str | None, month: date) -> None:
    from core.settings import settings_from
    from runtime.due_papers import due_rows
    from services.city import load_city

    for row in due_rows(load_city(city or settings_from().city), month):
        out(json.dumps(row, ensure_ascii=False))
