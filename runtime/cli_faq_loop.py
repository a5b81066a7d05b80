"""Commands by which calls improve the knowledge base."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from core.errors import ToritsugiError
from runtime.cli_faq import By
from runtime.cli_faq_writing import EntryId
from runtime.cli_parts import day_of, out, say

loop_app = typer.Typer()

Since = Annotated[str | None, typer.Option("--since", help="この日から (既定: 28日前)")]
Until = Annotated[str | None, typer.Option("--until", help="この日の前まで (既定: いままで)")]


@loop_app.command("suggest")
def faq_suggest(
    call: Annotated[str, typer.Argument(help="通話番号 (文字起こしから)")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="市民の言葉を書いたテキスト")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="いくつまで出すか")] = 3,
) -> None:
    """通話の文字起こしに合う項目を、もとになった言葉と一緒に JSON Lines で出します。

    例: ./toritsugi faq suggest c-n1-1790000000.12
    """
    from runtime.faq_loop import suggest_for

    if bool(call) == (file is not None):
        raise ToritsugiError(
            "通話番号か --file の、どちらか一つが要ります", where="faq suggest", cure="例: --file said.txt"
        )
    asyncio.run(suggest_for(call, file, limit, out, say))


@loop_app.command("gaps")
def faq_gaps(
    since: Since = None,
    until: Until = None,
    least: Annotated[int, typer.Option("--least", min=1, help="何件から不足とみるか")] = 2,
    drafts: Annotated[
        Path | None, typer.Option("--drafts", help="項目の案を書く CSV (直して faq import で下書きになる)")
    ] = None,
) -> None:
    """どの項目も答えていない通話をまとめ、例と項目の案を JSON Lines で出します。

    例: ./toritsugi faq gaps --since 2026-11-01 --least 3 --drafts drafts.csv
    """
    from runtime.faq_loop import show_gaps

    first, last = _days(since, until)
    asyncio.run(show_gaps(first, last, least, drafts, out, say))


@loop_app.command("effect")
def faq_effect(
    entry: EntryId,
    days: Annotated[
        int, typer.Option("--days", min=1, max=366, help="公開の前後、それぞれ何日を比べるか")
    ] = 28,
) -> None:
    """項目の公開の前と後で、その内容の通話が減ったかを JSON で出します。例: ./toritsugi faq effect card-fee"""
    from runtime.faq_loop import show_effect

    asyncio.run(show_effect(entry, days, out, say))


@loop_app.command("recall")
def faq_recall(
    entry: EntryId,
    version: Annotated[int, typer.Option("--version", min=1, help="誤っていた版")],
    note: Annotated[str, typer.Option("--note", help="何が誤りで、正しくは何か")],
    by: By = "",
) -> None:
    """誤った版を案内した通話ごとに、折り返しの依頼を作って番号を出します (二度しても増えません)。

    例: ./toritsugi faq recall card-fee --version 2 --note 手数料は無料ではなく千円
    """
    from runtime.faq_loop import recall_version

    asyncio.run(recall_version(entry, version, note, by, out, say))


@loop_app.command("log")
def faq_log(
    since: Since = None,
    until: Until = None,
    zero: Annotated[bool, typer.Option("--zero", help="何も見つからなかったものだけ")] = False,
    loose: Annotated[bool, typer.Option("--loose", help="ぴったりの項目がなかったものだけ")] = False,
) -> None:
    """検索の記録を JSON Lines で出します。例: ./toritsugi faq log --loose --since 2026-11-01"""
    from runtime.faq_loop import search_log

    first, last = _days(since, until)
    asyncio.run(search_log(first, last, "zero" if zero else "loose" if loose else "", out, say))


@loop_app.command("usage")
def faq_usage(since: Since = None, until: Until = None) -> None:
    """利用の状況を前の期間と比べて JSON で出します: 検索の成否、見つからない言葉、案内と表示の順位、改訂。

    例: ./toritsugi faq usage --since 2026-11-01 --until 2026-12-01
    """
    from runtime.faq_loop import usage

    first, last = _days(since, until)
    asyncio.run(usage(first, last, out, say))


def _days(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    return day_of(since, "--since") if since else None, day_of(until, "--until") if until else None
