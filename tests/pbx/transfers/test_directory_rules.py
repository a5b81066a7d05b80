"""Departments have hours, deputies and matters that they receive; other offices are told of; some are rung directly."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from centre import NUMBER, OPEN, Centre, eventually, talk
from handover import INSIDE, OTHER, OUTSIDE, Handover, now, spans

from demo.ends.calls import OutgoingCall
from demo.ends.identity import known

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
SATURDAYS, SATURDAYS_THEN_OTHER, PORTAL_ONLY, THEN_OUTSIDE, DIRECT = "704", "705", "706", "707", "708"
TOLD, APPROVED = "791", "792"
DIRECT_NUMBER, CLOSED_NUMBER, APPROVED_NUMBER = "0120000902", "0120000903", "0120000972"
Way = Callable[[Centre], Awaitable[OutgoingCall]]
EVENING = "2026-11-24T18:00:00+09:00"


def moves(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["to"], each["result"], each["in_place_of"]) for each in record["transfers"]]


async def knows(centre: Centre, city_time: str) -> None:
    """Move the city's clock, and wait until the switch has heard what that means for the departments."""
    before = await centre.cli("dialplan show globals")
    centre.set_city_time(city_time)

    async def told() -> bool:
        return "T_HOURS_708" in before and hours_of(await centre.cli("dialplan show globals")) != hours_of(
            before
        )

    await eventually(told, what="the departments' hours on the switch")


def hours_of(shown: str) -> str:
    return next(line for line in shown.splitlines() if "T_HOURS_708" in line)


# ---- hours, deputies, matters -------------------------------------------------------------------------------------


CLOSED = (SATURDAYS, "CLOSED", "transfer_closed")
NOT_RECEIVED = (PORTAL_ONLY, "NOT_RECEIVED", "transfer_not_received")


@pytest.mark.parametrize(
    ("handed", "asked", "engine"), [(CLOSED, NOT_RECEIVED, True), (NOT_RECEIVED, CLOSED, False)]
)
async def test_it_may_not_be_rung(
    city: Handover, handed: tuple[str, str, str], asked: tuple[str, str, str], engine: bool
) -> None:
    """The same operator has the citizen again, both hear why, and no telephone has rung."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        async with contextlib.nullcontext() if engine else centre.without_engine():
            await city.hand_over(offer, handed[0])
            await centre.hears(call, handed[2])
            back = await city.back(phone, f"op_{handed[2]}")
            await talk(call, back)
            question = await city.ask(phone, back, asked[0])
            await centre.hears(question, f"op_{asked[2]}")
            assert await question.ended(10)
            assert await back.hold("sendrecv") < 300
            await talk(call, back)
            await call.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["staff"]) == ("answered", ["101", "101"], [])
    assert moves(record) == [(*handed[:2], ""), (*asked[:2], "")]
    assert [each["kind"] for each in record["transfers"]] == ["blind", "consult"]
    assert all(end._waiting.empty() for end in city.departments.values())


async def test_a_matter_that_it_receives(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("201") as (phone,):
        call = await centre.queued("3")
        offer = await phone.answer()
        await talk(call, offer)
        await city.hand_over(offer, THEN_OUTSIDE)  # receives cards only
        await centre.hears(call, "transfer_not_received")
        back = await city.back(phone, "op_transfer_not_received")
        await call.hang_up()
        assert await back.ended(10)
        record = await city.told(call)
    assert moves(record) == [(THEN_OUTSIDE, "NOT_RECEIVED", "")]


async def test_out_of_hours_the_deputy_is_rung(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.hand_over(offer, SATURDAYS_THEN_OTHER)
        rung = await city.department(OTHER)
        rung.answer()
        began = now()
        await talk(call, rung)
        await rung.hang_up()
        ended = now()
        record = await city.told(call)
    assert moves(record) == [(SATURDAYS_THEN_OTHER, "CLOSED", ""), (OTHER, "ANSWER", SATURDAYS_THEN_OTHER)]
    assert [each["to"] for each in record["staff"]] == [OTHER]
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


@pytest.mark.parametrize("asked", [False, True])
async def test_the_deputy_takes_what_is_refused(city: Handover, asked: bool) -> None:
    """From a telephone that registers here to one behind the trunk, which is shown the contract's number."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone, identity=known("09012340011"))
        if asked:
            question = await city.ask(phone, offer, THEN_OUTSIDE)
        else:
            await city.hand_over(offer, THEN_OUTSIDE)
        (await city.department(INSIDE)).refuse(486)
        rung = await city.department(OUTSIDE)
        assert rung.remote_user == NUMBER
        rung.answer()
        if asked:
            await question.answered(5)
            await talk(question, rung)
            assert await city.join(offer, question, THEN_OUTSIDE) < 300
        began = now()
        await talk(call, rung)
        await call.hang_up()
        ended = now()
        record = await city.told(call)
    assert moves(record) == [(THEN_OUTSIDE, "BUSY", ""), (OUTSIDE, "ANSWER", THEN_OUTSIDE)]
    assert [each["to"] for each in record["staff"]] == [OUTSIDE]
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


async def test_nor_does_the_deputy(city: Handover) -> None:
    """What is said is why the one who was asked for did not take it; the operator's telephone shows the citizen."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone, identity=known("09012340012"))
        await city.hand_over(offer, THEN_OUTSIDE)
        (await city.department(INSIDE)).refuse(486)
        (await city.department(OUTSIDE)).refuse(603)
        back = await city.back(phone, "op_transfer_busy")
        assert back.remote_user == "09012340012"
        await talk(call, back)
        await call.hang_up()
        record = await city.told(call)
    assert moves(record) == [(THEN_OUTSIDE, "BUSY", ""), (OUTSIDE, "REFUSED", THEN_OUTSIDE)]
    assert record["operators"] == ["101", "101"]


# ---- other offices --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_code", [False, True])
async def test_another_office_is_told(city: Handover, by_code: bool) -> None:
    """The operator is free while the citizen hears the number; the call stays the operator's answered call."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        if by_code:
            await city.by_code(offer, "*7", TOLD)
        else:
            await city.hand_over(offer, TOLD)
        await phone.state("wrapup", within=8)
        await centre.hears(call, "refer_national")
        assert await call.ended(20)
        assert centre.heard(call)[-2:] == ["refer_national", "goodbye"]
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["ended_by"]) == ("answered", ["101"], "system")
    assert moves(record) == [(TOLD, "REFERRED", "")]


async def test_another_office_that_the_city_agreed_to(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.hand_over(offer, APPROVED)
        rung = await city.carrier.next_call(15)
        assert rung.local.user == APPROVED_NUMBER
        rung.answer()
        await talk(call, rung)
        await rung.hang_up()
        record = await city.told(call)
    assert moves(record) == [(APPROVED, "ANSWER", "")]
    assert [each["to"] for each in record["staff"]] == [APPROVED]


# ---- straight to staff ----------------------------------------------------------------------------------------------


async def by_menu(centre: Centre) -> OutgoingCall:
    return await centre.queued("4", identity=known("09012340013"))


async def by_number(centre: Centre) -> OutgoingCall:
    return await centre.call(DIRECT_NUMBER, identity=known("09012340013"))


@pytest.mark.parametrize(
    ("way", "engine"),
    [(by_menu, True), (by_number, True), (by_number, False)],
)
async def test_straight_to_staff(city: Handover, way: Way, engine: bool) -> None:
    centre = city.centre

    async def straight() -> tuple[OutgoingCall, float, float]:
        call = await way(centre)
        rung = await city.department(INSIDE, 30)
        assert rung.remote_user == "09012340013"
        rung.answer()
        began = now()
        await talk(call, rung)
        await rung.hang_up()
        assert await call.ended(10)
        return call, began, now()

    if engine:
        call, began, ended = await straight()
    else:
        async with centre.without_engine():
            call, began, ended = await straight()
    record = await city.told(call)
    assert (record["disposition"], record["operators"], record["ended_by"]) == ("referred", [], "staff")
    assert (record["wait_s"], record["talk_s"], record["offers"]) == (None, 0.0, [])
    (moved,) = record["transfers"]
    assert (moved["to"], moved["result"], moved["kind"]) == (DIRECT, "ANSWER", "straight")
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]
    assert centre.heard(call)[0] == "greeting"


@pytest.mark.parametrize(("way", "line"), [(by_menu, "card"), (by_number, "portal")])
async def test_straight_and_nobody_takes_it(city: Handover, way: Way, line: str) -> None:
    """The line's operator does; the figures hold the operator's call alone."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call = await way(centre)
        (await city.department(INSIDE)).refuse(486)
        await centre.hears(call, "straight_failed")
        if line == "card":
            offer = await phone.answer()
            await talk(call, offer)
            await call.hang_up()
        else:  # nobody of this line is there
            await centre.hears(call, "overflow_nobody")
            assert await call.ended(10)
        record = await city.told(call)
    assert record["line"] == line
    assert (record["disposition"], record["operators"]) == (
        ("answered", ["101"]) if line == "card" else ("overflow", [])
    )
    assert [(each["to"], each["result"], each["kind"]) for each in record["transfers"]] == [
        (DIRECT, "BUSY", "straight")
    ]


async def test_straight_and_the_citizen_gives_up(city: Handover) -> None:
    centre = city.centre
    call = await by_number(centre)
    rung = await city.department(INSIDE)
    await call.hang_up()
    assert await rung.ended(10)
    record = await city.told(call)
    assert (record["disposition"], record["ended_by"], record["staff"]) == ("abandoned_menu", "citizen", [])
    assert [each["result"] for each in record["transfers"]] == ["CANCEL"]


async def test_straight_out_of_hours(city: Handover) -> None:
    """Neither the department nor the centre: why, and no telephone rings. The deputy has no hours and is rung."""
    centre = city.centre
    await knows(centre, EVENING)
    try:
        call = await centre.call(DIRECT_NUMBER)
        await centre.hears(call, "closed_static")
        assert await call.ended(20)
        record = await city.told(call)
        second = await centre.call(CLOSED_NUMBER)
        rung = await city.department(OTHER)
        rung.answer()
        await talk(second, rung)
        await second.hang_up()
        other = await city.told(second)
    finally:
        await knows(centre, OPEN)
    assert (record["disposition"], record["operators"]) == ("after_hours", [])
    assert [(each["to"], each["result"]) for each in record["transfers"]] == [(DIRECT, "CLOSED")]
    assert other["disposition"] == "referred"
    assert city.departments[INSIDE]._waiting.empty()


async def test_the_department_hands_the_direct_call_on(city: Handover) -> None:
    """In vain, and there is no operator to come back to: the line takes the citizen."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call = await by_menu(centre)
        rung = await city.department(INSIDE)
        rung.answer()
        await talk(call, rung)
        await city.hand_over(rung, OTHER)
        (await city.department(OTHER)).refuse(486)
        offer = await phone.answer(timeout=30)
        await talk(call, offer)
        await offer.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert [each["kind"] for each in record["transfers"]] == ["straight", "blind"]
    assert [each["to"] for each in record["staff"]] == [DIRECT]
