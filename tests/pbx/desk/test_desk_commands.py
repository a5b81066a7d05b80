"""What a screen asks for happens on the telephones: handing over, asking, three in a talk, silence, supervision."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import datetime
from typing import Any

import pytest
from centre import eventually, talk, tone, tone_s
from handover import INSIDE, OUTSIDE, Handover
from tones import HEARD, who_hears

from core.clock import TOKYO
from core.settings import settings_from
from runtime.control_port import ask

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
OPERATOR = {"name": "青木", "role": "operator", "operator": "101"}
SUPERVISOR = {"name": "佐藤", "role": "supervisor", "operator": "301"}


async def desk(
    city: Handover, act: str, by: dict[str, str] = OPERATOR, *, outcome: str = "done", **more: Any
) -> dict[str, Any]:
    """Ask for something, as a desk does; the answer."""
    settings = settings_from(city.centre.environment())
    answer = await ask(settings, {"id": 1, "act": act, "by": by, "operator": "101", **more})
    assert answer["outcome"] == outcome, answer
    return answer


async def measured(city: Handover) -> dict[str, int]:
    """Legs of the day whose voice quality is known, by route."""
    today = datetime.now(TOKYO).date().isoformat()
    printed = await city.centre.command("report", "quality", "--date", today, "--format", "csv")
    rows = csv.DictReader(io.StringIO(printed.removeprefix("\ufeff")))
    return {row["経路"]: int(row["回線脚"]) for row in rows}


async def test_blind_and_nobody_takes_it(city: Handover) -> None:
    """Handed over at once; refused there, the citizen is back, and handed over again to somebody who takes them."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        await desk(city, "transfer", to=INSIDE, outcome="refused")
        call, offer = await city.served(phone)
        told = await desk(city, "transfer", to="999", outcome="refused")
        assert "999" in told["text"]
        await desk(city, "transfer", to=INSIDE)
        assert await offer.ended(10)
        (await city.department(INSIDE)).refuse(486)
        await talk(call, await city.back(phone, "op_transfer_busy"))
        await desk(city, "transfer", SUPERVISOR, to=OUTSIDE)
        rung = await city.department(OUTSIDE)
        rung.answer()
        await talk(call, rung)
        await phone.state("wrapup", within=5)
        await call.hang_up()
        record = await centre.ledger(call)
        await city.agrees()
    assert [(each["to"], each["result"]) for each in record["transfers"]] == [
        (INSIDE, "BUSY"),
        (OUTSIDE, "ANSWER"),
    ]
    asked = [entry for entry in await centre.audited("call.transfer") if entry.detail.get("to") == OUTSIDE]
    assert (asked[-1].actor, asked[-1].subject, asked[-1].detail["call"]) == (
        "佐藤",
        "101",
        record["call_id"],
    )


async def test_asked_joined_and_swapped(city: Handover) -> None:
    """A department that is asked, put aside, asked on, and joined with the citizen; one after it that is sent away."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await desk(city, "complete", outcome="refused")
        await desk(city, "consult", to=INSIDE)
        rung = await city.department(INSIDE)
        await desk(city, "complete", outcome="refused")
        rung.answer()
        await talk(offer, rung)
        await desk(city, "swap")
        await talk(call, offer)
        await desk(city, "swap")
        await talk(offer, rung)
        answer = await desk(city, "return")
        assert answer["hand"]["asked"] == "no"
        assert await rung.ended(10)
        await talk(call, offer)
        await desk(city, "consult", to=OUTSIDE)
        second = await city.department(OUTSIDE)
        second.answer()
        await talk(offer, second)
        await desk(city, "complete")
        await talk(call, second)
        await phone.state("wrapup", within=5)
        await call.hang_up()
        record = await centre.ledger(call)
        await city.agrees()
    assert [(each["to"], each["kind"]) for each in record["transfers"]] == [
        (INSIDE, "consult"), (OUTSIDE, "attended"),
    ]  # fmt: skip
    assert (record["operators"], [each["to"] for each in record["staff"]]) == (["101"], [OUTSIDE])
    by_route = await measured(city)
    assert by_route[f"市民課（{OUTSIDE}）"] >= 1
    assert by_route["オペレーターの電話機"] >= 1
    assert by_route["市民の回線（トランク）"] >= 1


async def test_given_up_while_it_rings_and_three_in_a_talk(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await desk(city, "consult", to=INSIDE)
        ringing = await city.department(INSIDE)
        await desk(city, "return")
        assert await ringing.ended(10)
        await talk(call, offer)
        await desk(city, "consult", to=INSIDE)
        rung = await city.department(INSIDE)
        rung.answer()
        await talk(offer, rung)
        answer = await desk(city, "join")
        assert answer["hand"]["asked"] == "together"
        for one, other in ((call, rung), (call, offer), (offer, rung)):
            await talk(one, other)
        await desk(city, "hang_up")
        await phone.state("wrapup", within=5)
        await talk(call, rung)
        await call.hang_up()
        record = await centre.ledger(call)
        await city.agrees()
    assert [each["kind"] for each in record["transfers"]] == ["consult", "attended"]
    assert record["operators"] == ["101"]


async def test_the_recording_is_silent_meanwhile(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await desk(city, "pause_recording")
        assert (await desk(city, "pause_recording"))["hand"]["muted"]

        async def secret() -> bool:
            assert await call.media.say(tone(1300))
            return tone_s(offer.media.heard.recording().samples, 1300) > 0.3

        await eventually(secret, what="the secret in the operator's ear")
        await desk(city, "resume_recording")
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
        sides = await centre.sides(record)
    assert len(record["silences"]) == 1
    assert tone_s(sides["citizen"], 1300) == 0.0
    assert tone_s(sides["citizen"], 600) > 0.3


async def test_supervised_from_a_screen(city: Handover) -> None:
    """The supervisor's telephone rings, then listens; then it takes the citizen over."""
    centre = city.centre
    boss = await centre.phone("301", sign_in=False)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await desk(city, "listen", OPERATOR, outcome="refused")
        listening = asyncio.create_task(desk(city, "listen", SUPERVISOR))
        ear = await boss.answer()
        await listening

        async def heard() -> bool:
            assert await call.media.say(tone(600))
            return tone_s(ear.media.heard.recording().samples, 600) > 0.3

        await eventually(heard, what="the citizen in the supervisor's ear")
        await desk(city, "barge", SUPERVISOR, outcome="refused")
        await ear.hang_up()

        async def over() -> bool:
            return not (await desk(city, "state", SUPERVISOR))["hand"]["watchers"]

        await eventually(over, what="the end of listening")
        taking = asyncio.create_task(desk(city, "take_over", SUPERVISOR))
        taken = await boss.answer()
        await taking
        await talk(call, taken)
        assert await offer.ended(10)
        await phone.state("wrapup", within=5)
        await desk(city, "pause", SUPERVISOR, to="break1")
        await phone.state("paused:break1")
        await desk(city, "ready", SUPERVISOR)
        await phone.state("ready")
        # The call that was taken over can be handed on like any other.
        await desk(city, "consult", SUPERVISOR, operator="301", to=INSIDE)
        rung = await city.department(INSIDE)
        rung.answer()
        await talk(taken, rung)
        await desk(city, "complete", SUPERVISOR, operator="301")
        await talk(call, rung)
        await call.hang_up()
        record = await centre.ledger(call)
        await city.agrees()
    await boss.end.close()
    centre.ends.remove(boss.end)
    assert [each["how"] for each in record["supervision"]] == ["listen", "take_over"]
    assert record["operators"] == ["101", "301"]
    assert [(each["to"], each["kind"]) for each in record["transfers"]] == [(INSIDE, "attended")]


@pytest.mark.parametrize("how", ["whisper", "barge"])
async def test_taking_part_from_a_screen(city: Handover, how: str) -> None:
    """What the supervisor says into the telephone that rang is heard by the operator alone, or by both."""
    centre = city.centre
    boss = await centre.phone("301", sign_in=False)
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        asking = asyncio.create_task(desk(city, how, SUPERVISOR))
        ear = await boss.answer()
        await asking
        await centre.hears_whole(offer, "op_watched")
        heard = await who_hears(citizen=call, operator=offer, supervisor=ear)
        await call.hang_up()
        assert await ear.ended(10), "the supervisor is left alone on the line"
        record = await centre.ledger(call)
        await city.agrees()
    await boss.end.close()
    centre.ends.remove(boss.end)
    assert heard == HEARD[how]
    assert [each["how"] for each in record["supervision"]] == [how]


async def test_a_call_that_nobody_should_have_to_bear(city: Handover) -> None:
    """Two sentences that the operator has said; the last one, and the end, are a supervisor's alone."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await desk(city, "mark_relay")
        await desk(city, "warn")
        await centre.hears(call, "long_call_1")
        await talk(call, offer)
        await offer.media.press("*9")
        await centre.hears(call, "long_call_2")
        await desk(city, "end", outcome="refused")
        await desk(city, "end", SUPERVISOR)
        assert await offer.ended(10)
        await centre.hears(call, "long_call_end")
        assert await call.ended(15)
        record = await centre.ledger(call)
        sides = await centre.sides(record)
    assert [(each["stage"], each["by"]) for each in record["long_call_words"]] == [
        ("1", "青木"), ("2", ""), ("end", "佐藤"),
    ]  # fmt: skip
    assert record["relay"]
    assert (record["disposition"], record["ended_by"]) == ("answered", "system")
    heard = centre.ear().find(sides["line"], names=["long_call_1", "long_call_end"])
    assert [one.name for one in heard] == ["long_call_1", "long_call_end"], "the evidence lacks what was said"
