"""A citizen presses a key, waits, and talks with an operator; the operator hangs up."""

from __future__ import annotations

import pytest
from centre import Centre, talk, tone_s

from demo.ends.dialog import Moment, Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_answered(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        call = await centre.call()
        await centre.hears(call, "menu_main")
        await call.media.press("1")
        offer = await phone.answer()
        await talk(call, offer)
        await offer.hang_up()
        assert await call.ended(10)
        assert call.ended_by is Side.PEER
        record = await centre.ledger(call)
        await phone.state("ready")

    assert centre.heard(call)[0] == "greeting"
    assert record["disposition"] == "answered"
    assert record["operators"] == ["101"]
    assert record["menu_path"] == ["main:1"]
    assert record["ended_by"] == "operator"
    assert (record["line"], record["language"]) == ("card", "ja")
    answered_at = offer.moments[Moment.ANSWERED]
    assert record["wait_s"] == pytest.approx(centre.wait_until(call, answered_at), abs=1.0)
    assert record["talk_s"] == pytest.approx(offer.moments[Moment.BYE_SENT] - answered_at, abs=1.0)
    sides = await centre.sides(record)
    assert tone_s(sides["citizen"], 600) > 0.3
    assert tone_s(sides["citizen"], 1000) < 0.1
    assert tone_s(sides["line"], 1000) > 0.3
    assert tone_s(sides["line"], 600) < 0.1
    legs = {quality["leg"].split("-")[0] for quality in record["quality"]}
    assert legs == {"PJSIP/trunk", "PJSIP/op101"}


async def test_gone_at_once(centre: Centre) -> None:
    """An operator who hangs up within a moment of the bridge: theirs is the end, and they are free again."""
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        offer = await phone.answer()
        await offer.hang_up()
        assert await call.ended(10)
        record = await centre.ledger(call)
        await phone.state("ready")
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert record["ended_by"] == "operator"
