"""The index of cases: FTS5 on SQLite, `tsvector` with GIN on PostgreSQL, over the same tokens (ADR 24).

Both are asked for places in time, newest first. Facets are counted from `search_case`, where all facets of one value
are one number (`shape`), and from `search_label`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from interactions.search import (
    EVERY,
    LOW_BITS,
    SHAPE,
    CaseQuery,
    Entry,
    Facet,
    FacetCounts,
    Hits,
    month_of,
    month_text,
    places_between,
    value_of,
)
from interactions.search_words import Both, Either, Normaliser, Phrase, Prefix, Sought, Term, holds
from storage import rows
from storage.sql import CHUNK, chunks, insert_into

LABELS_IN = 20_000
"""Tags, operators and departments are counted in so many of the newest hits at most."""

_LAST_PLACE = 16_383
_MOST_PLACES = 255
"""Of one token in a `tsvector` (PostgreSQL's manual, 12.11)."""

_case, _term = rows.search_case.c, rows.search_term.c


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
        """Delete every entry; names of facets keep their numbers."""
        for table in (rows.search_text, rows.search_label, rows.search_case):
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
        place = 0
        for token in tokens:
            place += 1
            at = places.setdefault(token, [])
            if len(at) < _MOST_PLACES:
                at.append(place)
            # Words follow each other within a run, which ends with a single character: a long text begins anew there.
            if place == _LAST_PLACE or (place > _LAST_PLACE - 4000 and len(token) == 1):
                place = 0
        return " ".join(
            f"{_quoted(token)}:{','.join(map(str, sorted(set(at))))}" for token, at in places.items()
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
        hits = await self._all(
            f"SELECT h.place, c.case_id FROM ({page.newest(query.limit + 1)}) AS h "
            "JOIN search_case AS c ON c.place = h.place ORDER BY h.place DESC",
            page.value,
        )
        more = len(hits) > query.limit
        hits = hits[: query.limit]
        return Hits(
            case_ids=tuple(case_id for _, case_id in hits),
            after=hits[-1][0] if more else None,
            counts=await self._counts(sought, since, until) if counts else None,
        )

    async def _all(self, sql: str, sought: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        # Written out, and not built of expressions: that would take longer than the search. Nothing but numbers of
        # ours stands in the text; what a person typed is the one value.
        found = await self._connection.exec_driver_sql(sql, sought)
        return [tuple(row) for row in found]

    def _places(self, sought: Both | None, since: int | None, until: int | None) -> _Places:
        """The places of all hits in `[since, until)`."""
        value: tuple[str, ...] = ()
        if sought is None:
            key, table, where = "place", "search_case", ["1 = 1"]
        elif self._postgresql:
            key, table, where = "place", "search_text", ["tokens @@ CAST(CAST($1 AS text) AS tsquery)"]
            value = (_tsquery(sought),)
        else:
            key, table, where = "rowid", "search_fts", ["search_fts MATCH ?"]
            value = (_fts(sought),)
        if since is not None:
            where.append(f"{key} >= {since:d}")
        if until is not None:
            where.append(f"{key} < {until:d}")
        return _Places(key, f"SELECT {key} AS place FROM {table} WHERE {' AND '.join(where)}", value)

    async def _counts(self, sought: Both | None, since: int | None, until: int | None) -> FacetCounts:
        values: dict[Facet, Counter[str]] = {facet: Counter() for facet in Facet}
        months: Counter[str] = Counter()
        total = 0
        groups, shapes = await self._groups(sought, since, until)
        for shape, month, count in groups:
            total += count
            months[month_text(month)] += count
            for token in shapes[shape]:
                facet, value = value_of(token)
                values[facet][value] += count
        places = self._places(sought, since, until)
        for token, count in await self._all(
            "SELECT t.text, n.count FROM (SELECT l.label, count(*) AS count "
            f"FROM ({places.newest(LABELS_IN)}) AS h JOIN search_label AS l ON l.place = h.place "
            "GROUP BY l.label) AS n JOIN search_term AS t ON t.id = n.label",
            places.value,
        ):
            facet, value = value_of(token)
            values[facet][value] += count
        return FacetCounts(
            total=total,
            values={facet: dict(counter.most_common()) for facet, counter in values.items()},
            months=dict(sorted(months.items())),
            newest=LABELS_IN if total > LABELS_IN else None,
        )

    async def _shapes(self, numbers: Collection[int] | None = None) -> dict[int, tuple[str, ...]]:
        """These shapes, or every one there is; each begins with a status."""
        which = "text >= 'st:' AND text < 'st;'"
        if numbers is not None and len(numbers) <= CHUNK:
            which = f"id IN ({', '.join(f'{number:d}' for number in numbers) or 'NULL'})"
        found = await self._all(f"SELECT id, text FROM search_term WHERE {which}")
        return {number: tuple(tokens.split()) for number, tokens in found}

    async def _groups(
        self, sought: Both | None, since: int | None, until: int | None
    ) -> tuple[list[tuple[Any, ...]], dict[int, tuple[str, ...]]]:
        """Shape, month and how many; and what the shapes are."""
        if sought is not None and not _of_shape(sought):
            places = self._places(sought, since, until)
            found = await self._all(
                f"SELECT c.shape, c.month, count(*) FROM ({places.sql}) AS h "
                "JOIN search_case AS c ON c.place = h.place GROUP BY c.shape, c.month",
                places.value,
            )
            return found, await self._shapes({shape for shape, _month, _count in found})
        # Facets of the shape alone: one index says it all, in order of shape, month and place.
        shapes, where = await self._shapes(), ["1 = 1"]
        if sought is not None:
            wanted = [f"{number:d}" for number, tokens in shapes.items() if holds(sought, (*tokens, EVERY))]
            where.append(f"shape IN ({', '.join(wanted) or 'NULL'})")
        if since is not None:
            where.append(f"place >= {since:d} AND month >= {month_of((since >> LOW_BITS) / 1000):d}")
        if until is not None:
            where.append(f"place < {until:d} AND month <= {month_of((until >> LOW_BITS) / 1000):d}")
        found = await self._all(
            f"SELECT shape, month, count(*) FROM search_case WHERE {' AND '.join(where)} GROUP BY shape, month"
        )
        return found, shapes


@dataclass(frozen=True, slots=True)
class _Places:
    """A SELECT of places, and its value."""

    key: str
    sql: str
    value: tuple[str, ...]

    def newest(self, limit: int) -> str:
        return f"{self.sql} ORDER BY {self.key} DESC LIMIT {limit}"


def _of_shape(sought: Sought) -> bool:
    """Whether the tree asks for facets of the shape alone."""
    match sought:
        case Term(token):
            return token == EVERY or token.partition(":")[0] in SHAPE
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
