"""The `toritsugi` command. Records go to stdout, everything said to people goes to stderr."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError

app = typer.Typer(
    name="toritsugi",
    help="取次: 市が自分で動かせるコールセンター / a call centre that a city can run itself.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
profile_app = typer.Typer(help="市の設定 / city profiles.", no_args_is_help=True)
operator_app = typer.Typer(help="オペレーター / who may work.", no_args_is_help=True)
trunk_app = typer.Typer(help="回線 / where calls may come from.", no_args_is_help=True)
guard_app = typer.Typer(help="待ち時間の番 / who is called in.", no_args_is_help=True)
audit_app = typer.Typer(help="操作の記録 / who changed what.", no_args_is_help=True)
callbacks_app = typer.Typer(help="折り返しの予約 / call-backs.", no_args_is_help=True)
ledger_app = typer.Typer(help="通話台帳 / the calls, and the proof.", no_args_is_help=True)
retention_app = typer.Typer(help="保存期間 / how long records are kept.", no_args_is_help=True)
alerts_app = typer.Typer(help="警報 / alerts.", no_args_is_help=True)
models_app = typer.Typer(help="音声認識モデル / speech models.", no_args_is_help=True)
for name, sub in (
    ("profile", profile_app),
    ("operator", operator_app),
    ("trunk", trunk_app),
    ("guard", guard_app),
    ("audit", audit_app),
    ("callbacks", callbacks_app),
    ("ledger", ledger_app),
    ("retention", retention_app),
    ("alerts", alerts_app),
    ("models", models_app),
):
    app.add_typer(sub, name=name)

City = Annotated[str | None, typer.Option("--city", help="市の名前。例: matsusaka")]


def say(text: str) -> None:
    """One line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def out(text: str) -> None:
    """One line for the next program."""
    print(text, flush=True)


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


def _year(day: date) -> None:
    if not 1970 < day.year < 2100:
        raise ValueError("no year of ours")


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        _year(moment)
    except ValueError as problem:
        raise ToritsugiError(
            f"日時が読めません: {text!r}", where=option, cure="例: 2026-12-30T16:31"
        ) from problem
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)


def _day(text: str, option: str) -> date:
    try:
        day = date.fromisoformat(text)
        _year(day)
    except ValueError as problem:
        raise ToritsugiError(f"日付が読めません: {text!r}", where=option, cure="例: 2026-11-24") from problem
    return day


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
    kill_engine: Annotated[
        int, typer.Option("--kill-engine", min=0, max=50, help="途中で中枢を強制終了する回数 (耐障害試験)")
    ] = 0,
) -> None:
    """模擬の市民とオペレーターで、市の一日を短い時間で動かします。

    例: ./toritsugi demo --city ageo --calls 12 --headless --out out/ageo
    """
    from runtime.demonstration import Plan, run_demo

    plan = Plan(
        city=city,
        calls=calls,
        speed=speed or None,
        seed=seed,
        out=(out_dir or Path("out") / f"demo-{city}").resolve(),
        headless=headless,
        kill_engine=kill_engine,
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
) -> None:
    """長い受入試験を行い、結果を benchmarks/results/ に残します。

    例: ./toritsugi accept kill-engine
    """
    from runtime.acceptance import run_acceptance

    raise typer.Exit(asyncio.run(run_acceptance(names or [], say)))


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


@app.command()
def close(
    reason: Annotated[str, typer.Option("--reason", help="理由 (記録に残る)")] = "緊急",
    until: Annotated[str | None, typer.Option("--until", help="再開の日時。例: 2026-11-24T09:00")] = None,
    message: Annotated[str, typer.Option("--message", help="流す文言の名前")] = "emergency_closed",
) -> None:
    """緊急に受付を休止します。次の電話から効きます。

    例: ./toritsugi close --reason 停電 --until 2026-11-24T13:00
    """
    from core.emergency import write_emergency
    from core.hours import Emergency
    from core.settings import settings_from
    from services.city import load_city

    settings = settings_from()
    allowed = load_city(settings.city).emergency_messages
    if message not in allowed:
        raise ToritsugiError(
            f"ない文言です: {message}", where="--message", cure=f"次のどれか: {', '.join(sorted(allowed))}"
        )
    moment = _moment(until, "--until") if until else None
    write_emergency(settings.home, Emergency(message=message, until=moment, reason=reason))
    say(f"受付を休止しました ({reason})。再開は toritsugi reopen です。")


@app.command()
def reopen() -> None:
    """緊急の休止を解きます。

    例: ./toritsugi reopen
    """
    from core.emergency import clear_emergency
    from core.settings import settings_from

    clear_emergency(settings_from().home)
    say("通常の受付に戻しました。")


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
    out(describe_hours(load_city(city), _moment(at, "--at"), language, emergency))


# ---- people and trunks ----------------------------------------------------------------------------


@operator_app.command("add")
def operator_add(
    number: Annotated[str, typer.Argument(help="サインインの番号。例: 101")],
    name: Annotated[str, typer.Option("--name", help="氏名")],
    skill: Annotated[list[str], typer.Option("--skill", help="回線=レベル(1–5)。例: booking=3")],
    language: Annotated[list[str] | None, typer.Option("--language", help="話せる言語")] = None,
    group: Annotated[str, typer.Option("--group", help="呼び込まれるまで待機する組")] = "",
    city: City = None,
) -> None:
    """オペレーターを加え、電話機に入れる合言葉を一度だけ示します。

    例: ./toritsugi operator add 101 --name 青木 --skill booking=4 --skill card=3
    """
    from runtime.people import add_operator

    asyncio.run(add_operator(city, number, name, skill, tuple(language or ("ja",)), out, say, group=group))


@operator_app.command("skills")
def operator_skills(
    number: Annotated[str, typer.Argument(help="番号")],
    skill: Annotated[list[str], typer.Option("--skill", help="回線=レベル(1–5)")],
    city: City = None,
) -> None:
    """オペレーターの回線とレベルを改めます。

    例: ./toritsugi operator skills 101 --skill booking=5 --skill portal=2
    """
    from runtime.people import set_skills

    asyncio.run(set_skills(city, number, skill, say))


@operator_app.command("group")
def operator_group(
    number: Annotated[str, typer.Argument(help="番号")],
    group: Annotated[str, typer.Argument(help="組の名前 (なしにするには書かない)")] = "",
    city: City = None,
) -> None:
    """呼び込まれるまで待機する組を改めます。

    例: ./toritsugi operator group 101 responsible
    """
    from runtime.people import set_group

    asyncio.run(set_group(city, number, group, say))


@operator_app.command("list")
def operator_list(city: City = None) -> None:
    """オペレーターを JSON Lines で並べます (合言葉は出しません)。例: ./toritsugi operator list"""
    from runtime.people import list_operators

    for row in asyncio.run(list_operators(city)):
        out(json.dumps(row, ensure_ascii=False))


@trunk_app.command("add")
def trunk_add(
    name: Annotated[str, typer.Argument(help="名前 (英数字)")],
    match: Annotated[str, typer.Option("--match", help="相手の IP アドレスまたは網。例: 192.0.2.10")],
    contact: Annotated[
        str, typer.Option("--contact", help="転送と折り返しの電話をかける先。例: sip:192.0.2.10:5060")
    ] = "",
    city: City = None,
) -> None:
    """電話を受けてよい相手を加えます。ほかの相手は断ります。--contact があれば、転送と折り返しにも使います。

    例: ./toritsugi trunk add carrier --match 192.0.2.10 --contact sip:192.0.2.10:5060
    """
    from runtime.people import add_trunk

    asyncio.run(add_trunk(city, name, match, contact, say))


@trunk_app.command("list")
def trunk_list(city: City = None) -> None:
    """電話を受けてよい相手を JSON Lines で並べます。例: ./toritsugi trunk list"""
    from runtime.people import list_trunks

    for row in asyncio.run(list_trunks(city)):
        out(json.dumps(row, ensure_ascii=False))


# ---- alerts ---------------------------------------------------------------------------------------


@alerts_app.command("list")
def alerts_list(
    open_: Annotated[bool, typer.Option("--open", help="いま続いているものだけ")] = False,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="さかのぼる日数")] = 7,
    city: City = None,
) -> None:
    """警報を JSON Lines で並べます。続いているものは、いつ始まったものでも出します。

    例: ./toritsugi alerts list --open
    """
    from runtime.alert_commands import list_alerts

    for row in asyncio.run(list_alerts(city, open_only=open_, days=days)):
        out(json.dumps(row, ensure_ascii=False))


@alerts_app.command("ack")
def alerts_ack(
    identity: Annotated[str, typer.Argument(metavar="ID", help="警報の番号 (初めの数文字でよい)")],
    by: Annotated[str, typer.Option("--by", help="対応する人の名前")],
    note: Annotated[str, typer.Option("--note", help="書き添えること")] = "",
    city: City = None,
) -> None:
    """対応する人が決まったことを記します。くり返しの知らせが止まります。

    例: ./toritsugi alerts ack k3f9ab2q --by 山田 --note 電話機を交換中
    """
    from runtime.alert_commands import acknowledge_alert

    if not by.strip():
        raise ToritsugiError("名前がありません", where="--by", cure="例: --by 山田")
    asyncio.run(acknowledge_alert(city, identity, by.strip()[:80], note.strip(), say))


@alerts_app.command("test")
def alerts_test(city: City = None) -> None:
    """試験の知らせを記録・メール・Webhook に一度ずつ送り、結果を JSON Lines で出します。

    届かないものがあれば終了コード 1。

    例: ./toritsugi alerts test
    """
    from runtime.alert_commands import try_channels

    results = asyncio.run(try_channels(city))
    for row in results:
        out(json.dumps(row, ensure_ascii=False))
    missing = {"mail": "TORITSUGI_SMTP と TORITSUGI_ALERT_TO", "webhook": "TORITSUGI_ALERT_WEBHOOK"}
    for name in missing.keys() - {row["channel"] for row in results}:
        say(f"{name} は使っていません ({missing[name]} が決まっていません)。")
    if not all(row["ok"] for row in results):
        raise typer.Exit(1)


@guard_app.command("call-in")
def guard_call_in(
    group: Annotated[str, typer.Argument(help="組の名前")],
    city: City = None,
) -> None:
    """待機している組を、いますぐ呼び込みます (拠点の切り替えなど)。release までそのままです。

    例: ./toritsugi guard call-in site2
    """
    from runtime.people import call_in_by_hand

    asyncio.run(call_in_by_hand(city, group, True, say))


@guard_app.command("release")
def guard_release(
    group: Annotated[str, typer.Argument(help="組の名前")],
    city: City = None,
) -> None:
    """手で呼び込んだ組を、番に任せます。落ち着けば待機に戻ります。

    例: ./toritsugi guard release site2
    """
    from runtime.people import call_in_by_hand

    asyncio.run(call_in_by_hand(city, group, False, say))


@audit_app.command("list")
def audit_list(
    since: Annotated[str | None, typer.Option("--since", help="この日から (既定: 今日)")] = None,
    until: Annotated[str | None, typer.Option("--until", help="この日の前まで (既定: いままで)")] = None,
    city: City = None,
) -> None:
    """だれが何を変えたか、番が何をしたかを、一件一行の JSON で出します。

    例: ./toritsugi audit list --since 2026-11-24 --until 2026-11-25
    """
    from runtime.people import audit_rows

    first = _day(since, "--since") if since else datetime.now(TOKYO).date()
    last = _day(until, "--until") if until else None
    for row in asyncio.run(audit_rows(city, first, last)):
        out(json.dumps(row, ensure_ascii=False))


# ---- call-backs -----------------------------------------------------------------------------------


@callbacks_app.command("list")
def callbacks_list(
    date_: Annotated[
        str | None, typer.Option("--date", help="この日に予約されたもの (既定: 終わっていないもの)")
    ] = None,
    show_numbers: Annotated[bool, typer.Option("--show-numbers", help="電話番号を伏せずに出す")] = False,
    city: City = None,
) -> None:
    """折り返しの予約を JSON Lines で並べます。電話番号は伏せます。

    例: ./toritsugi callbacks list --date 2026-11-24
    """
    from runtime.callback_rows import callback_rows

    day = _day(date_, "--date") if date_ else None
    for row in asyncio.run(callback_rows(city, day, show_numbers=show_numbers)):
        out(json.dumps(row, ensure_ascii=False))


@callbacks_app.command("cancel")
def callbacks_cancel(
    call: Annotated[str, typer.Argument(help="通話番号 (callbacks list の call)")],
    city: City = None,
) -> None:
    """折り返しの予約を取り消します。市民の電話がもう鳴っているときは、取り消せません。

    例: ./toritsugi callbacks cancel c-n1-1790000000.12
    """
    from runtime.callback_rows import cancel_callback

    asyncio.run(cancel_callback(city, call, say))


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
    since = _day(from_, "--from") if from_ else None
    until = _day(to, "--to") if to else None
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

    day = _day(date_, "--date") if date_ else datetime.now(TOKYO).date()
    result = asyncio.run(reconcile_day(city, day, capture))
    out(json.dumps(result, ensure_ascii=False, indent=2))
    if result["differences"]:
        raise typer.Exit(1)


@app.command()
def cases(
    date_: Annotated[str | None, typer.Option("--date", help="日付 (既定: 今日)")] = None,
    city: City = None,
) -> None:
    """応対履歴を一件一行の JSON で出します (文字起こし付き、番号を含みます)。

    例: ./toritsugi cases --date 2026-11-24
    """
    from runtime.records import case_rows

    day = _day(date_, "--date") if date_ else datetime.now(TOKYO).date()
    for row in asyncio.run(case_rows(city, day)):
        out(json.dumps(row, ensure_ascii=False))


@app.command()
def report(
    kind: Annotated[str, typer.Argument(help="報告の種類: daily, evenness, shortfall")],
    date_: Annotated[str | None, typer.Option("--date", help="日付 (既定: 昨日)。evenness はその週")] = None,
    month: Annotated[str | None, typer.Option("--month", help="月 (shortfall)。例: 2026-10")] = None,
    format_: Annotated[str, typer.Option("--format", help="html または csv")] = "html",
    save: Annotated[
        bool,
        typer.Option("--save", help="shortfall を、書き込むための案として置く (書き込みのある案は変えない)"),
    ] = False,
    city: City = None,
) -> None:
    """市に出す報告を作ります: 日報、週の均等配分、応答率が目標に届かなかったときの報告。

    例: ./toritsugi report daily --date 2026-11-24 --format html > 日報.html
    """
    from runtime.floor_papers import month_of
    from runtime.papers import daily_paper, evenness_paper, shortfall_paper

    if kind not in ("daily", "evenness", "shortfall"):
        raise ToritsugiError(
            f"まだない報告です: {kind}", where="種類", cure="daily, evenness, shortfall のどれかを書く"
        )
    if format_ not in ("html", "csv"):
        raise ToritsugiError(f"知らない形式です: {format_}", where="--format", cure="html か csv を書く")
    if kind != "shortfall" and (month is not None or save):
        raise ToritsugiError(
            f"{kind} では使えません", where="--month, --save", cure="shortfall で使うか、外す"
        )
    if month is not None and date_ is not None:
        raise ToritsugiError("日と月の両方があります", where="--date, --month", cure="どちらか一つにする")
    day = _day(date_, "--date") if date_ else datetime.now(TOKYO).date() - timedelta(days=1)
    match kind:
        case "daily":
            text = asyncio.run(daily_paper(city, day, format_))
        case "evenness":
            text = asyncio.run(evenness_paper(city, day, format_))
        case _:
            first, last = month_of(_day(f"{month}-01", "--month")) if month else (day, day)
            text = asyncio.run(shortfall_paper(city, first, last, format_, save=save, say=say))
    sys.stdout.write(text)


@retention_app.command("run")
def retention_run_now(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="数えるだけで、何も消さない")] = False,
    city: City = None,
) -> None:
    """保存期間を過ぎた録音、書き起こし、通話、電話番号を消し、件数を JSON で出します。動いている間は毎晩行われます。

    例: ./toritsugi retention run --dry-run
    """
    from runtime.housekeeping import retention_run

    result = asyncio.run(retention_run(city, dry_run=dry_run))
    out(json.dumps(result, ensure_ascii=False, indent=2))


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
