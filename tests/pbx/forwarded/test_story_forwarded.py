"""Forwarded from the city's own number: the original caller stays, and the way is known."""

from __future__ import annotations

import pytest
from centre import Centre

from demo.ends.identity import CallerIdentity, known

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    "identity",
    [
        known("09055556666").diverted_by("0598531111"),
        CallerIdentity(user="09055556666", history=("0598531111", "0120000901")),
    ],
    ids=["diversion", "history_info"],
)
async def test_forwarded(centre: Centre, identity: CallerIdentity) -> None:
    call = await centre.call(identity=identity)
    await call.hang_up()
    record = await centre.ledger(call)
    assert record["caller"] == "09055556666"
    assert record["diverted_from"] == "0598531111"
    assert record["dialled"] == "0120000901"
