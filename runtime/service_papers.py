"""The papers on voice quality and on complaints, from the ledger, the requests and the alerts of this instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta

from acd.alerts import Alert, AlertKind
from interactions.ticket import Ticket, TicketState
from reports.complaints import Complaint, ComplaintStep, complaint_report
from reports.quality import quality_report
from reports.render_complaints import render_complaints_csv, render_complaints_html
from reports.render_quality import render_quality_csv, render_quality_html
from runtime.floor_papers import DAY_S, midnight
from runtime.papers import ready_instance
from runtime.remembered import desk_origin
from services.city_facts import department_names
from speech.redact import redact_text

TOLD_AFTER_S = 31 * DAY_S
"""So long after the period an alert about a request of it is looked for."""


async def quality_paper(city: str | None, first_day: date, last_day: date, format_: str) -> str:
    """`report quality`: the days as HTML or CSV, after taking in what is on disk."""
    instance = await ready_instance(city)
    calls = []
    try:
        async with instance.database.reading() as unit:
            day = first_day
            while day <= last_day:
                calls += await unit.calls.between(midnight(day), midnight(day + timedelta(days=1)))
                day += timedelta(days=1)
    finally:
        await instance.database.close()
    report = quality_report(
        calls,
        city=instance.profile.city.name_ja,
        centre=instance.profile.city.centre_ja,
        names=department_names(instance.profile),
        first_day=first_day,
        last_day=last_day,
        made_at=instance.clock.city_now(),
        city_time_of=instance.clock.city_time_of,
    )
    desk = desk_origin(instance.settings)
    return render_quality_html(report, desk) if format_ == "html" else render_quality_csv(report)


async def complaints_paper(city: str | None, first_day: date, last_day: date, format_: str) -> str:
    """`report complaints`: the period as HTML or CSV."""
    instance = await ready_instance(city)
    until = midnight(last_day + timedelta(days=1))
    try:
        async with instance.database.reading() as unit:
            tickets = await unit.tickets.between(0.0, until)
            oldest = min((ticket.opened_at for ticket in tickets), default=until)
            alerts = await unit.alerts.between(oldest, until + TOLD_AFTER_S)
    finally:
        await instance.database.close()
    report = complaint_report(
        complaints_of(tickets, alerts, department_names(instance.profile), instance.clock.city_time_of),
        city=instance.profile.city.name_ja,
        centre=instance.profile.city.centre_ja,
        first_day=first_day,
        last_day=last_day,
        made_at=instance.clock.city_now(),
    )
    return render_complaints_html(report) if format_ == "html" else render_complaints_csv(report)


def complaints_of(
    tickets: Iterable[Ticket],
    alerts: Iterable[Alert],
    names: Mapping[str, str],
    city_time_of: Callable[[float], datetime],
) -> list[Complaint]:
    """Complaints and wrong guidance as the paper shows them: no name, and numbers masked."""
    told: dict[str, float] = {}
    for alert in alerts:
        if alert.kind is AlertKind.TICKET and alert.notified:
            told[alert.subject] = min(alert.raised_at, told.get(alert.subject, alert.raised_at))

    def moment(at: float | None) -> datetime | None:
        return None if at is None else city_time_of(at)

    return [
        Complaint(
            ticket=ticket.ticket_id,
            kind_ja=ticket.kind.label_ja,
            opened=city_time_of(ticket.opened_at),
            told=moment(told.get(ticket.ticket_id)),
            due=city_time_of(ticket.due_at),
            ended=moment(ticket.ended_at),
            department=names.get(ticket.department, ticket.department),
            content=redact_text(ticket.content),
            state_ja=ticket.state.label_ja,
            cancelled=ticket.state is TicketState.CANCELLED,
            owner=ticket.owner,
            result=redact_text(ticket.result),
            call=ticket.call or "",
            steps=tuple(
                ComplaintStep(
                    at=city_time_of(step.at),
                    by=step.by,
                    state_ja=step.state.label_ja,
                    note=redact_text(step.note),
                )
                for step in ticket.steps
            ),
        )
        for ticket in tickets
        if ticket.kind.tells_at_once
    ]
