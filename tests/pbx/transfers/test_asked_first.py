"""A department is asked first, and then gets the citizen, or does not (a second call, then REFER with Replaces)."""

from __future__ import annotations

import asyncio

import pytest
from centre import talk
from handover import INSIDE, OUTSIDE, Handover, now, spans

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
BOTH = pytest.mark.parametrize("extension", [OUTSIDE, INSIDE])


@BOTH
@pytest.mark.parametrize("first", ["staff", "citizen"])
async def test_attended_complete(city: Handover, extension: str, first: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer, asked, rung = await city.asked(phone, extension)
        assert await city.join(offer, asked, extension) < 300
        began = now()
        await talk(call, rung)
        for mine in (offer, asked):
            if not mine.is_over:
                await mine.hang_up()
        await phone.state("wrapup", within=5)
        await (rung if first == "staff" else call).hang_up()
        ended = now()
        assert await (call if first == "staff" else rung).ended(10)
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["ended_by"]) == ("answered", ["101"], first)
    (moved,) = record["transfers"]
    assert (moved["to"], moved["result"], moved["kind"]) == (extension, "ANSWER", "attended")
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


@BOTH
async def test_attended_aborted(city: Handover, extension: str) -> None:
    """Asked, and back to the citizen."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer, asked, rung = await city.asked(phone, extension)
        await asked.hang_up()
        assert await rung.ended(10)
        assert await offer.hold("sendrecv") < 300
        await talk(call, offer)
        await call.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["staff"]) == ("answered", ["101"], [])
    assert [(each["kind"], each["result"]) for each in record["transfers"]] == [("consult", "ANSWER")]


@BOTH
@pytest.mark.parametrize(
    ("status", "why"),
    [(486, "op_transfer_busy"), (603, "op_transfer_no_answer"), (0, "op_transfer_no_answer")],
)
async def test_asked_in_vain(city: Handover, extension: str, status: int, why: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        asked = await city.ask(phone, offer, extension)
        rung = await city.department(extension)
        if status:
            rung.refuse(status)
        await centre.hears(asked, why)
        assert await asked.ended(10)
        assert await offer.hold("sendrecv") < 300
        await talk(call, offer)
        await call.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["staff"]) == ("answered", ["101"], [])
    assert [each["kind"] for each in record["transfers"]] == ["consult"]


@BOTH
async def test_the_department_hangs_up_while_asked(city: Handover, extension: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer, asked, rung = await city.asked(phone, extension)
        await rung.hang_up()
        assert await asked.ended(10)
        assert await offer.hold("sendrecv") < 300
        await talk(call, offer)
        await call.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["staff"]) == ("answered", ["101"], [])


@BOTH
async def test_the_citizen_hangs_up_during_the_question(city: Handover, extension: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer, asked, rung = await city.asked(phone, extension)
        await call.hang_up()
        assert await offer.ended(10)
        record = await city.told(call)
        assert not asked.is_over, "the operator may explain"
        await asked.hang_up()
        assert await rung.ended(10)
        await phone.state("ready")
        await city.agrees()
    assert (record["disposition"], record["ended_by"], record["staff"]) == ("answered", "citizen", [])
    assert [each["kind"] for each in record["transfers"]] == ["consult"]


@BOTH
async def test_the_operator_hangs_up_during_the_question(city: Handover, extension: str) -> None:
    """Both receivers down: the department is told nothing more, and the record says who ended it."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer, asked, rung = await city.asked(phone, extension)
        await asyncio.gather(asked.hang_up(), offer.hang_up())
        assert await rung.ended(10)
        assert await call.ended(10)
        record = await city.told(call)
    assert (record["disposition"], record["ended_by"], record["staff"]) == ("answered", "operator", [])
