"""Every telephone of a queue is gone although its operators are signed in: callers wait for one to come back."""

from __future__ import annotations

import pytest
from centre import Centre, Phone, eventually, talk

from acd.away import AWAY_S

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
KEY = "3"
"""A line whose own limit is longer than the story."""


async def unplugged(centre: Centre, phone: Phone) -> None:
    await phone.end.unregister()

    async def gone() -> bool:
        return "Unavailable" in await centre.cli("queue show consult-ja")

    await eventually(gone, what="the switch to see that the telephone is gone")


async def plugged_in(centre: Centre, phone: Phone) -> None:
    await phone.end.register(f"op{phone.operator}", centre.secrets[phone.operator], centre.place)


async def test_it_comes_back(consulting: Centre) -> None:
    """Who waited already and who calls meanwhile: both are served, in their order."""
    centre = consulting
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        first = await centre.queued(KEY)
        await phone.end.unregister()
        second = await centre.queued(KEY)
        await eventually(lambda: len(centre.live()["waiting"]) == 2, what="both waiting")
        assert "Unavailable" in await centre.cli("queue show consult-ja")
        await plugged_in(centre, phone)
        await phone.ready()
        for call in (first, second):
            await talk(call, offer := await phone.answer())
            await offer.hang_up()
            await phone.ready()
        records = [await centre.ledger(call) for call in (first, second)]
    assert [record["disposition"] for record in records] == ["answered", "answered"]
    assert records[0]["wait_s"] > records[1]["wait_s"]


async def test_none_comes_back(consulting: Centre) -> None:
    """The citizen is told that nobody is there; the time that they waited is in the ledger."""
    centre = consulting
    async with centre.at_work("101") as (phone,):
        await unplugged(centre, phone)
        call = await centre.queued(KEY)
        await eventually(lambda: centre.live()["waiting"], what="the citizen in the queue")
        await centre.hears(call, "overflow_nobody", within=AWAY_S + 20)
        assert await call.ended(20)
        record = await centre.ledger(call)
        await plugged_in(centre, phone)
    assert (record["disposition"], record["overflow_reason"]) == ("overflow", "nobody")
    assert AWAY_S - 5 < record["wait_s"] < AWAY_S + 15
