"""Called on a public holiday that falls on a weekday."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_holiday(centre: Centre) -> None:
    centre.set_city_time("2026-11-23T10:00:00+09:00")
    call = await centre.call()
    await call.media.press("1")  # nobody who knows the menu waits for the language
    assert await call.ended(40)
    assert call.ended_by is Side.PEER
    record = await centre.ledger(call)
    heard = [name for name in centre.heard(call) if name != "language"]
    assert [heard[0], heard[1], heard[-1]] == ["greeting", "closed_holiday", "goodbye"]
    assert await centre.heard_sentence(call, "次の受付は、明日、午前9時からです。")
    assert (record["disposition"], record["closed_reason"]) == ("after_hours", "holiday")
    assert (record["ended_by"], record["wait_s"]) == ("system", None)
