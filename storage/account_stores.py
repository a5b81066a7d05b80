"""Who may sign in at the desk, who is, and what they are writing, in SQL (`services.desk_ports`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import OperatorId
from interactions.access import Role
from services.desk_ports import ApiToken, DeskSession, SecurityKey, Stage, User
from storage import rows
from storage.sql import upsert


def _values(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in fields(thing)}


class SqlUsers:
    """`services.desk_ports.UserStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, user: User) -> None:
        await upsert(self._connection, rows.desk_user, [_values(user) | {"role": user.role.value}])

    async def get(self, name: str) -> User | None:
        found = await self._read(select(rows.desk_user).where(rows.desk_user.c.name == name))
        return found[0] if found else None

    async def all(self) -> list[User]:
        return await self._read(select(rows.desk_user))

    async def with_setup(self, setup_hash: str) -> User | None:
        if not setup_hash:
            return None
        found = await self._read(select(rows.desk_user).where(rows.desk_user.c.setup_hash == setup_hash))
        return found[0] if found else None

    async def keys(self, name: str) -> list[SecurityKey]:
        key = rows.desk_key.c
        result = await self._connection.execute(
            select(rows.desk_key).where(key.user == name).order_by(key.created_at)
        )
        return [SecurityKey(**row._mapping) for row in result]

    async def put_key(self, key: SecurityKey) -> None:
        await upsert(self._connection, rows.desk_key, [_values(key)])

    async def drop_keys(self, name: str) -> None:
        await self._connection.execute(delete(rows.desk_key).where(rows.desk_key.c.user == name))

    async def _read(self, query: Select[Any]) -> list[User]:
        result = await self._connection.execute(query.order_by(rows.desk_user.c.name))
        return [
            User(
                **{
                    **row._mapping,
                    "role": Role(row.role),
                    "operator": OperatorId(row.operator) if row.operator else None,
                }
            )
            for row in result
        ]


class SqlSessions:
    """`services.desk_ports.SessionStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, session: DeskSession) -> None:
        await upsert(self._connection, rows.desk_session, [_values(session) | {"stage": session.stage.value}])

    async def get(self, key: str) -> DeskSession | None:
        found = await self._read(select(rows.desk_session).where(rows.desk_session.c.key == key))
        return found[0] if found else None

    async def touch(self, key: str, at: float) -> None:
        column = rows.desk_session.c
        await self._connection.execute(update(rows.desk_session).where(column.key == key).values(seen_at=at))

    async def of_user(self, name: str) -> list[DeskSession]:
        return await self._read(select(rows.desk_session).where(rows.desk_session.c.user == name))

    async def drop(self, keys: Collection[str]) -> int:
        column = rows.desk_session.c
        done = await self._connection.execute(delete(rows.desk_session).where(column.key.in_(list(keys))))
        return done.rowcount

    async def drop_of_user(self, name: str) -> int:
        column = rows.desk_session.c
        done = await self._connection.execute(delete(rows.desk_session).where(column.user == name))
        return done.rowcount

    async def drop_old(self, seen_before: float, created_before: float) -> int:
        column = rows.desk_session.c
        old = or_(column.seen_at < seen_before, column.created_at < created_before)
        done = await self._connection.execute(delete(rows.desk_session).where(old))
        return done.rowcount

    async def _read(self, query: Select[Any]) -> list[DeskSession]:
        result = await self._connection.execute(query.order_by(rows.desk_session.c.created_at))
        return [DeskSession(**{**row._mapping, "stage": Stage(row.stage)}) for row in result]


class SqlTokens:
    """`services.desk_ports.TokenStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, token: ApiToken) -> None:
        await upsert(self._connection, rows.desk_token, [_values(token) | {"scopes": list(token.scopes)}])

    async def get(self, key: str) -> ApiToken | None:
        found = await self._read(select(rows.desk_token).where(rows.desk_token.c.key == key))
        return found[0] if found else None

    async def of_user(self, name: str) -> list[ApiToken]:
        return await self._read(select(rows.desk_token).where(rows.desk_token.c.user == name))

    async def touch(self, key: str, at: float) -> None:
        column = rows.desk_token.c
        await self._connection.execute(update(rows.desk_token).where(column.key == key).values(used_at=at))

    async def drop(self, name: str, identity: str) -> bool:
        column = rows.desk_token.c
        done = await self._connection.execute(
            delete(rows.desk_token).where(column.user == name, column.id == identity)
        )
        return done.rowcount == 1

    async def drop_of_user(self, name: str) -> int:
        done = await self._connection.execute(delete(rows.desk_token).where(rows.desk_token.c.user == name))
        return done.rowcount

    async def _read(self, query: Select[Any]) -> list[ApiToken]:
        result = await self._connection.execute(query.order_by(rows.desk_token.c.created_at))
        return [ApiToken(**{**row._mapping, "scopes": tuple(row.scopes)}) for row in result]
