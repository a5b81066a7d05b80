"""A waiting citizen hears the place in line and an honest wait over the music, and keeps the place."""

from __future__ import annotations

import time

import pytest
from centre import Centre, eventually, kill, talk

from core.ids import CallId, OperatorId, QueueName
from ledger.calls import Call, Disposition, Segment

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
    (word,) = record["wait_words"]
    assert (word["position"], word["least_min"], word["most_min"]) == (1, None, None), (
        "nobody served: no figure"
    )
    channels = await centre.cli("core show channels concise")
    assert "whisper" not in channels


def yesterdays_call(number: int) -> Call:
    """Ten seconds of talk."""
    at = time.time() - 86_400 + 60 * number
    segment = Segment(
        operator=OperatorId("102"),
        started_at=at + 5,
        ended_at=at + 15,
        queue=QueueName("portal-ja"),
        wrap_up_s=2.0,
    )
    return Call(
        call_id=CallId(f"c-yesterday-{number}.1"),
        sip_call_id=f"yesterday-{number}",
        caller=None,
        dialled="0120000901",
        arrived_at=at,
        ended_at=at + 15,
        line="portal",
        language="ja",
        disposition=Disposition.ANSWERED,
        queue=QueueName("portal-ja"),
        segments=(segment,),
        wait_s=5.0,
        talk_s=10.0,
    )


async def test_a_range_is_told_and_true(own_centre: Centre) -> None:
    centre = own_centre
    # A start learns from the ledger what calls are like; then those calls leave it again.
    past = [yesterdays_call(number) for number in range(20)]
    async with centre.database.uow() as unit:
        await unit.calls.put(past)
    old, killed_at = centre.engine_pid(), time.time()
    kill(old)
    await centre.engine_is_back(old)
    # The old engine's last word may look fresh; only the new one writes later than this.
    await eventually(lambda: centre.live().get("at", 0.0) > killed_at + 0.5, what="the new engine's word")
    await eventually(lambda: centre.live().get("speaks"), within=60, what="a voice for the new engine")
    async with centre.database.uow() as unit:
        await unit.retention.drop_calls([each.call_id for each in past])
    async with centre.at_work("101") as (phone,):
        first = await centre.queued("2")
        offer = await phone.answer()
        await talk(first, offer)
        second = await centre.queued("2")
        await centre.hears(second, "wait_stay")
        assert await centre.heard_sentence(
            second, "ただいま、1番目にお待ちいただいております。長くても1分ほどで、おつなぎできる見込みです。"
        )
        await first.hang_up()
        await talk(second, await phone.answer())
        await second.hang_up()
        record = await centre.ledger(second)
    (word,) = record["wait_words"]
    assert (word["position"], word["least_min"], word["most_min"]) == (1, 0, 1)
    assert record["disposition"] == "answered"
    assert 0 < record["segments"][0]["started_at"] - word["at"] <= 60
