"""The engine is away in mid-day: offers follow its last order, ready codes work, and its return rings nobody twice."""

from __future__ import annotations

import asyncio

import pytest
from centre import Centre, Phone, first_to_ring, kill, talk

from demo.ends.calls import IncomingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


def rung(*phones: Phone) -> int:
    """Offers that these telephones ever got."""
    return sum(isinstance(call, IncomingCall) for phone in phones for call in phone.end.calls)


async def test_distribution_without_engine(own_centre: Centre) -> None:
    centre = own_centre
    async with centre.at_work("101", "102", "103") as phones:
        # Whoever talks first has carried most and comes last from then on.
        call = await centre.queued("1")
        busiest, offer = await first_to_ring(*phones)
        offer.answer()
        await talk(call, offer)
        await offer.hang_up()
        await busiest.state("ready")
        others = [phone for phone in phones if phone is not busiest]

        async with centre.without_engine():
            takers: list[Phone] = []
            for _ in range(2):
                call = await centre.queued("1")
                taker, offer = await first_to_ring(*(phone for phone in phones if phone not in takers))
                offer.answer()
                await talk(call, offer)
                await offer.hang_up()
                takers.append(taker)
            assert takers == others or takers == others[::-1], "the last order does not hold"
            # Both are in wrap-up, and nobody is there to end it: the busiest is the only one free.
            call = await centre.queued("1")
            offer = await busiest.rings()
            offer.answer()
            await talk(call, offer)
            waiting = await centre.queued("1")
            await takers[1].ready()
            offered = await takers[1].rings()
            offered.answer()
            await talk(waiting, offered)
            assert rung(*phones) == 5
            await offer.hang_up()

        # The new engine finds one talk and two operators in wrap-up, and ends what has lasted long enough.
        await takers[1].state("talking")
        await busiest.state("ready")
        await takers[0].state("ready")
        assert rung(*phones) == 5, "somebody was rung although nobody waited"
        await waiting.hang_up()
        await takers[1].state("ready")

        # Stopped instead of killed: the same.
        old = centre.engine_pid()
        call = await centre.queued("1")
        taker, offer = await first_to_ring(*phones)
        kill(old)
        offer.answer()
        await talk(call, offer)
        await centre.engine_is_back(old)
        await taker.state("talking")
        second = await centre.queued("1")
        other, next_offer = await first_to_ring(*(phone for phone in phones if phone is not taker))
        next_offer.answer()
        await talk(second, next_offer)
        assert other is not taker
        assert rung(*phones) == 7
        await asyncio.gather(call.hang_up(), second.hang_up())
        records = await asyncio.gather(*(centre.ledger(made) for made in centre.made))
    assert [record["disposition"] for record in records] == ["answered"] * len(centre.made)
    assert [len(record["offers"]) for record in records] == [1] * len(centre.made)
