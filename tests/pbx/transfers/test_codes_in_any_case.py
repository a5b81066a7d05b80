"""The switch's own codes against every way in which the three may behave, with and without the engine.

The usual run tells each behaviour at one side of the trunk, `./toritsugi accept transfer-cases` the whole product.
"""

from __future__ import annotations

import contextlib
from itertools import product

import pytest
from centre import talk
from handover import INSIDE, OUTSIDE, Handover, cases, now, spans

from demo.ends.calls import IncomingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
BLIND, ATTENDED, ABORT, JOIN, THREE, SWAP = "*7", "*8", "*1", "*2", "*3", "*4"
NOBODY = 0
SIDES = (INSIDE, OUTSIDE)
IN_VAIN = {
    486: ("BUSY", "transfer_busy"),
    603: ("REFUSED", "transfer_no_answer"),
    500: ("CHANUNAVAIL", "transfer_unreachable"),
    NOBODY: ("NOANSWER", "transfer_no_answer"),
}


def refuse(rung: IncomingCall, status: int) -> None:
    """A status, or let it ring out."""
    if status != NOBODY:
        rung.refuse(status)


@pytest.mark.parametrize(
    ("extension", "how"),
    cases((INSIDE, "citizen"), (OUTSIDE, "gives up"), of=product(SIDES, ("staff", "citizen", "gives up"))),
)
async def test_blind(city: Handover, extension: str, how: str) -> None:
    """Who hangs up first: the department, the citizen, or the citizen before anybody has answered."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.by_code(offer, BLIND, extension)
        rung = await city.department(extension)
        began = now()
        if how == "gives up":
            await call.hang_up()
            assert await rung.ended(10)
        else:
            rung.answer()
            began = now()
            await talk(call, rung)
            await (rung if how == "staff" else call).hang_up()
            assert await (call if how == "staff" else rung).ended(10)
        ended = now()
        record = await city.told(call)
    result = "CANCEL" if how == "gives up" else "ANSWER"
    assert [(each["to"], each["result"], each["kind"]) for each in record["transfers"]] == [
        (extension, result, "blind")
    ]
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert record["ended_by"] == ("staff" if how == "staff" else "citizen")
    talked = [] if how == "gives up" else [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]
    assert spans(record["staff"]) == talked


@pytest.mark.parametrize(
    ("extension", "status"), cases((OUTSIDE, 486), (INSIDE, NOBODY), of=product(SIDES, IN_VAIN))
)
async def test_blind_in_vain(city: Handover, extension: str, status: int) -> None:
    centre, (result, why) = city.centre, IN_VAIN[status]
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.by_code(offer, BLIND, extension)
        refuse(await city.department(extension), status)
        await centre.hears(call, why)
        back = await city.back(phone, f"op_{why}")
        await talk(call, back)
        await back.hang_up()
        assert await call.ended(10)
        record = await city.told(call)
    assert (record["operators"], record["staff"], record["ended_by"]) == (["101", "101"], [], "operator")
    assert [(each["to"], each["result"], each["kind"]) for each in record["transfers"]] == [
        (extension, result, "blind")
    ]


@pytest.mark.parametrize(
    ("extension", "status"), cases((INSIDE, 603), (OUTSIDE, NOBODY), of=product(SIDES, IN_VAIN))
)
async def test_asked_in_vain(city: Handover, extension: str, status: int) -> None:
    """The operator hears why, and is with the citizen again."""
    centre, (result, why) = city.centre, IN_VAIN[status]
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.by_code(offer, ATTENDED, extension)
        refuse(await city.department(extension), status)
        await centre.hears(offer, f"op_{why}")
        await talk(call, offer)
        await call.hang_up()
        record = await city.told(call)
    assert (record["operators"], record["staff"], record["ended_by"]) == (["101"], [], "citizen")
    assert [(each["to"], each["result"], each["kind"]) for each in record["transfers"]] == [
        (extension, result, "consult")
    ]


@pytest.mark.parametrize(
    ("extension", "how"),
    cases(
        (OUTSIDE, "department"),
        (OUTSIDE, "aborted"),
        (INSIDE, "citizen"),
        of=product(SIDES, ("department", "aborted", "citizen")),
    ),
)
async def test_asked_and_not_joined(city: Handover, extension: str, how: str) -> None:
    """The department hangs up, the operator goes back, or the citizen gives up meanwhile."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        rung = await city.asked_by_code(offer, ATTENDED, extension)
        if how == "citizen":
            await call.hang_up()
        else:
            await (rung.hang_up() if how == "department" else offer.media.press(ABORT))
            assert how == "department" or await rung.ended(10)
            await talk(call, offer)
            await call.hang_up()
        for left in (offer, rung):
            if not left.is_over:
                await left.hang_up()
        record = await city.told(call)
        await phone.state("ready")
    assert (record["disposition"], record["operators"], record["staff"]) == ("answered", ["101"], [])
    assert record["ended_by"] == "citizen"
    assert [(each["to"], each["result"], each["kind"]) for each in record["transfers"]] == [
        (extension, "ANSWER", "consult")
    ]


@pytest.mark.parametrize(
    ("extension", "status"), cases((OUTSIDE, 200), (INSIDE, 486), of=product(SIDES, (200, *IN_VAIN)))
)
async def test_the_operator_hangs_up_while_it_rings(city: Handover, extension: str, status: int) -> None:
    """The citizen follows when it answers, and is never lost when it does not."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.by_code(offer, ATTENDED, extension)
        rung = await city.department(extension)
        await offer.hang_up()
        await phone.state("wrapup", within=5)
        if status == 200:
            rung.answer()
            began = now()
            await talk(call, rung)
            await rung.hang_up()
        else:
            refuse(rung, status)
            again = await city.back(phone, f"op_{IN_VAIN[status][1]}", timeout=30)
            await talk(call, again)
            await call.hang_up()
        ended = now()
        record = await city.told(call)
    assert record["disposition"] == "answered"
    if status == 200:
        assert record["operators"] == ["101"]
        assert [each["kind"] for each in record["transfers"]] == ["attended"]
        assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]
    else:
        assert record["operators"] == ["101", "101"]
        assert record["staff"] == []


@pytest.mark.parametrize(
    ("extension", "first", "engine"),
    cases(
        (INSIDE, "staff", True),
        (OUTSIDE, "citizen", False),
        of=product(SIDES, ("staff", "citizen"), (True, False)),
    ),
)
async def test_the_operator_joins_by_hanging_up(
    city: Handover, extension: str, first: str, engine: bool
) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        async with contextlib.nullcontext() if engine else centre.without_engine():
            rung = await city.asked_by_code(offer, ATTENDED, extension)
            await offer.hang_up()
            began = now()
            await talk(call, rung)
            await (rung if first == "staff" else call).hang_up()
            ended = now()
            assert await (call if first == "staff" else rung).ended(10)
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["ended_by"]) == ("answered", ["101"], first)
    assert [(each["to"], each["kind"]) for each in record["transfers"]] == [(extension, "attended")]
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


@pytest.mark.parametrize(
    ("extension", "first", "engine"),
    cases(
        (OUTSIDE, "staff", True),
        (INSIDE, "citizen", True),
        (OUTSIDE, "citizen", False),
        of=product(SIDES, ("staff", "citizen", "operator"), (True, False)),
    ),
)
async def test_three_in_one_talk(city: Handover, extension: str, first: str, engine: bool) -> None:
    """Whoever leaves first, the other two are told apart: the department's talk ends then, or with the call."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        async with contextlib.nullcontext() if engine else centre.without_engine():
            rung = await city.asked_by_code(offer, ATTENDED, extension)
            await offer.media.press(THREE)
            began = now()
            await talk(call, rung)
            await talk(call, offer)
            if first == "operator":
                await offer.hang_up()
                await talk(call, rung)
            await (rung if first == "staff" else call).hang_up()
            ended = now()
            if first == "staff":
                await talk(call, offer)
                await offer.hang_up()
                assert await call.ended(10)
            for left in (offer, rung):
                if not left.is_over:
                    await left.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert record["ended_by"] == ("operator" if first == "staff" else "citizen")
    assert [(each["to"], each["kind"]) for each in record["transfers"]] == [(extension, "attended")]
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


@pytest.mark.parametrize("extension", cases(OUTSIDE, of=SIDES))
async def test_to_and_fro(city: Handover, extension: str) -> None:
    """From the one to the other and back, and then both are joined: the citizen talked with the department once."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        rung = await city.asked_by_code(offer, ATTENDED, extension)
        await offer.media.press(SWAP)
        await talk(call, offer)
        await offer.media.press(SWAP)
        await talk(offer, rung)
        await offer.media.press(JOIN)
        began = now()
        await talk(call, rung)
        await rung.hang_up()
        ended = now()
        record = await city.told(call)
    assert (record["operators"], record["ended_by"]) == (["101"], "staff")
    assert [(each["to"], each["result"], each["kind"]) for each in record["transfers"]] == [
        (extension, "ANSWER", "attended")
    ]
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]
