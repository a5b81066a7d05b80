"""Nine for English: English words from then on, the English queue, an operator."""

from __future__ import annotations

import pytest
from centre import Centre, talk

from demo.ends.dialog import Moment

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_english_path(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        call = await centre.call()
        await centre.hears(call, "language", language="en")
        await call.media.press("9")
        await centre.hears(call, "menu_main", language="en")
        await call.media.press("1")
        offer = await phone.answer()
        await talk(call, offer)
        await offer.hang_up()
        assert await call.ended(5)
        record = await centre.ledger(call)
    assert centre.heard(call)[0] == "greeting"
    english = [name for name in centre.heard(call, "en") if name != "language"]
    assert english == ["greeting", "menu_main", "connecting"]
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert (record["line"], record["language"]) == ("card", "en")
    assert record["menu_path"] == ["language:9", "main:1"]
    seen = centre.wait_until(call, offer.moments[Moment.ANSWERED], "en")
    assert record["wait_s"] == pytest.approx(seen, abs=1.0)
