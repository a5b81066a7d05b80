"""Two wait; the third hears that the lines are full, and a clean end."""

from __future__ import annotations

import pytest
from centre import Centre, eventually

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_queue_full(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        waiting = [await centre.queued("1") for _ in range(2)]
        await eventually(lambda: len(centre.live()["waiting"]) == 2, what="two waiting")
        third = await centre.queued("1")
        assert await third.ended(20)
        assert third.ended_by is Side.PEER
        assert all(call.is_established for call in waiting)
        for call in waiting:
            await call.hang_up()
        record = await centre.ledger(third)
        others = [await centre.ledger(call) for call in waiting]
    assert centre.heard(third)[-1] == "overflow_full"
    assert centre.heard_prompts(third)[-1].whole
    assert (record["disposition"], record["overflow_reason"]) == ("overflow", "full")
    assert (record["ended_by"], record["line"]) == ("system", "card")
    assert record["wait_s"] == pytest.approx(0.0, abs=1.0)
    assert [other["disposition"] for other in others] == ["abandoned_queue", "abandoned_queue"]
