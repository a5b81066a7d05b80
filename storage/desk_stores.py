"""Operators, trunks, staff telephones and settings in SQL."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import OperatorId
from services.ports import OperatorAccount, StaffPhone, TrunkPeer
from storage import rows
from storage.sql import upsert


class SqlOperators:
    """`services.ports.OperatorStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, operator: OperatorAccount) -> None:
        values = {column.name: getattr(operator, column.name) for column in rows.operator.columns}
        values |= {
            "skills": dict(operator.skills),
            "languages": list(operator.languages),
            "caps": dict(operator.caps),
            "in_hand": dict(operator.in_hand),
        }
        await upsert(self._connection, rows.operator, [values])

    async def get(self, operator: OperatorId) -> OperatorAccount | None:
        return next((each for each in await self.list() if each.id == operator), None)

    async def list(self) -> list[OperatorAccount]:
        result = await self._connection.execute(select(rows.operator).order_by(rows.operator.c.id))
        return [OperatorAccount(**{**row._mapping, "languages": tuple(row.languages)}) for row in result]


class SqlTrunks:
    """`services.ports.TrunkStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, trunk: TrunkPeer) -> None:
        values = {column.name: getattr(trunk, column.name) for column in rows.trunk.columns}
        await upsert(self._connection, rows.trunk, [values])

    async def list(self) -> list[TrunkPeer]:
        result = await self._connection.execute(select(rows.trunk).order_by(rows.trunk.c.name))
        return [TrunkPeer(**row._mapping) for row in result]


class SqlStaffPhones:
    """`services.ports.StaffPhoneStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, phone: StaffPhone) -> None:
        values = {"endpoint": phone.endpoint, "sip_secret": phone.sip_secret}
        await upsert(self._connection, rows.staff_phone, [values])

    async def list(self) -> list[StaffPhone]:
        result = await self._connection.execute(
            select(rows.staff_phone).order_by(rows.staff_phone.c.endpoint)
        )
        return [StaffPhone(**row._mapping) for row in result]


class SqlSettings:
    """`services.ports.SettingStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, key: str) -> str | None:
        value: str | None = await self._connection.scalar(
            select(rows.setting.c.value).where(rows.setting.c.key == key)
        )
        return value

    async def put(self, key: str, value: str) -> None:
        await upsert(self._connection, rows.setting, [{"key": key, "value": value}])
