"""Somebody is on the line at three in the morning, when the logs are rotated: their call is told whole."""

from __future__ import annotations

import pytest
from centre import Centre, eventually

from core.settings import settings_from
from telephony.disk.rotation import rotated

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_a_call_over_the_night(own_centre: Centre) -> None:
    centre = own_centre
    settings = settings_from({"TORITSUGI_HOME": str(centre.home)})
    logs = (settings.cel_log, settings.queue_log, settings.queue_log.with_name("messages.log"))
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        await phone.answer()
        await phone.state("talking")
        centre.set_city_time("2026-11-25T03:00:30+09:00")
        await eventually(lambda: all(rotated(log) for log in logs), within=30, what="rotation")
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert record["ended_by"] == "citizen"
    assert record["talk_s"] > 0
    assert settings.cel_log.stat().st_size
    assert settings.queue_log.read_text().count("CONFIGRELOAD") == 1

    evening = await centre.call()
    assert await evening.ended(40)
    record = await centre.ledger(evening)
    assert record["disposition"] == "after_hours"
    assert len(await centre.records()) == 2
