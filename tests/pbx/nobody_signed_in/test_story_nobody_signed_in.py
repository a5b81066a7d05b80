"""Nobody is at work: the citizen hears so, and a clean end."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_nobody_signed_in(centre: Centre) -> None:
    call = await centre.queued("1")
    assert await call.ended(20)
    assert call.ended_by is Side.PEER
    record = await centre.ledger(call)
    assert centre.heard(call)[-2:] == ["connecting", "overflow_nobody"]
    assert centre.heard_prompts(call)[-1].whole
    assert (record["disposition"], record["overflow_reason"]) == ("overflow", "nobody")
    assert (record["ended_by"], record["operators"]) == ("system", [])
    assert record["wait_s"] == pytest.approx(0.0, abs=1.0)
