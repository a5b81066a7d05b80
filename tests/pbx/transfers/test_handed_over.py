"""A citizen is handed to a department: whole, once, and never lost."""

from __future__ import annotations

import pytest
from centre import eventually, talk
from handover import INSIDE, OTHER, OUTSIDE, STAFF_NUMBER, Handover, now, spans

from demo.ends.identity import known

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
BOTH = pytest.mark.parametrize("extension", [OUTSIDE, INSIDE])


# ---- handed on at once (REFER) ------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("first", ["staff", "citizen"])
async def test_blind_answered(city: Handover, extension: str, first: str) -> None:
    """The operator wraps up while the citizen talks on; who hangs up is told."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone, identity=known("09012340001"))
        handing = await city.hand_over(offer, extension)
        rung = await city.department(extension)
        assert rung.remote_user == ("0120000901" if extension == OUTSIDE else "09012340001")
        rung.answer()
        began = now()
        await talk(call, rung)
        await phone.state("wrapup", within=5)
        await (rung if first == "staff" else call).hang_up()
        ended = now()
        assert await (call if first == "staff" else rung).ended(10)
        assert await handing < 300
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["ended_by"]) == ("answered", ["101"], first)
    (moved,) = record["transfers"]
    assert (moved["to"], moved["result"], moved["kind"]) == (extension, "ANSWER", "blind")
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


@BOTH
@pytest.mark.parametrize(
    ("status", "result", "why"),
    [
        (486, "BUSY", "transfer_busy"),
        (603, "REFUSED", "transfer_no_answer"),
        (480, "NOANSWER", "transfer_no_answer"),
        (0, "NOANSWER", "transfer_no_answer"),
        (500, "CHANUNAVAIL", "transfer_unreachable"),
    ],
)
async def test_blind_not_taken(city: Handover, extension: str, status: int, result: str, why: str) -> None:
    """The citizen hears why and is back with the same operator, who hears it too. 0: it rings out."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        handing = await city.hand_over(offer, extension)
        rung = await city.department(extension)
        if status:
            rung.refuse(status)
        await centre.hears(call, why)
        again = await city.back(phone, f"op_{why}")
        await talk(call, again)
        await call.hang_up()
        assert await again.ended(10)
        await handing
        await phone.state("wrapup", within=5)
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["staff"]) == ("answered", ["101", "101"], [])
    (moved,) = record["transfers"]
    assert (moved["to"], moved["result"]) == (extension, result)


@BOTH
async def test_blind_and_the_citizen_gives_up(city: Handover, extension: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        handing = await city.hand_over(offer, extension)
        rung = await city.department(extension)
        await call.hang_up()
        assert await rung.ended(10)
        await handing
        record = await city.told(call)
        await phone.state("ready")
    assert (record["disposition"], record["ended_by"], record["staff"]) == ("answered", "citizen", [])
    assert [moved["result"] for moved in record["transfers"]] == ["CANCEL"]


async def test_nobody_is_left_to_take_the_citizen_back(city: Handover) -> None:
    """The operator has gone home: the front of the queue, before whoever waits, and a colleague."""
    centre = city.centre
    async with centre.at_work("101", "102") as (phone, colleague):
        # On a break, and not away: a queue without operators turns its callers away.
        await colleague.dial("*21")
        await colleague.state("paused:break1")
        call, offer = await city.served(phone)
        waiting = await centre.queued("1")
        await eventually(lambda: len(centre.live()["waiting"]) == 1, what="the other caller in the queue")
        await city.hand_over(offer, INSIDE)
        rung = await city.department(INSIDE)
        await phone.sign_out()
        rung.refuse(486)
        await colleague.ready()
        # Whoever is there first takes who waits; the one who comes back is next, not last.
        first = await colleague.answer()
        await talk(waiting, first)
        behind = await centre.queued("1")
        await centre.hears(call, "transfer_busy")
        await eventually(lambda: len(centre.live()["waiting"]) == 2, what="both waiting")
        await first.hang_up()
        taken = await colleague.answer()
        await talk(call, taken)
        await call.hang_up()
        await behind.hang_up()
        record = await city.told(call)
        await phone.sign_in()
    assert record["operators"] == ["101", "102"]


async def test_the_operator_does_not_take_the_citizen_back(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101", "102") as (one, two):
        await two.dial("*21")
        await two.state("paused:break1")
        call, offer = await city.served(one)
        await city.hand_over(offer, INSIDE)
        (await city.department(INSIDE)).refuse(486)
        unheard = await one.rings()
        assert await unheard.ended(15)
        await one.state("wrapup", within=5)
        await eventually(lambda: centre.live()["waiting"], what="the citizen in the queue")
        await two.ready()
        taken = await two.answer()
        await talk(call, taken)
        await call.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101", "102"])


async def test_the_department_hands_on(city: Handover) -> None:
    """From one department's telephone to another's: two talks, one call."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.hand_over(offer, INSIDE)
        first = await city.department(INSIDE)
        first.answer()
        await talk(call, first)
        again = await city.hand_over(first, OTHER)
        second = await city.department(OTHER)
        second.answer()
        await talk(call, second)
        await second.hang_up()
        assert await call.ended(10)
        assert await again < 300
        record = await city.told(call)
    assert [(each["to"], each["result"]) for each in record["transfers"]] == [
        (INSIDE, "ANSWER"),
        (OTHER, "ANSWER"),
    ]
    assert [each["to"] for each in record["staff"]] == [INSIDE, OTHER]
    assert record["ended_by"] == "staff"


# ---- nobody gets out ------------------------------------------------------------------------------------------------


async def test_the_directory_answers_only_with_a_citizen_in_hand(city: Handover) -> None:
    """Neither an operator without a call nor a department's own telephone reaches a number."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        told = await phone.dial(OUTSIDE, listen=True)
        assert centre.heard(told) == ["op_refused"]
        outside = await city.departments[INSIDE].call(OUTSIDE)
        await outside.answered(5)
        assert await outside.ended(10)
        assert centre.heard(outside) == ["op_refused"]
    assert city.carrier._waiting.empty(), f"{STAFF_NUMBER} was rung"
