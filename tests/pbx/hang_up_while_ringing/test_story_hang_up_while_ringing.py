"""The citizen gives up while an operator's telephone rings."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.dialog import Moment, Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_hang_up_while_ringing(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        offer = await phone.rings()
        await call.hang_up()
        assert await offer.ended(5)
        assert (offer.status, offer.ended_by) == (487, Side.PEER)
        record = await centre.ledger(call)
        await phone.state("ready")
    assert (record["disposition"], record["ended_by"]) == ("abandoned_queue", "citizen")
    assert record["operators"] == []
    assert [(o["operator"], o["outcome"]) for o in record["offers"]] == [("101", "cancelled")]
    left_at = call.moments[Moment.BYE_SENT]
    assert record["wait_s"] == pytest.approx(centre.wait_until(call, left_at), abs=1.0)
