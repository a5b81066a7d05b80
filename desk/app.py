"""The desk as one web application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from desk import api, api_faq
from desk.guard import MOST_BODY, guarded, outermost
from desk.pages import (
    audit,
    board,
    call_panel,
    case_parts,
    cases,
    entry,
    faq,
    faq_beside,
    faq_office,
    figures,
    hours,
    reports,
    seat,
    telephone,
    tickets,
    users,
)
from desk.routes import Route
from desk.visit import DESK, Desk

log = logging.getLogger(__name__)

TABLES = (
    entry, board, hours, seat, call_panel, telephone, faq_beside, tickets, cases, case_parts, faq,
    faq_office, figures, reports, users, audit, api, api_faq,
)  # fmt: skip
FORGET_EVERY_S = 600.0


def all_routes() -> tuple[Route, ...]:
    """Every address of the desk."""
    return tuple(route for module in TABLES for route in module.table.routes)


def make_app(desk: Desk) -> web.Application:
    """The application; its background work starts and ends with it."""
    app = web.Application(middlewares=[outermost], client_max_size=MOST_BODY)
    app[DESK] = desk
    for route in all_routes():
        app.router.add_route(route.method, route.path, guarded(route))
    app.cleanup_ctx.append(_background)
    return app


async def _background(app: web.Application) -> AsyncIterator[None]:
    desk = app[DESK]
    tasks = [
        asyncio.create_task(desk.hub.run(), name="hub"),
        asyncio.create_task(_forget(desk), name="sessions"),
        asyncio.create_task(seat.write_cases(desk), name="cases"),
    ]
    yield
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _forget(desk: Desk) -> None:
    """Delete sessions that are over, now and then."""
    while True:
        try:
            await desk.sign_in.forget_old()
        except Exception:
            log.exception("old sessions could not be deleted; tried again")
        await asyncio.sleep(FORGET_EVERY_S)
