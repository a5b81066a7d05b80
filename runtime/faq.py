"""The `faq` commands: what they open, and what they print. Light to import: `faq search` starts with every question."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.clock import Clock, clock_from_environment
from core.errors import ToritsugiError
from core.ids import CallId
from core.settings import Settings
from faq_kb.article import WORDS, State, wrong_words
from faq_kb.csv_file import COLUMNS, read_rows, unknown_columns
from faq_kb.search import Hit
from faq_kb.vectors import load_vectors
from faq_kb.workflow import Role
from runtime.remembered import remembered_settings
from services.faq import Plan, Planned, Who, carry_out, export_lines, plan_import
from services.faq_search import FaqSearch, search_entry
from storage.database import Database
from storage.faq_index_files import FaqIndexFiles

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqBase:
    """What every `faq` command starts from."""

    settings: Settings
    clock: Clock
    database: Database
    search: FaqSearch

    @classmethod
    @asynccontextmanager
    async def open(cls, say: Say) -> AsyncIterator[FaqBase]:
        """Raises ToritsugiError when a setting or the database cannot be read."""
        settings = remembered_settings()
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database(settings.database_url)
        await database.migrate()
        try:
            yield cls(
                settings=settings,
                clock=clock_from_environment(),
                database=database,
                search=faq_search(settings, say),
            )
        finally:
            await database.close()


def faq_search(settings: Settings, say: Say) -> FaqSearch:
    """The search of this instance, with its index and vectors under the home."""
    folder = settings.home / "faq"
    return FaqSearch(FaqIndexFiles(folder / "index"), lambda: load_vectors(folder / "vectors"), say)


def somebody(by: str) -> str:
    """Who acts: as told, or whoever sits at this terminal."""
    return by or os.environ.get("SUDO_USER") or getpass.getuser()


def read_file(path: Path) -> bytes:
    """Raises ToritsugiError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise ToritsugiError(
            f"ファイルが読めません: {problem.strerror}", where=str(path), cure="場所と権限を確かめる"
        ) from problem


def write_file(path: Path, lines: Iterable[str]) -> int:
    """Write a file, whole or not at all; how many lines it got.

    Raises:
        ToritsugiError: it cannot be written.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.new")
    count = 0
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            for line in lines:
                file.write(line)
                count += 1
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise ToritsugiError(
            f"書き出せません: {problem.strerror}", where=str(path), cure="場所、権限、空きを確かめる"
        ) from problem
    return count


async def import_file(
    path: Path, *, default: State, dry_run: bool, by: str, out: Callable[[str], None], say: Say
) -> None:
    """Take a CSV file in, or show what that would do.

    Raises:
        ToritsugiError: something in it is wrong; then nothing is taken in.
    """
    data = read_file(path)
    rows = read_rows(data, path.name, lambda count: say(f"{count}行を読みました。"))
    if ignored := [name for name in unknown_columns(data) if name.strip()]:
        say(f"使わない列: {', '.join(ignored)}（使える列: {', '.join(COLUMNS)}）")
    async with FaqBase.open(say) as base:
        if dry_run:
            async with base.database.reading() as unit:
                plan = await plan_import(unit, rows, default)
            for each in (*plan.new, *plan.changed):
                out(json.dumps(_planned(each), ensure_ascii=False))
            say(_counts(plan, "取り込むと"))
            return
        if wrong := sum(bool(wrong_words(row.content)) for row in rows):
            say(
                f"{wrong}件に「{'、'.join(WORDS)}」とあります。市民には「{'、'.join(WORDS.values())}」と案内します。"
            )
        who = Who(by=somebody(by), role=Role.EDITOR, at=base.clock.epoch())
        async with base.database.uow() as unit:
            plan = await plan_import(unit, rows, default)
            await carry_out(unit, plan, who, path.name)
        say(_counts(plan, "取り込みました:"))
        async with base.database.reading() as unit:
            await base.search.renew_if_worn(unit)


def _counts(plan: Plan, head: str) -> str:
    return f"{head} 新規 {len(plan.new)}、変更 {len(plan.changed)}、変わらないもの {plan.same}"


def _planned(each: Planned) -> dict[str, Any]:
    return {
        "line": each.row.line,
        "id": each.row.article_id,
        "change": "changed" if each.before else "new",
        "state": each.state.value,
        "differences": [
            {"field": change.label, "removed": list(change.removed), "added": list(change.added)}
            for change in each.changes
        ],
    }


async def export_file(path: Path | None, states: Sequence[State] | None, out: Say, say: Say) -> None:
    """Write the entries as CSV: to a file, whole or not at all, or to `out`."""
    async with FaqBase.open(say) as base, base.database.reading() as unit:
        lines = await export_lines(unit, states)
        if path is None:
            for line in lines:
                out(line)
            return
        count = write_file(path, lines) - 1
    say(f"{count}件を {path} に書き出しました。")


async def search_many(
    queries: Sequence[str],
    *,
    limit: int,
    public: bool,
    explain: bool,
    numbered: bool,
    by: str,
    call: str,
    out: Callable[[str], None],
    say: Say,
) -> None:
    """Search for each query in turn; print and log what is found."""
    async with FaqBase.open(say) as base:
        now = base.clock.city_now().timestamp()
        for number, query in enumerate(queries, start=1):
            async with base.database.reading() as unit:
                hits = await base.search.search(unit, query, limit, now=now, public=public)
                texts = await unit.faq.in_force([hit.article_id for hit in hits])
            entry = search_entry(
                hits, query, at=base.clock.epoch(), actor=somebody(by), call=CallId(call) if call else None
            )
            async with base.database.uow() as unit:
                search_id = await unit.faq.log_search(entry)
            for hit in hits:
                text = texts.get(hit.article_id)
                row: dict[str, Any] = {
                    "id": hit.article_id,
                    "question": text.content.question if text else "",
                    "score": hit.score,
                }
                if numbered:
                    row |= {"query": number}
                if explain:
                    row |= _explained(hit) | {"search": search_id}
                out(json.dumps(row, ensure_ascii=False))
            if not numbered and not (hits and hits[0].strict):
                say(
                    "ぴったりの項目がないため、近いものを出しています。" if hits else "見つかりませんでした。"
                )


def _explained(hit: Hit) -> dict[str, Any]:
    return {
        "version": hit.version,
        "hit": "strict" if hit.strict else "loose",
        "covered": hit.covered,
        "parts": dict(hit.parts),
        "words": [
            {**asdict(match), "link": match.link.value, "meaning": match.link.label_ja}
            for match in hit.matches
        ],
    }
