"""Somebody who is no configured trunk sends a call: refused at the door, logged, and never a call."""

from __future__ import annotations

import pytest
from centre import NUMBER, Centre, eventually

from demo.ends.dialog import CallRefused
from demo.ends.identity import known
from demo.ends.user_agent import SipEnd

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


async def test_unknown_peer(centre: Centre) -> None:
    before = len(await centre.records())
    end = await SipEnd.open("stranger", host="127.0.0.2")
    centre.ends.append(end)
    call = await end.call(NUMBER, place=centre.place, identity=known("09011112222"))
    with pytest.raises(CallRefused) as refused:
        await call.answered(timeout=10)
    assert refused.value.status in {401, 403}
    log = centre.home / "asterisk" / "log" / "security.log"
    await eventually(
        lambda: call.call_id in log.read_text("utf-8"), within=10, what="the stranger in the security log"
    )
    assert len(await centre.records()) == before
