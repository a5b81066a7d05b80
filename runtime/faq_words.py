"""The `faq` commands about requests for changes, synonyms, and the first entries."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from faq_kb.article import State
from faq_kb.csv_file import read_rows
from faq_kb.synonyms import SynonymSet
from faq_kb.workflow import RequestState, Role
from runtime.faq import FaqBase, Say, somebody
from runtime.faq_writing import city_time, due_moment
from services.faq import Who, carry_out, plan_import
from services.faq_office import add_synonyms as add_words
from services.faq_office import answer_change, ask_change
from services.faq_office import remove_synonyms as remove_words

SEED = Path(__file__).resolve().parent.parent / "faq_kb" / "seed"

Out = Callable[[str], None]


# ---- requests -------------------------------------------------------------------------------------


async def request_change(article_id: str, content: str, due: str, by: str, out: Out, say: Say) -> None:
    """Somebody asks that an entry be changed, or for a new one."""
    async with FaqBase.open(say) as base:
        async with base.database.uow() as unit:
            request = await ask_change(
                unit,
                article_id,
                content,
                due_at=due_moment(base, due),
                by=somebody(by),
                at=base.clock.epoch(),
            )
        out(request.request_id)
        say(f"改訂の依頼を受け付けました。期限は {city_time(base, request.due_at)[:10]} です。")


async def answer_request(request_id: str, declined: bool, result: str, by: str, say: Say) -> None:
    """A request is done, or declined."""
    async with FaqBase.open(say) as base:
        async with base.database.uow() as unit:
            state = RequestState.DECLINED if declined else RequestState.DONE
            after = await answer_change(
                unit, request_id, state, result=result, by=somebody(by), at=base.clock.epoch()
            )
        say(f"{request_id}: {after.state.label_ja}")


async def list_requests(every: bool, out: Out, say: Say) -> None:
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        now = base.clock.epoch()
        for each in await unit.faq.requests(every=every):
            row = {
                "request": each.request_id, "id": each.article_id, "content": each.content,
                "state": each.state.value, "state_meaning": each.state.label_ja, "by": each.by,
                "opened": city_time(base, each.opened_at), "due": city_time(base, each.due_at),
                "late": each.state is RequestState.OPEN and each.due_at < now, "result": each.result,
                "ended_by": each.ended_by,
            }  # fmt: skip
            out(json.dumps(row, ensure_ascii=False))


# ---- synonyms and first entries -------------------------------------------------------------------


async def add_synonyms(words: Sequence[str], by: str, out: Out, say: Say) -> None:
    """Make expressions mean the same to the search."""
    async with FaqBase.open(say) as base:
        async with base.database.uow() as unit:
            added = await add_words(unit, words, by=somebody(by), at=base.clock.epoch())
        out(added.set_id)


async def remove_synonyms(set_id: str, by: str, say: Say) -> None:
    async with FaqBase.open(say) as base:
        async with base.database.uow() as unit:
            await remove_words(unit, set_id, by=somebody(by), at=base.clock.epoch())
        say(f"{set_id} を消しました。")


async def list_synonyms(out: Out, say: Say) -> None:
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        for each in await unit.faq.synonyms():
            out(json.dumps({"set": each.set_id, "words": list(each.words)}, ensure_ascii=False))


def seed_cities() -> list[str]:
    """Cities that have first entries of their own."""
    return sorted(path.stem for path in SEED.glob("*.csv") if path.stem not in ("common", "synonyms"))


def seed_synonyms() -> list[SynonymSet]:
    """The synonyms that come with the program."""
    table = csv.DictReader(io.StringIO((SEED / "synonyms.csv").read_text(encoding="utf-8-sig"), newline=""))
    return [SynonymSet(set_id=line["id"], words=tuple(line["words"].split("\n"))) for line in table]


async def seed(city: str, state: State, by: str, say: Say) -> None:
    """Take in the entries that come with the program: those for all cities, those of `city`, and synonyms.

    Entries that are there already stay as they are.
    """
    rows = read_rows((SEED / "common.csv").read_bytes(), "common.csv")
    if city in seed_cities():
        rows += read_rows((SEED / f"{city}.csv").read_bytes(), f"{city}.csv")
    ids = {row.article_id for row in rows}
    rows = [
        replace(
            row,
            state=state,
            content=replace(row.content, related=tuple(each for each in row.content.related if each in ids)),
        )
        for row in rows
    ]
    sets = seed_synonyms()
    async with FaqBase.open(say) as base:
        who = Who(by=somebody(by), role=Role.EDITOR, at=base.clock.epoch())
        async with base.database.uow() as unit:
            there = {article.article_id for article in await unit.faq.articles(list(ids))}
            plan = await plan_import(unit, [row for row in rows if row.article_id not in there], state)
            await carry_out(unit, plan, who, "初期登録")
            known = {each.set_id for each in await unit.faq.synonyms()}
            await unit.faq.put_synonyms([each for each in sets if each.set_id not in known])
        async with base.database.reading() as unit:
            await base.search.renew_if_worn(unit)
    say(
        f"初期の項目を {len(plan.new)}件入れました（{state.label_ja}。すでにあった {len(there)}件はそのまま）。"
    )
    if state is State.PUBLISHED:
        say("国の制度にもとづく見本です。市の担当課が内容を確かめ、市に合わせて直してください。")
