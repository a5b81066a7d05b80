"""宇部市 仕様書 10(2), 10(4)ア③: at least seven simultaneous calls. The eighth waits, and is answered when one ends."""

from __future__ import annotations

import asyncio

import pytest
from centre import Centre, eventually, first_to_ring, talk, tone, tone_s

from demo.ends.calls import IncomingCall, OutgoingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

NUMBER = "0836000001"


async def test_seven_conversations_at_once(ube: Centre) -> None:
    numbers = sorted(ube.secrets)
    assert len(numbers) == 7
    async with ube.at_work(*numbers) as phones:
        free, talks = list(phones), []
        for _ in numbers:
            citizen = await ube.chooses("1", number=NUMBER)
            phone, offer = await first_to_ring(*free)
            free.remove(phone)
            assert offer.answer()
            talks.append((phone, citizen, offer))
        await eventually(
            lambda: list(ube.live()["operators"].values()) == ["talking"] * 7, what="seven conversations"
        )
        eighth = await ube.chooses("1", number=NUMBER)
        await eventually(lambda: len(ube.live()["waiting"]) == 1, what="the eighth waiting")
        # All seven speak and listen at the same time.
        await asyncio.gather(*(both_ways(citizen, offer) for _phone, citizen, offer in talks))
        assert not any(citizen.is_over or offer.is_over for _phone, citizen, offer in talks)
        assert not eighth.is_over
        phone, citizen, _offer = talks[3]
        await citizen.hang_up()
        await phone.state("wrapup")
        await phone.ready()
        last = await phone.answer()
        await talk(eighth, last)
        for call in (*(citizen for _phone, citizen, _offer in talks), eighth):
            if not call.is_over:
                await call.hang_up()
        records = [await ube.ledger(citizen) for _phone, citizen, _offer in talks]
        record = await ube.ledger(eighth)
    assert [each["disposition"] for each in records] == ["answered"] * 7
    assert sorted(each["operators"][0] for each in records) == numbers
    assert (record["disposition"], record["operators"]) == ("answered", [phone.operator])


async def both_ways(citizen: OutgoingCall, operator: IncomingCall) -> None:
    await asyncio.gather(citizen.media.say(tone(700, 2.0)), operator.media.say(tone(1100, 2.0)))
    for listener, hz in ((operator, 700), (citizen, 1100)):
        heard = listener.media.heard.recording().samples
        assert tone_s(heard, hz) > 1.5
