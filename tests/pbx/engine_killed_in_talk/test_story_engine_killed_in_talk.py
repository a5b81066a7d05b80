"""The engine is killed while two people talk: they notice nothing, and the ledger is right."""

from __future__ import annotations

import pytest
from centre import Centre, kill, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_engine_killed_in_talk(own_centre: Centre) -> None:
    centre = own_centre
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        offer = await phone.answer()
        await talk(call, offer)
        old = centre.engine_pid()
        kill(old)
        await talk(call, offer)
        await centre.engine_is_back(old)
        await phone.state("talking")
        await talk(call, offer)
        await offer.hang_up()
        assert await call.ended(5)
        record = await centre.ledger(call)
        await phone.state("ready")
        # Killed again in wrap-up: whoever comes next ends it.
        call = await centre.queued("1")
        offer = await phone.answer()
        await offer.hang_up()
        kill(centre.engine_pid())
        await phone.state("ready", within=30)
        second = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert (record["ended_by"], record["fallbacks"], record["gaps"]) == ("operator", [], [])
    assert (second["disposition"], second["ended_by"]) == ("answered", "operator")
    assert len(await centre.records()) == 2
