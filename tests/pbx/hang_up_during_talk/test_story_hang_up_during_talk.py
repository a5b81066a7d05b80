"""The citizen ends the talk."""

from __future__ import annotations

import pytest
from centre import Centre, talk

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_hang_up_during_talk(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("2")
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        assert await offer.ended(5)
        assert offer.ended_by is Side.PEER
        record = await centre.ledger(call)
        await phone.state("wrapup")
    assert (record["disposition"], record["ended_by"]) == ("answered", "citizen")
    assert (record["operators"], record["line"]) == (["101"], "portal")
