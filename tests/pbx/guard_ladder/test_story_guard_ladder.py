"""To the end of the ladder: relaxed, the responsible person called in, and at last the overflow message."""

from __future__ import annotations

import time

import pytest
from centre import Centre, talk

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_guard_ladder(guarded: Centre) -> None:
    began = time.time()
    async with guarded.at_work("101", "102") as (one, two):
        responsible = await guarded.phone("303", sign_in=False)
        await responsible.sign_in_to_stand_by()
        busy = [await guarded.queued("3"), await guarded.queued("3")]
        offers = [await one.answer(), await two.answer()]
        call = await guarded.queued("4")
        # Rings, and nobody takes it.
        missed = await responsible.rings()
        await guarded.hears(call, "overflow_wait", within=30)
        assert await call.ended(20)
        assert call.ended_by is Side.PEER
        assert missed.is_over
        record = await guarded.ledger(call)
        await talk(busy[0], offers[0] if record else offers[1])
        for each in busy:
            await each.hang_up()
        await guarded.close_phone(responsible)
    assert (record["disposition"], record["overflow_reason"]) == ("overflow", "wait_limit")
    assert 11.0 <= record["wait_s"] <= 20.0
    steps = [
        (entry.action, entry.subject, entry.detail["rung"])
        for action in ("guard.relax", "guard.call_in", "guard.offer_callback", "guard.overflow")
        for entry in await guarded.audited(action, since=began)
    ]
    assert steps == [
        ("guard.relax", record["call_id"], 1),
        ("guard.call_in", "responsible", 3),
        ("guard.overflow", record["call_id"], 5),
    ]
    moments = [
        (await guarded.audited(action, since=began))[0].at
        for action in ("guard.relax", "guard.call_in", "guard.overflow")
    ]
    assert moments == sorted(moments)
