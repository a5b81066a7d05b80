"""SIPp, which is not ours, calls: INVITE, a key by INFO, a talk, and BYE."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest
from centre import NUMBER, Centre, free_ports

from core.settings import settings_from
from demo.ends.dialog import Side
from runtime.install.sipp import sipp_command

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


SCENARIO = Path(__file__).parent / "caller.xml"


async def test_sipp_caller(centre: Centre, tmp_path: Path) -> None:
    call_id = f"sipp-{secrets.token_hex(6)}"
    centre.made.append(f"{call_id}-1")
    async with centre.at_work("101") as (phone,):
        sipp = await asyncio.create_subprocess_exec(
            *sipp_command(settings_from(centre.environment()).tools),
            f"127.0.0.1:{centre.ports[0]}", "-sf", str(SCENARIO), "-s", NUMBER, "-m", "1",
            "-i", "127.0.0.1", "-p", str(free_ports(1)[0]), "-cid_str", f"{call_id}-%u",
            "-timeout", "40", "-trace_err", "-nostdin",
            cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        offer = await phone.answer(timeout=30)
        assert offer.remote_user == "09077778888"
        assert await offer.ended(15)
        assert offer.ended_by is Side.PEER
        assert await asyncio.wait_for(sipp.wait(), 30) == 0, [p.read_text() for p in tmp_path.glob("*.log")]
        record = await centre.ledger(f"{call_id}-1")
    assert (record["disposition"], record["operators"]) == ("answered", ["101"])
    assert (record["menu_path"], record["line"]) == (["main:2"], "portal")
    assert (record["caller"], record["ended_by"]) == ("09077778888", "citizen")
