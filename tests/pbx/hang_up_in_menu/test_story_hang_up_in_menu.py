"""The citizen hangs up while the menu is read out."""

from __future__ import annotations

import pytest
from centre import Centre

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_hang_up_in_menu(centre: Centre) -> None:
    call = await centre.call()
    await centre.hears(call, "menu_main")
    await call.hang_up()
    record = await centre.ledger(call)
    assert centre.heard(call)[0] == "greeting"
    assert centre.heard(call)[-1] == "menu_main"
    assert (record["disposition"], record["ended_by"]) == ("abandoned_menu", "citizen")
    assert (record["menu_path"], record["language"]) == ([], "ja")
