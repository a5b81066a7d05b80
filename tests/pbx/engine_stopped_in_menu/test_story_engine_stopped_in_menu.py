"""The engine stands still while a citizen is in the menu: it is ended, and the call goes on."""

from __future__ import annotations

import os
import signal
import time

import pytest
from centre import Centre, talk

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_engine_stopped_in_menu(own_centre: Centre) -> None:
    centre = own_centre
    async with centre.at_work("101") as (phone,):
        call = await centre.call()
        await centre.hears(call, "menu_main")
        old = centre.engine_pid()
        assert old
        stopped_at = time.time()
        os.kill(old, signal.SIGSTOP)
        await centre.hears(call, "greeting", times=2)
        assert centre.told_at(call, "greeting") - stopped_at < 6.0, "too long a silence"
        await centre.hears(call, "menu_main", times=2)
        await call.media.press("1")
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        await centre.engine_is_back(old)
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert record["menu_path"] == ["main:1"]
    assert record["fallbacks"] == [{"step": "ivr", "why": "unfinished", "by": "script"}]
    assert len(await centre.records()) == 1
