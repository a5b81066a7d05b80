"""Downloads of the papers that the city gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from desk.routes import Table
from desk.visit import Day, Form, Visit
from services.access import Permission

table = Table()
READ = Permission.REPORT_READ


class Wanted(Form):
    """Which paper."""

    day: Annotated[Day, Field(title="日")]
    format: Annotated[str, Field(title="形式", pattern="^[a-z]{3,4}$")] = "html"


@table.get("/reports", READ, "報告")
async def reports(visit: Visit) -> web.StreamResponse:
    yesterday = visit.desk.clock.city_now().date() - timedelta(days=1)
    return visit.desk.looks.page("reports/list.html", visit, kinds=visit.desk.papers.kinds, day=yesterday)


@table.get("/reports/{kind:[a-z]{3,20}}", READ, "報告を取り出す", query=Wanted)
async def report(visit: Visit) -> web.StreamResponse:
    return await paper(visit)


async def paper(visit: Visit) -> web.Response:
    """Make a paper and hand it out as a file. Raises ToritsugiError when there is none of that name."""
    wanted, kind = visit.query(Wanted), visit.request.match_info["kind"]
    made = await visit.desk.papers.make(kind, wanted.day, wanted.format)
    await visit.note("report.download", f"{kind} {wanted.day.isoformat()}", format=wanted.format)
    return web.Response(
        body=made.body,
        content_type=made.content_type,
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{made.filename}"'},
    )
