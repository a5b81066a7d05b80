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
BACK_MS = 60_000
"""A desk that starts, and a browser that comes back to it, on a busy machine."""
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
    await expect(seat.phone.locator("#phone-now")).to_have_text(READY, timeout=BACK_MS)
    await seat.says(READY)
    await expect(seat.desk.locator("#lost")).to_be_empty()
    await expect(seat.desk.locator("#r-state")).to_contain_text("受付可")


async def takes(seat: Seat) -> None:
    await expect(seat.phone.locator("#phone-now")).to_have_text(RINGS, timeout=BACK_MS)
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
    told: list[str | bytes] = []
    seat.phone.on("websocket", lambda wire: wire.on("framesent", lambda frame: told.append(frame)))
    async with centre.at_work("102") as (colleague,):
        async with no_desk(centre, seat):
            await seat.says(AWAY)
            first = await centre.queued("3")
            offer = await colleague.answer()
            # The colleague talks; the next one waits for somebody.
            second = await centre.queued("3")
        await expect(seat.phone.locator("#phone-now")).to_have_text(RINGS, timeout=BACK_MS)
        # Once more, in the middle of a ring.
        kill(centre.warden()["desk"]["pid"])
        await seat.says(AWAY)
        await takes(seat)
        await gets_to_hear(second)
        await second.hang_up()
        await offer.hang_up()
    await at_work(seat)
    assert any(str(each).startswith("SIP/2.0 480 ") for each in told), "the switch rang on in vain"
    records = [await centre.ledger(call) for call in (first, second)]
    assert [[(each["operator"], each["outcome"]) for each in record["offers"]] for record in records] == [
        [("102", "answered")],  # nobody offered it to a dead telephone
        [("101", "missed"), ("101", "answered")],
    ]


async def test_alone_the_citizen_waits_for_the_desk(city: Handover, seat: Seat) -> None:
    """Nobody else is there, and nobody is told so for the seconds that a desk needs."""
    centre = city.centre
    async with no_desk(centre, seat):
        await seat.says(AWAY)
        call = await centre.queued("3")
        await eventually(lambda: centre.live()["waiting"], what="the citizen in the queue")
    await takes(seat)
    await gets_to_hear(call)
    await call.hang_up()
    await at_work(seat)
    record = await centre.ledger(call)
    assert [(each["operator"], each["outcome"]) for each in record["offers"]] == [("101", "answered")]


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
