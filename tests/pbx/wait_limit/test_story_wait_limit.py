"""Nobody takes the call within the wait limit: the citizen hears so, and a clean end."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_wait_limit(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        call = await centre.queued("1")
        await centre.hears(call, "overflow_wait", within=30)
        assert await call.ended(20)
        assert call.ended_by is Side.PEER
        record = await centre.ledger(call)
    assert centre.heard(call)[-1] == "overflow_wait"
    assert (record["disposition"], record["overflow_reason"]) == ("overflow", "wait_limit")
    assert (record["ended_by"], record["operators"]) == ("system", [])
    seen = centre.wait_until(call, centre.told_at(call, "overflow_wait"))
    assert record["wait_s"] == pytest.approx(seen, abs=1.0)
    assert seen == pytest.approx(10, abs=2.0)
