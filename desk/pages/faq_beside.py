"""The knowledge base beside a call: what is found while somebody types, an entry to read out, and that it was told."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from core.errors import ToritsugiError
from core.ids import CallId
from desk.guard import NotFound
from desk.pages.seat import own_call
from desk.routes import Table
from desk.visit import MOST_NUMBER, Form, Visit
from services.access import Permission

table = Table()
READ, WRITE = Permission.FAQ_READ, Permission.CASE_WRITE
CALL_PATTERN = r"^(c-[A-Za-z0-9.-]{3,90})?$"
MOST = 5
LONGEST_WORDS = 4000
"""Of what is typed into the form, the last so many characters."""

CallId_ = Annotated[str, Field(title="通話", pattern=CALL_PATTERN)]


class Sought(Form):
    words: Annotated[str, Field(title="言葉", max_length=200)] = ""
    call: CallId_ = ""
    settled: bool = False
    """The person has stopped typing: write the search down."""


class Said(Form):
    words: Annotated[str, Field(title="問い合わせの内容", max_length=LONGEST_WORDS)] = ""
    call: CallId_ = ""


class Reading(Form):
    call: CallId_ = ""
    search: Annotated[int, Field(ge=0, le=MOST_NUMBER)] = 0


class Told(Form):
    call: Annotated[str, Field(title="通話", pattern=r"^c-[A-Za-z0-9.-]{3,90}$")]
    version: Annotated[int, Field(title="版", ge=1, le=100_000)]
    search: Annotated[int, Field(ge=0, le=MOST_NUMBER)] = 0


class Noted(BaseModel):
    text: str


async def _call(visit: Visit, call: str) -> CallId | None:
    """The call beside which somebody reads, if it is one of theirs. Raises NotFound."""
    if not call or not visit.may(WRITE):
        return None
    return (await own_call(visit, CallId(call))).call_id


def _part(visit: Visit, template: str, **values: object) -> web.Response:
    text = visit.desk.looks.part(template, **values)
    return web.Response(text=text, content_type="text/html", charset="utf-8")


@table.post("/desk/faq/search", READ, "FAQ を探す", data=True, body=Sought)
async def search(visit: Visit) -> web.StreamResponse:
    sent = await visit.body(Sought)
    found = await visit.desk.faq.find(
        visit.person, sent.words, call=await _call(visit, sent.call), limit=MOST, logged=sent.settled
    )
    return _part(visit, "seat/faq_found.html", found=found, words=sent.words)


@table.post("/desk/faq/suggest", READ, "FAQ の候補", data=True, body=Said, idle=True)
async def suggest(visit: Visit) -> web.StreamResponse:
    sent = await visit.body(Said)
    found = await visit.desk.faq.suggested(await _call(visit, sent.call), sent.words)
    return _part(visit, "seat/faq_hints.html", found=found)


@table.post("/desk/faq/entries/{article}/open", READ, "FAQ を開く", data=True, body=Reading)
async def opened(visit: Visit) -> web.StreamResponse:
    sent, article = await visit.body(Reading), visit.request.match_info["article"]
    call = await _call(visit, sent.call)
    try:
        found = await visit.desk.faq.opened(visit.person, article, call=call, search_id=sent.search)
    except ToritsugiError as problem:
        raise NotFound(problem.message, where="FAQ", cure=problem.cure) from problem
    told = await visit.desk.faq.told_in(call) if call else frozenset()
    return _part(
        visit, "seat/faq_entry.html", opened=found, call=call,
        told=(found.entry.article_id, found.entry.version) in told,
    )  # fmt: skip


@table.post("/desk/faq/entries/{article}/told", WRITE, "FAQ を案内した", data=True, body=Told, answer=Noted)
async def told(visit: Visit) -> web.StreamResponse:
    sent, article = await visit.body(Told), visit.request.match_info["article"]
    call = (await own_call(visit, CallId(sent.call))).call_id
    await visit.desk.faq.told(visit.person, article, sent.version, call=call, search_id=sent.search)
    return web.json_response({"text": "案内したことを応対履歴に残しました"})
