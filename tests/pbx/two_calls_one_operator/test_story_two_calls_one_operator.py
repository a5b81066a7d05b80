"""Two callers, one operator: one offer at a time, in the order of arrival."""

from __future__ import annotations

import pytest
from centre import Centre, Phone, eventually, talk

from demo.ends.calls import IncomingCall
from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_two_calls_one_operator(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        first = await centre.queued("1")
        offer = await phone.rings()
        second = await centre.queued("1")
        await eventually(lambda: len(centre.live()["waiting"]) == 2, what="two waiting")
        assert offer.answer()
        await talk(first, offer)
        assert len(invites(phone)) == 1, "a second offer during the first"
        await first.hang_up()
        next_offer = await phone.answer()
        assert next_offer.moments[Moment.INVITE] - first.moments[Moment.BYE_SENT] >= 1.9
        await talk(second, next_offer)
        await second.hang_up()
        records = [await centre.ledger(call) for call in (first, second)]
        assert len(invites(phone)) == 2
    for record, call, taken in zip(records, (first, second), (offer, next_offer), strict=True):
        assert (record["disposition"], record["operators"]) == ("answered", ["101"])
        seen = centre.wait_until(call, taken.moments[Moment.ANSWERED])
        assert record["wait_s"] == pytest.approx(seen, abs=1.0)


def invites(phone: Phone) -> list[IncomingCall]:
    """Every offer that this telephone ever got."""
    return [call for call in phone.end.calls if isinstance(call, IncomingCall)]
