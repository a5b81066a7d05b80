"""A matter of the state: another number is named, and the call ends by itself."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.dialog import Side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_referred(centre: Centre) -> None:
    call = await centre.call()
    await call.media.press("7")
    assert await call.ended(30)
    assert call.ended_by is Side.PEER
    record = await centre.ledger(call)
    heard = [name for name in centre.heard(call) if name != "language"]
    assert heard == ["greeting", "refer_national", "after_tell", "goodbye"]
    assert (record["disposition"], record["ended_by"]) == ("referred", "system")
    assert record["menu_path"] == ["main:7"]
