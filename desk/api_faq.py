"""The knowledge base for programs."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from desk.openapi import BASE
from desk.pages.faq import listed, one
from desk.routes import Table
from desk.visit import Form, Visit
from faq_kb.article import Content, State
from services.access import Permission

table = Table()
READ = Permission.FAQ_READ


class Search(Form):
    words: Annotated[str, Field(title="言葉", min_length=1, max_length=200)]
    limit: Annotated[int, Field(title="件数", ge=1, le=50)] = 10
    public: Annotated[bool, Field(title="市民に公開するものだけ")] = False


class Wanted(Form):
    state: Annotated[State | None, Field(title="状態")] = None
    after: Annotated[str, Field(title="続き", max_length=64)] = ""


class TextOut(BaseModel):
    """What an entry says; days are ISO dates."""

    question: str
    answer: str
    spoken: str
    category: str
    forms: list[str]
    related: list[str]
    audience: str
    department: str
    valid_from: str | None
    valid_until: str | None


class HitOut(BaseModel):
    article: str
    version: int
    sure: bool
    """Found without guessing."""
    text: TextOut


class FoundOut(BaseModel):
    """What is in force and answers best, best first; `search` is its number in the log."""

    search: int
    hits: list[HitOut]


class ArticleOut(BaseModel):
    """An entry; `text` is the newest one, `published` the version in force (0: none). Moments are epoch seconds."""

    article: str
    state: str
    latest: int
    published: int
    due_at: float | None
    text: TextOut


class ArticlesOut(BaseModel):
    """One page by id; `after` asks for the next one."""

    articles: list[ArticleOut]
    after: str | None


def text_out(content: Content) -> TextOut:
    return TextOut(
        question=content.question, answer=content.answer, spoken=content.spoken, category=content.category,
        forms=list(content.forms), related=list(content.related), audience=content.audience.value,
        department=content.department,
        valid_from=content.valid_from.isoformat() if content.valid_from else None,
        valid_until=content.valid_until.isoformat() if content.valid_until else None,
    )  # fmt: skip


@table.get(f"{BASE}/faq/search", READ, "FAQ を探す", data=True, query=Search, answer=FoundOut)
async def search(visit: Visit) -> web.StreamResponse:
    sent = visit.query(Search)
    found = await visit.desk.faq.find(visit.person, sent.words, limit=sent.limit, public=sent.public)
    hits = [
        HitOut(article=each.article_id, version=each.version, sure=each.sure, text=text_out(each.content))
        for each in found.entries
    ]
    return web.json_response(text=FoundOut(search=found.search_id, hits=hits).model_dump_json())


@table.get(f"{BASE}/faq/articles", READ, "FAQ の一覧", data=True, query=Wanted, answer=ArticlesOut)
async def articles(visit: Visit) -> web.StreamResponse:
    sent = visit.query(Wanted)
    found = await listed(visit, sent.state, sent.after)
    page = ArticlesOut(
        articles=[
            ArticleOut(
                article=each.article.article_id, state=each.article.state.value, latest=each.article.latest,
                published=each.article.published, due_at=each.article.due_at, text=text_out(each.content),
            )
            for each in found
        ],
        after=found[-1].article.article_id if found else None,
    )  # fmt: skip
    return web.json_response(text=page.model_dump_json())


@table.get(f"{BASE}/faq/articles/{{article}}", READ, "FAQ の項目", data=True, answer=ArticleOut)
async def article(visit: Visit) -> web.StreamResponse:
    found = await one(visit, visit.request.match_info["article"])
    async with visit.desk.reading() as unit:
        text = (await unit.faq.latest([found.article_id]))[found.article_id]
    answer = ArticleOut(
        article=found.article_id, state=found.state.value, latest=found.latest, published=found.published,
        due_at=found.due_at, text=text_out(text.content),
    )  # fmt: skip
    return web.json_response(text=answer.model_dump_json())
