"""A citizen who presses nothing is asked once more and then gets a person."""

from __future__ import annotations

import pytest
from centre import Centre, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_no_input(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        call = await centre.call()
        offer = await phone.answer(timeout=40)
        await talk(call, offer)
        await offer.hang_up()
        assert await call.ended(5)
        record = await centre.ledger(call)
    heard = [name for name in centre.heard(call) if name != "language"]
    assert heard == ["greeting", "menu_main", "silence_retry", "menu_main", "connecting"]
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert (record["menu_path"], record["line"], record["ended_by"]) == ([], "card", "operator")
