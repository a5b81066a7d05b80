"""The citizen hangs up while the greeting sounds."""

from __future__ import annotations

import pytest
from centre import Centre

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_hang_up_in_greeting(centre: Centre) -> None:
    call = await centre.call()
    await centre.hears(call, "greeting")
    await call.hang_up()
    record = await centre.ledger(call)
    assert centre.heard(call) == ["greeting"]
    assert (record["disposition"], record["ended_by"]) == ("abandoned_menu", "citizen")
    assert (record["menu_path"], record["wait_s"], record["operators"]) == ([], None, [])
