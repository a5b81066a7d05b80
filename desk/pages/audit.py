"""Who did what: the record of changes, sign-ins and hearings."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from core.clock import TOKYO
from core.errors import ToritsugiError
from desk.routes import Table
from desk.visit import Day, Form, Visit
from services.access import Permission
from services.ports import AuditEntry

table = Table()
MOST = 500
MOST_DAYS = 92


class Search(Form):
    """Which entries; real days of Japan."""

    first: Annotated[Day | None, Field(title="この日から")] = None
    last: Annotated[Day | None, Field(title="この日まで")] = None
    actor: Annotated[str, Field(title="だれが", max_length=80)] = ""
    action: Annotated[str, Field(title="操作", max_length=40)] = ""
    subject: Annotated[str, Field(title="何を", max_length=96)] = ""


async def found(visit: Visit, search: Search) -> tuple[list[AuditEntry], date, date, bool]:
    """Newest first, with the days looked at, and whether some were left out. That somebody looked is written down."""
    last = search.last or datetime.now(TOKYO).date()
    first = search.first or last
    if not timedelta() <= last - first <= timedelta(days=MOST_DAYS):
        raise ToritsugiError("期間が使えません", where="期間", cure=f"{MOST_DAYS} 日以内にする")
    since = datetime(first.year, first.month, first.day, tzinfo=TOKYO)
    until = datetime(last.year, last.month, last.day, tzinfo=TOKYO) + timedelta(days=1)
    async with visit.desk.reading() as unit:
        entries = await unit.audit.between(since.timestamp(), until.timestamp())
    mine = [
        entry
        for entry in reversed(entries)
        if search.actor in entry.actor and search.action in entry.action and search.subject in entry.subject
    ]
    await visit.note("audit.search", "", first=first.isoformat(), last=last.isoformat(), hits=len(mine))
    return mine[:MOST], first, last, len(mine) > MOST


@table.get("/audit", Permission.AUDIT_READ, "操作の記録", query=Search)
async def audit(visit: Visit) -> web.StreamResponse:
    search = visit.query(Search)
    entries, first, last, more = await found(visit, search)
    return visit.desk.looks.page(
        "audit.html", visit, entries=entries, search=search, first=first, last=last, more=more, most=MOST
    )
