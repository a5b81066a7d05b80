"""The caller puts the receiver down and keeps the place: booked by key, called when it is their turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from centre import Centre, Phone, eventually, kill, talk, tone, tone_s
from way_out import WayOut, shown

from acd.callback import CallbackState
from core.settings import settings_from
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.dialog import Dialog
from demo.ends.identity import withheld
from runtime.records import prove
from services.city import load_city

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
SECRET = 1300
"""Hz."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_way_out(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WayOut]:
    made = await WayOut.open(tmp_path_factory.mktemp("callback"))
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def way_out(shared_way_out: WayOut) -> AsyncIterator[WayOut]:
    yield shared_way_out
    await shared_way_out.forget()
    await shared_way_out.centre.leave()
    assert shared_way_out.untouched(), "a call left the centre that no story expected"


async def agrees(centre: Centre) -> None:
    """Wire, ledger and recordings tell the same calls."""
    settings = settings_from(centre.environment())
    result = await prove(settings, load_city(centre.profile), centre.database, 0.0, 4e9)
    assert result.differences == []


async def test_kept(way_out: WayOut) -> None:
    """A books while an operator talks; B holds the line. The freed operator takes A first, then B."""
    centre, first, second = way_out.centre, "09011111111", "09022222222"
    async with centre.at_work("101") as (phone,):
        busy = await centre.queued("3")
        offer = await phone.answer()
        booker = await way_out.wait_in_line(first)
        waiting = await way_out.wait_in_line(second)
        await way_out.book(booker)
        await way_out.reaches(first, CallbackState.BOOKED)
        await busy.hang_up()

        rung = await phone.answer()
        assert shown(rung) == first, "the place was lost"
        citizen = await way_out.citizen_rings()
        assert (citizen.local.user, shown(citizen)) == (first, "0120000901")
        assert centre.live()["operators"]["101"] == "ringing"
        citizen.answer()
        await centre.hears(citizen, "callback_hello")
        await way_out.reaches(first, CallbackState.TALKING)
        await talk(citizen, rung)
        await phone.state("talking")
        await citizen.hang_up()
        assert await rung.ended(10)

        after = await phone.answer()
        assert shown(after) == second
        await talk(waiting, after)
        await waiting.hang_up()
        done = await way_out.reaches(first, CallbackState.DONE)
        record, other = await centre.ledger(booker), await centre.ledger(waiting)
        sides = await centre.sides(record, base=f"{record['call_id']}-cb1")
    assert offer.is_over
    assert (done.tries, done.reason) == (1, "answered")
    assert (record["disposition"], record["operators"]) == ("callback", [])
    (attempt,) = record["callback"]["tries"]
    assert (attempt["operator"], attempt["result"]) == ("101", "answer")
    assert attempt["talk_s"] == pytest.approx(done.talk_s, abs=0.001)
    assert attempt["talk_s"] > 0.5
    assert record["callback"]["to"] == first
    assert tone_s(sides["citizen"], 600) > 0.2
    assert tone_s(sides["line"], 1000) > 0.2
    assert other["disposition"] == "answered"
    await agrees(centre)


async def test_asked_about_and_taken_over(way_out: WayOut) -> None:
    """In a call-back's talk a department is asked and a supervisor takes over, and both belong to the first call."""
    centre, number = way_out.centre, "09011112222"
    boss = await centre.phone("102", sign_in=False)
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        booker = await way_out.wait_in_line(number)
        await way_out.book(booker)
        await way_out.reaches(number, CallbackState.BOOKED)
        await phone.ready()
        rung = await phone.answer()
        citizen = await way_out.citizen_rings()
        citizen.answer()
        await way_out.reaches(number, CallbackState.TALKING)
        await talk(citizen, rung)
        assert await rung.hold() < 300
        asked = await phone.end.call("701")
        (await way_out.citizen_rings()).refuse(486)
        await centre.hears(asked, "op_transfer_busy")
        assert await asked.ended(10)
        assert await rung.hold("sendrecv") < 300
        await talk(citizen, rung)
        taking = await boss.end.call("*34101")
        await taking.answered(5)
        assert await rung.ended(10)
        await talk(citizen, taking)
        await taking.hang_up()
        assert await citizen.ended(10)
        await way_out.reaches(number, CallbackState.DONE)
        record = await centre.ledger(booker)
    await boss.end.close()
    centre.ends.remove(boss.end)
    assert [(each["kind"], each["result"]) for each in record["transfers"]] == [("consult", "BUSY")]
    assert [(each["by"], each["how"]) for each in record["supervision"]] == [("102", "take_over")]


async def talking(
    way_out: WayOut, number: str, phone: Phone
) -> tuple[OutgoingCall, IncomingCall, IncomingCall]:
    """A call-back's talk under way: the booking call, the operator's telephone, the citizen's."""
    await phone.dial("*21")
    await phone.state("paused:break1")
    booker = await way_out.wait_in_line(number)
    await way_out.book(booker)
    await way_out.reaches(number, CallbackState.BOOKED)
    await phone.ready()
    rung = await phone.answer()
    citizen = await way_out.citizen_rings()
    citizen.answer()
    await way_out.reaches(number, CallbackState.TALKING)
    await talk(citizen, rung)
    return booker, rung, citizen


async def test_the_recording_is_paused(way_out: WayOut) -> None:
    """In a call-back's talk too, where the operator is the calling side; forgotten, it ends with the talk."""
    centre, number = way_out.centre, "09011113333"
    async with centre.at_work("101") as (phone,):
        booker, rung, citizen = await talking(way_out, number, phone)
        await rung.media.press("*5")
        await centre.hears(rung, "op_recording_paused")
        await eventually(
            lambda: any(
                one.name == "op_recording_paused" and one.whole for one in centre.heard_prompts(rung)
            ),
            what="the notice to its end",
        )
        heard = tone_s(citizen.media.heard.recording().samples, SECRET)
        await eventually(lambda: says(rung, citizen, heard), what="the secret")
        await citizen.hang_up()
        await way_out.reaches(number, CallbackState.DONE)
        record = await centre.ledger(booker)
        sides = await centre.sides(record, f"{record['call_id']}-cb1")
    assert tone_s(sides["citizen"], 600) > 0.3
    assert tone_s(sides["line"], SECRET) == 0.0
    (silent,) = record["silences"]
    assert silent["to"] - silent["from"] > 0.5


async def says(end: Dialog, hears: Dialog, before: float) -> bool:
    assert await end.media.say(tone(SECRET))
    return tone_s(hears.media.heard.recording().samples, SECRET) - before > 0.3


@pytest.mark.parametrize("gone", [False, True])
async def test_handed_on_in_vain(way_out: WayOut, gone: bool) -> None:
    """The citizen comes back to the operator, or to the front of their line; the call-back stays one."""
    centre, number = way_out.centre, "09011114444" if gone else "09011115555"
    async with centre.at_work("101") as (phone,):
        booker, rung, citizen = await talking(way_out, number, phone)
        handing = asyncio.create_task(rung.refer(f"sip:701@127.0.0.1:{centre.ports[0]}", timeout=30))
        department = await way_out.citizen_rings()
        if not rung.is_over:
            await rung.hang_up()
        if gone:
            await phone.sign_out()
        department.refuse(486)
        await centre.hears(citizen, "transfer_busy")
        if gone:
            # Nobody is signed in: the line says so. Nobody hears of a technical fault.
            await centre.hears(citizen, "overflow_nobody")
            assert await citizen.ended(10)
            await phone.sign_in()
        else:
            back = await phone.answer()
            await talk(citizen, back)
            await citizen.hang_up()
            assert await back.ended(10)
        await handing
        await way_out.reaches(number, CallbackState.DONE)
        record = await centre.ledger(booker)
        await agrees(centre)
    assert record["disposition"] == "callback"
    assert [(each["to"], each["result"]) for each in record["transfers"]] == [("701", "BUSY")]
    assert "technical_difficulty" not in centre.heard(citizen)


async def test_handed_on(way_out: WayOut) -> None:
    """The department's talk with whom we called back stands in the record."""
    centre, number = way_out.centre, "09011116666"
    async with centre.at_work("101") as (phone,):
        booker, rung, citizen = await talking(way_out, number, phone)
        handing = asyncio.create_task(rung.refer(f"sip:701@127.0.0.1:{centre.ports[0]}", timeout=30))
        department = await way_out.citizen_rings()
        department.answer()
        if not rung.is_over:
            await rung.hang_up()
        began = time.time()
        await talk(citizen, department)
        await department.hang_up()
        ended = time.time()
        assert await citizen.ended(10)
        await handing
        await way_out.reaches(number, CallbackState.DONE)

        async def told() -> dict[str, Any] | None:
            record = await centre.ledger(booker)
            return record if [each for each in record["staff"] if each["ended_at"]] else None

        record = await eventually(told, what="the department's talk in the record")
        await agrees(centre)
    assert (record["disposition"], record["operators"]) == ("callback", [])
    (staff,) = record["staff"]
    assert (staff["started_at"], staff["ended_at"]) == (
        pytest.approx(began, abs=1.0),
        pytest.approx(ended, abs=1.0),
    )


async def test_refused(way_out: WayOut) -> None:
    """The key, then nothing: back at the same place, before whoever came later."""
    centre, first, second = way_out.centre, "09033333331", "09033333332"
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        early = await way_out.wait_in_line(first)
        late = await way_out.wait_in_line(second)
        await way_out.press_key(early)
        await centre.hears(early, "callback_confirm")
        await centre.hears(early, "callback_back")
        await eventually(lambda: len(centre.live()["waiting"]) == 2, what="both waiting")
        await phone.ready()
        offer = await phone.answer()
        assert shown(offer) == first
        await talk(early, offer)
        await early.hang_up()
        await late.hang_up()
        record = await centre.ledger(early)
    assert (record["disposition"], record["callback"]) == ("answered", None)
    assert await way_out.of(first) == []


async def test_second_try(way_out: WayOut) -> None:
    """The citizen does not answer at first: rung once more after the gap, and no third time."""
    centre, number = way_out.centre, "09044444444"
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        await way_out.book(await way_out.wait_in_line(number))
        await way_out.reaches(number, CallbackState.BOOKED)
        await phone.ready()
        offer = await phone.answer()
        (await way_out.citizen_rings()).refuse(486)
        await centre.hears(offer, "op_callback_missed")
        assert await offer.ended(10)
        again = await phone.answer()
        citizen = await way_out.citizen_rings(30)
        assert await citizen.ended(20), "rung for longer than the profile says"
        assert await again.ended(20)
        failed = await way_out.reaches(number, CallbackState.FAILED)
        await eventually(lambda: "callback" in centre.alerts(), within=25, what="the supervisors' alert")
        # No wrap-up for who has not talked.
        await phone.state("ready", within=5)
    assert (failed.tries, failed.offers) == (2, 2)


async def test_an_operator_does_not_answer(way_out: WayOut) -> None:
    """It costs the citizen no try; who misses too often is held back, and a colleague takes it."""
    centre, number = way_out.centre, "09044444445"
    async with centre.at_work("101", "102") as (first, second):
        for phone in (first, second):
            await phone.dial("*21")
            await phone.state("paused:break1")
        await way_out.book(await way_out.wait_in_line(number))
        await way_out.reaches(number, CallbackState.BOOKED)
        await first.ready()
        for _ in range(2):
            offer = await first.rings()
            assert await offer.ended(15)
        await first.state("paused:missed")
        assert (await way_out.reaches(number, CallbackState.BOOKED)).tries == 0
        await second.ready()
        offer = await second.answer()
        citizen = await way_out.citizen_rings()
        citizen.answer()
        await way_out.reaches(number, CallbackState.TALKING)
        await talk(citizen, offer)
        await citizen.hang_up()
        done = await way_out.reaches(number, CallbackState.DONE)
    assert (done.tries, done.offers) == (1, 3)


async def test_called_again(way_out: WayOut) -> None:
    """Whoever calls again and waits is not called as well."""
    centre, number = way_out.centre, "09055555555"
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        await way_out.book(await way_out.wait_in_line(number))
        await way_out.reaches(number, CallbackState.BOOKED)
        again = await way_out.wait_in_line(number)
        gone = await way_out.reaches(number, CallbackState.CANCELLED)
        await phone.ready()
        offer = await phone.answer()
        await talk(again, offer)
        await again.hang_up()
        record = await centre.ledger(again)
    assert (gone.reason, gone.by) == ("called_again", record["call_id"])
    assert record["disposition"] == "answered"


async def test_withheld_and_bad_numbers(way_out: WayOut) -> None:
    """No number came: it is asked for; what may not be called is refused, what may is read back."""
    centre, number = way_out.centre, "0598531234"
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        call = await way_out.wait_in_line(identity=withheld("09066666666"))
        await way_out.press_key(call)
        for times, bad in enumerate(("0120123456#", "119#"), start=1):
            await centre.hears(call, "callback_ask_number", times=times)
            await call.media.press(bad)
            await centre.hears(call, "callback_bad_number", times=times)
        await centre.hears(call, "callback_ask_number", times=3)
        await call.media.press(f"{number}#")
        await centre.hears(call, "callback_confirm")
        await call.media.press("1")
        await centre.hears(call, "callback_booked")
        assert await call.ended(20)
        heard = {name.removeprefix("digit_") for name in centre.heard(call) if name.startswith("digit_")}
        assert len(heard & set(number)) >= 4, "the number was not read back"
        await way_out.reaches(number, CallbackState.BOOKED)
        await phone.ready()
        offer = await phone.answer()
        citizen = await way_out.citizen_rings()
        citizen.answer()
        await way_out.reaches(number, CallbackState.TALKING)
        await talk(citizen, offer)
        await offer.hang_up()
        await way_out.reaches(number, CallbackState.DONE)
    assert way_out.seen[-1] == number


async def test_more_callbacks_than_operators(way_out: WayOut) -> None:
    """Two bookings, one operator: one telephone rings at a time."""
    centre, numbers = way_out.centre, ("09077777771", "09077777772")
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        for number in numbers:
            await way_out.book(await way_out.wait_in_line(number))
            await way_out.reaches(number, CallbackState.BOOKED)
        await phone.ready()
        for number in numbers:
            offer = await phone.answer()
            assert shown(offer) == number
            citizen = await way_out.citizen_rings()
            states = [each["state"] for each in centre.live()["callbacks"]]
            assert sum(state != "booked" for state in states) <= 1
            citizen.answer()
            await way_out.reaches(number, CallbackState.TALKING)
            await talk(citizen, offer)
            await citizen.hang_up()
            await way_out.reaches(number, CallbackState.DONE)


async def test_engine_dead_at_the_key(way_out: WayOut) -> None:
    """Without the engine nothing is booked, and the place is kept."""
    centre, first, second = way_out.centre, "09088888881", "09088888882"
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        early = await way_out.wait_in_line(first)
        late = await way_out.wait_in_line(second)
        async with centre.without_engine():
            await early.media.press("5")
            await centre.hears(early, "callback_unavailable")

            async def both_wait() -> bool:
                return "has 2 calls" in await centre.cli("queue show consult-ja")

            await eventually(both_wait, what="both in the switch's queue")
            await phone.ready()
            offer = await phone.answer()
            assert shown(offer) == first
        await talk(early, offer)
        await early.hang_up()
        await late.hang_up()
        record = await centre.ledger(early)
    assert record["disposition"] == "answered"
    assert [each["step"] for each in record["fallbacks"]] == ["callback"]
    assert await way_out.of(first) == []


async def test_engine_killed(way_out: WayOut) -> None:
    """Killed after the booking and again while the operator's telephone rings: called once."""
    centre, number = way_out.centre, "09099999999"
    async with centre.at_work("101") as (phone,):
        await phone.dial("*21")
        await phone.state("paused:break1")
        await way_out.book(await way_out.wait_in_line(number))
        old = centre.engine_pid()
        kill(old)
        await centre.engine_is_back(old)
        await way_out.reaches(number, CallbackState.BOOKED)
        await phone.ready()
        offer = await phone.rings()
        old = centre.engine_pid()
        kill(old)
        offer.answer()
        citizen = await way_out.citizen_rings()
        citizen.answer()
        await centre.engine_is_back(old)
        await way_out.reaches(number, CallbackState.TALKING)
        await talk(citizen, offer)
        await citizen.hang_up()
        done = await way_out.reaches(number, CallbackState.DONE)
        await phone.state("ready")
        await asyncio.sleep(1.0)  # nothing must happen in it
        assert way_out.untouched()
    assert (done.tries, done.offers) == (1, 1)


async def test_the_way_out_takes_citizens_numbers_only(way_out: WayOut) -> None:
    """As the switch itself matches them."""
    for number, context in (
        ("09012345678", "callback-dial"), ("05012345678", "callback-dial"), ("0598531234", "callback-dial"),
        ("0120123456", "callback-refused"), ("0570123456", "callback-refused"), ("0990123456", "callback-refused"),
        ("0101555123456", ""), ("119", ""), ("110", ""), ("+14155552671", ""), ("08001234567", ""),
    ):  # fmt: skip
        shown_plan = await way_out.centre.cli(f"dialplan show {number}@callback-out")
        first = next((line for line in shown_plan.splitlines() if "Goto(" in line), "")
        assert (context in first) if context else not first, (number, shown_plan)
