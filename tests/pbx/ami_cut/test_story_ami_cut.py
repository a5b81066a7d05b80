"""The AMI connection is cut while things happen: the engine comes back and sees the floor as it is."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, talk

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_ami_cut(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        first = await centre.queued("1")
        offer = await phone.answer()
        await talk(first, offer)
        waiting = await centre.queued("2")  # the line with the longer wait limit
        lost = centre.log().count("AMI connection lost")
        await cut(centre)
        # Unseen by the engine: the end of one call, and another caller's arrival.
        await offer.hang_up()
        third = await centre.queued("2")
        await eventually(lambda: centre.log().count("AMI connection lost") == lost + 1, what="the cut")
        next_offer = await phone.answer()
        gap_s = next_offer.moments[Moment.INVITE] - offer.moments[Moment.BYE_SENT]
        assert gap_s <= 5.0, "wrap-up of two seconds went on for ever"
        await talk(waiting, next_offer)
        await phone.state("talking")
        await eventually(lambda: len(centre.live()["waiting"]) == 1, what="one waiting")
        await waiting.hang_up()
        last_offer = await phone.answer()
        await talk(third, last_offer)
        await third.hang_up()
        records = [await centre.ledger(call) for call in (first, waiting, third)]
    assert [record["disposition"] for record in records] == ["answered"] * 3
    assert [record["operators"] for record in records] == [["101"]] * 3
    assert records[0]["ended_by"] == "operator"


async def cut(centre: Centre) -> None:
    """Asterisk shuts the engine's socket."""
    shown = await centre.cli("manager show connected")
    numbers = [line.split()[4] for line in shown.splitlines() if line.strip().startswith("toritsugi")]
    assert numbers, shown
    for number in numbers:
        await centre.cli(f"manager kick session {number}")
