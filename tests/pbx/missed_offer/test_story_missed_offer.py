"""An unanswered offer goes to the next operator; who misses often enough stays paused."""

from __future__ import annotations

import pytest
from centre import Centre, talk

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.timeout(90)
async def test_missed_offer(centre: Centre) -> None:
    async with centre.at_work("101") as (first,):
        async with centre.at_work("102") as (second,):
            await second.dial("*21")
            await second.state("paused:break1")
            call = await centre.queued("1")
            missed = await first.rings()
            await second.ready()
            offer = await second.answer()
            assert missed.is_over
            assert Moment.ANSWERED not in missed.moments
            await talk(call, offer)
            await call.hang_up()
            record = await centre.ledger(call)
            assert [(o["operator"], o["outcome"]) for o in record["offers"]] == [
                ("101", "missed"),
                ("102", "answered"),
            ]
            assert (record["disposition"], record["operators"]) == ("answered", ["102"])
            answered_at = offer.moments[Moment.ANSWERED]
            assert record["wait_s"] == pytest.approx(centre.wait_until(call, answered_at), abs=1.0)
            await first.state("ready")
        # Given back after one; the second one in a row is one too many.
        call = await centre.queued("1")
        again = await first.rings()
        assert await again.ended(10)
        await first.state("paused:missed")
        assert call.is_established
        await first.ready()
        offer = await first.answer()
        await talk(call, offer)
        await offer.hang_up()
        record = await centre.ledger(call)
        assert [o["outcome"] for o in record["offers"]] == ["missed", "answered"]
        assert record["operators"] == ["101"]
