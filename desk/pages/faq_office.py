"""Around the knowledge base: requests for changes, synonyms, gaps, and files."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from dataclasses import replace
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from core.errors import ToritsugiError
from desk.looks import flash
from desk.pages.entry import redirect
from desk.pages.faq import DONE, due_moment, next_week, place, who_moves
from desk.routes import Table
from desk.visit import Form, Visit, posted
from faq_kb.article import Content, State
from faq_kb.csv_file import Row, read_rows
from faq_kb.workflow import Move, RequestState
from services.access import Permission
from services.faq import carry_out, export_lines, plan_import, write_entry
from services.faq_loop import found_gaps
from services.faq_office import add_synonyms, answer_change, ask_change, drafted, remove_synonyms

table = Table()
READ, ASK, WRITE = Permission.FAQ_READ, Permission.FAQ_ASK, Permission.FAQ_WRITE
GAP_DAYS = 28
MOST_GAPS = 30


# ---- requests -------------------------------------------------------------------------------------


class Asked(Form):
    article: Annotated[str, Field(title="番号", max_length=64)] = ""
    content: Annotated[str, Field(title="内容", min_length=1, max_length=2000)]
    due: Annotated[str, Field(title="期限", max_length=10)] = ""


class Ended(Form):
    state: Annotated[Literal["done", "declined"], Field(title="結果")]
    result: Annotated[str, Field(title="何をしたか", min_length=1, max_length=2000)]


@table.get("/faq/requests", READ, "FAQ の改訂の依頼")
async def requests(visit: Visit) -> web.StreamResponse:
    every = visit.request.query.get("every") == "1"
    async with visit.desk.reading() as unit:
        found = await unit.faq.requests(every=every)
        users = await unit.users.all()
    return visit.desk.looks.page(
        "faq/requests.html", visit, requests=found, every=every, at=visit.desk.clock.epoch(), due=next_week(visit),
        article=visit.request.query.get("article", "")[:64], names={user.name: user.display for user in users},
        open_state=RequestState.OPEN, done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.post("/faq/requests", ASK, "FAQ の改訂を頼む")
async def ask(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Asked)
    due = due_moment(visit, sent.due)
    async with visit.desk.uow() as unit:
        await ask_change(
            unit, sent.article, sent.content, due_at=due, by=visit.me.name, at=visit.desk.clock.epoch()
        )
    return redirect("/faq/requests?done=ask")


@table.post("/faq/requests/{request:f-[0-9a-f]{8}}/end", WRITE, "FAQ の改訂の依頼を終える")
async def end(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Ended)
    async with visit.desk.uow() as unit:
        await answer_change(
            unit, visit.request.match_info["request"], RequestState(sent.state), result=sent.result,
            by=visit.me.name, at=visit.desk.clock.epoch(),
        )  # fmt: skip
    return redirect("/faq/requests?done=ended")


# ---- synonyms -------------------------------------------------------------------------------------


class Words(Form):
    words: Annotated[str, Field(title="言葉", max_length=500)]


@table.get("/faq/words", READ, "類義語")
async def words(visit: Visit) -> web.StreamResponse:
    async with visit.desk.reading() as unit:
        sets = await unit.faq.synonyms()
    return visit.desk.looks.page(
        "faq/words.html", visit, sets=sets, done=flash(DONE, visit.request.query.get("done", ""))
    )


@table.post("/faq/words", WRITE, "類義語を登録する")
async def add_words(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Words)
    parts = sent.words.replace("、", "\n").replace(",", "\n").splitlines()
    async with visit.desk.uow() as unit:
        await add_synonyms(unit, parts, by=visit.me.name, at=visit.desk.clock.epoch())
    return redirect("/faq/words?done=words")


@table.post("/faq/words/{set}/remove", WRITE, "類義語を消す")
async def remove_words(visit: Visit) -> web.StreamResponse:
    async with visit.desk.uow() as unit:
        await remove_synonyms(
            unit, visit.request.match_info["set"], by=visit.me.name, at=visit.desk.clock.epoch()
        )
    return redirect("/faq/words?done=words_gone")


# ---- gaps -----------------------------------------------------------------------------------------


class Gap(Form):
    question: Annotated[str, Field(title="質問", min_length=1, max_length=500)]
    answer: Annotated[str, Field(title="回答", min_length=1, max_length=5000)]
    forms: Annotated[str, Field(title="別の聞き方", max_length=5000)] = ""
    source: Annotated[str, Field(title="出典", max_length=200)] = ""


@table.get("/faq/gaps", WRITE, "FAQ の不足")
async def gaps(visit: Visit) -> web.StreamResponse:
    now = visit.desk.clock.epoch()
    async with visit.desk.reading() as unit:
        found, looked, unanswered = await found_gaps(
            unit, visit.desk.faq.search, now - GAP_DAYS * 86_400.0, now + 1.0
        )
        searches = await unit.faq.searches(now - GAP_DAYS * 86_400.0, now + 1.0)
    vain = [each for each in searches if not each.found]
    return visit.desk.looks.page(
        "faq/gaps.html", visit, gaps=[(gap, drafted(gap)) for gap in found[:MOST_GAPS]], looked=looked,
        unanswered=unanswered, days=GAP_DAYS, vain=vain[::-1][:MOST_GAPS],
    )  # fmt: skip


@table.post("/faq/gaps", WRITE, "不足から草案を作る")
async def draft(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Gap)
    who = who_moves(visit, Move.WRITE)
    article_id = f"gap-{visit.desk.clock.city_now():%Y%m%d}-{secrets.token_hex(2)}"
    content = Content(
        question=sent.question, answer=sent.answer.replace("\r\n", "\n"), source=sent.source,
        forms=tuple(filter(None, (each.strip() for each in sent.forms.splitlines()))),
    )  # fmt: skip
    async with visit.desk.uow() as unit:
        await write_entry(unit, article_id, content, who, note="不足からの草案", due_at=due_moment(visit, ""))
    return redirect(f"{place(article_id)}?done=draft")


# ---- files ----------------------------------------------------------------------------------------


@table.get("/faq/import", WRITE, "FAQ を取り込む")
async def import_page(visit: Visit) -> web.StreamResponse:
    return visit.desk.looks.page("faq/import.html", visit, plan=None, name="", data="", publish=False)


async def _rows(visit: Visit) -> tuple[list[Row], str, bytes, State]:
    """The file of the form, as it was chosen or as the page before has sent it back.

    The city alone may bring an entry into force; from everybody else a file is a pile of drafts.
    """
    sent = await posted(visit.request)
    file, name = sent.get("file"), str(sent.get("name", "")) or "CSV"
    if isinstance(file, web.FileField):
        name, data = file.filename[:80], file.file.read()
    else:
        try:
            data = base64.b64decode(str(sent.get("data", "")), validate=True)
        except binascii.Error as problem:
            raise ToritsugiError("ファイルが読めません", where=name, cure="選びなおす") from problem
    if not data:
        raise ToritsugiError("ファイルが選ばれていません", where="CSV", cure="CSV ファイルを選ぶ")
    rows = await asyncio.to_thread(read_rows, data, name)
    publish = sent.get("publish") == "true" and visit.may(Permission.FAQ_APPROVE)
    state = State.PUBLISHED if publish else State.DRAFT
    return [replace(row, state=state) for row in rows], name, data, state


@table.post("/faq/import/plan", WRITE, "取り込むとどうなるかを見る")
async def import_plan(visit: Visit) -> web.StreamResponse:
    rows, name, data, state = await _rows(visit)
    async with visit.desk.reading() as unit:
        plan = await plan_import(unit, rows, state)
    return visit.desk.looks.page(
        "faq/import.html", visit, plan=plan, name=name, data=base64.b64encode(data).decode(),
        publish=state is State.PUBLISHED,
    )  # fmt: skip


@table.post("/faq/import", WRITE, "FAQ を取り込む")
async def import_now(visit: Visit) -> web.StreamResponse:
    rows, name, _, state = await _rows(visit)
    who = who_moves(visit, Move.WRITE)
    async with visit.desk.uow() as unit:
        await carry_out(unit, await plan_import(unit, rows, state), who, name)
    return redirect("/faq?done=import")


@table.get("/faq/export.csv", WRITE, "FAQ を取り出す")
async def export(visit: Visit) -> web.StreamResponse:
    async with visit.desk.reading() as unit:
        body = "".join(await export_lines(unit))
    await visit.note("faq.export", "faq.csv")
    return web.Response(
        text=body, content_type="text/csv", charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="faq.csv"'},
    )  # fmt: skip
