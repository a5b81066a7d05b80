"""Cases, operators, trunks, staff telephones and settings in SQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ids import CallId, OperatorId
from interactions.case import CallSummary, Case, CaseStatus, TranscriptState
from services.ports import OperatorAccount, StaffPhone, TrunkPeer
from storage import rows
from storage.sql import insert_new, upsert


class SqlCases:
    """`services.ports.CaseStore`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, case: Case) -> bool:
        added = await insert_new(self._connection, rows.interaction, _case_row(case), ["case_id"])
        if added:
            await upsert(self._connection, rows.interaction_call, _link_rows(case))
        return added

    async def put(self, case: Case) -> None:
        await upsert(self._connection, rows.interaction, [_case_row(case)])
        await upsert(self._connection, rows.interaction_call, _link_rows(case))

    async def of_call(self, call: CallId) -> Case | None:
        link = rows.interaction_call.c
        wanted = select(link.case_id).where(link.call_id == call).scalar_subquery()
        cases = await self._read(select(rows.interaction).where(rows.interaction.c.case_id == wanted))
        return cases[0] if cases else None

    async def between(self, since: float, until: float) -> list[Case]:
        started = rows.interaction.c.started_at
        return await self._read(select(rows.interaction).where(started >= since, started < until))

    async def _read(self, query: Select[Any]) -> list[Case]:
        found = (await self._connection.execute(query.order_by(rows.interaction.c.started_at))).all()
        cases = []
        for row in found:
            link = rows.interaction_call.c
            links = await self._connection.execute(
                select(link.summary).where(link.case_id == row.case_id).order_by(link.position)
            )
            cases.append(_case_of(row, [summary for (summary,) in links]))
        return cases


def _case_row(case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "status": case.status.value,
        "category": case.category,
        "transcript": case.transcript.value,
        "question": case.question,
        "answer": case.answer,
        "started_at": case.first.started_at,
    }


def _link_rows(case: Case) -> list[dict[str, Any]]:
    return [
        {
            "call_id": summary.call_id,
            "case_id": case.case_id,
            "position": position,
            "summary": asdict(summary),
        }
        for position, summary in enumerate(case.calls)
    ]


def _case_of(row: Row[Any], summaries: list[dict[str, Any]]) -> Case:
    return Case(
        case_id=row.case_id,
        calls=tuple(_summary_of(summary) for summary in summaries),
        status=CaseStatus(row.status),
        category=row.category,
        transcript=TranscriptState(row.transcript),
        question=row.question,
        answer=row.answer,
    )


def _summary_of(values: dict[str, Any]) -> CallSummary:
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    row: dict[str, Any] = values | lists
    return CallSummary(**row)


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
