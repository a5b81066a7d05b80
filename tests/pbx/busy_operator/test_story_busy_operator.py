"""An operator who is busy on another line refuses (486): the next operator gets the call."""

from __future__ import annotations

import pytest
from centre import Centre, first_to_ring, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_busy_operator(centre: Centre) -> None:
    async with centre.at_work("101", "102") as phones:
        call = await centre.queued("1")
        busy, offer = await first_to_ring(*phones)
        offer.refuse(486)
        other = next(phone for phone in phones if phone is not busy)
        answer = await other.answer()
        await talk(call, answer)
        await call.hang_up()
        record = await centre.ledger(call)
        await busy.state("ready")
    assert (record["disposition"], record["operators"]) == ("answered", [other.operator])
    assert [(o["operator"], o["outcome"]) for o in record["offers"]] == [
        (busy.operator, "missed"),
        (other.operator, "answered"),
    ]
