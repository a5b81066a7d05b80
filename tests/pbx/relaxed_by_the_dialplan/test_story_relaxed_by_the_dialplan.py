"""Who may take a caller widens with the wait, stage by stage, by the dialplan's own timer and for that caller alone."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, first_to_ring, talk

from demo.ends.calls import IncomingCall
from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_each_stage_in_its_turn(guarded: Centre) -> None:
    """Level 5 from the start (away), 3 after four seconds, 1 after eight."""
    async with guarded.at_work("101", "102", "103") as (master, middle, beginner):
        await master.dial("*21")
        await master.state("paused:break1")
        first = await guarded.queued("1")
        offer = await middle.answer()
        waited = guarded.wait_until(first, offer.moments[Moment.INVITE])
        assert waited == pytest.approx(4.0, abs=2.0)
        await talk(first, offer)
        second = await guarded.queued("1")
        last = await beginner.answer()
        later = guarded.wait_until(second, last.moments[Moment.INVITE])
        assert later == pytest.approx(8.0, abs=2.0)
        await talk(second, last)
        for call in (first, second):
            await call.hang_up()
        records = [await guarded.ledger(call) for call in (first, second)]
    assert [(r["disposition"], r["operators"]) for r in records] == [
        ("answered", ["102"]),
        ("answered", ["103"]),
    ]
    # One wait from the first queue to the last, although each stage is a queue of its own.
    assert records[1]["wait_s"] == pytest.approx(
        guarded.wait_until(second, last.moments[Moment.ANSWERED]), abs=1.0
    )


async def test_two_free_operators_and_only_the_older_caller_relaxed(guarded: Centre) -> None:
    async with guarded.at_work("101", "103", "104") as (master, one, two):
        await master.dial("*21")
        await master.state("paused:break1")
        older = await guarded.queued("1")
        await eventually(lambda: _waited(guarded) >= 4.0, what="the older caller's four seconds")
        younger = await guarded.queued("1")
        taker, offer = await first_to_ring(one, two)
        other = two if taker is one else one
        assert offer.answer()
        await talk(older, offer)
        assert not [call for call in other.end.calls if isinstance(call, IncomingCall)]
        second = await other.answer()
        assert guarded.wait_until(younger, second.moments[Moment.INVITE]) >= 6.5
        await talk(younger, second)
        for call in (older, younger):
            await call.hang_up()


def _waited(centre: Centre) -> float:
    return max((caller["waited_s"] for caller in centre.live().get("waiting", [])), default=0.0)
