"""A citizen presses a key, waits, and talks with an operator; the operator hangs up."""

from __future__ import annotations

import pytest
from centre import Centre, eventually

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_answered(centre: Centre) -> None:
    phone = await centre.phone("101")
    call = await centre.call()
    await centre.hears(call, "greeting")
    await call.media.press("1")
    offer = await phone.answer()
    await eventually(lambda: offer.is_established)
    await offer.hang_up()
    assert await call.ended(10)

    record = await centre.ledger(call)
    assert record["disposition"] == "answered"
    assert record["operators"] == ["101"]
    assert record["menu_path"] == ["main:1"]
    assert record["ended_by"] == "operator"
    assert record["line"] == "card"
    await eventually(lambda: centre.operator_state("101") == "ready", what="the end of wrap-up")
    await centre.close_phone(phone)
