"""The calls behind the board's figures of this moment, which only the engine's word and the menus tell."""

from __future__ import annotations

from core.ids import CallId
from desk.visit import Desk
from reports.opening import Opening

LIVE = {
    "now:waiting": "お待ちの方",
    "now:menu": "案内中の方",
    "now:talking": "応対中の電話",
    "now:callbacks": "折り返し予約",
}
"""Their names in an address, and what they are called."""


async def live_calls(desk: Desk, opening: Opening) -> tuple[int, list[CallId]]:
    """How many there are at this moment, and those whose call is known: the ledger hears of one a little later."""
    now, line = desk.hub.now, desk.hub.words.line(opening.line)
    found: list[CallId | None]
    match opening.metric:
        case "now:waiting":
            found = [each.call for each in now.waiting if opening.line is None or each.line == line]
        case "now:menu":
            found = [each.call for each in now.menu]
        case "now:talking":
            talking = [seat for seat in now.seats if seat.kind == "talking"]
            found = [
                seat.call.call if seat.call else None
                for seat in talking
                if opening.line is None or seat.line == line
            ]
        case _:
            async with desk.reading() as unit:
                found = [each.call for each in await unit.callbacks.open()]
    return len(found), [call for call in found if call is not None]
