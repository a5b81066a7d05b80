"""The engine is dead: callers go through the stages all the same."""

from __future__ import annotations

import pytest
from centre import Centre, talk

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_relaxed_without_engine(own_guarded: Centre) -> None:
    centre = own_guarded
    async with centre.at_work("101", "103") as (master, beginner):
        await master.dial("*21")
        await master.state("paused:break1")
        async with centre.without_engine():
            call = await centre.chooses("1")
            offer = await beginner.answer()
            assert centre.wait_until(call, offer.moments[Moment.INVITE]) == pytest.approx(8.0, abs=2.0)
            await talk(call, offer)
            # Nobody could call a group in now: who signs in is ready at once.
            booth = await centre.phone("301", sign_in=False)
            told = await booth.dial("*11", listen=True)
            assert centre.heard(told) == ["op_signed_in"]
            crowd = await centre.chooses("3")
            helped = await booth.answer()
            await talk(crowd, helped)
            for each in (call, crowd):
                await each.hang_up()
        # The new engine takes them for called in, and sends them back when it is calm.
        await booth.state("paused:reserve", within=25)
        await centre.close_phone(booth)
        records = [await centre.ledger(each) for each in (call, crowd)]
    assert [record["operators"] for record in records] == [["103"], ["301"]]
    assert [entry.subject for entry in await centre.audited("guard.send_back")] == ["booth"]
