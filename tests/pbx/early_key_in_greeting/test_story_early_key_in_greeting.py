"""A key pressed in the greeting is kept; the recording notice is heard to its end all the same."""

from __future__ import annotations

import pytest
from centre import Centre

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_early_key_in_greeting(centre: Centre) -> None:
    call = await centre.call()
    await call.media.press("2")
    await centre.hears(call, "connecting")
    await call.hang_up()
    record = await centre.ledger(call)
    greeting, *rest = centre.heard_prompts(call)
    assert greeting.name == "greeting"
    assert greeting.whole
    assert "menu_main" not in [prompt.name for prompt in rest]
    assert (record["menu_path"], record["language"]) == (["main:2"], "ja")
