"""Zero: the menu once more."""

from __future__ import annotations

import pytest
from centre import Centre

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_repeat_key(centre: Centre) -> None:
    call = await centre.call()
    await centre.hears(call, "menu_main")
    await call.media.press("0")
    await centre.hears(call, "menu_main", times=2)
    await call.hang_up()
    record = await centre.ledger(call)
    heard = [name for name in centre.heard(call) if name != "language"]
    assert heard == ["greeting", "menu_main", "menu_main"]
    assert (record["disposition"], record["menu_path"]) == ("abandoned_menu", [])
