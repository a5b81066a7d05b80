"""Writing the knowledge base: taking a file in, giving one out, and the way of an entry to its readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from core.errors import ToritsugiError
from faq_kb.article import WORDS, Article, Change, Content, State, Version, differences, wrong_words
from faq_kb.csv_file import Row, write_rows
from faq_kb.workflow import Move, Role, moved, new_article, taken_in
from services.faq_ports import FaqSet
from services.ports import AuditEntry, UnitOfWork

_NOTHING = Content(question="", answer="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who acts, as what, and when (epoch seconds)."""

    by: str
    role: Role
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a file would do to one entry."""

    row: Row
    state: State
    before: Article | None
    changes: tuple[Change, ...]
    """Empty when only the state changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a file would do."""

    new: tuple[Planned, ...]
    changed: tuple[Planned, ...]
    same: int


async def plan_import(unit: UnitOfWork, rows: Sequence[Row], default: State) -> Plan:
    """What taking `rows` in would do; changes nothing.

    Args:
        default: the state of rows that name none.
    """
    ids = [row.article_id for row in rows]
    known = {article.article_id: article for article in await unit.faq.articles(ids)}
    texts = await unit.faq.latest(ids)
    new: list[Planned] = []
    changed: list[Planned] = []
    same = 0
    for row in rows:
        article = known.get(row.article_id)
        state = row.state or default
        if article is None:
            new.append(Planned(row=row, state=state, before=None, changes=()))
            continue
        old = texts[row.article_id].content
        if old == row.content and article.state is state:
            same += 1
            continue
        changes = tuple(differences(old, row.content))
        changed.append(Planned(row=row, state=state, before=article, changes=changes))
    return Plan(new=tuple(new), changed=tuple(changed), same=same)


async def carry_out(unit: UnitOfWork, plan: Plan, who: Who, where: str) -> None:
    """Take a file in, all of it in this transaction."""
    articles: list[Article] = []
    versions: dict[str, list[Version]] = {}
    note = f"CSV の取り込み: {where}"
    for each in (*plan.new, *plan.changed):
        article = taken_in(each.before, each.row.article_id, each.state, at=who.at, by=who.by, note=note)
        articles.append(article)
        versions[article.article_id] = [
            Version(
                number=article.latest, content=each.row.content, made_at=who.at, made_by=who.by, note=note
            )
        ]
    if not articles:
        return
    await unit.faq.put(FaqSet(articles=articles, versions=versions))
    await unit.audit.add(
        AuditEntry(
            at=who.at,
            actor=who.by,
            action="faq.import",
            subject=where[:96],
            detail={"new": len(plan.new), "changed": len(plan.changed), "same": plan.same},
        )
    )


async def export_lines(unit: UnitOfWork, states: Sequence[State] | None = None) -> Iterator[str]:
    """All entries as the lines of a CSV file, each with its newest text; of these states only, if any are named."""
    articles = [each for each in await unit.faq.articles() if states is None or each.state in states]
    texts = await unit.faq.latest()
    return write_rows((each.article_id, texts[each.article_id].content, each.state) for each in articles)


async def write_entry(
    unit: UnitOfWork,
    article_id: str,
    content: Content,
    who: Who,
    *,
    note: str = "",
    correcting: bool = False,
    due_at: float | None = None,
) -> Article:
    """A new entry, or a new draft of one; what is published stays in force meanwhile.

    Raises:
        ToritsugiError: the role may not write, or nothing changed.
    """
    article = await unit.faq.get(article_id)
    if article is None:
        after = new_article(article_id, at=who.at, by=who.by, role=who.role, note=note)
        old = _NOTHING
    else:
        old = (await unit.faq.latest([article_id]))[article_id].content
        after = moved(article, Move.WRITE, at=who.at, by=who.by, role=who.role, note=note, due_at=due_at)
    changes = differences(old, content)
    if not changes:
        raise ToritsugiError("変わったところがありません", where=article_id, cure="変えるところを書く")
    version = Version(
        number=after.latest, content=content, made_at=who.at, made_by=who.by, note=note,
        correcting=correcting,
    )  # fmt: skip
    await unit.faq.put(FaqSet(articles=[after], versions={article_id: [version]}))
    await _audit(unit, Move.WRITE, after, who, note)
    return after


async def move_entry(
    unit: UnitOfWork, article_id: str, move: Move, who: Who, *, note: str = "", due_at: float | None = None
) -> Article:
    """Bring an entry a step further.

    Raises:
        ToritsugiError: there is none of this id, it cannot go there (see `faq_kb.workflow.moved`), or what is to be
            submitted holds a word that citizens do not hear.
    """
    article = await unit.faq.get(article_id)
    if article is None:
        raise unknown(article_id)
    after = moved(article, move, at=who.at, by=who.by, role=who.role, note=note, due_at=due_at)
    if move is Move.SUBMIT:
        fields = wrong_words((await unit.faq.latest([article_id]))[article_id].content)
        if fields:
            raise ToritsugiError(
                f"市民に聞かせない言葉があります: {'、'.join(WORDS)}",
                where=f"{article_id} {'、'.join(fields)}",
                cure=f"「{'、'.join(WORDS.values())}」と書く",
            )
    await unit.faq.put(FaqSet(articles=[after]))
    await _audit(unit, move, after, who, note)
    return after


def unknown(article_id: str) -> ToritsugiError:
    return ToritsugiError(f"ない項目です: {article_id}", where="番号", cure="toritsugi faq list で確かめる")


async def _audit(unit: UnitOfWork, move: Move, article: Article, who: Who, note: str) -> None:
    detail = {
        "role": who.role.value, "state": article.state.value, "version": article.latest,
        "published": article.published, "note": note,
    }  # fmt: skip
    await unit.audit.add(
        AuditEntry(
            at=who.at, actor=who.by, action=f"faq.{move.value}", subject=article.article_id, detail=detail
        )
    )


def day_or_none(text: str, option: str) -> date | None:
    """A date of an option; empty for none.

    Raises:
        ToritsugiError: it is no date.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as problem:
        raise ToritsugiError(f"日付が読めません: {text!r}", where=option, cure="例: 2026-04-01") from problem
