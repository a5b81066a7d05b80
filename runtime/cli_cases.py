"""Commands about interaction records, and about the systems that are told of them."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.phone import normalise_number
from runtime.cli_parts import City, day_of, out, say

cases_app = typer.Typer(
    help="応対履歴 / interaction records. 命令なしでは、一日分を文字起こし付きで出します (番号を含みます)。",
    invoke_without_command=True,
)
webhooks_app = typer.Typer(help="ほかのシステムへの知らせ / other systems.", no_args_is_help=True)

CaseId = Annotated[str, typer.Argument(help="応対番号 (cases search の case_id)")]
RoleName = Annotated[
    str, typer.Option("--role", help="operator, leader, supervisor, city_staff, city_admin, auditor")
]
By = Annotated[str, typer.Option("--by", help="だれが (既定: この端末の人)")]
OperatorNumber = Annotated[
    str, typer.Option("--operator", help="オペレーターの番号 (役割が operator のとき)")
]
Department = Annotated[str, typer.Option("--of", help="課の内線 (役割が city_staff のとき)")]
From = Annotated[str | None, typer.Option("--from", help="この日から (既定: はじめから)")]
To = Annotated[str | None, typer.Option("--to", help="この日の前まで (既定: いままで)")]


@cases_app.callback()
def cases(
    context: typer.Context,
    date_: Annotated[str | None, typer.Option("--date", help="日付 (既定: 今日)")] = None,
    city: City = None,
) -> None:
    """応対履歴。命令を書かなければ、一日分を一件一行の JSON で出します (文字起こし付き、番号を含みます)。

    例: ./toritsugi cases --date 2026-11-24
    """
    if context.invoked_subcommand is not None:
        return
    from runtime.records import case_rows

    day = day_of(date_, "--date") if date_ else datetime.now(TOKYO).date()
    for row in asyncio.run(case_rows(city, day)):
        out(json.dumps(row, ensure_ascii=False))


@cases_app.command("list")
def cases_list(
    date_: Annotated[str | None, typer.Option("--date", help="日付 (既定: 今日)")] = None,
    role: RoleName = "supervisor",
    by: By = "",
    operator: OperatorNumber = "",
    department: Department = "",
    city: City = None,
) -> None:
    """一日の応対を JSON Lines で並べます。電話番号は伏せます。例: ./toritsugi cases list --date 2026-11-24"""
    from runtime.case_commands import list_cases, person_of

    day = day_of(date_, "--date") if date_ else datetime.now(TOKYO).date()
    person = person_of(role, by, operator, department)
    for row in asyncio.run(list_cases(city, person, day)):
        out(json.dumps(row, ensure_ascii=False))


@cases_app.command("show")
def cases_show(
    case: CaseId,
    numbers: Annotated[bool, typer.Option("--show-numbers", help="電話番号を伏せない (記録に残る)")] = False,
    history: Annotated[bool, typer.Option("--history", help="保存された版も出す")] = False,
    role: RoleName = "supervisor",
    by: By = "",
    operator: OperatorNumber = "",
    department: Department = "",
    city: City = None,
) -> None:
    """一件を、やりとりと使った FAQ とともに JSON で出します。見たことは操作の記録に残ります。

    例: ./toritsugi cases show i-n1-1790000000.12 --history
    """
    from runtime.case_commands import person_of, show_case

    person = person_of(role, by, operator, department)
    found = asyncio.run(show_case(city, person, case, numbers=numbers, history=history))
    out(json.dumps(found, ensure_ascii=False, indent=2))


@cases_app.command("edit")
def cases_edit(
    case: CaseId,
    version: Annotated[int, typer.Option("--version", help="どの版を見て変えるのか (cases show の version)")],
    status: Annotated[
        str, typer.Option("--status", help="in_progress, done, escalated, awaiting_call_back")
    ] = "",
    category: Annotated[str | None, typer.Option("--category", help="分類。空で消す")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="タグ。いくつでも")] = None,
    question: Annotated[str | None, typer.Option("--question", help="聞かれたこと")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="答えたこと")] = None,
    complaint: Annotated[
        bool | None, typer.Option("--complaint/--no-complaint", help="苦情。市への依頼も開く")
    ] = None,
    mistaken: Annotated[
        bool | None, typer.Option("--mistaken/--no-mistaken", help="誤案内。市への依頼も開く")
    ] = None,
    confidential: Annotated[
        bool | None, typer.Option("--confidential/--no-confidential", help="取扱注意。見られる人を限る")
    ] = None,
    satisfaction: Annotated[int | None, typer.Option("--satisfaction", help="満足度 1–5。0 で消す")] = None,
    department: Annotated[str | None, typer.Option("--department", help="担当課の内線。空で消す")] = None,
    role: RoleName = "supervisor",
    by: By = "",
    operator: OperatorNumber = "",
    city: City = None,
) -> None:
    """書き込みます。ほかの人が先に保存していたら、上書きせずに断ります。

    例: ./toritsugi cases edit i-n1-1790000000.12 --version 1 --question 再発行 --answer 窓口を案内 --status done
    """
    from runtime.case_commands import change_of, edit_case, person_of

    change = change_of(
        status=status, category=category, tags=tag, question=question, answer=answer, complaint=complaint,
        mistaken_guidance=mistaken, confidential=confidential, satisfaction=satisfaction, department=department,
    )  # fmt: skip
    person = person_of(role, by, operator, "")
    asyncio.run(edit_case(city, person, case, change, version, say))


@cases_app.command("note")
def cases_note(
    case: CaseId,
    text: Annotated[str, typer.Argument(help="書くこと")],
    role: RoleName = "supervisor",
    by: By = "",
    operator: OperatorNumber = "",
    department: Department = "",
    city: City = None,
) -> None:
    """オペレーターと市のやりとりに一つ書き足し、その番号を出します。

    例: ./toritsugi cases note i-n1-1790000000.12 折り返しました --role city_staff --of 702 --by 佐藤
    """
    from runtime.case_commands import note_case, person_of

    out(asyncio.run(note_case(city, person_of(role, by, operator, department), case, text)))


@cases_app.command("join")
def cases_join(
    target: CaseId,
    source: Annotated[str, typer.Argument(help="まとめられる応対の番号")],
    role: RoleName = "supervisor",
    by: By = "",
    operator: OperatorNumber = "",
    city: City = None,
) -> None:
    """同じ件の応対を一つにまとめます。例: ./toritsugi cases join i-n1-1790000000.12 i-n1-1790000900.40"""
    from runtime.case_commands import join_cases, person_of

    asyncio.run(join_cases(city, person_of(role, by, operator, ""), target, source, say))


@cases_app.command("split")
def cases_split(
    case: CaseId,
    call: Annotated[list[str], typer.Argument(help="分ける通話番号")],
    role: RoleName = "supervisor",
    by: By = "",
    operator: OperatorNumber = "",
    city: City = None,
) -> None:
    """まとめた応対から通話を分け、その応対の番号を出します。

    例: ./toritsugi cases split i-n1-1790000000.12 c-n1-1790000900.40
    """
    from runtime.case_commands import person_of, split_case

    out(asyncio.run(split_case(city, person_of(role, by, operator, ""), case, call)))


@cases_app.command("search")
def cases_search(
    words: Annotated[
        str, typer.Argument(help='語。すべてを含むもの。-語 は除き、"…" は類義語を使わない')
    ] = "",
    status: Annotated[list[str] | None, typer.Option("--status", help="状況。いくつでも")] = None,
    category: Annotated[list[str] | None, typer.Option("--category", help="分類")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="タグ")] = None,
    line: Annotated[list[str] | None, typer.Option("--line", help="窓口")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="言語")] = None,
    who: Annotated[list[str] | None, typer.Option("--who", help="応対したオペレーターの番号")] = None,
    department: Annotated[list[str] | None, typer.Option("--department", help="担当課の内線")] = None,
    number: Annotated[
        str, typer.Option("--number", help="この番号からの応対。番号を見てよい役割に限る")
    ] = "",
    auto_tag: Annotated[
        list[str] | None,
        typer.Option("--auto-tag", help="文字起こしから付いたタグ (booking, lost, pin など)"),
    ] = None,
    flag: Annotated[
        list[str] | None,
        typer.Option("--flag", help="complaint, mistaken_guidance, confidential, unwritten"),
    ] = None,
    from_: From = None,
    to: To = None,
    limit: Annotated[int, typer.Option("--limit", help="件数 (500 まで)")] = 20,
    after: Annotated[int | None, typer.Option("--after", help="次の頁 (前の答えの after)")] = None,
    role: RoleName = "supervisor",
    by: By = "",
    operator: OperatorNumber = "",
    of: Department = "",
    city: City = None,
) -> None:
    """探して、新しい順の一頁と、条件に合う全件の内訳を JSON で出します。電話番号は伏せます。

    例: ./toritsugi cases search '再発行 -予約' --status done --from 2026-11-01
    """
    from interactions.search import CaseQuery, Facet
    from runtime.case_commands import moments, person_of, search_cases

    first, last = moments(day_of(from_, "--from") if from_ else None, day_of(to, "--to") if to else None)
    values = {
        Facet.STATUS: status, Facet.CATEGORY: category, Facet.TAG: tag, Facet.LINE: line, Facet.LANGUAGE: language,
        Facet.OPERATOR: who, Facet.DEPARTMENT: department, Facet.FLAG: flag, Facet.AUTO_TAG: auto_tag,
    }  # fmt: skip
    digits = normalise_number(number) if number else ""
    if digits is None:
        raise ToritsugiError(f"番号が読めません: {number}", where="--number", cure="市外局番から書く")
    query = CaseQuery(
        words=words,
        number=digits,
        values={facet: given for facet, given in values.items() if given},
        since=first if from_ else None,
        until=last if to else None,
        limit=limit,
        after=after,
    )
    person = person_of(role, by, operator, of)
    out(json.dumps(asyncio.run(search_cases(city, person, query)), ensure_ascii=False, indent=2))


@cases_app.command("export")
def cases_export(
    format_: Annotated[str, typer.Option("--format", help="csv (Excel で開ける) または jsonl")] = "csv",
    from_: From = None,
    to: To = None,
    numbers: Annotated[bool, typer.Option("--show-numbers", help="電話番号を伏せない (記録に残る)")] = False,
    role: RoleName = "supervisor",
    by: By = "",
    city: City = None,
) -> None:
    """応対を標準出力に出します。出したことは操作の記録に残ります。

    例: ./toritsugi cases export --from 2026-11-01 --to 2026-12-01 > 応対履歴.csv
    """
    from runtime.case_commands import export_cases, person_of

    if format_ not in ("csv", "jsonl"):
        raise ToritsugiError(f"知らない形式です: {format_}", where="--format", cure="csv か jsonl を書く")
    since = day_of(from_, "--from") if from_ else None
    until = day_of(to, "--to") if to else None

    def write(text: str) -> None:
        # As bytes: a terminal's own encoding and line ends would spoil the file.
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()

    person = person_of(role, by, "", "")
    asyncio.run(export_cases(city, person, format_, since, until, write, numbers=numbers))


@cases_app.command("import")
def cases_import(
    file: Annotated[Path, typer.Argument(help="cases export が書き、人が直した CSV")],
    role: RoleName = "supervisor",
    by: By = "",
    city: City = None,
) -> None:
    """CSV を取り込みます。読めない行が一つでもあれば、行と理由を並べて、何も取り込みません。

    例: ./toritsugi cases import 応対履歴.csv
    """
    from runtime.case_commands import import_cases, person_of

    asyncio.run(import_cases(city, person_of(role, by, "", ""), file, say))


@webhooks_app.command("list")
def webhooks_list(
    dead: Annotated[bool, typer.Option("--dead", help="送るのを諦めた知らせを並べる")] = False,
    city: City = None,
) -> None:
    """知らせる先と、待っている件数を JSON Lines で並べます。例: ./toritsugi webhooks list"""
    from runtime.webhook_commands import webhook_rows

    for row in asyncio.run(webhook_rows(city, dead=dead)):
        out(json.dumps(row, ensure_ascii=False))


@webhooks_app.command("test")
def webhooks_test(
    name: Annotated[str, typer.Argument(help="送り先 (webhooks list の webhook)")], city: City = None
) -> None:
    """試しの知らせを一つ送ります。届かなければ終了コード 1。例: ./toritsugi webhooks test bi"""
    from runtime.webhook_commands import try_webhook

    result = asyncio.run(try_webhook(city, name))
    out(json.dumps(result, ensure_ascii=False))
    if not result["ok"]:
        raise typer.Exit(1)


@webhooks_app.command("retry")
def webhooks_retry(
    event: Annotated[str, typer.Argument(help="webhooks list --dead の event、または all")], city: City = None
) -> None:
    """諦めた知らせを、もう一度送る列に戻します。例: ./toritsugi webhooks retry all"""
    from runtime.webhook_commands import retry_webhook

    say(f"{asyncio.run(retry_webhook(city, event))} 件を、もう一度送ります。")
