"""Commands about the knowledge base (FAQ)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import ToritsugiError
from runtime.cli_parts import out, say

faq_app = typer.Typer(help="よくある質問 (FAQ) / the knowledge base.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="だれが (既定: この端末の人)")]


@faq_app.command("import")
def faq_import(
    path: Annotated[Path, typer.Argument(help="CSV ファイル (UTF-8。列は少なくとも id, question, answer)")],
    state: Annotated[
        str, typer.Option("--state", help="state の列がない行の扱い: published (市の承認済み) か draft")
    ] = "published",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="何が変わるかを示すだけで、取り込まない")
    ] = False,
    by: By = "",
) -> None:
    """CSV の項目を取り込みます。取り込んだものはすぐに検索できます。

    誤りのある行が一つでもあれば、行と理由を示して何も取り込みません。

    例: ./toritsugi faq import faq.csv --dry-run
    """
    from faq_kb.article import State
    from runtime.faq import import_file

    if state not in (State.PUBLISHED, State.DRAFT):
        raise ToritsugiError(f"使えない状態です: {state}", where="--state", cure="published か draft を書く")
    asyncio.run(import_file(path, default=State(state), dry_run=dry_run, by=by, out=out, say=say))


@faq_app.command("export")
def faq_export(
    path: Annotated[Path | None, typer.Argument(help="書き出すファイル (なければ標準出力)")] = None,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="この状態のものだけ (いくつでも)")
    ] = None,
) -> None:
    """項目を CSV に書き出します。Excel でそのまま開け、faq import で元のとおりに戻ります。

    例: ./toritsugi faq export faq.csv
    """
    from faq_kb.article import State
    from runtime.faq import export_file

    for each in state or ():
        if each not in set(State):
            raise ToritsugiError(
                f"ない状態です: {each}", where="--state", cure=f"次のどれか: {', '.join(State)}"
            )
    states = [State(each) for each in state] if state else None
    asyncio.run(export_file(path, states, lambda line: print(line, end=""), say))


@faq_app.command("search")
def faq_search(
    query: Annotated[str, typer.Argument(help="探す言葉、または質問の文")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="いくつまで出すか")] = 10,
    format_: Annotated[str, typer.Option("--format", help="json (一件一行) か text")] = "json",
    file: Annotated[
        Path | None, typer.Option("--file", help="質問を一行に一つ書いたファイル。- は標準入力")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="なぜその順なのかも出す")] = False,
    public: Annotated[bool, typer.Option("--public", help="市民に公開する項目だけ")] = False,
    call: Annotated[str, typer.Option("--call", help="どの通話で探したか")] = "",
    by: By = "",
) -> None:
    """公開中の項目を探し、一件一行で出します: id, question, score。--file では query (何行目の質問か) も出します。

    例: ./toritsugi faq search カードをなくした --limit 5 --format json
    """
    # Before NumPy is loaded: one query is too small for several threads, which would only wait for each other.
    import os

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from runtime.faq import search_many

    if format_ not in ("json", "text"):
        raise ToritsugiError(f"知らない形式です: {format_}", where="--format", cure="json か text を書く")
    if (file is None) == (not query.strip()):
        raise ToritsugiError(
            "探す言葉がありません" if file is None else "言葉と --file の両方があります",
            where="faq search",
            cure="言葉か --file の、どちらか一つを書く",
        )
    queries = [query] if file is None else _lines(file)
    printed = out if format_ == "json" else _text
    asyncio.run(
        search_many(
            queries, limit=limit, public=public, explain=explain, numbered=file is not None, by=by,
            call=call, out=printed, say=say,
        )
    )  # fmt: skip


def _lines(file: Path) -> list[str]:
    from runtime.faq import read_file

    data = sys.stdin.buffer.read() if str(file) == "-" else read_file(file)
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise ToritsugiError("UTF-8 ではありません", where=str(file), cure="UTF-8 で保存する") from problem


def _text(line: str) -> None:
    import json

    row = json.loads(line)
    out(f"{row['score']:.3f}  {row['id']}  {row['question']}")


@faq_app.command("seed")
def faq_seed(
    city: Annotated[str | None, typer.Option("--city", help="市の名前 (市ごとの項目も入れる)")] = None,
    state: Annotated[
        str, typer.Option("--state", help="published (すぐに使う) か draft (市の承認を受けてから)")
    ] = "published",
    by: By = "",
) -> None:
    """見本の項目と類義語を入れます。すでにある項目は変えません。

    例: ./toritsugi faq seed --city ube --state draft
    """
    from faq_kb.article import State
    from runtime.faq_words import seed
    from runtime.remembered import remembered_settings

    if state not in (State.PUBLISHED, State.DRAFT):
        raise ToritsugiError(f"使えない状態です: {state}", where="--state", cure="published か draft を書く")
    asyncio.run(seed(city or remembered_settings().city, State(state), by, say))
