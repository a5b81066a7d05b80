"""What is said while the recording is paused is in neither file, and the files are as long as the call."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from centre import eventually, talk, tone, tone_s
from handover import Handover

from demo.ends.dialog import Dialog

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]
PAUSE = "*5"
BEFORE, SECRET, AFTER = 600, 1300, 1900


async def says(end: Dialog, hears: Dialog, hz: int) -> None:
    """Say a tone until the other side has heard it: after a code the operator's leg is back in a moment."""

    async def heard() -> bool:
        assert await end.media.say(tone(hz))
        return tone_s(hears.media.heard.recording().samples, hz) > 0.3

    await eventually(heard, what=f"{hz} Hz")


async def test_the_secret_is_not_recorded(city: Handover, tmp_path: Path) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)

        async def pressed(name: str) -> None:
            await offer.media.press(PAUSE)
            await centre.hears_whole(offer, name)

        await pressed("op_recording_paused")
        for end, hears in ((call, offer), (offer, call)):
            await says(end, hears, SECRET)
        await pressed("op_recording_again")
        for end, hears in ((call, offer), (offer, call)):
            await says(end, hears, AFTER)
        await call.hang_up()
        record = await centre.ledger(call)
        sides = await centre.sides(record)
    pack = tmp_path / "evidence.zip"
    printed = await centre.command("evidence", record["call_id"], "--reason", "試験", "--out", str(pack))
    assert printed.split()[0] == hashlib.sha256(pack.read_bytes()).hexdigest()
    with zipfile.ZipFile(pack) as made:
        assert {f"recordings/{record['call_id']}-{side}.wav" for side in ("citizen", "line")} <= set(
            made.namelist()
        )
        assert json.loads(made.read("call.json"))["silences"] == record["silences"]
    assert (await centre.audited("evidence.export"))[-1].subject == record["call_id"]
    (silent,) = record["silences"]
    assert 1.0 < silent["to"] - silent["from"] < 20.0
    for side in sides.values():
        assert tone_s(side, SECRET) == 0.0
        assert tone_s(side, AFTER) > 0.3
        assert abs(len(side) / 8000 - (record["ended_at"] - record["answered_at"])) < 1.0
    assert tone_s(sides["citizen"], BEFORE) > 0.3


async def test_forgotten_it_ends_with_the_operators_talk(city: Handover) -> None:
    """Who talks with the citizen next is recorded."""
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        await offer.media.press(PAUSE)
        await centre.hears(offer, "op_recording_paused")
        await city.hand_over(offer, "702")
        rung = await city.department("702")
        rung.answer()
        await talk(call, rung)
        assert await call.media.say(tone(AFTER))
        await call.hang_up()
        record = await centre.ledger(call)
        sides = await centre.sides(record)
    (silent,) = record["silences"]
    assert silent["to"] == pytest.approx(record["segments"][0]["ended_at"], abs=1.0)
    assert tone_s(sides["citizen"], AFTER) > 0.3


async def test_without_the_engine_the_operator_hears_that_it_cannot_be(city: Handover) -> None:
    centre = city.centre
    async with centre.at_work("101") as (phone,):
        call, offer = await city.served(phone)
        async with centre.without_engine():
            await offer.media.press(PAUSE)
            await centre.hears(offer, "op_refused")
            await talk(call, offer)
            await call.hang_up()
        record = await centre.ledger(call)
    assert record["silences"] == []
