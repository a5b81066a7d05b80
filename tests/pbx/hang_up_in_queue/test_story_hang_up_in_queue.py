"""The citizen gives up waiting while every operator is busy."""

from __future__ import annotations

import pytest
from centre import Centre, eventually

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_hang_up_in_queue(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        call = await centre.queued("1")
        await eventually(lambda: centre.live()["waiting"], what="waiting")
        assert await call.media.voice.wait_sound(5, at_least_s=0.5), "a waiting caller hears silence"
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["ended_by"]) == ("abandoned_queue", "citizen")
    assert (record["line"], record["operators"], record["offers"]) == ("card", [], [])
    left_at = call.moments[Moment.BYE_SENT]
    assert record["wait_s"] == pytest.approx(centre.wait_until(call, left_at), abs=1.0)
