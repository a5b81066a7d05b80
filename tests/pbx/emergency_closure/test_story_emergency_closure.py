"""Closed by hand in the middle of the day, and opened again."""

from __future__ import annotations

from datetime import datetime

import pytest
from centre import Centre, talk

from core.clock import TOKYO
from core.emergency import clear_emergency, write_emergency
from core.hours import Emergency

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_emergency_closure(centre: Centre) -> None:
    until = datetime(2026, 11, 24, 13, 0, tzinfo=TOKYO)
    async with centre.at_work("101") as (phone,):
        write_emergency(centre.home, Emergency(message="emergency_closed", until=until, reason="試験"))
        call = await centre.call()
        assert await call.ended(40)
        record = await centre.ledger(call)
        heard = [name for name in centre.heard(call) if name != "language"]
        assert heard[:2] == ["greeting", "emergency_closed"]
        assert await centre.heard_sentence(call, "次の受付は、本日、午後1時からです。")
        assert (record["disposition"], record["closed_reason"]) == ("after_hours", "emergency")
        assert record["ended_by"] == "system"

        assert clear_emergency(centre.home)
        call = await centre.queued("1")
        offer = await phone.answer()
        await talk(call, offer)
        await call.hang_up()
        assert (await centre.ledger(call))["disposition"] == "answered"
