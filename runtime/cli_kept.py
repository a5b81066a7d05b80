"""Commands about papers that are kept: drafted, checked, delivered, amended."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError
from runtime.cli_parts import City, day_of, out, say

if TYPE_CHECKING:
    from reports.delivery import State

kept_app = typer.Typer(help="報告の控え: 案、確認、提出、訂正 / kept papers.", no_args_is_help=True)

Kind = Annotated[str, typer.Argument(help="報告の種類 (monthly など)")]
Date = Annotated[str | None, typer.Option("--date", help="その期間に入る日 (既定: 昨日)")]
Month = Annotated[str | None, typer.Option("--month", help="月。例: 2026-10")]
By = Annotated[str, typer.Option("--by", help="だれが")]


def _day(date_: str | None, month: str | None) -> date:
    if month is not None and date_ is not None:
        raise ToritsugiError("日と月の両方があります", where="--date, --month", cure="どちらか一つにする")
    if month is not None:
        return day_of(f"{month}-01", "--month")
    return day_of(date_, "--date") if date_ else datetime.now(TOKYO).date() - timedelta(days=1)


def _folder(city: str | None, kind: str, date_: str | None, month: str | None) -> Path:
    from core.settings import settings_from
    from runtime.kept_papers import folder_of
    from runtime.period_papers import wanted_paper
    from services.city import load_city

    settings = settings_from()
    return folder_of(settings, wanted_paper(load_city(city or settings.city), kind, _day(date_, month)))


@kept_app.command("draft")
def kept_draft(
    kind: Kind,
    date_: Date = None,
    month: Month = None,
    by: By = "",
    note: Annotated[str, typer.Option("--note", help="訂正の理由 (提出済みのとき必ず)")] = "",
    formats: Annotated[str, typer.Option("--formats", help="作る形式")] = "html,csv,xlsx,pdf",
    city: City = None,
) -> None:
    """報告の案を作って控えに置きます。提出済みなら、訂正の案を新しい版として作ります。

    例: ./toritsugi report-file draft monthly --month 2026-10 --by 青木
    """
    from reports.formats import Format
    from runtime.kept_papers import draft

    names = [each.strip() for each in formats.split(",") if each.strip()]
    unknown = [each for each in names if each not in list(Format)]
    if unknown or not names:
        raise ToritsugiError(
            f"知らない形式です: {'、'.join(unknown) or 'なし'}",
            where="--formats",
            cure=f"次から選ぶ: {','.join(Format)}",
        )
    folder, versions = asyncio.run(
        draft(
            city, kind, _day(date_, month), by=by, note=note, formats=[Format(each) for each in names], say=say
        )
    )  # fmt: skip
    say(f"第{versions[-1].number}版の案を置きました: {folder}")


def _move(
    city: str | None, kind: str, date_: str | None, month: str | None, state: State, by: str, note: str = ""
) -> None:
    from runtime.kept_papers import move

    folder = _folder(city, kind, date_, month)
    version = move(folder, state, datetime.now(TOKYO).isoformat(timespec="seconds"), by=by, note=note)
    say(f"第{version.number}版は「{version.state.label_ja}」です。")


@kept_app.command("check")
def kept_check(kind: Kind, date_: Date = None, month: Month = None, by: By = "", city: City = None) -> None:
    """案を確認済みにします。例: ./toritsugi report-file check monthly --month 2026-10 --by 石川"""
    from reports.delivery import State

    _move(city, kind, date_, month, State.CHECKED, by)


@kept_app.command("deliver")
def kept_deliver(
    kind: Kind,
    date_: Date = None,
    month: Month = None,
    by: By = "",
    note: Annotated[str, typer.Option("--note", help="だれに、どうやって")] = "",
    city: City = None,
) -> None:
    """確認済みの版を提出済みにします。提出した版のファイルは、もう変わりません。

    例: ./toritsugi report-file deliver monthly --month 2026-10 --by 石川 --note 戸籍住民課へ持参
    """
    from reports.delivery import State

    _move(city, kind, date_, month, State.DELIVERED, by, note)


@kept_app.command("reopen")
def kept_reopen(
    kind: Kind,
    date_: Date = None,
    month: Month = None,
    by: By = "",
    note: Annotated[str, typer.Option("--note", help="なぜ戻すのか")] = "",
    city: City = None,
) -> None:
    """確認済みの版を案に戻します。例: ./toritsugi report-file reopen monthly --month 2026-10 --by 石川"""
    from reports.delivery import State

    _move(city, kind, date_, month, State.DRAFT, by, note)


@kept_app.command("diff")
def kept_diff(kind: Kind, date_: Date = None, month: Month = None, city: City = None) -> None:
    """いちばん新しい版と一つ前の版で違う欄を、JSON Lines で出します。

    例: ./toritsugi report-file diff monthly --month 2026-10
    """
    from runtime.kept_papers import diff

    for each in diff(_folder(city, kind, date_, month)):
        out(json.dumps({"where": each.where, "before": each.before, "after": each.after}, ensure_ascii=False))


@kept_app.command("list")
def kept_list() -> None:
    """控えにある報告のすべての版を JSON Lines で出します。提出した版のファイルが変わっていれば、エラーになります。

    例: ./toritsugi report-file list
    """
    from core.settings import settings_from
    from runtime.kept_papers import kept_rows

    for row in kept_rows(settings_from()):
        out(json.dumps(row, ensure_ascii=False))
