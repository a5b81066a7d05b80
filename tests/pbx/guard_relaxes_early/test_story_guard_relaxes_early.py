"""A caller who would pass the limit goes to the next stage long before the dialplan's timer."""

from __future__ import annotations

import time

import pytest
from centre import Centre, talk

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_guard_relaxes_early(guarded: Centre) -> None:
    began = time.time()
    async with guarded.at_work("101", "103") as (master, beginner):
        await master.dial("*21")
        await master.state("paused:break1")
        call = await guarded.queued("2")
        offer = await beginner.answer()
        # The limit is ten seconds, the step is taken eight before it; the timer would come after fifty.
        waited = guarded.wait_until(call, offer.moments[Moment.INVITE])
        assert 1.0 <= waited <= 6.0
        await talk(call, offer)
        await call.hang_up()
        record = await guarded.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["103"])
    assert record["wait_s"] == pytest.approx(
        guarded.wait_until(call, offer.moments[Moment.ANSWERED]), abs=1.0
    )
    (line,) = await guarded.audited("guard.relax", since=began)
    assert (line.actor, line.subject) == ("engine", record["call_id"])
    assert line.detail["why"] == "predicted"
    assert line.detail["limit_s"] == 10.0
    assert line.detail["waited_s"] + line.detail["remaining_s"] >= 10.0
