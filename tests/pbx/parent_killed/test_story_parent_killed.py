"""The parent process is killed while two people talk: Asterisk goes on, and the next `up` takes it over."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, kill, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_parent_killed(own_centre: Centre) -> None:
    centre = own_centre
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        offer = await phone.answer()
        await talk(call, offer)
        asterisk = centre.warden()["asterisk"]
        assert centre.process is not None
        kill(centre.process.pid)
        await centre.process.wait()
        await talk(call, offer)
        await centre.start({})
        await eventually(lambda: centre.warden().get("asterisk") == asterisk, what="the same Asterisk")
        await talk(call, offer)
        await call.hang_up()
        assert await offer.ended(5)
        record = await centre.ledger(call)
        await phone.state("ready")
        another = await centre.queued("1")
        answered = await phone.answer()
        await talk(another, answered)
        await another.hang_up()
        assert await answered.ended(5)
        await centre.ledger(another)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert (record["ended_by"], record["gaps"]) == ("citizen", [])
    assert len(await centre.records()) == 2
