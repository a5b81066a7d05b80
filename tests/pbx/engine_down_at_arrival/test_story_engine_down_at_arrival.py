"""The engine is dead and stays dead: callers are led, connected and recorded all the same."""

from __future__ import annotations

import pytest
from centre import Centre, talk, tone_s

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_engine_down_at_arrival(own_centre: Centre) -> None:
    centre = own_centre
    async with centre.at_work("101") as (phone,):
        async with centre.without_engine():
            call = await centre.call()
            await centre.hears(call, "menu_main")
            await call.media.press("2")
            offer = await phone.answer()
            await talk(call, offer)
            second = await centre.queued("1")
            await offer.hang_up()
            assert await call.ended(5)
            # Nobody ends the wrap-up but the operator; that works without the engine.
            await phone.ready()
            next_offer = await phone.answer()
            await talk(second, next_offer)
            await second.hang_up()
            assert await next_offer.ended(5)
        record = await centre.ledger(call)
        after = await centre.ledger(second)
        await phone.state("ready")
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert (record["menu_path"], record["line"], record["ended_by"]) == (["main:2"], "portal", "operator")
    assert record["fallbacks"] == [{"step": "ivr", "why": "no_heartbeat", "by": "script"}]
    seen = centre.wait_until(call, offer.moments[Moment.ANSWERED])
    assert record["wait_s"] == pytest.approx(seen, abs=1.0)
    assert (after["disposition"], after["operators"], after["ended_by"]) == ("answered", ["101"], "citizen")
    sides = await centre.sides(record)
    assert tone_s(sides["citizen"], 600) > 0.3
    assert tone_s(sides["line"], 1000) > 0.3
    assert len(await centre.records()) == 2
