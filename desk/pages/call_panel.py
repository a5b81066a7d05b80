"""What an operator has done with the call in hand: transfer, question, three in a talk, recording, long calls."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from acd.commands import Act
from desk.pages.entry import redirect
from desk.pages.seat import mine
from desk.routes import Table
from desk.visit import Form, Visit
from services.access import Permission

table = Table()
OWN = Permission.SEAT_OWN


class Wish(Form):
    """What is to be done; `transfer` and `consult` with an extension behind a colon."""

    do: Annotated[
        str,
        Field(
            title="操作",
            pattern=r"^((transfer|consult):[1-9]\d{2,3}|complete|join|swap|return|hang_up|pause_recording"
            r"|resume_recording|mark_relay|warn)$",
        ),
    ]


class Said(BaseModel):
    text: str


async def _done(visit: Visit, sent: Wish) -> str:
    """Raises ToritsugiError: it may not be, cannot be now, or did not come true."""
    act, _, to = sent.do.partition(":")
    operator = mine(visit)
    try:
        return await visit.desk.control.do(Act(act), visit.me, operator=operator, to=to)
    finally:
        await visit.desk.hands.renew(visit.me, operator)


@table.post("/desk/call", OWN, "通話の操作")
async def do_and_return(visit: Visit) -> web.StreamResponse:
    """For a browser without scripts."""
    await _done(visit, await visit.form(Wish))
    return redirect("/desk?done=call")


@table.post("/desk/call/act", OWN, "通話の操作", data=True, body=Wish, answer=Said)
async def do_and_say(visit: Visit) -> web.StreamResponse:
    return web.json_response({"text": await _done(visit, await visit.body(Wish))})
