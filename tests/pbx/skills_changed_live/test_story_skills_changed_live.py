"""Skills change while people work: the next offer follows them, and the change stands in the audit."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_skills_changed_live(own_centre: Centre) -> None:
    centre = own_centre
    await centre.command("operator", "skills", "101", "--skill", "card=4")
    async with centre.at_work("101", "102") as (one, two):
        await two.dial("*21")
        await two.state("paused:break1")
        # 101 has lost the portal: its caller waits although 101 is free.
        waiting = await centre.queued("2")
        await eventually(lambda: len(centre.live()["waiting"]) == 1, what="one waiting")
        for_card = await centre.queued("1")
        offer = await one.rings()
        offer.answer()
        await talk(for_card, offer)
        # Given in the middle of a talk, it counts for the next offer: after this talk's wrap-up, not before.
        await centre.command("operator", "skills", "101", "--skill", "card=4", "--skill", "portal=2")
        await offer.hang_up()
        following = await one.rings()
        following.answer()
        await talk(waiting, following)
        await following.hang_up()
        await one.state("ready")
        # Taken away again while ready.
        await centre.command("operator", "skills", "101", "--skill", "card=4")
        await eventually(
            lambda: _not_member(centre, "portal-ja", "op101"), within=10, what="101 out of the portal's queue"
        )
        async with centre.database.reading() as unit:
            entries = await unit.audit.between(0.0, 4e9)
    mine = [entry for entry in entries if entry.action == "operator.skills"]
    assert [entry.subject for entry in mine] == ["101"] * 3
    assert {entry.actor for entry in mine} == {"sato"}
    assert mine[1].detail == {"before": {"card": 4}, "after": {"card": 4, "portal": 2}}


async def _not_member(centre: Centre, queue: str, member: str) -> bool:
    return member not in await centre.cli(f"queue show {queue}")
