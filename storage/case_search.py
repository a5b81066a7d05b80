"""The index of cases: FTS5 on SQLite, `tsvector` with GIN on PostgreSQL, over the same tokens (ADR 24).

Both are asked for places in time, newest first. Facets are counted from `search_case`, where all facets of one value
are one number (`shape`), and from `search_label`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, delete, func, insert, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from interactions.search import (
    CaseQuery,
    Entry,
    Facet,
    FacetCounts,
    Hits,
    has_words,
    month_text,
    places_between,
    value_of,
)
from interactions.search_words import Both, Either, Normaliser, Phrase, Prefix, Sought, Term, holds
from storage import rows
from storage.sql import chunks, insert_into

LABELS_IN = 20_000
"""Tags, operators and departments are counted in so many of the newest hits at most."""
_SHAPE_LIMIT = 30_000
"""More shapes than this are not handed over as a list."""

_case, _label, _term, _text = rows.search_case.c, rows.search_label.c, rows.search_term.c, rows.search_text.c


class SqlCaseIndex:
    """The index on one connection; `services.case_ports.CaseIndex`."""

    def __init__(self, connection: AsyncConnection, normalise: Normaliser) -> None:
        self._connection, self.normalise = connection, normalise
        self._postgresql = connection.dialect.name == "postgresql"

    # ---- writing ----------------------------------------------------------------------------------

    async def add(self, entries: Sequence[Entry]) -> None:
        """Entries of cases that the index does not hold."""
        if not entries:
            return
        numbers = await self._numbers(
            {" ".join(e.shape) for e in entries} | {x for e in entries for x in e.labels}
        )
        places = await self._free(entries)
        await self._connection.execute(
            insert(rows.search_case),
            [
                {"place": place, "case_id": e.case_id, "shape": numbers[" ".join(e.shape)], "month": e.month}
                for place, e in zip(places, entries, strict=True)
            ],
        )
        labels = [
            {"place": place, "label": numbers[label]}
            for place, e in zip(places, entries, strict=True)
            for label in e.labels
        ]
        if labels:
            await self._connection.execute(insert(rows.search_label), labels)
        kept = [
            {"place": place, "tokens": self._tokens(e.tokens)}
            for place, e in zip(places, entries, strict=True)
        ]
        await self._connection.execute(insert(rows.search_text), kept)

    async def drop(self, case_ids: Collection[str]) -> None:
        for part in chunks(case_ids):
            found = select(_case.place).where(_case.case_id.in_(part))
            places = list(await self._connection.scalars(found))
            if places:
                for table in (rows.search_text, rows.search_label, rows.search_case):
                    await self._connection.execute(delete(table).where(table.c.place.in_(places)))

    async def clear(self) -> None:
        for table in (rows.search_text, rows.search_label, rows.search_case, rows.search_term):
            await self._connection.execute(delete(table))

    async def _free(self, entries: Sequence[Entry]) -> list[int]:
        """Their places; whoever finds one taken stands beside it."""
        wanted = [entry.place for entry in entries]
        taken: set[int] = set()
        for part in chunks(wanted):
            taken |= set(await self._connection.scalars(select(_case.place).where(_case.place.in_(part))))
        if not taken and len(set(wanted)) == len(wanted):
            return wanted
        found = []
        for place in wanted:
            while place in taken or await self._connection.scalar(
                select(_case.place).where(_case.place == place)
            ):
                place += 1
            taken.add(place)
            found.append(place)
        return found

    async def _numbers(self, texts: Collection[str]) -> dict[str, int]:
        known = await self._known(texts)
        new = [{"text": each} for each in sorted(set(texts) - set(known))]
        if new:
            statement = insert_into(self._connection, rows.search_term).on_conflict_do_nothing(
                index_elements=["text"]
            )
            await self._connection.execute(statement, new)
            known |= await self._known([each["text"] for each in new])
        return known

    async def _known(self, texts: Collection[str]) -> dict[str, int]:
        known: dict[str, int] = {}
        for part in chunks(texts):
            for row in await self._connection.execute(
                select(_term.text, _term.id).where(_term.text.in_(part))
            ):
                known[row.text] = row.id
        return known

    def _tokens(self, tokens: Sequence[str]) -> str:
        if not self._postgresql:
            return " ".join(tokens)
        places: dict[str, list[int]] = {}
        for number, token in enumerate(tokens, start=1):
            at = places.setdefault(token, [])
            if len(at) < 255 and number < 16_383:
                at.append(number)
        return " ".join(
            f"{_quoted(token)}:{','.join(map(str, at))}" if at else _quoted(token)
            for token, at in places.items()
        )

    # ---- asking -----------------------------------------------------------------------------------

    async def search(self, query: CaseQuery, sought: Both | None, *, counts: bool) -> Hits:
        """One page, and the counts of all hits when they are asked for.

        Args:
            query: period, page and size; its words and facets are in `sought`.
            sought: the tree (`interactions.search.sought_of`); None finds every case.
        """
        since, until = places_between(query.since, query.until)
        page = self._places(sought, since, until if query.after is None else query.after)
        limited = page.order_by(literal_column(self._key(sought)).desc()).limit(query.limit + 1).subquery()
        found = (
            select(limited.c.place, _case.case_id)
            .join(rows.search_case, _case.place == limited.c.place)
            .order_by(limited.c.place.desc())
        )
        hits = (await self._connection.execute(found)).all()
        more = len(hits) > query.limit
        hits = hits[: query.limit]
        return Hits(
            case_ids=tuple(row.case_id for row in hits),
            after=hits[-1].place if more else None,
            counts=await self._counts(sought, since, until) if counts else None,
        )

    def _key(self, sought: Both | None) -> str:
        if sought is None:
            return "search_case.place"
        return "search_text.place" if self._postgresql else "search_fts.rowid"

    def _places(self, sought: Both | None, since: int | None, until: int | None) -> Select[Any]:
        """The places of all hits in `[since, until)`."""
        key: ColumnElement[Any] = literal_column(self._key(sought))
        query: Select[Any] = select(key.label("place"))
        if sought is None:
            query = query.select_from(rows.search_case)
        elif self._postgresql:
            # Built of quoted tokens alone (`_tsquery`).
            query = query.select_from(rows.search_text).where(
                text("search_text.tokens @@ CAST(:sought AS tsquery)").bindparams(sought=_tsquery(sought))
            )
        else:
            query = query.select_from(text("search_fts")).where(
                text("search_fts MATCH :sought").bindparams(sought=_fts(sought))
            )
        if since is not None:
            query = query.where(key >= since)
        if until is not None:
            query = query.where(key < until)
        return query

    async def _counts(self, sought: Both | None, since: int | None, until: int | None) -> FacetCounts:
        shapes = await self._shapes()
        groups = await self._groups(sought, since, until, shapes)
        values: dict[Facet, Counter[str]] = {facet: Counter() for facet in Facet}
        months: Counter[str] = Counter()
        total = 0
        for shape, month, count in groups:
            total += count
            months[month_text(month)] += count
            for token in shapes[shape]:
                facet, value = value_of(token)
                values[facet][value] += count
        for token, count in await self._labels(sought, since, until):
            facet, value = value_of(token)
            values[facet][value] += count
        return FacetCounts(
            total=total,
            values={facet: dict(counter.most_common()) for facet, counter in values.items()},
            months=dict(sorted(months.items())),
            newest=LABELS_IN if total > LABELS_IN else None,
        )

    async def _shapes(self) -> dict[int, tuple[str, ...]]:
        used = select(_term.id, _term.text)
        return {row.id: tuple(row.text.split()) for row in await self._connection.execute(used)}

    async def _groups(
        self, sought: Both | None, since: int | None, until: int | None, shapes: dict[int, tuple[str, ...]]
    ) -> Iterable[tuple[int, int, int]]:
        """Shape, month and how many."""
        counted = select(_case.shape, _case.month, func.count()).group_by(_case.shape, _case.month)
        if sought is None or (not has_words(sought) and _of_shape(sought)):
            # Facets of the shape alone: no index of words is needed, and a period is a range of the key.
            if since is not None:
                counted = counted.where(_case.place >= since)
            if until is not None:
                counted = counted.where(_case.place < until)
            found = (await self._connection.execute(counted)).all()
            return [
                (shape, month, count)
                for shape, month, count in found
                if sought is None or holds(sought, (*shapes[shape], "al:l"))
            ]
        places = self._places(sought, since, until).subquery()
        joined = counted.select_from(places).join(rows.search_case, _case.place == places.c.place)
        return [(row[0], row[1], row[2]) for row in await self._connection.execute(joined)]

    async def _labels(
        self, sought: Both | None, since: int | None, until: int | None
    ) -> list[tuple[str, int]]:
        newest = (
            self._places(sought, since, until)
            .order_by(literal_column(self._key(sought)).desc())
            .limit(LABELS_IN)
            .subquery()
        )
        return await self._counted(newest)

    async def _counted(self, places: Subquery) -> list[tuple[str, int]]:
        counted = (
            select(_label.label, func.count().label("count"))
            .select_from(places)
            .join(rows.search_label, _label.place == places.c.place)
            .group_by(_label.label)
            .subquery()
        )
        named = select(_term.text, counted.c.count).join(rows.search_term, _term.id == counted.c.label)
        return [(row[0], row[1]) for row in await self._connection.execute(named)]


def _of_shape(sought: Sought) -> bool:
    """Whether the tree asks for facets of the shape alone."""
    match sought:
        case Term(token):
            return token.partition(":")[0] in {"st", "ca", "li", "la", "fl", "al"}
        case Both(parts, without):
            return all(_of_shape(part) for part in (*parts, *without))
        case Either(parts):
            return all(_of_shape(part) for part in parts)
        case _:
            return False


def _fts(sought: Sought) -> str:
    """As FTS5 wants it. Tokens hold no quotes; a phrase is one string."""
    match sought:
        case Term(token):
            return f'"{token}"'
        case Prefix(start):
            return f'"{start}" *'
        case Phrase(tokens):
            return f'"{" ".join(tokens)}"'
        case Either(parts):
            return "(" + " OR ".join(_fts(part) for part in parts) + ")"
        case Both(parts, without):
            wanted = "(" + " AND ".join(_fts(part) for part in parts) + ")"
            return f"({wanted} NOT ({' OR '.join(_fts(part) for part in without)}))" if without else wanted


def _tsquery(sought: Sought) -> str:
    """As PostgreSQL wants it."""
    match sought:
        case Term(token):
            return _quoted(token)
        case Prefix(start):
            return f"{_quoted(start)}:*"
        case Phrase(tokens):
            return "(" + " <-> ".join(_quoted(token) for token in tokens) + ")"
        case Either(parts):
            return "(" + " | ".join(_tsquery(part) for part in parts) + ")"
        case Both(parts, without):
            wanted = " & ".join(_tsquery(part) for part in parts)
            hidden = "".join(f" & !{_tsquery(part)}" for part in without)
            return f"({wanted}{hidden})"


def _quoted(token: str) -> str:
    escaped = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
