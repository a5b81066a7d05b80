"""The engine is dead and the centre is closed: the script knows the hours too."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_fallback_after_hours(own_centre: Centre) -> None:
    centre = own_centre
    centre.set_city_time("2026-11-24T19:30:00+09:00")
    async with centre.without_engine():
        call = await centre.call()
        assert await call.ended(40)
        assert call.ended_by is Side.PEER
    record = await centre.ledger(call)
    heard = [name for name in centre.heard(call) if name != "language"]
    assert heard == ["greeting", "closed_after_hours", "closed_static", "goodbye"]
    assert (record["disposition"], record["closed_reason"]) == ("after_hours", "after_hours")
    assert (record["ended_by"], record["operators"]) == ("system", [])
    assert record["fallbacks"] == [{"step": "ivr", "why": "no_heartbeat", "by": "script"}]
    assert len(await centre.records()) == 1
