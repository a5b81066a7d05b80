"""Operators who serve several queues take the caller who has waited longest, whichever queue that is."""

from __future__ import annotations

import pytest
from centre import Centre, eventually, talk

from demo.ends.calls import IncomingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_one_operator_three_queues_and_callers_in_all(guarded: Centre) -> None:
    async with guarded.at_work("101") as (phone,):
        now = await guarded.queued("3")
        offer = await phone.answer()
        english = await guarded.call()
        await english.media.press("9")
        await guarded.hears(english, "menu_main", language="en")
        await english.media.press("1")
        await _waiting(guarded, 1)
        crowd = await guarded.queued("3")
        await _waiting(guarded, 2)
        japanese = await guarded.queued("1")
        await _waiting(guarded, 3)
        queues = [caller["queue"] for caller in guarded.live()["waiting"]]
        assert [queue.partition("_")[0].partition("-")[0] for queue in queues] == [
            "stages",
            "crowd",
            "stages",
        ]
        await talk(now, offer)
        await now.hang_up()
        for caller in (english, crowd, japanese):
            taken = await phone.answer()
            await talk(caller, taken)
            await caller.hang_up()
        records = [await guarded.ledger(call) for call in (english, crowd, japanese)]
    assert [record["operators"] for record in records] == [["101"]] * 3


async def test_two_queues_share_two_operators(guarded: Centre) -> None:
    async with guarded.at_work("101", "102") as (one, two):
        first = [await guarded.queued("3"), await guarded.queued("3")]
        offers = [await one.answer(), await two.answer()]
        older = await guarded.queued("1")
        # Until the older caller has come so far that both may serve them.
        await eventually(
            lambda: [c["queue"] for c in guarded.live()["waiting"]] == ["stages_2-ja"],
            what="the second stage",
        )
        younger = await guarded.queued("3")
        await _waiting(guarded, 2)
        await offers[1].hang_up()
        taken = await two.answer()
        await talk(older, taken)
        await offers[0].hang_up()
        also = await one.answer()
        await talk(younger, also)
        for call in (older, younger):
            await call.hang_up()
        records = [await guarded.ledger(call) for call in (*first, older, younger)]
        rung = [sum(isinstance(call, IncomingCall) for call in phone.end.calls) for phone in (one, two)]
    assert rung == [2, 2]
    assert [r["operators"] for r in records[2:]] == [["102"], ["101"]]
    assert {tuple(r["operators"]) for r in records[:2]} == {("101",), ("102",)}


async def _waiting(centre: Centre, number: int) -> None:
    await eventually(lambda: len(centre.live()["waiting"]) == number, what=f"{number} waiting")
