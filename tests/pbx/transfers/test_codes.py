"""Handing over by the switch's own codes, to another line, and while the engine is dead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from centre import eventually, talk
from handover import INSIDE, OUTSIDE, Handover, now, spans

from demo.ends.identity import known, withheld

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
BLIND, ATTENDED, ABORT, JOIN, THREE = "*7", "*8", "*1", "*2", "*3"
LINE = "803"


async def test_blind_by_code(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.by_code(offer, BLIND, OUTSIDE)
        rung = await city.department(OUTSIDE)
        rung.answer()
        began = now()
        await talk(call, rung)
        await phone.state("wrapup", within=5)
        await rung.hang_up()
        ended = now()
        record = await city.told(call)
    (moved,) = record["transfers"]
    assert (moved["to"], moved["result"], moved["kind"]) == (OUTSIDE, "ANSWER", "blind")
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


async def test_asked_by_code_and_joined(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        rung = await city.asked_by_code(offer, ATTENDED, INSIDE)
        await offer.media.press(JOIN)
        began = now()
        await talk(call, rung)
        await phone.state("wrapup", within=5)
        await call.hang_up()
        ended = now()
        record = await city.told(call)
    (moved,) = record["transfers"]
    assert (moved["to"], moved["result"], moved["kind"]) == (INSIDE, "ANSWER", "attended")
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]
    assert (record["operators"], record["disposition"]) == (["101"], "answered")


async def test_asked_by_code_and_back(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        rung = await city.asked_by_code(offer, ATTENDED, INSIDE)
        await offer.media.press(ABORT)
        assert await rung.ended(10)
        await talk(call, offer)
        await call.hang_up()
        record = await city.told(call)
    assert (record["operators"], record["staff"]) == (["101"], [])
    assert [each["kind"] for each in record["transfers"]] == ["consult"]


async def test_three_in_one_talk(city: Handover) -> None:
    """Everybody hears everybody; then the operator leaves the two to themselves."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        rung = await city.asked_by_code(offer, ATTENDED, INSIDE)
        await offer.media.press(THREE)
        began = now()
        await talk(call, rung)
        await talk(call, offer)
        await talk(offer, rung)
        await offer.hang_up()
        await phone.state("wrapup", within=5)
        await talk(call, rung)
        await call.hang_up()
        ended = now()
        record = await city.told(call)
    assert [each["kind"] for each in record["transfers"]] == ["attended"]
    assert spans(record["staff"]) == [(pytest.approx(began, abs=1.0), pytest.approx(ended, abs=1.0))]


async def test_to_another_line(city: Handover) -> None:
    """The citizen waits in the other line's queue and keeps the moment of the first entry."""
    centre = city.centre
    async with centre.at_work("101", "201") as (phone, other):
        await other.dial("*21")
        await other.state("paused:break1")
        call, offer = await city.served(phone)
        await city.hand_over(offer, LINE)
        await eventually(
            lambda: [each["queue"] for each in centre.live()["waiting"]] == ["consult-ja"],
            what="the other line",
        )
        await other.ready()
        taken = await other.answer()
        await talk(call, taken)
        await taken.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"], record["line"]) == (
        "answered",
        ["101", "201"],
        "consult",
    )
    (moved,) = record["transfers"]
    assert (moved["to"], moved["result"], moved["kind"]) == (LINE, "QUEUE", "blind")


async def test_to_a_line_that_nobody_serves(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await city.hand_over(offer, LINE)
        again = await city.back(phone, "op_transfer_unreachable")
        await talk(call, again)
        await call.hang_up()
        record = await city.told(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101", "101"])
    assert [each["result"] for each in record["transfers"]] == ["NOBODY"]


async def test_the_engine_is_dead(city: Handover) -> None:
    """Handing over, asking first and coming back need no engine."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        async with centre.without_engine():
            asked = await city.ask(phone, offer, INSIDE)
            rung = await city.department(INSIDE)
            rung.answer()
            await asked.answered(5)
            assert await city.join(offer, asked, INSIDE) < 300
            await talk(call, rung)
            await call.hang_up()
            await phone.ready()
            second = await centre.chooses("1")
            again = await phone.answer()
            await talk(second, again)
            await city.hand_over(again, OUTSIDE)
            (await city.department(OUTSIDE)).refuse(486)
            back = await city.back(phone, "op_transfer_busy")
            await talk(second, back)
            await second.hang_up()
        records = [await city.told(each) for each in (call, second)]
    assert [each["to"] for each in records[0]["staff"]] == [INSIDE]
    assert records[1]["operators"] == ["101", "101"]


@pytest.mark.parametrize("hidden", [False, True])
async def test_the_department_hears_what_it_is_about(city: Handover, hidden: bool) -> None:
    """Before the two are joined; a withheld number is not told."""
    centre = city.centre
    await centre.cli("dialplan set global T_SUMMARY yes")
    try:
        async with centre.at_work("101") as (phone,):
            who = withheld("09012340007") if hidden else known("09012340007")
            call, offer = await city.served(phone, identity=who)
            await city.hand_over(offer, OUTSIDE)
            rung = await city.department(OUTSIDE)
            rung.answer()
            last = "op_line_card" if hidden else "digit_7"
            digits = [f"digit_{digit}" for digit in range(10)]
            await centre.hears_whole(rung, last, within=30, among=digits)
            await talk(call, rung)
            city.joined[rung] = centre.told_at(rung, last, end=True)
            heard = centre.heard(rung)
            told = ["op_staff_summary", "op_line_card", *([] if hidden else ["callback_number"])]
            assert [name for name in heard if not name.startswith("digit_")] == told
            digits = [name for name in heard if name.startswith("digit_")]
            assert (len(digits) >= 7) is not hidden
            assert not [name for name in centre.heard(call) if name.startswith("op_")]
            await call.hang_up()
            record = await city.told(call)
    finally:
        await centre.cli("dialplan set global T_SUMMARY no")
    assert [each["to"] for each in record["staff"]] == [OUTSIDE]


async def test_a_request_to_the_city(city: Handover) -> None:
    """Proposed after a transfer in vain; confirmed, taken and done by people; a complaint is told at once."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone, identity=known("09012340008"))
        await city.hand_over(offer, INSIDE)
        (await city.department(INSIDE)).refuse(486)
        back = await city.back(phone, "op_transfer_busy")
        await talk(call, back)
        await call.hang_up()
        record = await city.told(call)

    async def listed(*more: str) -> list[dict[str, Any]]:
        return [json.loads(row) for row in (await centre.command("tickets", "list", *more)).splitlines()]

    (proposed,) = [row for row in await listed() if row["call"] == record["call_id"]]
    assert (proposed["state"], proposed["department"], proposed["kind"]) == ("proposed", INSIDE, "call_back")
    assert "0008" in proposed["number"]
    assert "09012340008" not in proposed["number"]
    await centre.command("tickets", "confirm", proposed["ticket"], "--by", "山田")
    await centre.command("tickets", "take", proposed["ticket"], "--by", "佐藤")
    await centre.command("tickets", "done", proposed["ticket"], "--by", "佐藤", "--result", "折り返した")
    (done,) = [row for row in await listed("--all", "--show-numbers") if row["ticket"] == proposed["ticket"]]
    assert (done["state"], done["owner"], done["result"], done["number"]) == (
        "done", "佐藤", "折り返した", "09012340008",
    )  # fmt: skip
    complaint = (await centre.command("tickets", "open", "complaint", "--content", "説明が違った")).strip()
    await eventually(lambda: "ticket" in centre.alerts(), what="the alert")
    await centre.command("tickets", "take", complaint, "--by", "佐藤")
    await eventually(lambda: "ticket" not in centre.alerts(), what="the end of the alert", within=30)
