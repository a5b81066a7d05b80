"""The `toritsugi` command. Records go to stdout, everything said to people goes to stderr."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError
from runtime.cli_call import call_app
from runtime.cli_cases import cases_app, webhooks_app
from runtime.cli_desk import user_app
from runtime.cli_faq import faq_app
from runtime.cli_faq_loop import loop_app
from runtime.cli_faq_writing import writing_app
from runtime.cli_floor import (
    alerts_app,
    audit_app,
    callbacks_app,
    guard_app,
    operator_app,
    staff_app,
    trunk_app,
)
from runtime.cli_kept import kept_app
from runtime.cli_life import backup_app, handover_app, keys_app, retention_app
from runtime.cli_parts import City, day_of, moment_of, out, say
from runtime.cli_reports import add_report
from runtime.cli_speech import quality_app, recordings_app
from runtime.cli_staffing import staffing_app
from runtime.cli_tickets import tickets_app

app = typer.Typer(
    name="toritsugi",
    help="取次: 市が自分で動かせるコールセンター / a call centre that a city can run itself.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
profile_app = typer.Typer(help="市の設定 / city profiles.", no_args_is_help=True)
ledger_app = typer.Typer(help="通話台帳 / the calls, and the proof.", no_args_is_help=True)
models_app = typer.Typer(help="音声認識モデル / speech models.", no_args_is_help=True)
faq_app.add_typer(writing_app)
faq_app.add_typer(loop_app)
for name, sub in (
    ("profile", profile_app),
    ("operator", operator_app),
    ("call", call_app),
    ("staff", staff_app),
    ("user", user_app),
    ("tickets", tickets_app),
    ("faq", faq_app),
    ("trunk", trunk_app),
    ("guard", guard_app),
    ("audit", audit_app),
    ("callbacks", callbacks_app),
    ("ledger", ledger_app),
    ("staffing", staffing_app),
    ("report-file", kept_app),
    ("retention", retention_app),
    ("keys", keys_app),
    ("backup", backup_app),
    ("handover", handover_app),
    ("alerts", alerts_app),
    ("models", models_app),
    ("cases", cases_app),
    ("webhooks", webhooks_app),
    ("recordings", recordings_app),
    ("quality", quality_app),
):
    app.add_typer(sub, name=name)


def main() -> None:
    """Run a command; a mistake a person can mend ends in one plain line and exit code 2."""
    from runtime.logs import set_up_logging

    set_up_logging()
    try:
        app(prog_name="toritsugi")
    except ToritsugiError as problem:
        say(f"エラー: {problem}")
        raise SystemExit(2) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


# ---- the demonstration, the tests, the benchmarks -------------------------------------------------


@app.command()
def demo(
    city: Annotated[str, typer.Option("--city", help="市の名前 (profile list で見られます)")] = "matsusaka",
    calls: Annotated[int, typer.Option("--calls", min=1, max=500, help="かける電話の数")] = 12,
    speed: Annotated[
        float, typer.Option("--speed", min=0, help="市の時計の速さ (実時間の何倍か)。0 は自動")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="乱数の種。同じ種は同じ一日")] = 1,
    out_dir: Annotated[Path | None, typer.Option("--out", help="結果を置くフォルダー")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="画面を使わず、行で知らせる")] = False,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="状況の画面と報告書をブラウザーで開かない")
    ] = False,
    kill_engine: Annotated[
        int, typer.Option("--kill-engine", min=0, max=50, help="途中で中枢を強制終了する回数 (耐障害試験)")
    ] = 0,
) -> None:
    """模擬の市民とオペレーターで、市の一日を短い時間で動かします。

    例: ./toritsugi demo --city ageo --calls 12 --headless --out out/ageo
    """
    from runtime.demo_plan import Plan
    from runtime.demonstration import run_demo

    plan = Plan(
        city=city,
        calls=calls,
        speed=speed or None,
        seed=seed,
        out=(out_dir or Path("out") / f"demo-{city}").resolve(),
        headless=headless,
        kill_engine=kill_engine,
        opens=not (no_open or headless),
    )
    raise typer.Exit(asyncio.run(run_demo(plan, say)))


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def test(context: typer.Context) -> None:
    """変更が通らなければならない検査をすべて行います (引数は pytest に渡します)。

    例: ./toritsugi test   ./toritsugi test tests/unit -k hours
    """
    from runtime.testing import run_tests

    raise typer.Exit(run_tests(context.args))


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="どれを測るか。なければ全部")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="短く測る")] = False,
) -> None:
    """性能を、名のある基準との比として測ります。

    例: ./toritsugi bench agi_latency
    """
    from runtime.benchmarking import run_benchmarks

    raise typer.Exit(run_benchmarks(names or [], quick=quick, say=say, out=out))


@app.command()
def accept(
    names: Annotated[list[str] | None, typer.Argument(help="どれを行うか。なければ全部")] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=2, max=1440, help="desk の試験の長さ (分)。ふだんは 30 分"),
    ] = None,
) -> None:
    """長い受入試験を行い、結果を benchmarks/results/ に残します。

    例: ./toritsugi accept kill-engine   ./toritsugi accept desk --minutes 3
    """
    from runtime.acceptance import run_acceptance

    raise typer.Exit(asyncio.run(run_acceptance(names or [], say, minutes=minutes)))


# ---- the service ----------------------------------------------------------------------------------


@app.command()
def up(city: City = None) -> None:
    """この市のコールセンターを前面で動かします (止めるには Ctrl-C か toritsugi down)。

    例: TORITSUGI_SIP_PORT=5070 ./toritsugi up --city matsusaka
    """
    from runtime.service import serve

    raise typer.Exit(asyncio.run(serve(city, say)))


@app.command()
def down() -> None:
    """動いているコールセンターを止めます。

    例: ./toritsugi down
    """
    from runtime.service import stop_service

    raise typer.Exit(stop_service(say))


@app.command()
def status(city: City = None) -> None:
    """動いているか、待っている電話、文字起こしの残りを JSON で出します。

    例: ./toritsugi status
    """
    from runtime.service import status_of

    out(json.dumps(asyncio.run(status_of(city)), ensure_ascii=False, indent=2))


@app.command(hidden=True)
def engine(city: City = None) -> None:
    """親プロセスが始める中枢。"""
    from runtime.service import run_engine

    asyncio.run(run_engine(city))


@app.command(hidden=True)
def transcriber(city: City = None) -> None:
    """親プロセスが始める文字起こし。"""
    from runtime.transcribing import run_transcriber

    asyncio.run(run_transcriber(city))


@app.command(hidden=True)
def prober() -> None:
    """親プロセスが始める、稼働率の測定。"""
    from runtime.prober import run_prober

    asyncio.run(run_prober())


@app.command(hidden=True)
def desk(city: City = None) -> None:
    """親プロセスが始める画面。"""
    from runtime.desk_process import run_desk

    asyncio.run(run_desk(city))


@app.command()
def close(
    reason: Annotated[str, typer.Option("--reason", help="理由 (記録に残る)")] = "緊急",
    until: Annotated[str | None, typer.Option("--until", help="再開の日時。例: 2026-11-24T09:00")] = None,
    message: Annotated[str, typer.Option("--message", help="流す文言の名前")] = "emergency_closed",
) -> None:
    """緊急に受付を休止します。次の電話から効きます。監督者の電話からは *61 です。

    例: ./toritsugi close --reason 停電 --until 2026-11-24T13:00
    """
    from acd.commands import Act
    from runtime.centre_commands import switch_centre

    asyncio.run(switch_centre(Act.CLOSE, say, to=message, reason=reason, until=until or ""))
    say(f"受付を休止しました ({reason})。再開は toritsugi reopen です。")


@app.command()
def reopen() -> None:
    """緊急の休止を解きます。監督者の電話からは *62 です。

    例: ./toritsugi reopen
    """
    from acd.commands import Act
    from runtime.centre_commands import switch_centre

    asyncio.run(switch_centre(Act.REOPEN, say))
    say("通常の受付に戻しました。")


@app.command()
def notice(
    text: Annotated[
        str, typer.Option("--text", help="読み上げる文 (日本語)。なければ --message の文言")
    ] = "",
    text_en: Annotated[str, typer.Option("--text-en", help="英語の案内で読み上げる文")] = "",
    message: Annotated[str, typer.Option("--message", help="流す文言の名前")] = "notice_emergency",
    reason: Annotated[str, typer.Option("--reason", help="理由 (記録に残る)")] = "緊急",
    until: Annotated[str | None, typer.Option("--until", help="やめる日時。例: 2026-11-24T13:00")] = None,
    over: Annotated[bool, typer.Option("--over", help="お知らせをやめる")] = False,
) -> None:
    """受付を続けたまま、すべての電話の初めに緊急のお知らせを流します。監督者の電話からは *63、やめるのは *64 です。

    例: ./toritsugi notice --text 大雨のため、窓口は午後3時で閉まります。   ./toritsugi notice --over
    """
    from acd.commands import Act
    from runtime.centre_commands import spoken_notice, switch_centre

    if over:
        asyncio.run(switch_centre(Act.NOTICE_OVER, say))
        say("お知らせをやめました。")
        return
    if text or text_en:
        message = spoken_notice(text, text_en, say)
    asyncio.run(switch_centre(Act.NOTICE, say, to=message, reason=reason, until=until or ""))
    say("お知らせを始めました。次の電話から効きます。")


# ---- profiles -------------------------------------------------------------------------------------


@profile_app.command("list")
def profile_list() -> None:
    """ある市を並べます。例: ./toritsugi profile list"""
    from services.city import list_cities

    for name in list_cities():
        out(name)


@profile_app.command("check")
def profile_check(city: Annotated[str, typer.Argument(help="市の名前、または .toml のパス")]) -> None:
    """市の設定を確かめ、直すところを一つずつ示します。

    例: ./toritsugi profile check matsusaka
    """
    from services.city import check_city

    problems = check_city(city)
    for problem in problems:
        say(f"エラー: {problem}")
    if problems:
        raise typer.Exit(1)
    say(f"{city}: 問題はありません。")


@profile_app.command("show")
def profile_show(city: Annotated[str, typer.Argument(help="市の名前、または .toml のパス")]) -> None:
    """市の設定を読みやすく示します。

    例: ./toritsugi profile show ube
    """
    from services.city import load_city
    from services.city_text import show_city

    out(show_city(load_city(city)))


@app.command()
def hours(
    at: Annotated[str, typer.Option("--at", help="日時 (日本時間)。例: 2026-12-30T16:31")],
    city: Annotated[str, typer.Option("--city", help="市の名前")] = "matsusaka",
    language: Annotated[str, typer.Option("--language", help="ja または en")] = "ja",
) -> None:
    """その時刻にかけた人が何を聞くか、なぜかを示します。

    例: ./toritsugi hours --city matsusaka --at 2024-12-30T16:31
    """
    from core.emergency import read_emergency
    from core.settings import settings_from
    from services.city import load_city
    from services.city_text import describe_hours

    emergency = read_emergency(settings_from().home)
    out(describe_hours(load_city(city), moment_of(at, "--at"), language, emergency))


# ---- the ledger and the papers --------------------------------------------------------------------


@ledger_app.command("export")
def ledger_export(
    format_: Annotated[str, typer.Option("--format", help="jsonl または csv")] = "jsonl",
    from_: Annotated[str | None, typer.Option("--from", help="この日から (既定: はじめから)")] = None,
    to: Annotated[str | None, typer.Option("--to", help="この日の前まで (既定: いままで)")] = None,
    city: City = None,
) -> None:
    """通話を一件一行で出します。

    例: ./toritsugi ledger export --format csv --from 2026-11-01 --to 2026-12-01
    """
    from runtime.records import export_text

    if format_ not in ("jsonl", "csv"):
        raise ToritsugiError(f"知らない形式です: {format_}", where="--format", cure="jsonl か csv を書く")
    since = day_of(from_, "--from") if from_ else None
    until = day_of(to, "--to") if to else None
    for line in asyncio.run(export_text(city, format_, since, until)):
        sys.stdout.write(line)


@ledger_app.command("reconcile")
def ledger_reconcile(
    date_: Annotated[str | None, typer.Option("--date", help="日付 (既定: 今日)")] = None,
    capture: Annotated[
        Path | None, typer.Option("--capture", help="SIP の記録 (既定: この設置の記録)")
    ] = None,
    city: City = None,
) -> None:
    """線の上で見た電話と台帳を突き合わせ、違いを並べます。違いがあれば終了コード 1。

    例: ./toritsugi ledger reconcile --date 2026-11-24
    """
    from runtime.records import reconcile_day

    day = day_of(date_, "--date") if date_ else datetime.now(TOKYO).date()
    result = asyncio.run(reconcile_day(city, day, capture))
    out(json.dumps(result, ensure_ascii=False, indent=2))
    if result["differences"]:
        raise typer.Exit(1)


@app.command("evidence")
def evidence(
    call: Annotated[str, typer.Argument(help="通話番号")],
    reason: Annotated[str, typer.Option("--reason", help="何のために取り出すのか")],
    target: Annotated[Path, typer.Option("--out", help="書き出すファイル (.zip)")],
    city: City = None,
) -> None:
    """一つの通話の記録・録音・文字起こしを、ハッシュを付けて一つのファイルにまとめます。取り出したことは操作の記録に残ります。

    例: ./toritsugi evidence c-n1-1790000000.12 --reason 脅迫の相談 --out evidence.zip
    """
    from runtime.evidence import collect_evidence

    asyncio.run(collect_evidence(city, call, target, reason, out, say))


add_report(app)


# ---- speech ---------------------------------------------------------------------------------------


@app.command()
def transcribe(
    paths: Annotated[list[Path], typer.Argument(help="WAV ファイル")],
    language: Annotated[str, typer.Option("--language", help="ja または en")] = "ja",
) -> None:
    """録音を文字にして JSON Lines で出します: side, start_s, end_s, text, confidence。

    例: ./toritsugi transcribe var/recordings/c-n1-1790000000.12-citizen.wav
    """
    from runtime.transcribing import transcribe_paths

    failed = False
    for row in transcribe_paths(paths, language):
        failed = failed or bool(row.get("error"))
        out(json.dumps(row, ensure_ascii=False))
    if failed:
        raise typer.Exit(1)


@models_app.command("fetch")
def models_fetch() -> None:
    """音声認識モデルを取り寄せます。例: ./toritsugi models fetch"""
    from runtime.transcribing import fetch_all_models

    fetch_all_models(say)
