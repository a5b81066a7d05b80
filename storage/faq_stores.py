"""The knowledge base in SQL (`services.faq_ports.FaqStore`)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId
from faq_kb.article import Article, Audience, Content, State, Step, Version
from faq_kb.synonyms import SynonymSet
from faq_kb.workflow import ChangeRequest, RequestState
from services.faq_ports import FaqSet, Moment, Published, SearchEntry, UseEntry, UseKind
from storage import rows
from storage.sql import chunks, insert_new, upsert

_CHANGE, _BASE = "faq.change", "faq.base"
_article, _version = rows.faq_article.c, rows.faq_version.c
_BATCH = 500


class SqlFaq:
    """`services.faq_ports.FaqStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # ---- entries ----------------------------------------------------------------------------------

    async def put(self, faq: FaqSet) -> None:
        change = await self._next_change()
        for part in chunks(faq.articles, _BATCH):
            await upsert(self._connection, rows.faq_article, [_article_row(each, change) for each in part])
        versions = [
            {
                "article_id": article_id, "version": each.number, "made_at": each.made_at,
                "record": _version_record(each),
            }
            for article_id, several in faq.versions.items()
            for each in several
        ]  # fmt: skip
        for some in chunks(versions, _BATCH):
            await self._connection.execute(insert(rows.faq_version), list(some))

    async def _next_change(self) -> int:
        """The number of this change; its row is held until the end, so that numbers become visible in order."""
        setting = rows.setting.c
        await insert_new(
            self._connection, rows.setting, {"key": _BASE, "value": secrets.token_hex(8)}, ["key"]
        )
        await insert_new(self._connection, rows.setting, {"key": _CHANGE, "value": "0"}, ["key"])
        held = select(setting.value).where(setting.key == _CHANGE).with_for_update()
        change = int(await self._connection.scalar(held) or "0") + 1
        await self._connection.execute(
            update(rows.setting).where(setting.key == _CHANGE).values(value=str(change))
        )
        return change

    async def moment(self) -> Moment:
        setting = rows.setting.c
        query = select(setting.key, setting.value).where(setting.key.in_([_CHANGE, _BASE]))
        found = {row.key: row.value for row in await self._connection.execute(query)}
        return Moment(base=found.get(_BASE, ""), change=int(found.get(_CHANGE, "0")))

    async def get(self, article_id: str) -> Article | None:
        found = await self.articles([article_id])
        return found[0] if found else None

    async def articles(self, ids: Collection[str] | None = None) -> list[Article]:
        found = await self._some(select(rows.faq_article), _article.article_id, ids)
        return sorted((_article_of(row) for row in found), key=lambda each: each.article_id)

    async def states(self) -> dict[State, int]:
        query = select(_article.state, func.count()).group_by(_article.state)
        return {State(state): int(count) for state, count in await self._connection.execute(query)}

    async def in_state(self, state: State | None, after: str, limit: int) -> list[Article]:
        query = select(rows.faq_article).where(_article.article_id > after)
        if state is not None:
            query = query.where(_article.state == state.value)
        found = await self._connection.execute(query.order_by(_article.article_id).limit(limit))
        return [_article_of(row) for row in found]

    async def version(self, article_id: str, number: int) -> Version | None:
        query = select(_version.record).where(_version.article_id == article_id, _version.version == number)
        record = await self._connection.scalar(query)
        return _version_of(record) if record else None

    async def history(self, article_id: str) -> list[Version]:
        query = select(_version.record).where(_version.article_id == article_id).order_by(_version.version)
        return [_version_of(record) for record in await self._connection.scalars(query)]

    async def latest(self, ids: Collection[str] | None = None) -> dict[str, Version]:
        return await self._texts(_article.latest, ids)

    async def in_force(self, ids: Collection[str] | None = None) -> dict[str, Version]:
        return await self._texts(_article.published, ids)

    async def _texts(self, number: ColumnElement[int], ids: Collection[str] | None) -> dict[str, Version]:
        query = select(_version.article_id, _version.record).join(
            rows.faq_article, (_article.article_id == _version.article_id) & (number == _version.version)
        )
        found = await self._some(query, _version.article_id, ids)
        return {row.article_id: _version_of(row.record) for row in found}

    async def changed_since(self, change: int) -> list[Published]:
        query = (
            select(_article.article_id, _version.record)
            .outerjoin(
                rows.faq_version,
                (_article.article_id == _version.article_id) & (_article.published == _version.version),
            )
            .where(_article.change > change)
            .order_by(_article.article_id)
        )
        return [
            Published(article_id=row.article_id, version=_version_of(row.record) if row.record else None)
            for row in await self._connection.execute(query)
        ]

    async def _some(
        self, query: Select[Any], column: ColumnElement[str], ids: Collection[str] | None
    ) -> list[Row[Any]]:
        if ids is None:
            return list(await self._connection.execute(query))
        found: list[Row[Any]] = []
        for part in chunks(ids):
            found += await self._connection.execute(query.where(column.in_(part)))
        return found

    # ---- requests and synonyms --------------------------------------------------------------------

    async def put_request(self, request: ChangeRequest) -> None:
        row = {
            "request_id": request.request_id, "state": request.state.value, "due_at": request.due_at,
            "record": asdict(request),
        }  # fmt: skip
        await upsert(self._connection, rows.faq_request, [row])

    async def requests(self, *, every: bool = False) -> list[ChangeRequest]:
        column = rows.faq_request.c
        query = select(column.record).order_by(column.due_at, column.request_id)
        if not every:
            query = query.where(column.state == RequestState.OPEN.value)
        return [_request_of(record) for record in await self._connection.scalars(query)]

    async def request(self, request_id: str) -> ChangeRequest | None:
        column = rows.faq_request.c
        record = await self._connection.scalar(select(column.record).where(column.request_id == request_id))
        return _request_of(record) if record else None

    async def synonyms(self) -> list[SynonymSet]:
        query = select(rows.faq_synonym).order_by(rows.faq_synonym.c.set_id)
        result = await self._connection.execute(query)
        return [SynonymSet(set_id=row.set_id, words=tuple(row.words)) for row in result]

    async def put_synonyms(self, sets: Sequence[SynonymSet]) -> None:
        await upsert(
            self._connection,
            rows.faq_synonym,
            [{"set_id": each.set_id, "words": list(each.words)} for each in sets],
        )

    async def drop_synonyms(self, set_id: str) -> bool:
        done = await self._connection.execute(
            delete(rows.faq_synonym).where(rows.faq_synonym.c.set_id == set_id)
        )
        return done.rowcount == 1

    # ---- searches and uses ------------------------------------------------------------------------

    async def log_search(self, entry: SearchEntry) -> int:
        values = {
            "at": entry.at, "actor": entry.actor, "call_id": entry.call, "words": entry.words,
            "found": list(entry.found), "strict": entry.strict, "clicked": list(entry.clicked),
            "used": list(entry.used),
        }  # fmt: skip
        statement = insert(rows.faq_search).values(**values).returning(rows.faq_search.c.id)
        return int(await self._connection.scalar(statement) or 0)

    async def mark_search(
        self, search_id: int, *, clicked: str = "", used: str = "", actor: str | None = None
    ) -> bool:
        column = rows.faq_search.c
        query = select(rows.faq_search).where(column.id == search_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        if row is None or (actor is not None and row.actor != actor):
            return False
        await self._connection.execute(
            update(rows.faq_search)
            .where(column.id == search_id)
            .values(clicked=_with(row.clicked, clicked), used=_with(row.used, used))
        )
        return True

    async def searches(self, since: float, until: float) -> list[SearchEntry]:
        column = rows.faq_search.c
        query = select(rows.faq_search).where(column.at >= since, column.at < until)
        return [
            SearchEntry(
                at=row.at, actor=row.actor, words=row.words, found=tuple(row.found), strict=row.strict,
                call=CallId(row.call_id) if row.call_id else None, clicked=tuple(row.clicked),
                used=tuple(row.used), search_id=row.id,
            )
            for row in await self._connection.execute(query.order_by(column.at, column.id))
        ]  # fmt: skip

    async def uses(
        self, since: float, until: float, article_id: str | None = None, version: int | None = None
    ) -> list[UseEntry]:
        column = rows.interaction_faq.c
        at = func.coalesce(column.used_at, column.shown_at)
        query = select(rows.interaction_faq).where(at >= since, at < until)
        if article_id is not None:
            query = query.where(column.article == article_id)
        if version is not None:
            query = query.where(column.version == version)
        return [
            UseEntry(
                at=row.shown_at if row.used_at is None else row.used_at, article_id=row.article,
                version=row.version, kind=UseKind.SHOWN if row.used_at is None else UseKind.USED,
                actor=row.by, case_id=row.case_id,
            )
            for row in await self._connection.execute(query.order_by(at, column.case_id, column.article))
        ]  # fmt: skip


def _with(values: Sequence[str], added: str) -> list[str]:
    return list(dict.fromkeys([*values, added])) if added else list(values)


def _article_row(article: Article, change: int) -> dict[str, Any]:
    return {
        "article_id": article.article_id, "state": article.state.value, "latest": article.latest,
        "published": article.published, "change": change, "record": asdict(article),
    }  # fmt: skip


def _article_of(row: Row[Any]) -> Article:
    record = row.record
    steps = tuple(Step(**{**step, "state": State(step["state"])}) for step in record["steps"])
    return Article(**{**record, "state": State(record["state"]), "steps": steps})


def _version_record(version: Version) -> dict[str, Any]:
    content = asdict(version.content)
    for name in ("valid_from", "valid_until"):
        content[name] = content[name].isoformat() if content[name] else None
    return {**asdict(version), "content": content}


def _version_of(record: Mapping[str, Any]) -> Version:
    content = dict(record["content"])
    for name in ("valid_from", "valid_until"):
        content[name] = date.fromisoformat(content[name]) if content[name] else None
    for name in ("forms", "related"):
        content[name] = tuple(content[name])
    content["audience"] = Audience(content["audience"])
    return Version(**{**record, "content": Content(**content)})


def _request_of(record: Mapping[str, Any]) -> ChangeRequest:
    return ChangeRequest(**{**record, "state": RequestState(record["state"])})
