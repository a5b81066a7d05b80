"""The desk dies, through which a browser's telephone speaks to the switch; the parent starts another one.

Promised: no citizen is offered to a telephone that nobody hears for longer than one ring, others are offered the call
meanwhile, whoever still waits is offered here when the desk is back, and a talk goes on. The operator reads on the
screen what their telephone is at each moment.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest
from at_the_seat import Seat, gets_to_hear, said
from centre import Centre, eventually, kill
from handover import Handover
from playwright.async_api import expect

from demo.ends.calls import OutgoingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
CITIZEN_HZ = 600.0
CUT = "交換機とつながっていません"
READY, RINGS, TALKS, AWAY = "電話を受けられます", "電話が鳴っています", "通話中", "つなぎなおしています"


@contextlib.asynccontextmanager
async def no_desk(centre: Centre, seat: Seat) -> AsyncIterator[None]:
    """The desk is dead and nobody starts another one until the end of the block; the operator sees both."""
    parent = centre.warden()["pid"]
    os.kill(parent, signal.SIGSTOP)
    try:
        kill(centre.warden()["desk"]["pid"])
        await expect(seat.phone.locator("#phone-more")).to_contain_text(CUT)
        await expect(seat.desk.locator("#strip-more")).to_contain_text(CUT)
        yield
    finally:
        os.kill(parent, signal.SIGCONT)


async def at_work(seat: Seat) -> None:
    """The telephone is there again, and its operator is offered calls."""
    await expect(seat.phone.locator("#phone-now")).to_have_text(READY, timeout=30_000)
    await seat.says(READY)
    await expect(seat.desk.locator("#lost")).to_be_empty()
    await expect(seat.desk.locator("#r-state")).to_contain_text("受付可")


async def takes(seat: Seat) -> None:
    await expect(seat.phone.locator("#phone-now")).to_have_text(RINGS, timeout=30_000)
    await seat.desk.keyboard.press("Alt+KeyA")
    await seat.says(TALKS)


async def served(city: Handover, seat: Seat) -> OutgoingCall:
    call = await city.centre.queued("3")
    await takes(seat)
    await gets_to_hear(call)
    return call


async def test_others_get_the_call_and_whoever_waits_is_offered_here_again(
    city: Handover, seat: Seat
) -> None:
    centre = city.centre
    async with centre.at_work("102") as (colleague,):
        async with no_desk(centre, seat):
            await seat.says(AWAY)
            first = await centre.queued("1")
            offer = await colleague.answer()
            # The colleague talks; the next one waits for somebody.
            second = await centre.queued("1")
        await takes(seat)
        await gets_to_hear(second)
        await second.hang_up()
        await offer.hang_up()
    await at_work(seat)
    records = [await centre.ledger(call) for call in (first, second)]
    assert [record["operators"] for record in records] == [["102"], ["101"]]
    assert [offer["operator"] for offer in records[0]["offers"]] == ["102"], (
        "a dead telephone was offered a call"
    )


async def test_a_telephone_that_rang_rings_no_more_and_then_again(city: Handover, seat: Seat) -> None:
    """Alone, and in the middle of a ring: the citizen waits on, and is offered again to the same operator."""
    centre = city.centre
    call = await centre.queued("3")
    await seat.says(RINGS)
    kill(centre.warden()["desk"]["pid"])
    await seat.says(AWAY)
    await takes(seat)
    await gets_to_hear(call)
    await call.hang_up()
    await at_work(seat)
    record = await centre.ledger(call)
    assert [(each["operator"], each["outcome"]) for each in record["offers"]] == [
        ("101", "missed"), ("101", "answered"),
    ]  # fmt: skip
    assert record["disposition"] == "answered"


async def test_a_talk_goes_on_and_the_operator_ends_it(city: Handover, seat: Seat) -> None:
    call = await served(city, seat)
    async with no_desk(city.centre, seat):
        await seat.says(TALKS)
        await said(call, CITIZEN_HZ, seat.phone)
        await gets_to_hear(call)
        await seat.phone.get_by_role("button", name="切る").click()
        await seat.says("切っています")
    # The switch, hearing nothing, would end it after 30 s of its own accord; the desk that is back tells it.
    assert await call.ended(timeout=25)
    await at_work(seat)
    assert (await city.centre.ledger(call))["ended_by"] == "operator"
    await city.agrees()


async def test_a_citizen_ends_the_talk(city: Handover, seat: Seat) -> None:
    """The browser cannot be told; the operator reads what the silence may mean, and is free again with the desk."""
    centre = city.centre
    call = await served(city, seat)
    async with no_desk(centre, seat):
        await call.hang_up()
        await expect(seat.phone.locator("#phone-more")).to_contain_text("相手の方が切ったのかもしれません")
        await eventually(lambda: centre.operator_state("101") == "ready", what="after-call work is over")
    await at_work(seat)
    assert (await centre.ledger(call))["ended_by"] == "citizen"
    await served(city, seat)
    await seat.does("切る")
    await at_work(seat)
