"""Wire, ledger and recordings agree; a row that is taken away is missed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from typing import Any

import pytest
from centre import Centre, talk

from core.clock import clock_from_text
from core.settings import PROJECT_ROOT, settings_from
from ledger.reconcile import DifferenceKind
from runtime.records import prove
from services.city import load_city

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_reconcile(centre: Centre) -> None:
    since = time.time()
    async with centre.at_work("101") as (phone,):
        answered = await centre.queued("1")
        offer = await phone.answer()
        await talk(answered, offer)
        await answered.hang_up()
        gone = await centre.call()
        await centre.hears(gone, "greeting")
        await gone.hang_up()
        stranger = await (await centre.citizen()).call("0120000999", place=centre.place)
        assert await stranger.ended(5)
        await centre.sides(await centre.ledger(answered))
        record = await centre.ledger(gone)
        await phone.state("ready")

    async def proved() -> Any:
        settings = settings_from(centre.environment() | {"TORITSUGI_CITY": "shiken"})
        return await prove(settings, load_city(centre.profile), centre.database, since, time.time() + 1)

    result = await proved()
    assert result.agrees, result.differences
    assert (result.invites, result.calls, result.refused) == (3, 2, 1)
    before = await by_command(centre)

    with sqlite3.connect(centre.home / "toritsugi.db", timeout=10) as database:
        database.execute("DELETE FROM call WHERE call_id = ?", (record["call_id"],))
    result = await proved()
    missing = [each for each in result.differences if each.kind is DifferenceKind.INVITE_WITHOUT_CALL]
    assert len(missing) == 1
    assert gone.call_id in missing[0].what + missing[0].detail
    # What else is missed about this one call is that nobody owns its two recordings any more; nothing more.
    others = [each for each in result.differences if each not in missing]
    assert [each.kind for each in others] == [DifferenceKind.RECORDING_WITHOUT_CALL] * 2
    assert all(record["call_id"] in each.what + each.detail for each in others)
    after = await by_command(centre)
    assert len(after["differences"]) == len(before["differences"]) + len(result.differences)


async def by_command(centre: Centre) -> dict[str, Any]:
    """`toritsugi ledger reconcile` of the city's today."""
    day = clock_from_text(str(centre.home / "clock")).city_now().date().isoformat()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runtime", "ledger", "reconcile", "--date", day, cwd=PROJECT_ROOT,
        env=centre.environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert out, err.decode()
    found: dict[str, Any] = json.loads(out)
    assert process.returncode == (0 if found["agrees"] else 1)
    return found
