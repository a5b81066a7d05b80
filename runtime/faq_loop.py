"""The `faq` commands that learn from calls: suggestions, gaps, effects, wrong guidance, and how it is all used."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.hours import at_minute
from core.ids import CallId
from faq_kb.article import Content, State
from faq_kb.csv_file import write_rows
from faq_kb.gaps import Gap
from faq_kb.suggestion import ANSWERED, suggest
from faq_kb.text import sentences
from faq_kb.usage import ranking, success
from runtime.faq import FaqBase, Say, read_file, somebody, write_file
from services.faq import unknown
from services.faq_loop import effect_of, found_gaps, recall_correction, said_in
from services.faq_office import drafted
from services.faq_ports import UseKind
from services.figure_searches import how_it_went
from services.ports import UnitOfWork

Out = Callable[[str], None]
_DAY_S = 86_400.0


def _span(base: FaqBase, since: date | None, until: date | None) -> tuple[float, float]:
    """From the beginning of a day (default: 28 days ago) to the beginning of another (default: now)."""
    end = at_minute(until, 0).timestamp() if until else base.clock.epoch() + 1.0
    return (at_minute(since, 0).timestamp() if since else end - 28 * _DAY_S), end


async def suggest_for(call: str, file: Path | None, limit: int, out: Out, say: Say) -> None:
    """Entries for a call's transcript, or for a text, with the sentences that led to them, as JSON Lines."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        if file is not None:
            try:
                said = list(sentences(read_file(file).decode("utf-8-sig")))
            except UnicodeDecodeError as problem:
                raise ToritsugiError(
                    "UTF-8 ではありません", where=str(file), cure="UTF-8 で保存する"
                ) from problem
        else:
            talked = said_in(CallId(call), 0.0, await unit.transcripts.of_call(CallId(call)))
            said = list(talked.citizen)
            if not said:
                raise ToritsugiError(
                    "この通話の文字起こしはありません",
                    where=call,
                    cure="toritsugi cases で通話番号と状態を確かめる",
                )
        searcher, index = await base.search.ready(unit)
        found = suggest(searcher.hearing(), index, said, limit, now=base.clock.city_now().timestamp())
        texts = await unit.faq.in_force([each.article_id for each in found])
        for each in found:
            row = {
                "id": each.article_id, "question": texts[each.article_id].content.question,
                "score": each.confidence, "answers": each.confidence >= ANSWERED, "version": each.version,
                "sentences": list(each.sentences),
            }  # fmt: skip
            out(json.dumps(row, ensure_ascii=False))


async def show_gaps(
    since: date | None, until: date | None, least: int, drafts: Path | None, out: Out, say: Say
) -> None:
    """What citizens asked in vain, with a draft for each, as JSON Lines."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        first, last = _span(base, since, until)
        found, looked, unanswered = await found_gaps(
            unit,
            base.search,
            first,
            last,
            least=least,
            tell=lambda count: say(f"{count}件の通話を見ました。"),
        )
    for gap in found:
        row = asdict(gap) | {
            "first_at": base.clock.city_time_of(gap.first_at).isoformat(timespec="seconds"),
            "last_at": base.clock.city_time_of(gap.last_at).isoformat(timespec="seconds"),
            "count": len(gap.calls),
        }
        out(json.dumps(row, ensure_ascii=False))
    if drafts is not None:
        write_file(drafts, write_rows(_drafted(gap, number) for number, gap in enumerate(found, start=1)))
    say(f"通話 {looked}件のうち {unanswered}件に合う項目がなく、{len(found)}の不足にまとめました。")


def _drafted(gap: Gap, number: int) -> tuple[str, Content, State]:
    day = datetime.fromtimestamp(gap.last_at, TOKYO)
    return f"gap-{day:%Y%m%d}-{number}", drafted(gap), State.DRAFT


async def show_effect(article_id: str, days: int, out: Out, say: Say) -> None:
    """Whether calls that an entry answers became rarer after it was first published, as JSON."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        article = await unit.faq.get(article_id)
        if article is None:
            raise unknown(article_id)
        at = next((step.at for step in article.steps if step.state is State.PUBLISHED), None)
        if at is None or not article.published:
            raise ToritsugiError("公開されていません", where=article_id, cure="公開中の項目を選ぶ")
        searcher, index = await base.search.ready(unit)
        found = await effect_of(unit, searcher, index, article_id, at, days, base.clock.epoch())
        row: dict[str, Any] = {
            "id": article_id,
            "published": base.clock.city_time_of(at).isoformat(timespec="seconds"),
            "days": days,
            **asdict(found),
            "verdict": found.verdict.value,
            "meaning": found.verdict.label_ja,
        }
        out(json.dumps(row, ensure_ascii=False))


async def open_recall(
    base: FaqBase, unit: UnitOfWork, article_id: str, old: int, note: str, by: str
) -> list[str]:
    """Call-back tasks for who was told a wrong version; the ids of the new ones."""
    from runtime.records import deadline
    from services.city import load_city

    profile = load_city(base.settings.city)
    now = base.clock.epoch()
    tickets = await recall_correction(
        unit, article_id, old, note=note, now=now, due_at=deadline(profile.hours, base.clock, now), by=by,
        departments={entry.extension for entry in profile.acd.directory},
    )  # fmt: skip
    return [ticket.ticket_id for ticket in tickets]


async def recall_version(article_id: str, old: int, note: str, by: str, out: Out, say: Say) -> None:
    """The `faq recall` command."""
    if not note.strip():
        raise ToritsugiError("何が誤りだったかがありません", where="--note", cure="訂正の内容を書く")
    async with FaqBase.open(say) as base:
        async with base.database.uow() as unit:
            if await unit.faq.get(article_id) is None:
                raise unknown(article_id)
            opened = await open_recall(base, unit, article_id, old, note, somebody(by))
        for ticket in opened:
            out(ticket)
        say(f"{len(opened)}件の依頼を作りました（tickets list）。")


async def search_log(since: date | None, until: date | None, only: str, out: Out, say: Say) -> None:
    """Searches of a period as JSON Lines: all, those without any hit, or those without a strict one."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        for each in await unit.faq.searches(*_span(base, since, until)):
            if (only == "zero" and each.found) or (only == "loose" and each.strict):
                continue
            row = {
                "search": each.search_id,
                "at": base.clock.city_time_of(each.at).isoformat(timespec="seconds"),
                "by": each.actor, "words": each.words, "found": list(each.found), "strict": each.strict,
                "clicked": list(each.clicked), "used": list(each.used), "call": each.call,
            }  # fmt: skip
            out(json.dumps(row, ensure_ascii=False))


async def usage(since: date | None, until: date | None, out: Out, say: Say) -> None:
    """How the knowledge base was used in a period, against the one before, as JSON."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        first, last = _span(base, since, until)
        earlier = first - (last - first)
        uses, old_uses = await unit.faq.uses(first, last), await unit.faq.uses(earlier, first)
        searches, old_searches = await unit.faq.searches(first, last), await unit.faq.searches(earlier, first)
        texts = await unit.faq.latest()
        articles = await unit.faq.articles()
    told = success([how_it_went(each) for each in searches])

    def ranked(kind: UseKind) -> list[dict[str, Any]]:
        rows = ranking(
            (use.article_id for use in uses if use.kind is kind),
            (use.article_id for use in old_uses if use.kind is kind),
        )
        return [
            {
                "id": row.article_id,
                "question": texts[row.article_id].content.question if row.article_id in texts else "",
                "count": row.count,
                "before": row.before,
            }
            for row in rows[:50]
        ]

    states = {state.value: sum(article.state is state for article in articles) for state in State}
    changed = sorted(
        {article.article_id for article in articles for step in article.steps if first <= step.at < last}
    )
    row = {
        "since": base.clock.city_time_of(first).isoformat(timespec="seconds"),
        "until": base.clock.city_time_of(last).isoformat(timespec="seconds"),
        "searches": asdict(told) | {"searches_before": len(old_searches)},
        "told": ranked(UseKind.USED),
        "shown": ranked(UseKind.SHOWN),
        "entries": states,
        "changed": changed,
    }
    out(json.dumps(row, ensure_ascii=False, indent=2))
