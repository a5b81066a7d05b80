"""The `faq` commands that write entries and show them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, time, timedelta
from typing import Any

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.ids import CallId
from faq_kb.article import LABELS, Article, Audience, Content, State, Version, differences
from faq_kb.workflow import Move, Role, late
from interactions.case import case_id_of
from interactions.case_edit import FaqUse
from runtime.faq import FaqBase, Say, somebody
from services.faq import Who, day_or_none, move_entry, unknown, write_entry
from services.faq_ports import UseKind

DUE_DAYS = 7
"""想定: so many days the one whose turn it is has, unless told otherwise."""

Out = Callable[[str], None]


def role_of(text: str) -> Role:
    """Raises ToritsugiError when there is no such role."""
    if text not in set(Role):
        raise ToritsugiError(f"ない役割です: {text}", where="--as", cure=f"次のどれか: {', '.join(Role)}")
    return Role(text)


def due_moment(base: FaqBase, text: str) -> float:
    """The end of the day of `--due`, or of the day in a week."""
    day = day_or_none(text, "--due") or base.clock.city_now().date() + timedelta(days=DUE_DAYS)
    return datetime.combine(day, time(23, 59), TOKYO).timestamp()


async def write(
    article_id: str,
    changes: dict[str, Any],
    *,
    role: str,
    by: str,
    note: str,
    correcting: bool,
    due: str,
    say: Say,
) -> None:
    """A new entry, or a new draft of one, with these fields changed."""
    async with FaqBase.open(say) as base:
        who = Who(by=somebody(by), role=role_of(role), at=base.clock.epoch())
        async with base.database.uow() as unit:
            old = (await unit.faq.latest([article_id])).get(article_id)
            content = replace(old.content if old else Content(question="", answer=""), **changes)
            missing = [LABELS[name] for name in ("question", "answer") if not getattr(content, name).strip()]
            if missing:
                raise ToritsugiError(
                    f"{'と'.join(missing)}がありません",
                    where=article_id,
                    cure="--question と --answer を書く",
                )
            article = await write_entry(
                unit, article_id, content, who, note=note, correcting=correcting, due_at=due_moment(base, due)
            )
        say(f"{article_id} の版{article.latest}を下書きにしました。次は faq submit です。")


def changes_of(
    question: str | None, answer: str | None, spoken: str | None, category: str | None, forms: list[str] | None,
    related: list[str] | None, audience: str | None, department: str | None, valid_from: str | None,
    valid_until: str | None, source: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The fields that the options name."""
    if audience is not None and audience not in set(Audience):
        raise ToritsugiError(
            f"ない公開先です: {audience}", where="--audience", cure=f"次のどれか: {', '.join(Audience)}"
        )
    told: dict[str, Any] = {
        "question": question, "answer": answer, "spoken": spoken, "category": category,
        "forms": None if forms is None else tuple(each.strip() for each in forms if each.strip()),
        "related": None if related is None else tuple(related),
        "audience": None if audience is None else Audience(audience), "department": department, "source": source,
    }  # fmt: skip
    changes = {name: value for name, value in told.items() if value is not None}
    if valid_from is not None:
        changes["valid_from"] = day_or_none(valid_from, "--valid-from")
    if valid_until is not None:
        changes["valid_until"] = day_or_none(valid_until, "--valid-until")
    return changes


async def move(
    article_id: str, move_: Move, *, role: str, by: str, note: str, due: str, out: Out, say: Say
) -> None:
    """Bring an entry a step further; publishing a correction opens the call-back tasks too."""
    async with FaqBase.open(say) as base:
        who = Who(by=somebody(by), role=role_of(role), at=base.clock.epoch())
        opened = []
        async with base.database.uow() as unit:
            before = await unit.faq.get(article_id)
            after = await move_entry(unit, article_id, move_, who, note=note, due_at=due_moment(base, due))
            if move_ is Move.PUBLISH and before is not None and before.published:
                version = (await unit.faq.in_force([article_id]))[article_id]
                if version.correcting:
                    from runtime.faq_loop import open_recall

                    opened = await open_recall(base, unit, article_id, before.published, version.note, who.by)
        for ticket in opened:
            out(ticket)
        if opened:
            say(f"前の版を案内した {len(opened)}件の折り返し依頼を作りました（tickets list）。")
        say(f"{article_id}: {after.state.label_ja}")


# ---- showing --------------------------------------------------------------------------------------


async def list_entries(states: Sequence[State] | None, overdue: bool, out: Out, say: Say) -> None:
    """Entries as JSON Lines, without their answers."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        articles = await unit.faq.articles()
        texts = await unit.faq.latest()
        now = base.clock.epoch()
        if overdue:
            articles = late(articles, now)
        for article in articles:
            if states is None or article.state in states:
                out(json.dumps(_summary(base, article, texts[article.article_id], now), ensure_ascii=False))


def _summary(base: FaqBase, article: Article, version: Version, now: float) -> dict[str, Any]:
    content = version.content
    return {
        "id": article.article_id, "state": article.state.value, "state_meaning": article.state.label_ja,
        "version": article.latest, "published": article.published, "category": content.category,
        "department": content.department, "question": content.question,
        "due": city_time(base, article.due_at) if article.due_at else None,
        "late": article.due_at is not None and article.due_at < now,
    }  # fmt: skip


async def show(
    article_id: str, number: int | None, call: str, search: int, by: str, out: Out, say: Say
) -> None:
    """An entry in force, or one of its versions, as JSON; with a call, or a search, it is noted that it was shown."""
    async with FaqBase.open(say) as base:
        async with base.database.reading() as unit:
            article = await unit.faq.get(article_id)
            if article is None:
                raise unknown(article_id)
            version = await unit.faq.version(article_id, number or article.published or article.latest)
            if version is None:
                raise ToritsugiError(
                    f"ない版です: {number}", where=article_id, cure="toritsugi faq history で確かめる"
                )
        if call:
            await _note_use(base, article_id, version.number, UseKind.SHOWN, call, by)
        if search:
            async with base.database.uow() as unit:
                await unit.faq.mark_search(search, clicked=article_id)
        shown = {
            **_summary(base, article, version, base.clock.epoch()),
            **_content(version.content),
            "version": version.number,
            "made": city_time(base, version.made_at),
            "made_by": version.made_by,
            "note": version.note,
        }
        out(json.dumps(shown, ensure_ascii=False, indent=2))


async def use(article_id: str, call: str, search: int, by: str, say: Say) -> None:
    """Note that a citizen was told an entry in a call."""
    async with FaqBase.open(say) as base:
        async with base.database.reading() as unit:
            article = await unit.faq.get(article_id)
            if article is None:
                raise unknown(article_id)
        if not article.published:
            raise ToritsugiError("公開中の版がありません", where=article_id, cure="公開中の項目を選ぶ")
        await _note_use(base, article_id, article.published, UseKind.USED, call, by)
        if search:
            async with base.database.uow() as unit:
                if not await unit.faq.mark_search(search, used=article_id):
                    say(f"検索 {search} はもうありません。案内したことは残しました。")
        say(f"{article_id} の版{article.published}を案内したことを残しました。")


async def _note_use(base: FaqBase, article_id: str, version: int, kind: UseKind, call: str, by: str) -> None:
    """In the case that the call opens, perhaps later."""
    now = base.clock.epoch()
    async with base.database.uow() as unit:
        case = await unit.cases.of_call(CallId(call))
        await unit.cases.add_faq(
            FaqUse(
                case_id=case.case_id if case else case_id_of(CallId(call)), article=article_id, version=version,
                shown_at=now, used_at=now if kind is UseKind.USED else None, by=somebody(by),
            )
        )  # fmt: skip


async def history(article_id: str, out: Out, say: Say) -> None:
    """Every version with what it changed, and every step, as JSON Lines in order."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        article = await unit.faq.get(article_id)
        if article is None:
            raise unknown(article_id)
        old = Content(question="", answer="")
        lines: list[tuple[float, int, dict[str, Any]]] = []
        for version in await unit.faq.history(article_id):
            changes = [
                {"field": c.label, "removed": list(c.removed), "added": list(c.added)}
                for c in differences(old, version.content)
            ]
            row = {
                "version": version.number, "at": city_time(base, version.made_at), "by": version.made_by,
                "note": version.note, "correcting": version.correcting, "changes": changes,
            }  # fmt: skip
            lines.append((version.made_at, 0, row))
            old = version.content
        for step in article.steps:
            row = {
                "step": step.state.value, "meaning": step.state.label_ja, "version": step.version,
                "at": city_time(base, step.at), "by": step.by, "role": step.role, "note": step.note,
            }  # fmt: skip
            lines.append((step.at, 1, row))
        for _, _, row in sorted(lines, key=lambda line: line[:2]):
            out(json.dumps(row, ensure_ascii=False))


def _content(content: Content) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in asdict(content).items()
    }


def city_time(base: FaqBase, at: float) -> str:
    return base.clock.city_time_of(at).isoformat(timespec="seconds")
