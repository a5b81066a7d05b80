"""A key that the menu does not have: said so, asked again, and in the end a person."""

from __future__ import annotations

import pytest
from centre import Centre, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_wrong_key(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        call = await centre.call()
        await centre.hears(call, "menu_main")
        await call.media.press("5")
        await centre.hears(call, "invalid")
        await centre.hears(call, "menu_main", times=2)
        await call.media.press("5")
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
    heard = [name for name in centre.heard(call) if name != "language"]
    assert heard == ["greeting", "menu_main", "invalid", "menu_main", "connecting"]
    assert (record["disposition"], record["operators"], record["line"]) == ("answered", ["101"], "card")
    assert record["menu_path"] == []


async def test_second_try(centre: Centre) -> None:
    """The wrong key first, then the right one."""
    call = await centre.call()
    await centre.hears(call, "menu_main")
    await call.media.press("#")
    await centre.hears(call, "invalid")
    await call.media.press("2")
    assert await call.ended(20)
    record = await centre.ledger(call)
    assert (record["menu_path"], record["line"]) == (["main:2"], "portal")
    assert (record["disposition"], record["overflow_reason"]) == ("overflow", "nobody")
