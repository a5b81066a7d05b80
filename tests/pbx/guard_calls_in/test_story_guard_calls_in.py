"""More than two waiting: all booths, until it is calm again; nobody is fetched from a break."""

from __future__ import annotations

import time

import pytest
from centre import Centre, eventually, talk

from demo.ends.calls import IncomingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_guard_calls_in(guarded: Centre) -> None:
    began = time.time()
    async with guarded.at_work("101") as (regular,):
        booth = await guarded.phone("301", sign_in=False)
        told = await booth.sign_in_to_stand_by()
        assert guarded.heard(told) == ["op_reserve"]
        resting = await guarded.phone("302", sign_in=False)
        await resting.sign_in_to_stand_by()
        await resting.dial("*21")
        await resting.state("paused:break1")

        busy = await guarded.queued("3")
        offer = await regular.answer()
        await talk(busy, offer)
        waiting = [await guarded.queued("3") for _ in range(2)]
        await eventually(lambda: len(guarded.live()["waiting"]) == 2, what="two waiting")
        assert guarded.live()["called_in"] == []
        waiting.append(await guarded.queued("3"))
        helped = await booth.answer()
        # What is shown is up to half a second old.
        await eventually(lambda: guarded.live()["called_in"] == ["booth"], what="the booth called in")
        await talk(waiting[0], helped)
        assert not [call for call in resting.end.calls if isinstance(call, IncomingCall)]

        # Calm: the others give up. The booth talks on, and stands by after that.
        for call in waiting[1:]:
            await call.hang_up()
        await eventually(lambda: guarded.live()["called_in"] == [], what="the end of the call-in")
        assert guarded.operator_state("301") == "talking"
        await waiting[0].hang_up()
        await booth.state("paused:reserve")
        one = await guarded.queued("3")
        await resting.dial("*13")
        await resting.state("paused:reserve")
        await busy.hang_up()
        taken = await regular.answer()
        await talk(one, taken)
        await one.hang_up()
        assert len([call for call in booth.end.calls if isinstance(call, IncomingCall)]) == 1
        assert not [call for call in resting.end.calls if isinstance(call, IncomingCall)]
        for phone in (booth, resting):
            await guarded.close_phone(phone)
    (called,) = await guarded.audited("guard.call_in", since=began)
    assert (called.subject, called.detail["why"], called.detail["operators"]) == ("booth", "waiting", ["301"])
    assert called.detail["waiting"] == 3
    (over,) = await guarded.audited("guard.send_back", since=began)
    assert (over.subject, over.detail["why"]) == ("booth", "calm")
    assert over.at - called.at >= 4.0
