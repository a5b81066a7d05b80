"""Called in the evening: the reason, the next opening, goodbye, and a clean end by the centre."""

from __future__ import annotations

import pytest
from centre import OPEN, Centre

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_after_hours(centre: Centre) -> None:
    centre.set_city_time("2026-11-24T19:30:00+09:00")
    try:
        call = await centre.call()
        assert await call.ended(40)
    finally:
        centre.set_city_time(OPEN)
    assert centre.heard(call)[:2] == ["greeting", "closed_after_hours"]
    record = await centre.ledger(call)
    assert record["disposition"] == "after_hours"
    assert record["closed_reason"] == "after_hours"
    assert record["ended_by"] == "system"
