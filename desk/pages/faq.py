"""The knowledge base: finding, reading, writing, and an entry's way to its readers."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from core.clock import TOKYO
from core.errors import ToritsugiError
from desk.guard import NotFound, Refused
from desk.looks import flash
from desk.pages.entry import redirect
from desk.routes import Table
from desk.visit import Form, Visit
from faq_kb.article import Article, Audience, Change, Content, State, Version, differences
from faq_kb.csv_file import LONGEST
from faq_kb.workflow import Move
from services.access import Permission
from services.faq import Who, write_entry
from services.faq_desk import Entry
from services.faq_office import moves_for, role_for, roles_of, step, waiting_for

table = Table()
READ, WRITE = Permission.FAQ_READ, Permission.FAQ_WRITE
MOVE = (Permission.FAQ_WRITE, Permission.FAQ_REVIEW, Permission.FAQ_APPROVE)
ENTRY = "/faq/entries/{article}"
PAGE = 50
FIRST_YEAR, LAST_YEAR = 2000, 2200
DUE_DAYS = 7
"""想定: so many days the one whose turn it is has, unless told otherwise."""
_NOTHING = Content(question="", answer="")
_IN_STATE = {each.value for each in State}

DONE = {
    "write": "下書きにしました。",
    "submit": "点検に出しました。",
    "review": "点検して、市に渡しました。",
    "approve": "承認しました。",
    "send_back": "差し戻しました。",
    "publish": "公開しました。次の検索から出ます。",
    "recalled": "公開しました。前の版を案内した方への折り返しの依頼も作りました。",
    "retire": "廃止しました。",
    "ask": "改訂の依頼を受け付けました。",
    "ended": "依頼を終えました。",
    "words": "類義語を登録しました。",
    "words_gone": "類義語を消しました。",
    "import": "取り込みました。",
    "draft": "草案を作りました。回答を書いてください。",
}


class Search(Form):
    words: Annotated[str, Field(title="言葉", max_length=200)] = ""
    state: Annotated[str, Field(title="状態", pattern=r"^[a-z]*$")] = ""
    after: Annotated[str, Field(title="続き", max_length=64)] = ""
    done: Annotated[str, Field(max_length=16)] = ""


class Written(Form):
    """An entry as the form sends it."""

    article: Annotated[str, Field(title="番号", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = ""
    question: Annotated[str, Field(title="質問", min_length=1, max_length=LONGEST)]
    answer: Annotated[str, Field(title="回答", min_length=1, max_length=LONGEST)]
    spoken: Annotated[str, Field(title="短い回答", max_length=LONGEST)] = ""
    category: Annotated[str, Field(title="分類", max_length=64)] = ""
    forms: Annotated[str, Field(title="別の聞き方", max_length=LONGEST)] = ""
    related: Annotated[str, Field(title="関連", max_length=2000)] = ""
    audience: Annotated[Audience, Field(title="公開先")] = Audience.OPERATOR
    department: Annotated[str, Field(title="担当課", max_length=64)] = ""
    valid_from: Annotated[str, Field(title="有効開始日", max_length=10)] = ""
    valid_until: Annotated[str, Field(title="有効終了日", max_length=10)] = ""
    source: Annotated[str, Field(title="出典", max_length=500)] = ""
    note: Annotated[str, Field(title="変えた理由", max_length=500)] = ""
    correcting: bool = False
    base: Annotated[int, Field(ge=0)] = 0
    """Version that the form showed."""

    def content(self) -> Content:
        """Raises ToritsugiError for a date that cannot be read."""
        return Content(
            question=self.question, answer=_lines(self.answer), spoken=_lines(self.spoken), category=self.category,
            forms=tuple(filter(None, (each.strip() for each in self.forms.splitlines()))),
            related=tuple(dict.fromkeys(self.related.split())), audience=self.audience, department=self.department,
            valid_from=_day(self.valid_from, "有効開始日"), valid_until=_day(self.valid_until, "有効終了日"),
            source=self.source,
        )  # fmt: skip


class Step(Form):
    move: Annotated[Move, Field(title="操作")]
    note: Annotated[str, Field(title="理由", max_length=500)] = ""
    due: Annotated[str, Field(title="期限", max_length=10)] = ""
    base: Annotated[int, Field(ge=0)] = 0


def _lines(text: str) -> str:
    """Browsers send every line break as two characters."""
    return text.replace("\r\n", "\n")


def _day(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as problem:
        raise ToritsugiError("日付が読めません", where=where, cure="例: 2026-04-01") from problem
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ToritsugiError("ありえない日付です", where=where, cure="例: 2026-04-01")
    return day


def due_moment(visit: Visit, text: str) -> float:
    """The end of that day, or of the day in a week. Raises ToritsugiError."""
    day = _day(text, "期限") or visit.desk.clock.city_now().date() + timedelta(days=DUE_DAYS)
    return visit.desk.clock.epoch_of(datetime.combine(day, time(23, 59), TOKYO))


def next_week(visit: Visit) -> str:
    return (visit.desk.clock.city_now().date() + timedelta(days=DUE_DAYS)).isoformat()


def who_moves(visit: Visit, move: Move) -> Who:
    """The visitor in the role in which they may do this. Raises Refused."""
    role = role_for(move, roles_of(visit.permissions))
    if role is None:
        raise Refused(
            f"{visit.me.role.label_ja}は{move.label_ja}ことができません", where="FAQ", cure="できる人に頼む"
        )
    return Who(by=visit.me.name, role=role, at=visit.desk.clock.epoch())


# ---- finding --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A line of the list."""

    article: Article
    content: Content


async def listed(visit: Visit, state: State | None, after: str) -> list[Listed]:
    async with visit.desk.reading() as unit:
        articles = await unit.faq.in_state(state, after, PAGE)
        texts = await unit.faq.latest([each.article_id for each in articles])
    return [Listed(article=each, content=texts[each.article_id].content) for each in articles]


@table.get("/faq", READ, "FAQ", query=Search)
async def faq(visit: Visit) -> web.StreamResponse:
    sent = visit.query(Search)
    state = State(sent.state) if sent.state in _IN_STATE else None
    found: tuple[Entry, ...] = ()
    lines: list[Listed] = []
    if sent.words:
        found = (await visit.desk.faq.find(visit.person, sent.words, limit=20)).entries
    else:
        lines = await listed(visit, state, sent.after)
    async with visit.desk.reading() as unit:
        counts = await unit.faq.states()
        requests = len(await unit.faq.requests())
    return visit.desk.looks.page(
        "faq/list.html", visit, search=sent, state=state, found=found, lines=lines, counts=counts, states=list(State),
        requests=requests, waiting=waiting_for(roles_of(visit.permissions)), at=visit.desk.clock.epoch(),
        after=lines[-1].article.article_id if len(lines) == PAGE else "", done=flash(DONE, sent.done),
    )  # fmt: skip


# ---- one entry ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A version with what it changed."""

    version: Version
    changes: tuple[Change, ...]


async def one(visit: Visit, article_id: str) -> Article:
    """Raises NotFound."""
    async with visit.desk.reading() as unit:
        article = await unit.faq.get(article_id)
    if article is None:
        raise NotFound("ない項目です", where="FAQ", cure="一覧から選ぶ")
    return article


@table.get(ENTRY, READ, "FAQ の項目")
async def entry(visit: Visit) -> web.StreamResponse:
    article = await one(visit, visit.request.match_info["article"])
    async with visit.desk.reading() as unit:
        versions = await unit.faq.history(article.article_id)
        users = await unit.users.all()
        asked = [each for each in await unit.faq.requests() if each.article_id == article.article_id]
        related = await unit.faq.latest(versions[-1].content.related)
    old, history = _NOTHING, list[Told]()
    for version in versions:
        changes = tuple(differences(old, version.content)) if history else ()
        history.append(Told(version=version, changes=changes))
        old = version.content
    force = next((each for each in versions if each.number == article.published), None)
    roles = roles_of(visit.permissions)
    return visit.desk.looks.page(
        "faq/entry.html", visit, article=article, latest=versions[-1], force=force, history=history[::-1],
        pending=tuple(differences(force.content, versions[-1].content)) if force else (), asked=asked,
        related={each: text.content.question for each, text in related.items()},
        names={user.name: user.display for user in users}, moves=moves_for(article, roles, visit.me.name), Move=Move,
        may_write=role_for(Move.WRITE, roles) is not None, due=next_week(visit), at=visit.desk.clock.epoch(),
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.post(f"{ENTRY}/move", MOVE, "FAQ を進める")
async def move(visit: Visit) -> web.StreamResponse:
    sent, article_id = await visit.form(Step), visit.request.match_info["article"]
    if sent.move is Move.WRITE:
        raise ToritsugiError("選べる値ではありません", where="操作", cure="書く画面を使う")
    who, desk = who_moves(visit, sent.move), visit.desk
    departments = frozenset(each.extension for each in desk.profile.acd.directory)
    article = await one(visit, article_id)
    due = due_moment(visit, sent.due)
    async with desk.uow() as unit:
        current = await unit.faq.get(article.article_id)
        if current is None or (sent.base and current.latest != sent.base):
            raise _newer(article_id)
        _, tickets = await step(
            unit, article_id, sent.move, who, note=sent.note, due_at=due, recall_due_at=desk.due_of(who.at),
            departments=departments,
        )  # fmt: skip
    return redirect(f"{place(article_id)}?done={'recalled' if tickets else sent.move.value}")


def _newer(article_id: str) -> ToritsugiError:
    return ToritsugiError(
        "ほかの人が新しい版を書いています", where=article_id, cure="項目を開きなおして、新しい版を見る"
    )


def place(article_id: str) -> str:
    """Where an entry's page is."""
    return f"/faq/entries/{quote(article_id, safe='')}"


# ---- writing --------------------------------------------------------------------------------------


@table.get("/faq/new", WRITE, "FAQ を書く")
async def new(visit: Visit) -> web.StreamResponse:
    return _form(visit, "", _NOTHING, 0)


@table.get(f"{ENTRY}/edit", WRITE, "FAQ を書く")
async def edit(visit: Visit) -> web.StreamResponse:
    article = await one(visit, visit.request.match_info["article"])
    async with visit.desk.reading() as unit:
        version = (await unit.faq.latest([article.article_id]))[article.article_id]
    return _form(visit, article.article_id, version.content, article.latest, published=article.published > 0)


def _form(
    visit: Visit, article_id: str, content: Content, base: int, *, published: bool = False
) -> web.Response:
    return visit.desk.looks.page(
        "faq/write.html", visit, article_id=article_id, content=asdict(content), base=base, published=published,
        audiences=list(Audience),
    )  # fmt: skip


async def written(visit: Visit, article_id: str, sent: Written) -> Article:
    """A new entry, or a new draft of one.

    Raises:
        ToritsugiError: nothing changed, or somebody else has written it meanwhile.
    """
    who = who_moves(visit, Move.WRITE)
    async with visit.desk.uow() as unit:
        before = await unit.faq.get(article_id)
        if (before.latest if before else 0) != sent.base:
            raise _newer(article_id)
        return await write_entry(
            unit, article_id, sent.content(), who, note=sent.note,
            correcting=sent.correcting and before is not None and before.published > 0,
            due_at=due_moment(visit, ""),
        )  # fmt: skip


@table.post("/faq/entries", WRITE, "FAQ を書く")
async def write_new(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Written)
    article_id = sent.article or f"q-{secrets.token_hex(4)}"
    await written(visit, article_id, sent)
    return redirect(f"{place(article_id)}?done=write")


@table.post(f"{ENTRY}/edit", WRITE, "FAQ を書く")
async def write_version(visit: Visit) -> web.StreamResponse:
    article = await one(visit, visit.request.match_info["article"])
    await written(visit, article.article_id, await visit.form(Written))
    return redirect(f"{place(article.article_id)}?done=write")
