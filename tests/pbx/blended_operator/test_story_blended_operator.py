"""An operator who serves the video desk as well: no telephone call while their caps leave no room."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, talk

from demo.ends.calls import IncomingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_blended_operator(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        await centre.command("operator", "in-hand", "101", "video=1")
        await phone.state("paused:elsewhere")
        waiting = await centre.queued("1")
        await eventually(lambda: len(centre.live()["waiting"]) == 1, what="one waiting")
        # Room for a telephone call beside the video desk: within a second, without anybody's doing anything.
        await centre.command("operator", "caps", "101", "together=2")
        offer = await phone.answer()
        await talk(waiting, offer)
        # The default again in the middle of the talk: it goes on, and its wrap-up ends at the video desk.
        await centre.command("operator", "caps", "101")
        later = await centre.queued("1")
        await talk(waiting, offer)
        await offer.hang_up()
        await phone.state("paused:elsewhere")
        assert sum(isinstance(call, IncomingCall) for call in phone.end.calls) == 1, (
            "rung beside the video desk"
        )
        await centre.command("operator", "in-hand", "101")
        following = await phone.answer()
        await talk(later, following)
        await following.hang_up()
        await phone.state("ready")
        records = [await centre.ledger(call) for call in (waiting, later)]
        entries = [entry.action for entry in await centre.audited("operator.in_hand")]
    assert [record["operators"] for record in records] == [["101"], ["101"]]
    assert entries == ["operator.in_hand"] * 2
