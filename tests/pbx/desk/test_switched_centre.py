"""A supervisor's telephone closes the centre while the engine is dead, opens it, and has callers hear a message."""

from __future__ import annotations

import pytest
from centre import Phone, eventually
from handover import Handover

from core.emergency import clear_notice, read_emergency, read_notice
from demo.ends.calls import OutgoingCall

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def dials(city: Handover, boss: Phone, code: str, asks: str, key: str) -> OutgoingCall:
    """Dial a code, press `key` once it asks; the call, ended."""
    call = await boss.end.call(code)
    city.centre.codes.append(call)
    await call.answered(10)
    await city.centre.hears(call, asks)
    await call.media.press(key)
    assert await call.ended(20)
    return call


async def test_by_telephone(city: Handover) -> None:
    centre = city.centre
    boss = await centre.phone("301", sign_in=False)
    async with centre.at_work("101") as (phone,):
        assert centre.heard(await phone.dial("*61", listen=True)) == ["op_refused"], "no supervisor"
        slipped = await dials(city, boss, "*61", "op_confirm_close", "2")
        assert "op_refused" in centre.heard(slipped)
        assert read_emergency(centre.home) is None
        await dials(city, boss, "*63", "op_confirm_notice", "1")
        assert read_notice(centre.home) is not None
        call = await centre.call()
        await centre.hears(call, "notice_emergency")
        await centre.hears(call, "menu_main")
        await call.hang_up()
        assert clear_notice(centre.home)
        async with centre.without_engine():
            closed = await dials(city, boss, "*61", "op_confirm_close", "1")
            assert "op_done_close" in centre.heard(closed)
            call = await centre.call()
            assert await call.ended(40)
            heard = [name for name in centre.heard(call) if name != "language"]
            assert heard[:2] == ["greeting", "emergency_closed"]
            await dials(city, boss, "*62", "op_confirm_reopen", "1")
            assert read_emergency(centre.home) is None

        async def noted() -> bool:
            return len(await centre.audited("centre.reopen")) == 1

        await eventually(noted, what="the audit of what was done without an engine")
        (closing,) = await centre.audited("centre.close")
    await boss.end.close()
    centre.ends.remove(boss.end)
    assert closing.actor == "301"
