"""An operator's telephone disappears during an offer: the next operator gets the call."""

from __future__ import annotations

import pytest
from centre import Centre, first_to_ring, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_unregister_during_offer(centre: Centre) -> None:
    async with centre.at_work("101", "102") as phones:
        call = await centre.queued("1")
        lost, offer = await first_to_ring(*phones)
        await lost.end.unregister()
        lost.end.deaf = True
        other = next(phone for phone in phones if phone is not lost)
        answer = await other.answer()
        await talk(call, answer)
        await call.hang_up()
        record = await centre.ledger(call)
        lost.end.deaf = False
        await lost.end.register(f"op{lost.operator}", centre.secrets[lost.operator], centre.place)
    assert (record["disposition"], record["operators"]) == ("answered", [other.operator])
    assert [o["operator"] for o in record["offers"]] == [lost.operator, other.operator]
    assert record["offers"][0]["outcome"] == "missed"
    assert not offer.is_established
