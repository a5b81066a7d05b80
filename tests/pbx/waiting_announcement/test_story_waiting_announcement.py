"""A waiting citizen hears the place in line over the music, and keeps it."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_waiting_announcement(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        call = await centre.queued("2")
        await centre.hears(call, "wait_stay")
        assert await centre.heard_sentence(call, "ただいま、1番目にお待ちいただいております。")
        assert [caller["queue"] for caller in centre.live()["waiting"]] == ["portal-ja"]
        sound_s = call.media.voice.sound_s
        await eventually(lambda: call.media.voice.sound_s > sound_s + 1, what="music again")
        await phone.ready()
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"], record["line"]) == ("answered", ["101"], "portal")
    channels = await centre.cli("core show channels concise")
    assert "whisper" not in channels
