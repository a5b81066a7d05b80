"""Commands that write the knowledge base: entries on their way, requests, synonyms."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from core.errors import ToritsugiError
from runtime.cli_faq import By
from runtime.cli_parts import out, say

synonyms_app = typer.Typer(help="類義語 / words that mean the same.", no_args_is_help=True)
writing_app = typer.Typer()
writing_app.add_typer(synonyms_app, name="synonyms")

EntryId = Annotated[str, typer.Argument(help="項目の番号 (faq list の id)")]
As = Annotated[str, typer.Option("--as", help="役割: operator, editor, reviewer, city")]
Note = Annotated[str, typer.Option("--note", help="何を、なぜ")]
Due = Annotated[str, typer.Option("--due", help="次の人の期限。例: 2026-12-04 (既定: 7日後)")]


@writing_app.command("list")
def faq_list(
    state: Annotated[list[str] | None, typer.Option("--state", help="この状態のものだけ")] = None,
    late: Annotated[bool, typer.Option("--late", help="期限を過ぎたものだけ")] = False,
) -> None:
    """項目を JSON Lines で並べます。例: ./toritsugi faq list --state approval"""
    from faq_kb.article import State
    from runtime.faq_writing import list_entries

    for each in state or ():
        if each not in set(State):
            raise ToritsugiError(
                f"ない状態です: {each}", where="--state", cure=f"次のどれか: {', '.join(State)}"
            )
    asyncio.run(list_entries([State(each) for each in state] if state else None, late, out, say))


@writing_app.command("show")
def faq_show(
    entry: EntryId,
    version: Annotated[int | None, typer.Option("--version", min=1, help="版 (既定: 公開中の版)")] = None,
    call: Annotated[str, typer.Option("--call", help="応対中の通話。表示したことが残る")] = "",
    search: Annotated[int, typer.Option("--search", help="どの検索から開いたか (--explain の search)")] = 0,
    by: By = "",
) -> None:
    """項目を JSON で示します。例: ./toritsugi faq show card-lost --call c-n1-1790000000.12"""
    from runtime.faq_writing import show

    asyncio.run(show(entry, version, call, search, by, out, say))


@writing_app.command("history")
def faq_history(entry: EntryId) -> None:
    """版ごとの変わったところと、だれが何をしたかを JSON Lines で出します。例: ./toritsugi faq history card-lost"""
    from runtime.faq_writing import history

    asyncio.run(history(entry, out, say))


@writing_app.command("use")
def faq_use(
    entry: EntryId,
    call: Annotated[str, typer.Option("--call", help="どの通話で")],
    search: Annotated[int, typer.Option("--search", help="どの検索から (--explain の search)")] = 0,
    by: By = "",
) -> None:
    """市民に案内した項目と版を記録します。例: ./toritsugi faq use card-lost --call c-n1-1790000000.12"""
    from runtime.faq_writing import use

    asyncio.run(use(entry, call, search, by, say))


@writing_app.command("write")
def faq_write(
    entry: EntryId,
    question: Annotated[str | None, typer.Option("--question", help="質問")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="回答 (読むための文)")] = None,
    spoken: Annotated[str | None, typer.Option("--spoken", help="短い回答 (話すための文)")] = None,
    category: Annotated[str | None, typer.Option("--category", help="分類")] = None,
    form: Annotated[list[str] | None, typer.Option("--form", help="別の聞き方 (いくつでも)")] = None,
    related: Annotated[list[str] | None, typer.Option("--related", help="関連する項目 (いくつでも)")] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", help="operator か public (市民にも公開)")
    ] = None,
    department: Annotated[str | None, typer.Option("--department", help="担当課")] = None,
    valid_from: Annotated[str | None, typer.Option("--valid-from", help="有効開始日。空で無期限")] = None,
    valid_until: Annotated[str | None, typer.Option("--valid-until", help="有効終了日。空で無期限")] = None,
    source: Annotated[str | None, typer.Option("--source", help="出典")] = None,
    note: Note = "",
    correcting: Annotated[
        bool,
        typer.Option("--correcting", help="誤りの訂正。公開すると、前の版を案内した人への折り返し依頼を作る"),
    ] = False,
    as_: As = "editor",
    due: Due = "",
    by: By = "",
) -> None:
    """項目を新しく書くか、下書きの版を作ります。書かない欄は前の版のままです。

    例: ./toritsugi faq write card-fee --answer 手数料は1000円です。 --note 料金の改定
    """
    from runtime.faq_writing import changes_of, write

    changes = changes_of(
        question, answer, spoken, category, form, related, audience, department, valid_from, valid_until,
        source,
    )  # fmt: skip
    asyncio.run(write(entry, changes, role=as_, by=by, note=note, correcting=correcting, due=due, say=say))


def _move(entry: str, name: str, as_: str, note: str, due: str, by: str) -> None:
    from faq_kb.workflow import Move
    from runtime.faq_writing import move

    asyncio.run(move(entry, Move(name), role=as_, by=by, note=note, due=due, out=out, say=say))


@writing_app.command("submit")
def faq_submit(entry: EntryId, note: Note = "", as_: As = "editor", due: Due = "", by: By = "") -> None:
    """下書きを点検に出します。例: ./toritsugi faq submit card-fee --by 田中"""
    _move(entry, "submit", as_, note, due, by)


@writing_app.command("review")
def faq_review(entry: EntryId, note: Note = "", as_: As = "reviewer", due: Due = "", by: By = "") -> None:
    """点検して、市の承認に回します (書いた人とは別の人)。例: ./toritsugi faq review card-fee --by 佐藤"""
    _move(entry, "review", as_, note, due, by)


@writing_app.command("approve")
def faq_approve(entry: EntryId, note: Note = "", as_: As = "city", due: Due = "", by: By = "") -> None:
    """市が承認します。例: ./toritsugi faq approve card-fee --by 市民課山田"""
    _move(entry, "approve", as_, note, due, by)


@writing_app.command("send-back")
def faq_send_back(entry: EntryId, note: Note = "", as_: As = "city", due: Due = "", by: By = "") -> None:
    """理由を付けて下書きに戻します。例: ./toritsugi faq send-back card-fee --note 料金表と違う --by 市民課山田"""
    _move(entry, "send_back", as_, note, due, by)


@writing_app.command("publish")
def faq_publish(entry: EntryId, note: Note = "", as_: As = "editor", by: By = "") -> None:
    """承認された版を公開します。すぐに検索で見つかります。例: ./toritsugi faq publish card-fee"""
    _move(entry, "publish", as_, note, "", by)


@writing_app.command("retire")
def faq_retire(entry: EntryId, note: Note = "", as_: As = "city", by: By = "") -> None:
    """理由を付けて廃止します。履歴は残ります。例: ./toritsugi faq retire card-fee --note 制度の廃止"""
    _move(entry, "retire", as_, note, "", by)


@writing_app.command("request")
def faq_request(
    content: Annotated[str, typer.Option("--content", help="どう変えてほしいか")],
    entry: Annotated[str, typer.Option("--entry", help="どの項目を (なければ新しい項目)")] = "",
    due: Due = "",
    by: By = "",
) -> None:
    """項目の改訂や追加を頼み、依頼の番号を出します。

    例: ./toritsugi faq request --entry card-fee --content 料金が変わった
    """
    from runtime.faq_words import request_change

    asyncio.run(request_change(entry, content, due, by, out, say))


@writing_app.command("requests")
def faq_requests(every: Annotated[bool, typer.Option("--all", help="終わったものも出す")] = False) -> None:
    """改訂の依頼を期限の順に JSON Lines で並べます。例: ./toritsugi faq requests"""
    from runtime.faq_words import list_requests

    asyncio.run(list_requests(every, out, say))


@writing_app.command("answer-request")
def faq_answer_request(
    request: Annotated[str, typer.Argument(help="依頼の番号 (faq requests の request)")],
    result: Annotated[str, typer.Option("--result", help="何をしたか、なぜ見送るか")],
    decline: Annotated[bool, typer.Option("--decline", help="見送る")] = False,
    by: By = "",
) -> None:
    """改訂の依頼を終わりにします。例: ./toritsugi faq answer-request f-1a2b3c4d --result 版2で直した"""
    from runtime.faq_words import answer_request

    asyncio.run(answer_request(request, decline, result, by, say))


@synonyms_app.command("add")
def synonyms_add(
    words: Annotated[list[str], typer.Argument(help="同じ意味の言葉 (二つ以上)")], by: By = ""
) -> None:
    """同じ意味の言葉を登録します。次の検索から効きます。例: ./toritsugi faq synonyms add 紛失 なくした 落とした"""
    from runtime.faq_words import add_synonyms

    asyncio.run(add_synonyms(words, by, out, say))


@synonyms_app.command("remove")
def synonyms_remove(
    set_: Annotated[str, typer.Argument(metavar="SET", help="組の番号 (faq synonyms list の set)")],
    by: By = "",
) -> None:
    """類義語の組を消します。例: ./toritsugi faq synonyms remove w-1a2b3c4d"""
    from runtime.faq_words import remove_synonyms

    asyncio.run(remove_synonyms(set_, by, say))


@synonyms_app.command("list")
def synonyms_list() -> None:
    """類義語の組を JSON Lines で並べます。例: ./toritsugi faq synonyms list"""
    from runtime.faq_words import list_synonyms

    asyncio.run(list_synonyms(out, say))
