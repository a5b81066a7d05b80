"""What to bring, told by the menu: the citizen has what they came for and hangs up."""

from __future__ import annotations

import pytest
from centre import Centre, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_self_service(centre: Centre) -> None:
    call = await centre.call()
    await call.media.press("6")
    await centre.hears(call, "after_tell")
    await call.hang_up()
    record = await centre.ledger(call)
    assert [name for name in centre.heard(call) if name != "language"] == [
        "greeting",
        "info_bring",
        "after_tell",
    ]
    assert (record["disposition"], record["ended_by"]) == ("self_served", "citizen")
    assert (record["menu_path"], record["wait_s"]) == (["main:6"], None)


async def test_then_a_person(centre: Centre) -> None:
    """Who hears the information and still wants a person has not been served by it."""
    async with centre.at_work("101") as (phone,):
        call = await centre.call()
        await call.media.press("6")
        await centre.hears(call, "after_tell")
        await call.media.press("2")
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert record["menu_path"] == ["main:6", "info_bring:2"]
