"""Commands about recordings and what is said in them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

import typer

from core.clock import TOKYO
from runtime.cli_parts import City, day_of, out, say

recordings_app = typer.Typer(help="録音の無音化と確認 / secrets out of recordings.", no_args_is_help=True)


@recordings_app.command("mute")
def recordings_mute(city: City = None) -> None:
    """話された番号・氏名・住所の区間を、録音からも消します (無音にします)。動いている間は自動で行います。

    期限を過ぎて残っているものがあれば終了コード 1。例: ./toritsugi recordings mute
    """
    from runtime.muting import mute_recordings

    raise typer.Exit(asyncio.run(mute_recordings(city, out, say)))


@recordings_app.command("scan")
def recordings_scan(
    everything: Annotated[bool, typer.Option("--all", help="確認済みのものももう一度聞く")] = False,
    city: City = None,
) -> None:
    """無音にした録音をもう一度文字に起こし、番号などが残っていないことを確かめます。

    一件一行の JSON。残っていれば終了コード 1。例: ./toritsugi recordings scan --all
    """
    from runtime.muting import scan_recordings

    raise typer.Exit(asyncio.run(scan_recordings(city, everything, out, say)))


@recordings_app.command("show")
def recordings_show(
    call: Annotated[str, typer.Argument(help="通話番号 (ledger export の call_id)")], city: City = None
) -> None:
    """ある通話の録音で、どこがなぜ無音かを出します (担当者の録音停止と、あとからの無音化)。

    例: ./toritsugi recordings show c-n1-1790000000.12
    """
    from runtime.muting import recording_timeline

    asyncio.run(recording_timeline(city, call, out))


quality_app = typer.Typer(help="応対品質分析 / how calls were handled.", no_args_is_help=True)

Call = Annotated[str, typer.Argument(help="通話番号 (ledger export の call_id)")]


@quality_app.command("list")
def quality_list(
    date_: Annotated[str | None, typer.Option("--date", help="この日まで (既定: 今日)")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="何日分")] = 1,
    city: City = None,
) -> None:
    """通話ごとの点と、足りなかった項目を、点の低い順に一行の JSON で出します。

    例: ./toritsugi quality list --date 2026-11-24 --days 7
    """
    from runtime.quality import list_quality

    day = day_of(date_, "--date") if date_ else datetime.now(TOKYO).date()
    asyncio.run(list_quality(city, day, days, out))


@quality_app.command("show")
def quality_show(call: Call, city: City = None) -> None:
    """一通話の項目、根拠の文、話した時間の割合・沈黙・重なり・保留を出します。

    例: ./toritsugi quality show c-n1-1790000000.12
    """
    from runtime.quality import show_quality

    asyncio.run(show_quality(city, call, out))


@quality_app.command("overrule")
def quality_overrule(
    call: Call,
    item: Annotated[str, typer.Argument(help="項目 (quality show の id)")],
    passed: Annotated[bool, typer.Option("--passed/--failed", help="できていた / できていなかった")],
    reason: Annotated[str, typer.Option("--reason", help="なぜ")],
    by: Annotated[str, typer.Option("--by", help="だれが (既定: この端末の人)")] = "",
    city: City = None,
) -> None:
    """管理者が一項目の判定を改めます。点は改まり、監査に残ります。

    例: ./toritsugi quality overrule c-n1-1790000000.12 greeting --passed --reason 聞き取りの誤り --by 佐藤
    """
    from runtime.quality import overrule_quality

    asyncio.run(overrule_quality(city, call, item, passed, reason, by, out))


@quality_app.command("themes")
def quality_themes(
    month: Annotated[str | None, typer.Option("--month", help="月 (既定: 先月)。例: 2026-10")] = None,
    city: City = None,
) -> None:
    """月の研修テーマ: 足りないことの多い項目から順に、人別の回数と聞くべき通話を出します。

    例: ./toritsugi quality themes --month 2026-11
    """
    from runtime.quality import training_themes

    last = datetime.now(TOKYO).date().replace(day=1) - timedelta(days=1)
    first = day_of(f"{month}-01", "--month") if month else last
    asyncio.run(training_themes(city, first, out))


@recordings_app.command("translate")
def recordings_translate(
    call: Call,
    to: Annotated[str, typer.Option("--to", help="言語: en, zh, ko, vi, pt, ja")] = "en",
    city: City = None,
) -> None:
    """伏せ字にした文字起こしを、外部の言語モデルで訳します。市が設定で使うと決めたときだけ動きます。

    例: ./toritsugi recordings translate c-n1-1790000000.12 --to en
    """
    from runtime.providers import translate_call

    asyncio.run(translate_call(city, call, to, out))
