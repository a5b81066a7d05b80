"""The few places where SQLite and PostgreSQL differ, and where lists are cut to size."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

_T = TypeVar("_T")

CHUNK = 400
"""Values in one `IN (…)`: well below the limits of both."""


def chunks(values: Collection[_T], size: int = CHUNK) -> Iterator[Sequence[_T]]:
    ordered = list(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def insert_into(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows `ON CONFLICT`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows or replace those with the same primary key. One key may stand only once in `rows`."""
    if not rows:
        return
    statement = insert_into(connection, table)
    keys = [column.name for column in table.primary_key.columns]
    changed = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys
    }
    await connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changed), [dict(row) for row in rows]
    )


async def insert_new(
    connection: AsyncConnection, table: Table, row: Mapping[str, Any], keys: Sequence[str]
) -> bool:
    """Insert one row; False when one with the same `keys` is there."""
    statement = insert_into(connection, table).values(**row).on_conflict_do_nothing(index_elements=keys)
    result = await connection.execute(statement)
    return result.rowcount == 1
