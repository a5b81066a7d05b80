"""One person's data in every table, found and erased by what `storage.rows` says (`services.life_ports`)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    RowMapping,
    String,
    Table,
    and_,
    cast,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId
from core.traces import digits_of, may_hold, number_pattern, numbers_in
from interactions.search_words import PLAIN, Normaliser
from services.erasure import Erased, ErasureRecord, ExportEntry, Place, Subject, TableTraces
from storage import rows
from storage.case_stores import SqlCases
from storage.erasure_rules import Erase, Erasure
from storage.sql import chunks

_READ_AT_ONCE = 500
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")

Progress = Callable[[str, int], None]


def declared(table: Table) -> Erasure:
    """What a table says; every table says something (a test sees to it)."""
    found: Erasure | None = table.info["erasure"]
    if found is None:
        raise ValueError(f"table {table.name} does not say what a request to delete does with it")
    return found


class SqlErasures:
    """`services.life_ports.ErasureStore`."""

    def __init__(self, connection: AsyncConnection, normalise: Normaliser = PLAIN) -> None:
        self._connection = connection
        self._cases = SqlCases(connection, normalise)

    # ---- whose is it -----------------------------------------------------------------------------

    async def calls_with(self, numbers: Collection[str]) -> set[CallId]:
        found: set[CallId] = set()
        for table in rows.metadata.tables.values():
            rule = declared(table)
            if rule.call and rule.leads:
                for place in rule.numbers:
                    query = select(_place(table, rule.call)).where(_place(table, place).in_(list(numbers)))
                    found |= {CallId(call) for call in await self._connection.scalars(query) if call}
        return found

    async def numbers_of(self, calls: Collection[CallId]) -> set[str]:
        found: set[str] = set()
        for table in rows.metadata.tables.values():
            rule = declared(table)
            if rule.call and rule.numbers:
                for part in chunks(calls):
                    places = [_place(table, place) for place in rule.numbers]
                    query = select(*places).where(_place(table, rule.call).in_(part))
                    for row in await self._connection.execute(query):
                        found |= {value for value in row if value}
        return {number for number in found if digits_of(number)}

    async def cases_of(self, calls: Collection[CallId]) -> set[str]:
        link, case = rows.interaction_call.c, rows.interaction.c
        cases = await self._linked(link.case_id, link.call_id, calls)
        return cases | await self._linked(case.case_id, case.joined_into, cases)

    async def calls_of(self, cases: Collection[str]) -> set[CallId]:
        link = rows.interaction_call.c
        return {CallId(call) for call in await self._linked(link.call_id, link.case_id, cases)}

    async def _linked(self, wanted: Column[Any], by: Column[Any], values: Collection[str]) -> set[str]:
        found: set[str] = set()
        for part in chunks(values):
            found |= set(await self._connection.scalars(select(wanted).where(by.in_(part))))
        return found

    # ---- finding, which holds nobody up ----------------------------------------------------------

    async def find(
        self, subject: Subject, city_numbers: Collection[str], progress: Progress | None = None
    ) -> list[Place]:
        found: list[Place] = []
        for table in rows.metadata.tables.values():
            rule = declared(table)
            if rule.action in (Erase.KEEP, Erase.MADE_ANEW):
                continue
            theirs = await self._theirs(table, rule, subject, city_numbers)
            found += [Place(table=table.name, key=key, theirs=True) for key in theirs]
            if subject.everywhere and subject.numbers:
                async for row in self._with_number(table, subject, progress):
                    key = tuple(row[column.name] for column in table.primary_key.columns)
                    if key not in theirs:
                        found.append(Place(table=table.name, key=key, theirs=False))
        return found

    async def _theirs(
        self, table: Table, rule: Erasure, subject: Subject, city_numbers: Collection[str]
    ) -> set[tuple[Any, ...]]:
        """Keys of the person's rows in which something is left to erase."""
        keys = list(table.primary_key.columns)
        return {
            tuple(row[key.name] for key in keys)
            for condition in _conditions(table, rule, subject)
            for row in (await self._connection.execute(select(table).where(condition))).mappings()
            if rule.action is Erase.DELETE or _rewritten(table, rule, row, subject, city_numbers)
        }

    # ---- erasing ---------------------------------------------------------------------------------

    def nothing(self) -> list[Erased]:
        return [
            Erased(what=table.name, label_ja=rule.label_ja, stays_ja=rule.stays_ja)
            for table in rows.metadata.tables.values()
            if (rule := declared(table)).label_ja
        ]

    async def erase(
        self, subject: Subject, places: Collection[Place], city_numbers: Collection[str]
    ) -> list[Erased]:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        cases: set[str] = set()
        calls: set[CallId] = set()
        for place in places:
            table = rows.metadata.tables[place.table]
            rule, here = declared(table), _is(table, place.key)
            row = (await self._connection.execute(select(table).where(here))).mappings().one_or_none()
            if row is None:
                continue
            cases.add(_value(row, rule.case))
            calls.add(CallId(_value(row, rule.call)))
            if place.theirs and rule.action is Erase.DELETE:
                await self._connection.execute(delete(table).where(here))
                counts[table.name]["deleted"] += 1
                continue
            changed = (
                _rewritten(table, rule, row, subject, city_numbers)
                if place.theirs
                else _without(table, row, subject)
            )
            if changed:
                await self._connection.execute(update(table).where(here).values(changed))
                counts[table.name]["rewritten" if place.theirs else "mentions"] += 1
        cases |= await self.cases_of(calls)
        # What repeats the words of these cases: their entries in the index of cases.
        await self._cases.reindex(sorted(case for case in cases if case))
        return [
            replace(each, deleted=did["deleted"], rewritten=did["rewritten"], mentions=did["mentions"])
            for each in self.nothing()
            if (did := counts[each.what])
        ]

    async def _with_number(
        self, table: Table, subject: Subject, progress: Progress | None = None
    ) -> AsyncIterator[RowMapping]:
        """Keys of the rows in whose texts the number stands, read as they are stored."""
        keys, texts = list(table.primary_key.columns), _texts(table)
        if not texts:
            return
        patterns = [(number, number_pattern(number)) for number in subject.numbers]
        after: tuple[Any, ...] | None = None
        read = 0
        columns = [*keys, *(cast(column, String).label(f"_{column.name}") for column in texts)]
        while True:
            query = select(*columns).order_by(*keys).limit(_READ_AT_ONCE)
            if after is not None:
                query = query.where(_beyond(keys, after))
            found = (await self._connection.execute(query)).mappings().all()
            for row in found:
                stored = "\n".join(row[f"_{column.name}"] or "" for column in texts)
                data = stored.encode()
                if any(
                    may_hold(number, data) and pattern.search(_unescaped(stored))
                    for number, pattern in patterns
                ):
                    yield row
            read += len(found)
            if progress is not None and read:
                progress(table.name, read)
            if len(found) < _READ_AT_ONCE:
                return
            after = tuple(found[-1][key.name] for key in keys)

    # ---- looking again ---------------------------------------------------------------------------

    async def traces(self, subject: Subject, progress: Progress | None = None) -> list[TableTraces]:
        left: dict[str, Counter[bool]] = defaultdict(Counter)
        for place in await self.find(subject, (), progress):
            left[place.table][place.theirs] += 1
        for name, table in rows.metadata.tables.items():
            if declared(table).action in (Erase.KEEP, Erase.MADE_ANEW) and subject.everywhere:
                async for _row in self._with_number(table, subject, progress):
                    left[name][False] += 1
        return [TableTraces(table=name, rows=each[True], mentions=each[False]) for name, each in left.items()]

    async def written_numbers(self, progress: Progress | None = None) -> set[str]:
        """Every telephone number that stands anywhere, normalised: where a keyed hash is all that is known of one."""
        found: set[str] = set()
        for table in rows.metadata.tables.values():
            texts = _texts(table)
            if declared(table).action in (Erase.KEEP, Erase.MADE_ANEW) or not texts:
                continue
            read = 0
            columns = [cast(column, String) for column in texts]
            async for row in await self._connection.stream(select(*columns)):
                for text in row:
                    found |= numbers_in(_unescaped(text))
                read += 1
                if progress is not None and read % _READ_AT_ONCE == 0:
                    progress(table.name, read)
        return found

    # ---- what was erased, and what was written out -----------------------------------------------

    async def add(self, record: ErasureRecord) -> None:
        await self._connection.execute(
            insert(rows.erasure).values(
                id=record.id, at=record.at, actor=record.actor, replay=record.replay,
                certificate=record.certificate,
            )
        )  # fmt: skip

    async def records(self) -> list[ErasureRecord]:
        query = select(rows.erasure).order_by(rows.erasure.c.at, rows.erasure.c.id)
        return [ErasureRecord(**row) for row in (await self._connection.execute(query)).mappings()]

    async def add_export(self, entry: ExportEntry) -> None:
        await self._connection.execute(
            insert(rows.export_log).values(
                at=entry.at, actor=entry.actor, kind=entry.kind, path=entry.path, sha256=entry.sha256,
                calls=None if entry.calls is None else list(entry.calls), keep_until=entry.keep_until,
            )
        )  # fmt: skip

    async def exports(self) -> list[ExportEntry]:
        log = rows.export_log
        query = select(*(column for column in log.columns if column is not log.c.id)).order_by(log.c.id)
        found = (await self._connection.execute(query)).mappings()
        return [
            ExportEntry(**{**row, "calls": None if row["calls"] is None else tuple(row["calls"])})
            for row in found
        ]


def _place(table: Table, place: str) -> ColumnElement[str]:
    name, _, inside = place.partition(".")
    column: Column[Any] = table.c[name]
    return _inside(column, inside) if inside else column


def _value(row: RowMapping, place: str) -> str:
    """What stands in a place of a row; empty when there is none."""
    value: Any = row if place else ""
    for name in place.split(".") if place else ():
        value = value.get(name) if value else ""
    return value if isinstance(value, str) else ""


def _inside(column: Column[Any], inside: str) -> ColumnElement[str]:
    found: ColumnElement[str] = column[tuple(inside.split("."))].as_string()
    return found


def _conditions(table: Table, rule: Erasure, subject: Subject) -> list[ColumnElement[bool]]:
    """Which rows are the person's: by call, by case, by a number that stands alone in its place."""
    found: list[ColumnElement[bool]] = []
    for place, values in ((rule.call, subject.calls), (rule.case, subject.cases)):
        if place:
            found += [_place(table, place).in_(part) for part in chunks(values)]
    if subject.everywhere and rule.numbers and subject.numbers:
        found.append(or_(*(_place(table, place).in_(subject.numbers) for place in rule.numbers)))
    return found


def _texts(table: Table) -> list[Column[Any]]:
    """Columns in which somebody may have written a number; ids are none."""
    keys = set(table.primary_key.columns)
    return [
        column for column in table.columns if column not in keys and isinstance(column.type, String | JSON)
    ]


def _beyond(keys: list[Column[Any]], after: tuple[Any, ...]) -> ColumnElement[bool]:
    return or_(
        *(
            and_(*(keys[before] == after[before] for before in range(here)), key > after[here])
            for here, key in enumerate(keys)
        )
    )


def _unescaped(text: str | None) -> str:
    """Stored JSON spells Japanese as escapes, whose digits would touch the number's."""
    return "" if text is None else _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _is(table: Table, key: tuple[Any, ...]) -> ColumnElement[bool]:
    return and_(*(column == part for column, part in zip(table.primary_key.columns, key, strict=True)))


def _without(table: Table, row: RowMapping, subject: Subject) -> dict[str, Any]:
    """The columns of somebody else's row that change: the number goes, the rest stays."""
    return {
        column.name: after
        for column in _texts(table)
        if (after := _cleaned(row[column.name], subject)) != row[column.name]
    }


def _cleaned(value: Any, subject: Subject) -> Any:
    match value:
        case str():
            return subject.without_numbers(value)
        case dict():
            return {key: _cleaned(each, subject) for key, each in value.items()}
        case list():
            return [_cleaned(each, subject) for each in value]
        case _:
            return value


def _rewritten(
    table: Table, rule: Erasure, row: RowMapping, subject: Subject, city_numbers: Collection[str]
) -> dict[str, Any]:
    """The columns of a person's row that change, with their new values."""
    after: dict[str, Any] = {column.name: row[column.name] for column in _texts(table)}
    for place, value in rule.put.items():
        after = _with(after, place.split("."), value, lambda _old: True)
    for place, value in rule.numbers.items():
        after = _with(
            after,
            place.split("."),
            value,
            lambda old: bool(old) and old not in city_numbers and old in subject.numbers,
        )
    after = {name: _cleaned(value, subject) for name, value in after.items()}
    return {name: value for name, value in after.items() if value != row[name]}


def _with(values: Any, way: list[str], new: Any, when: Callable[[Any], bool]) -> Any:
    if not isinstance(values, dict) or way[0] not in values:
        return values
    head, *rest = way
    if rest:
        return {**values, head: _with(values[head], rest, new, when)}
    return {**values, head: new} if when(values[head]) else values
