"""Why a number is missing is told apart: withheld, from a payphone, not to be brought."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.identity import CallerIdentity, asserted, payphone, unavailable, withheld

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("identity", "caller"),
    [
        (withheld(), "withheld"),
        (withheld("09033334444"), "withheld"),
        (payphone(), "payphone"),
        (unavailable(), "unavailable"),
        (asserted("09033334444"), "09033334444"),
    ],
)
async def test_caller_kind(centre: Centre, identity: CallerIdentity, caller: str) -> None:
    call = await centre.call(identity=identity)
    await call.hang_up()
    record = await centre.ledger(call)
    assert record["caller"] == caller
    assert record["disposition"] == "abandoned_menu"
