"""A number that is not ours, on a trunk that is: refused, written down, and no call."""

from __future__ import annotations

import pytest
from centre import Centre, eventually

from demo.ends.dialog import CallRefused
from demo.ends.identity import known
from ledger.facts import CallRefused as Refused

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    "number", ["0120000999", "0312345678", "119", "7", "*11", "sales", "+8190111122223333"]
)
async def test_unknown_number(centre: Centre, number: str) -> None:
    end = await centre.citizen()
    call = await end.call(number, place=centre.place, identity=known("09011112222"))
    with pytest.raises(CallRefused) as refused:
        await call.answered(timeout=10)
    assert refused.value.status == 404

    async def written() -> bool:
        async with centre.database.reading() as unit:
            facts = await unit.facts.refused(0.0, 4e9)
        return any(isinstance(fact, Refused) and fact.sip_call_id == call.call_id for fact in facts)

    await eventually(written, what=f"TS_REFUSED of {number}")
    assert call.call_id not in {record["sip_call_id"] for record in await centre.records()}


@pytest.mark.parametrize("name", ["s", "h", "i", "t"])
async def test_asterisks_own_extensions(centre: Centre, name: str) -> None:
    """Names that the dialplan uses for itself cannot be dialled."""
    end = await centre.citizen()
    call = await end.call(name, place=centre.place, identity=known("09011112222"))
    with pytest.raises(CallRefused) as refused:
        await call.answered(timeout=10)
    assert refused.value.status in {404, 484}
    assert "PJSIP/trunk" not in await centre.cli("core show channels concise")
