"""After a call no offer comes until wrap-up is over, by time or by the operator."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, talk

from demo.ends.calls import OutgoingCall
from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_operator_wrap_up(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        first = await centre.queued("1")
        offer = await phone.answer()
        second = await centre.queued("1")
        await eventually(lambda: centre.live()["waiting"], what="waiting")
        await talk(first, offer)
        await offer.hang_up()
        next_offer = await phone.answer()
        gap_s = next_offer.moments[Moment.INVITE] - offer.moments[Moment.BYE_SENT]
        assert 1.9 <= gap_s <= 4.0
        await talk(second, next_offer)
        await next_offer.hang_up()
        await phone.state("wrapup")
        await phone.state("ready")
        records = [await centre.ledger(call) for call in (first, second)]
        await eventually(lambda: _wrapped(centre, first), what="wrap-up in the ledger")
    assert [record["operators"] for record in records] == [["101"], ["101"]]
    answered_at = next_offer.moments[Moment.ANSWERED]
    assert records[1]["wait_s"] == pytest.approx(centre.wait_until(second, answered_at), abs=1.0)


async def _wrapped(centre: Centre, call: OutgoingCall) -> bool:
    seconds = (await centre.ledger(call))["wrap_up_s"]
    # queue_log tells the end of the two seconds in whole seconds, cut off.
    return seconds is not None and 1.0 <= seconds <= 4.0


async def test_ready_ends_wrap_up(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        first = await centre.queued("1")
        offer = await phone.answer()
        second = await centre.queued("1")
        await talk(first, offer)
        await offer.hang_up()
        await phone.ready()
        next_offer = await phone.answer()
        gap_s = next_offer.moments[Moment.INVITE] - offer.moments[Moment.BYE_SENT]
        assert gap_s < 1.8
        await second.hang_up()
        assert (await centre.ledger(second))["operators"] == ["101"]
