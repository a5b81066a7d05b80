"""What other systems are told: events written in the transaction in which they happened, one for each system."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from interactions.case import Case, CaseStatus
from interactions.profile import EventKind, WebhookSection
from interactions.record import bare_record, case_record
from ledger.calls import Call
from services.case_ports import OutboxEvent
from services.ports import UnitOfWork

SCHEMA = "toritsugi.event/1"


class CaseEvents:
    """Writes events for the systems of the city's profile.

    Args:
        endpoints: who wants to be told what; none writes nothing.
        city: whose events these are.
    """

    def __init__(self, endpoints: Sequence[WebhookSection] = (), city: str = "") -> None:
        self._endpoints, self._city = tuple(endpoints), city

    async def opened(self, unit: UnitOfWork, case: Case, at: float) -> None:
        await self._tell(unit, EventKind.CASE_OPENED, case, at)

    async def updated(self, unit: UnitOfWork, case: Case, at: float) -> None:
        await self._tell(unit, EventKind.CASE_UPDATED, case, at)

    async def changed(self, unit: UnitOfWork, before: Case, after: Case, at: float) -> None:
        """An update, and that the case is closed when it now is."""
        if before == after:
            return
        await self.updated(unit, after, at)
        if after.status is CaseStatus.DONE and before.status is not CaseStatus.DONE:
            await self._tell(unit, EventKind.CASE_CLOSED, after, at)

    async def call_closed(self, unit: UnitOfWork, call: Call) -> None:
        """Once a call, however often it is told."""
        if call.ended_at is not None:
            bare = _call_record(call)
            personal = {**bare, "caller": call.caller.number if call.caller else None}
            await self._write(unit, EventKind.CALL_CLOSED, call.call_id, "", call.ended_at, bare, personal)

    async def _tell(self, unit: UnitOfWork, kind: EventKind, case: Case, at: float) -> None:
        if not any(kind in endpoint.events for endpoint in self._endpoints):
            return
        notes = (await unit.cases.notes([case.case_id])).get(case.case_id, [])
        faqs = (await unit.cases.faqs([case.case_id])).get(case.case_id, [])
        bare = {**bare_record(case), "tags": []}
        personal = case_record(case, notes, faqs, numbers=True)
        stamp = f"{case.version}.{len(notes)}"
        await self._write(unit, kind, case.case_id, stamp, at, bare, personal)

    async def _write(
        self, unit: UnitOfWork, kind: EventKind, subject: str, stamp: str, at: float, bare: Any, personal: Any
    ) -> None:
        events = []
        for endpoint in self._endpoints:
            if kind not in endpoint.events:
                continue
            said = f"{endpoint.id}|{kind}|{subject}|{stamp}"
            event_id = hashlib.sha256(said.encode()).hexdigest()[:32]
            body = {
                "schema": SCHEMA,
                "event_id": event_id,
                "kind": kind.value,
                "at": at,
                "city": self._city,
                "data": personal if endpoint.personal_data else bare,
            }
            events.append(
                OutboxEvent(
                    event_id=event_id, endpoint=endpoint.id, kind=kind.value, subject=subject, at=at, body=body,
                    next_try_at=at,
                )
            )  # fmt: skip
        await unit.outbox.add(events)


def _call_record(call: Call) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "arrived_at": call.arrived_at,
        "ended_at": call.ended_at,
        "disposition": call.disposition.value if call.disposition else None,
        "line": call.line,
        "language": call.language,
        "menu_path": list(call.menu_path),
        "operators": list(call.operators),
        "transfers": [
            {"at": each.at, "to": each.to, "label": each.label, "result": each.result}
            for each in call.handed_on
        ],
    }
