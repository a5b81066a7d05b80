"""An operator takes a break with a reason, and comes back."""

from __future__ import annotations

import pytest
from centre import Centre, Phone, eventually, talk

from demo.ends.calls import IncomingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_pause_codes(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        told = await phone.dial("*21", listen=True)
        assert centre.heard(told) == ["op_paused"]
        await phone.state("paused:break1")
        call = await centre.queued("1")
        await eventually(lambda: centre.live()["waiting"], what="waiting")
        assert await call.media.voice.wait_sound(5, at_least_s=1.0)
        assert offers(phone) == 0, "an offer during a break"
        await phone.dial("*22")
        await phone.state("paused:break2")
        assert offers(phone) == 0
        told = await phone.dial("*13", listen=True)
        offer = await phone.answer()
        assert centre.heard(told) == ["op_ready"]
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])


def offers(phone: Phone) -> int:
    return sum(isinstance(call, IncomingCall) for call in phone.end.calls)
