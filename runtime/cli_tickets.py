"""Commands about requests to the city."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from interactions.ticket import TicketState
from runtime.cli_parts import City, moment_of, out, say

tickets_app = typer.Typer(
    help="市への依頼 (折り返し依頼、苦情、誤案内) / requests to the city.", no_args_is_help=True
)

By = Annotated[str, typer.Option("--by", help="だれが (既定: この端末の人)")]
TicketId = Annotated[str, typer.Argument(help="依頼の番号 (tickets list の ticket)")]


@tickets_app.command("open")
def tickets_open(
    kind: Annotated[
        str, typer.Argument(help="call_back (折り返し)、complaint (苦情)、wrong_guidance (誤案内)")
    ],
    content: Annotated[str, typer.Option("--content", help="内容")],
    person: Annotated[str, typer.Option("--person", help="市民の氏名")] = "",
    number: Annotated[str, typer.Option("--number", help="折り返す電話番号")] = "",
    department: Annotated[str, typer.Option("--department", help="担当課 (転送先一覧の内線)")] = "",
    call: Annotated[str, typer.Option("--call", help="もとの通話番号")] = "",
    due: Annotated[str | None, typer.Option("--due", help="期限 (既定: 次の開庁日の終わり)")] = None,
    by: By = "",
    city: City = None,
) -> None:
    """市への依頼を受け付け、番号を出します。苦情と誤案内は、すぐに警報で知らせます。

    例: ./toritsugi tickets open call_back --content 交付日の確認 --person 山田 --number 09012345678 --department 702
    """
    from runtime.tickets import open_ticket

    limit = moment_of(due, "--due") if due else None
    asyncio.run(
        open_ticket(
            city, kind, content, out, say, person=person, number=number, department=department, call=call,
            due=limit, by=by,
        )
    )  # fmt: skip


def _move(city: str | None, ticket: str, state: TicketState, by: str, note: str = "") -> None:
    from runtime.tickets import move_ticket

    asyncio.run(move_ticket(city, ticket, state, by, note, say))


@tickets_app.command("confirm")
def tickets_confirm(ticket: TicketId, by: By = "", city: City = None) -> None:
    """転送がつながらなかったために自動で作られた依頼を、市への依頼にします。

    例: ./toritsugi tickets confirm t-n1-1790000000.12-701
    """
    _move(city, ticket, TicketState.OPEN, by)


@tickets_app.command("take")
def tickets_take(ticket: TicketId, by: By = "", city: City = None) -> None:
    """担当を引き受けます。例: ./toritsugi tickets take t-1a2b3c4d --by 佐藤"""
    _move(city, ticket, TicketState.TAKEN, by)


@tickets_app.command("done")
def tickets_done(
    ticket: TicketId,
    result: Annotated[str, typer.Option("--result", help="何をしたか")],
    by: By = "",
    city: City = None,
) -> None:
    """終わりにします。例: ./toritsugi tickets done t-1a2b3c4d --result 交付日を伝えた --by 佐藤"""
    _move(city, ticket, TicketState.DONE, by, result)


@tickets_app.command("cancel")
def tickets_cancel(
    ticket: TicketId,
    note: Annotated[str, typer.Option("--note", help="なぜ")] = "",
    by: By = "",
    city: City = None,
) -> None:
    """取り消します。例: ./toritsugi tickets cancel t-1a2b3c4d --note 本人が再度電話した"""
    _move(city, ticket, TicketState.CANCELLED, by, note)


@tickets_app.command("list")
def tickets_list(
    every: Annotated[bool, typer.Option("--all", help="終わったものも出す")] = False,
    show_numbers: Annotated[bool, typer.Option("--show-numbers", help="電話番号を伏せずに出す")] = False,
    city: City = None,
) -> None:
    """市への依頼を JSON Lines で並べます。電話番号は伏せます。例: ./toritsugi tickets list"""
    from runtime.tickets import ticket_rows

    for row in asyncio.run(ticket_rows(city, every=every, show_numbers=show_numbers)):
        out(json.dumps(row, ensure_ascii=False))
