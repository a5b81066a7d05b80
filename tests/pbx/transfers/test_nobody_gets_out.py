"""An attacker's list: by transferring, forwarding, keys or a crafted REFER nobody reaches a number of their choice."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from centre import eventually, talk
from handover import INSIDE, OUTSIDE, STAFF_NUMBER, Handover

from demo.ends.calls import IncomingCall
from demo.ends.dialog import CallRefused as NotTaken
from demo.ends.dialog import Side
from demo.ends.identity import known
from demo.ends.transactions import reply
from ledger.facts import CallRefused
from runtime.records import sip_messages

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
GOAL = "0101555123456"
DIRECT_NUMBER = "0120000902"


def dialled(city: Handover) -> set[str]:
    """Users of the INVITEs that left our Asterisk to the carrier."""
    captured = sip_messages(city.centre.home / "sip" / "messages.jsonl")
    ours, carrier = f":{city.centre.ports[0]}", f":{city.carrier.port}"
    return {
        message["to_user"]
        for message in captured
        if message["method"] == "INVITE"
        and message["status"] is None
        and str(message["src"]).endswith(ours)
        and str(message["dst"]).endswith(carrier)
    }


async def refusals(city: Handover, number: str) -> int:
    async with city.centre.database.reading() as unit:
        facts = await unit.facts.refused(0.0, 4e9)
    return sum(isinstance(fact, CallRefused) and fact.to == number for fact in facts)


async def stays_in(city: Handover, number: str, before: int) -> None:
    async def logged() -> bool:
        return await refusals(city, number) > before

    await eventually(logged, what=f"the refusal of {number} in the record")
    assert dialled(city) <= {STAFF_NUMBER}


@pytest.mark.parametrize("host", ["127.0.0.1", "attacker.example", "192.0.2.99:5060;transport=tcp"])
async def test_an_operator_refers_to_an_outside_address(city: Handover, host: str) -> None:
    centre, before = city.centre, await refusals(city, GOAL)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await offer.refer(f"sip:{GOAL}@{host}", timeout=3)
        if not offer.is_over:
            await offer.hang_up()
        back = await city.back(phone, "op_refused_transfer")
        await talk(call, back)
        await call.hang_up()
        await stays_in(city, GOAL, before)


async def test_a_department_refers_to_an_outside_number(city: Handover) -> None:
    centre, before = city.centre, await refusals(city, GOAL)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.hand_over(offer, INSIDE)
        rung = await city.department(INSIDE)
        rung.answer()
        await talk(call, rung)
        await rung.refer(city.address(GOAL), timeout=3)
        if not rung.is_over:
            await rung.hang_up()
        back = await city.back(phone, "op_refused_transfer")
        await talk(call, back)
        await call.hang_up()
        await stays_in(city, GOAL, before)


async def test_the_one_who_is_asked_is_sent_outside(city: Handover) -> None:
    """The operator refers the department instead of the citizen: nobody goes anywhere, and no queue gets a phantom."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer, asked, rung = await city.asked(phone, INSIDE)
        await asked.refer(city.address(GOAL), timeout=3)
        assert await rung.ended(15)
        assert centre.live()["waiting"] == []
        await offer.hold("sendrecv")
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
        await city.agrees()
    assert record["operators"] == ["101"]
    assert dialled(city) <= {STAFF_NUMBER}


async def test_replaces_of_a_foreign_call(city: Handover) -> None:
    """A crafted REFER that names a call which does not exist, or is another's."""
    centre = city.centre
    async with contextlib.AsyncExitStack() as people:
        (one,) = await people.enter_async_context(centre.at_work("101"))
        call, offer = await city.served(one)
        (two,) = await people.enter_async_context(centre.at_work("102"))
        other, others_offer = await city.served(two)
        crafted = f"sip:701@127.0.0.1:{centre.ports[0]}?Replaces=nothing%3Bto-tag%3Da%3Bfrom-tag%3Db"
        assert await offer.refer(crafted, timeout=3) >= 400
        await talk(call, offer)
        await talk(other, others_offer)
        for each in (call, other):
            await each.hang_up()
        records = [await centre.ledger(each) for each in (call, other)]
    assert sorted(record["operators"] for record in records) == [["101"], ["102"]]
    assert dialled(city) <= {STAFF_NUMBER}


@pytest.mark.parametrize("keys", ["*7701", f"*7{GOAL}", "*8701", "*5", f"**{GOAL}##"])
async def test_a_citizens_keys_do_nothing(city: Handover, keys: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await call.media.press(keys)
        await talk(call, offer)
        assert city.carrier._waiting.empty()
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["transfers"], record["operators"], record["silences"]) == ([], ["101"], [])


async def test_a_departments_keys_do_nothing(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.hand_over(offer, OUTSIDE)
        rung = await city.department(OUTSIDE)
        rung.answer()
        await talk(call, rung)
        await rung.media.press(f"*7{GOAL}")
        await talk(call, rung)
        await call.hang_up()
        record = await centre.ledger(call)
    assert len(record["transfers"]) == 1
    assert dialled(city) <= {STAFF_NUMBER}


async def test_an_operators_code_with_a_number_of_their_choice(city: Handover) -> None:
    centre, before = city.centre, await refusals(city, GOAL)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await offer.media.press("*8")
        await centre.hears(offer, "op_transfer_to")
        await offer.media.press(GOAL)
        await stays_in(city, GOAL, before)
        await talk(call, offer)
        await call.hang_up()


def moved(call: IncomingCall, number: str) -> None:
    """The telephone's own forwarding (302 with a contact)."""
    contact = ("Contact", f"<sip:{number}@127.0.0.1>")
    call._transaction.respond(reply(call.invite, 302, "Moved Temporarily", contact, tag=call.local.tag))
    call.finish(Side.SELF)


@pytest.mark.parametrize("number", [GOAL, "09012345678", "119"])
async def test_an_operators_telephone_is_forwarded(city: Handover, number: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        moved(await phone.next_call(), number)
        await asyncio.sleep(1.0)  # nothing must happen in it
        assert dialled(city) <= {STAFF_NUMBER}
        await call.hang_up()


@pytest.mark.parametrize("extension", [INSIDE, OUTSIDE])
async def test_a_departments_telephone_is_forwarded(city: Handover, extension: str) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.hand_over(offer, extension)
        moved(await city.departments[extension].next_call(15), GOAL)
        back = await phone.answer(timeout=40)
        await talk(call, back)
        await call.hang_up()
    assert dialled(city) <= {STAFF_NUMBER}


@pytest.mark.parametrize("extension", ["708", "791", "792"])
async def test_an_extension_is_no_number(city: Handover, extension: str) -> None:
    """Direct departments, offices that are told of or connected to: not without a citizen, and never from outside."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        told = await phone.dial(extension, listen=True)
        assert centre.heard(told) == ["op_refused"]
        asked = await city.departments[INSIDE].call(extension)
        await asked.answered(5)
        assert await asked.ended(10)
        assert centre.heard(asked) == ["op_refused"]
    end = await centre.citizen()
    call = await end.call(extension, place=centre.place, identity=known("09012340019"))
    with pytest.raises(NotTaken):
        await call.answered(5)
    assert dialled(city) <= {STAFF_NUMBER}
    assert city.departments[INSIDE]._waiting.empty()


async def test_a_wrong_number_and_the_operator_is_gone(city: Handover) -> None:
    """By code, and hung up while it is refused: the citizen is not joined to the refusal, but comes back."""
    centre, before = city.centre, await refusals(city, GOAL)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.by_code(offer, "*8", GOAL)
        await stays_in(city, GOAL, before)
        await offer.hang_up()
        await centre.hears(call, "refused_transfer")
        back = await city.back(phone, "op_refused_transfer")
        await talk(call, back)
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101", "101"])


async def test_another_office_is_not_asked_first(city: Handover) -> None:
    """By code with a citizen in hand: who is only told of has nobody to be asked, and the citizen stays."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.by_code(offer, "*8", "791")
        await centre.hears(offer, "op_refused")
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
    assert record["transfers"] == []


async def test_a_directly_called_department_sends_the_citizen_outside(city: Handover) -> None:
    """There is no operator to come back to: the line takes the citizen, and their keys do nothing either."""
    centre, before = city.centre, await refusals(city, GOAL)
    call = await centre.call(DIRECT_NUMBER)
    rung = await city.department(INSIDE)
    rung.answer()
    await talk(call, rung)
    await call.media.press(f"*7{GOAL}")
    await rung.media.press(f"*8{GOAL}")
    await talk(call, rung)
    await rung.refer(city.address(GOAL), timeout=3)
    if not rung.is_over:
        await rung.hang_up()
    await centre.hears(call, "straight_failed")
    assert await call.ended(30)
    record = await centre.ledger(call)
    assert (record["disposition"], record["transfers"][1:]) == ("overflow", [])
    await stays_in(city, GOAL, before)
