"""Asterisk dies in the middle of two calls: it is started again and everybody can go on."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, kill, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_asterisk_restarted(own_centre: Centre) -> None:
    centre = own_centre
    async with centre.at_work("101") as (phone,):
        talking = await centre.queued("1")
        offer = await phone.answer()
        await talk(talking, offer)
        waiting = await centre.queued("2")
        await eventually(lambda: centre.live()["waiting"], what="waiting")
        old = centre.warden()["asterisk"]
        kill(old)
        records = [await centre.ledger(call, within=60) for call in (talking, waiting)]
        assert [record["disposition"] for record in records] == ["answered", "system_failure"]
        assert [record["ended_by"] for record in records] == ["system", "system"]
        assert all("end_unknown" in record["gaps"] for record in records)
        assert records[0]["operators"] == ["101"]
        assert centre.warden()["asterisk"] not in (None, old)
        for call in (talking, waiting, offer):
            call.media.close()
        # Still signed in, out of the talk that is over, and offered the next call.
        await phone.state("ready", within=30)
        call = await centre.queued("1")
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert len(await centre.records()) == 3
