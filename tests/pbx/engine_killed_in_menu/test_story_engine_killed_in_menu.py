"""The engine is killed while a citizen is in the menu: another process goes on with the call."""

from __future__ import annotations

import pytest
from centre import Centre, kill, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_engine_killed_in_menu(own_centre: Centre) -> None:
    centre = own_centre
    async with centre.at_work("101") as (phone,):
        call = await centre.call()
        await centre.hears(call, "menu_main")
        old = centre.engine_pid()
        kill(old)
        await centre.hears(call, "menu_main", times=2)
        await call.media.press("2")
        offer = await phone.answer()
        await talk(call, offer)
        await offer.hang_up()
        assert await call.ended(5)
        await centre.engine_is_back(old)
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert (record["menu_path"], record["line"]) == (["main:2"], "portal")
    assert record["fallbacks"] == [{"step": "ivr", "why": "unfinished", "by": "script"}]
    assert set(await centre.sides(record)) == {"citizen", "line"}
    assert len(await centre.records()) == 1
