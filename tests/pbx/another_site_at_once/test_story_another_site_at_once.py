"""宇部市 仕様書 9(10)イ: when one site cannot answer, a person hands over to another at once; and takes it back."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from centre import Centre, eventually, talk

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_another_site_at_once(guarded: Centre) -> None:
    began = time.time()
    async with guarded.at_work("101") as (gone,):
        site = await guarded.phone("301", sign_in=False)
        await site.sign_in_to_stand_by()
        await gone.dial("*21")
        await gone.state("paused:break1")
        call = await guarded.queued("3")
        await eventually(lambda: guarded.live()["waiting"], what="waiting")
        await guarded.command("guard", "call-in", "booth")
        handed_over = time.time()
        offer = await site.answer()
        assert offer.moments[Moment.INVITE] - handed_over < 4.0
        await talk(call, offer)
        await call.hang_up()
        # Nobody waits, and still they stay until the person who called lets go.
        await site.state("ready")
        late = await guarded.phone("302")
        await asyncio.sleep(5)  # longer than the calm after which the guard by itself would send them back
        assert guarded.live()["called_in"] == ["booth"]
        await guarded.command("guard", "release", "booth")
        await site.state("paused:reserve")
        await late.state("paused:reserve")
        for phone in (site, late):
            await guarded.close_phone(phone)
        record = await guarded.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["301"])
    day = time.strftime("%Y-%m-%d", time.gmtime(began))
    rows = [json.loads(row) for row in (await guarded.command("audit", "list", "--since", day)).splitlines()]
    told = [(row["action"], row["subject"]) for row in rows if row["at"] >= began]
    assert told == [
        ("guard.by_hand", "booth"),
        ("guard.call_in", "booth"),
        ("guard.by_hand_over", "booth"),
        ("guard.send_back", "booth"),
    ]
