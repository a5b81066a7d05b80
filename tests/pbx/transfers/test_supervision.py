"""Listening, whispering, barging in and taking over, by ear: who hears whose tone, and who does not."""

from __future__ import annotations

import pytest
from centre import Phone, eventually
from handover import Handover
from tones import CITIZEN, HEARD, SUPERVISOR, who_hears

from demo.ends.calls import OutgoingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def watches(phone: Phone, code: str) -> OutgoingCall:
    call = await phone.end.call(code)
    await call.answered(5)
    return call


@pytest.mark.parametrize(("code", "how"), [("*31101", "listen"), ("*32101", "whisper"), ("*33101", "barge")])
async def test_watching(city: Handover, code: str, how: str) -> None:
    centre = city.centre
    boss = await centre.phone("301", sign_in=False)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        watching = await watches(boss, code)
        await centre.hears(offer, "op_watched")
        await centre.hears_whole(offer, "op_watched")
        heard = await who_hears(citizen=call, operator=offer, supervisor=watching)
        assert "op_watched" not in centre.heard(call), "the citizen heard the operator's notice"
        await call.hang_up()
        assert await watching.ended(10), "the spying goes on after the talk"
        record = await centre.ledger(call)
    await boss.end.close()
    centre.ends.remove(boss.end)
    assert heard == HEARD[how]
    (told,) = record["supervision"]
    assert (told["by"], told["operator"], told["how"]) == ("301", "101", how)
    assert told["ended_at"] == pytest.approx(record["ended_at"], abs=1.0)
    assert record["operators"] == ["101"]


async def test_taking_over(city: Handover) -> None:
    centre = city.centre
    boss = await centre.phone("301", sign_in=False)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        taking = await watches(boss, "*34101")
        assert await offer.ended(10)
        heard = await who_hears(citizen=call, supervisor=taking)
        await phone.state("wrapup", within=5)
        await taking.hang_up()
        assert await call.ended(10)
        record = await centre.ledger(call)
        await city.agrees()
    await boss.end.close()
    centre.ends.remove(boss.end)
    assert heard == {"citizen": {SUPERVISOR}, "supervisor": {CITIZEN}}
    assert (record["disposition"], record["operators"]) == ("answered", ["101", "301"])
    assert [told["how"] for told in record["supervision"]] == ["take_over"]


async def test_nobody_else_may(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101", "102") as (one, two):
        busy, idle = one, two
        await idle.dial("*21")
        call, _offer = await city.served(busy)
        refused = await idle.dial("*31101", listen=True)
        assert centre.heard(refused) == ["op_refused"]
        await call.hang_up()
        record = await centre.ledger(call)
    assert record["supervision"] == []


async def test_an_operator_raises_a_hand(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        assert await offer.hold() < 300
        asked = await phone.dial("*30", listen=True)
        assert centre.heard(asked) == ["op_help"]
        await eventually(lambda: "help" in centre.alerts(), what="the supervisors' alert")
        await call.hang_up()
        record = await centre.ledger(call)
    assert len(record["help_asked"]) == 1


async def test_sent_on_a_break_and_home(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        await centre.command("operator", "pause", "101", "break1")
        await phone.state("paused:break1")
        await phone.ready()
        await phone.state("ready")
        await centre.command("operator", "sign-out", "101")
        await phone.state(None)
        entries = [await centre.audited(action) for action in ("operator.pause", "operator.sign_out")]
        assert [entry[-1].subject for entry in entries] == ["101", "101"]
        await phone.sign_in()
