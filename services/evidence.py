"""What belongs to one call beside its own record: the alerts it raised, and what people did about it."""

from __future__ import annotations

from collections.abc import Iterable

from acd.alerts import Alert, AlertKind
from acd.repeat_callers import subject_of
from ledger.calls import Call
from services.ports import AuditEntry

_OF_THE_TALK = frozenset({AlertKind.LONG_CALL, AlertKind.LONG_HOLD, AlertKind.HELP})


def alerts_of_call(call: Call, alerts: Iterable[Alert]) -> list[Alert]:
    """Alerts about one of its talks, and that its caller called again and again, raised while it lasted."""
    number = call.caller.number if call.caller else None
    repeated = subject_of(number) if number else None
    return [
        alert
        for alert in alerts
        if (
            alert.kind in _OF_THE_TALK
            and any(
                segment.operator == alert.subject
                and segment.started_at <= alert.raised_at
                and (segment.ended_at is None or alert.raised_at <= segment.ended_at)
                for segment in call.segments
            )
        )
        or (
            alert.kind is AlertKind.REPEAT
            and alert.subject == repeated
            and call.arrived_at <= alert.raised_at
            and (call.ended_at is None or alert.raised_at <= call.ended_at)
        )
    ]


def deeds_of_call(call: Call, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """What was asked for about it, refusals included, and who has taken its evidence before."""
    return [
        entry
        for entry in entries
        if entry.subject == call.call_id or entry.detail.get("call") == call.call_id
    ]
