"""The telephone in a browser: its window, what it signs on at the switch with, and its wire.

The window stays open while pages change in others (ADR 33). What it needs to know of itself it asks for by a request
of its own; nothing of it stands in a page.
"""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from core.errors import ToritsugiError
from desk.guard import Refused, dress
from desk.pages.seat import mine
from desk.pages.stream import still_in
from desk.routes import Table
from desk.sip_seen import Calls
from desk.visit import Form, Visit
from desk.wire import HEARTBEAT_S, MOST_MESSAGE, PROTOCOL, Close, pass_on
from services.access import Permission
from services.ports import OperatorAccount

table = Table()
OWN = Permission.SEAT_OWN
WINDOW = r"^[0-9a-f-]{16,40}$"
AT_WORK = frozenset({"ready", "ringing", "talking", "wrapup"})
"""Whoever is so is at work, also when they touch nothing for an hour."""

NOTE_EVERY_S = 60.0


class Opening(Form):
    window: Annotated[str, Field(title="窓", pattern=WINDOW)]
    take: bool = False
    """Take the telephone away from another window."""


class Opened(BaseModel):
    """What a window signs on with; without a secret another window has the telephone."""

    user: str
    secret: str = ""
    elsewhere: bool = False
    talks: bool = False
    """Whether a call goes on in that other window."""


class Wire(Form):
    window: Annotated[str, Field(title="窓", pattern=WINDOW)]


async def own_account(visit: Visit) -> OperatorAccount:
    """The operator whose telephone is a browser.

    Raises:
        ToritsugiError: theirs is none.
    """
    operator = mine(visit)
    async with visit.desk.reading() as unit:
        account = await unit.operators.get(operator)
    if account is None or not account.active or not account.browser or not visit.desk.wire:
        raise ToritsugiError(
            "画面の電話は使えません", where=f"番号 {operator}",
            cure="電話機を使う。画面の電話にするには、管理者が toritsugi operator browser を実行する",
        )  # fmt: skip
    return account


@table.get("/desk/phone", OWN, "電話")
async def window(visit: Visit) -> web.StreamResponse:
    account = await own_account(visit)
    return visit.desk.looks.page("phone.html", visit, account=account)


@table.post("/desk/phone/open", OWN, "電話を開く", data=True, body=Opening, answer=Opened)
async def open_phone(visit: Visit) -> web.StreamResponse:
    account, asked = await own_account(visit), await visit.body(Opening)
    phones, user = visit.desk.phones, f"op{account.id}"
    if phones.elsewhere(account.id, asked.window) and not asked.take:
        told = Opened(user=user, elsewhere=True, talks=phones.talks(account.id))
    else:
        phones.claim(account.id, asked.window)
        await visit.note("phone.open", account.id, address=visit.address)
        told = Opened(user=user, secret=account.sip_secret)
    return web.json_response(told.model_dump())


@table.get("/desk/phone/wire", OWN, "電話の線", data=True, idle=True, query=Wire)
async def wire(visit: Visit) -> web.StreamResponse:
    desk, request = visit.desk, visit.request
    # Browsers let any page open a websocket anywhere, with our cookie; they do say whose page it is.
    if request.headers.get("Origin") != desk.settings.origin:
        raise Refused("別のサイトから開かれた電話です", cure="取次の画面から電話を開く")
    account, asked = await own_account(visit), visit.query(Wire)
    response = web.WebSocketResponse(
        protocols=(PROTOCOL,), heartbeat=HEARTBEAT_S, max_msg_size=MOST_MESSAGE, compress=False
    )
    dress(desk, response)
    await response.prepare(request)
    holder = desk.phones.take(account.id, asked.window, response)
    if holder is None:
        await response.close(code=Close.ELSEWHERE)
        return response

    noted_at = desk.clock.epoch()

    async def look(calls: Calls) -> bool:
        nonlocal noted_at
        if not await still_in(visit):
            return False
        seat, now = desk.hub.seat(account.id), desk.clock.epoch()
        at_work = calls.any or (seat is not None and seat.kind in AT_WORK)
        if at_work and now - noted_at >= min(NOTE_EVERY_S, desk.settings.idle_s / 3):
            noted_at = now
            await desk.sign_in.used(visit.signed_in)
        return True

    try:
        await pass_on(holder, desk.wire, look)
    finally:
        desk.phones.gone(account.id, holder)
    return response
