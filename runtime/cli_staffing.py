"""Commands about seats and shifts."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError
from runtime.cli_parts import City, day_of, out, say

staffing_app = typer.Typer(help="席数計画 / seats, forecast, shifts.", no_args_is_help=True)

Month = Annotated[str | None, typer.Option("--month", help="月 (既定: 来月)。例: 2026-06")]


def _month(text: str | None) -> date:
    from runtime.staffing_papers import next_month

    return day_of(f"{text}-01", "--month") if text else next_month(datetime.now(TOKYO).date())


@staffing_app.command("seats")
def staffing_seats(city: City = None, month: Month = None) -> None:
    """仕様書の見込みから、応答率を保つ席と回線の数を、想定とともに出します。

    例: ./toritsugi staffing seats --city ageo --month 2026-06
    """
    from core.settings import settings_from
    from runtime.staffing_papers import seats_text

    for line in seats_text(city or settings_from().city, _month(month)):
        out(line)


@staffing_app.command("forecast")
def staffing_forecast(
    city: City = None,
    month: Month = None,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=60, help="さかのぼる週")] = 8,
) -> None:
    """過去の電話から、月の入電を曜日と30分ごとに見込み、要る席とともに JSON Lines で出します。

    例: ./toritsugi staffing forecast --city matsusaka --month 2026-12
    """
    from runtime.staffing_papers import as_json, forecast_rows

    for row in asyncio.run(forecast_rows(city, _month(month), weeks, say)):
        out(as_json(row))


@staffing_app.command("what-if")
def staffing_what_if(
    date_: Annotated[str, typer.Option("--date", help="どの日か。例: 2026-06-01")],
    without: Annotated[list[str] | None, typer.Option("--without", help="休む人の番号 (何度でも)")] = None,
    from_: Annotated[str, typer.Option("--from", help="休み始める時刻")] = "00:00",
    to: Annotated[str, typer.Option("--to", help="戻る時刻")] = "24:00",
    seats: Annotated[
        int | None,
        typer.Option(
            "--seats", min=1, max=200, help="登録した人の代わりに、全部できる人を何人 (番号は901から)"
        ),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=2, max=2000, help="同じ日を何回まわすか")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="乱数の種")] = 1,
    busiest: Annotated[bool, typer.Option("--busiest", help="最大の月の件数で")] = False,
    city: City = None,
) -> None:
    """本番と同じ分配で一日を何度もまわし、人が欠けると応答率がどうなるかを JSON で出します。

    例: ./toritsugi staffing what-if --city ageo --date 2026-06-01 --seats 6 --without 901 --to 12:00
    """
    from acd.staffing.roster import minute_of
    from runtime.staffing_papers import as_json, what_if_record

    record = asyncio.run(
        what_if_record(
            city,
            day_of(date_, "--date"),
            seats=seats,
            without=tuple(without or ()),
            away=(minute_of(from_, "--from"), minute_of(to, "--to")),
            days=days,
            seed=seed,
            busiest=busiest,
            say=say,
        )
    )
    out(as_json(record))


@staffing_app.command("check")
def staffing_check(
    roster: Annotated[Path, typer.Argument(help="シフト表 (CSV: 日付,番号,開始,終了,休憩開始,休憩終了)")],
    city: City = None,
    month: Month = None,
) -> None:
    """シフト表を見込みと比べ、人が足りない30分を JSON Lines で出します。足りなければ終了コード 1。

    例: ./toritsugi staffing check シフト.csv --city matsusaka --month 2026-12
    """
    from runtime.staffing_papers import as_json, roster_rows

    rows = asyncio.run(roster_rows(city, roster, _month(month), say))
    for row in rows:
        out(as_json(row))
    if rows:
        raise typer.Exit(1)


@staffing_app.command("outbound")
def staffing_outbound(
    date_: Annotated[str | None, typer.Option("--date", help="日付 (既定: 今日)")] = None,
    made: Annotated[int, typer.Option("--made", min=0, help="書き留めていない、今日すでにかけた件数")] = 0,
    city: City = None,
) -> None:
    """電話による勧奨をしてよい日か、あと何件までかを、根拠とともに JSON で出します (松阪 2章2(5))。

    例: ./toritsugi staffing outbound --city matsusaka --date 2026-11-20
    """
    from runtime.staffing_papers import as_json, outbound_record

    day = day_of(date_, "--date") if date_ else datetime.now(TOKYO).date()
    if day > datetime.now(TOKYO).date():
        raise ToritsugiError("先の日は決められません", where="--date", cure="今日までの日を書く")
    out(as_json(asyncio.run(outbound_record(city, day, made))))


@staffing_app.command("called")
def staffing_called(
    facility: Annotated[str, typer.Option("--facility", help="かけた事業所や施設")],
    content: Annotated[str, typer.Option("--content", help="用件")],
    result: Annotated[str, typer.Option("--result", help="対応の内容")],
    by: Annotated[str, typer.Option("--by", help="かけた人")],
    number: Annotated[str, typer.Option("--number", help="かけた番号")] = "",
    city: City = None,
) -> None:
    """かけた勧奨の電話を書き留め、番号を出します。日次報告に載り、その日の件数に数えます (松阪 2章2(5))。

    例: ./toritsugi staffing called --facility さくら苑 --content 出張申請の案内 --result 12月3日に希望 --by 青木
    """
    from runtime.staffing_papers import outreach_written

    out(asyncio.run(outreach_written(city, facility, content, result, number=number, by=by, say=say)))
