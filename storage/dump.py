"""Whole tables as JSON Lines and back, on SQLite and PostgreSQL alike: what backup and hand-over are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Connection, MetaData, Table, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import ToritsugiError
from storage.erasure_rules import MADE_ANEW
from storage.rows import metadata

_ROWS_AT_ONCE = 500
REVISION_TABLE = "alembic_version"
_REPEATING = frozenset(name for name, table in metadata.tables.items() if table.info["erasure"] == MADE_ANEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSum:
    """What a table comes to: equal sums are equal rows."""

    rows: int
    sha256: str


class TableHash:
    """Adds up the lines of a table."""

    def __init__(self) -> None:
        self._rows, self._hash = 0, hashlib.sha256()

    def add(self, line: bytes) -> None:
        self._rows += 1
        self._hash.update(line)

    def sum(self) -> TableSum:
        return TableSum(rows=self._rows, sha256=self._hash.hexdigest())


def _virtual(plain: Connection) -> list[str]:
    """SQLite's indices of words, which are tables with more tables behind them."""
    if plain.dialect.name != "sqlite":
        return []
    return list(plain.scalars(text("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")))


async def tables_of(connection: AsyncConnection) -> dict[str, Table]:
    """The tables as they stand in the database, whatever version made them; indices that repeat them are left out."""

    def reflect(plain: Connection) -> dict[str, Table]:
        found = MetaData()
        found.reflect(bind=plain)
        for table in found.tables.values():
            for column in table.columns:
                if isinstance(column.type, JSON):
                    column.type = JSON(none_as_null=True)
        virtual = _virtual(plain)
        return {
            name: table
            for name, table in found.tables.items()
            if name != REVISION_TABLE
            and name not in _REPEATING
            and not any(name == each or name.startswith(f"{each}_") for each in virtual)
        }

    return await connection.run_sync(reflect)


async def lines_of(
    connection: AsyncConnection, table: Table, blank: Collection[str] = ()
) -> AsyncIterator[bytes]:
    """Every row as one JSON object and a newline, by primary key.

    Args:
        connection: a snapshot.
        table: which.
        blank: columns that are left empty.
    """
    query = select(table).order_by(*table.primary_key.columns)
    async for row in await connection.stream(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        values = {name: "" if name in blank else value for name, value in row._mapping.items()}
        yield json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


async def load(connection: AsyncConnection, table: Table, lines: Iterable[bytes]) -> TableSum:
    """Insert rows that `lines_of` wrote.

    Raises:
        ToritsugiError: a line is no row of this table.
    """
    total, columns = TableHash(), set(table.columns.keys())
    batch: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        total.add(line)
        try:
            values = json.loads(line)
            if set(values) != columns:
                raise ValueError("other columns")
        except (ValueError, TypeError, RecursionError) as problem:
            raise _unreadable(table, number) from problem
        batch.append(values)
        if len(batch) == _ROWS_AT_ONCE:
            await _insert(connection, table, batch, number)
            batch = []
    if batch:
        await _insert(connection, table, batch, number)
    return total.sum()


async def _insert(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]], number: int
) -> None:
    try:
        await connection.execute(insert(table), rows)
    except StatementError as problem:
        if isinstance(problem, DBAPIError) and problem.connection_invalidated:
            raise
        raise _unreadable(table, number) from problem


def _unreadable(table: Table, number: int) -> ToritsugiError:
    return ToritsugiError(
        "行が読めません", where=f"{table.name}.jsonl:{number}", cure="元のファイルを確かめ、写し直す"
    )


async def sum_of(connection: AsyncConnection, table: Table, blank: Collection[str] = ()) -> TableSum:
    """The sum of a table as it stands."""
    total = TableHash()
    async for line in lines_of(connection, table, blank):
        total.add(line)
    return total.sum()


async def count_on(connection: AsyncConnection, tables: Iterable[Table]) -> None:
    """Let PostgreSQL's counters go on behind the rows that were inserted with their ids."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        keys: Sequence[Any] = list(table.primary_key.columns)
        if [key.name for key in keys] == ["id"]:
            most = await connection.scalar(select(func.max(keys[0])))
            if isinstance(most, int):
                await connection.execute(
                    text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :most)"),
                    {"name": table.name, "most": most},
                )


async def is_empty(connection: AsyncConnection) -> bool:
    """Whether there is no table at all."""
    names: list[str] = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
    return not names
