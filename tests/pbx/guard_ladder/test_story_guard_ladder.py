"""To the end of the ladder: relaxed, the responsible person called in, and at last the overflow message."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from centre import Centre, Phone, first_to_ring, talk

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


@contextlib.asynccontextmanager
async def standing_by(centre: Centre, operator: str) -> AsyncIterator[Phone]:
    """Somebody whose group is not called in, signed in all the same."""
    phone = await centre.phone(operator, sign_in=False)
    try:
        await phone.sign_in_to_stand_by()
        yield phone
    finally:
        await centre.close_phone(phone)


async def test_guard_ladder(guarded: Centre) -> None:
    began = time.time()
    async with guarded.at_work("101", "102") as (one, two), standing_by(guarded, "303") as responsible:
        busy = [await guarded.queued("3")]
        taker, taken = await first_to_ring(one, two)
        assert taken.answer()
        busy.append(await guarded.queued("3"))
        await (two if taker is one else one).answer()
        call = await guarded.queued("4")
        # Rings, and nobody takes it.
        missed = await responsible.rings()
        await guarded.hears(call, "overflow_wait", within=30)
        assert await call.ended(20)
        assert call.ended_by is Side.PEER
        assert missed.is_over
        record = await guarded.ledger(call)
        await talk(busy[0], taken)
        for each in busy:
            await each.hang_up()
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
