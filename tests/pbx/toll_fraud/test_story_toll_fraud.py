"""Neither an operator nor a citizen gets a way out to other numbers."""

from __future__ import annotations

from typing import Any

import pytest
from centre import Centre, eventually, talk

from ledger.facts import CallRefused
from runtime.records import sip_messages

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


FORBIDDEN = ("0101555123456", "119", "0990123456", "09012345678", "701", "*99")


async def test_operator_dials_out(centre: Centre) -> None:
    phone = await centre.phone("101", sign_in=False)
    told = [await phone.dial(number, listen=number == FORBIDDEN[0]) for number in FORBIDDEN]
    assert centre.heard(told[0]) == ["op_refused"]
    await phone.end.close()
    centre.ends.remove(phone.end)
    captured = sip_messages(centre.home / "sip" / "messages.jsonl")
    assert [message for message in captured if leaves(message, centre.ports[0])] == []

    async def written() -> bool:
        async with centre.database.reading() as unit:
            facts = await unit.facts.refused(0.0, 4e9)
        refused = {fact.to for fact in facts if isinstance(fact, CallRefused) and fact.why == "not_allowed"}
        return refused >= set(FORBIDDEN)

    await eventually(written, what="every refusal")


def leaves(message: dict[str, Any], sip_port: int) -> bool:
    """Whether a captured message is an INVITE of our Asterisk to a forbidden number."""
    is_invite = message["method"] == "INVITE" and message["status"] is None
    return is_invite and str(message["src"]).endswith(f":{sip_port}") and message["to_user"] in FORBIDDEN


async def test_citizen_transfers(centre: Centre) -> None:
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        assert await call.refer(f"sip:119@127.0.0.1:{centre.ports[0]}", timeout=5) >= 400
        offer = await phone.answer()
        assert await call.refer(f"sip:701@127.0.0.1:{centre.ports[0]}", timeout=5) >= 400
        await talk(call, offer)
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["transfers"]) == ("answered", [])


async def test_operator_transfers_out(centre: Centre) -> None:
    """A blind transfer to anything but the directory brings the citizen back to the front of the queue."""
    async with centre.at_work("101") as (phone,):
        call = await centre.queued("1")
        offer = await phone.answer()
        await talk(call, offer)
        await offer.refer(f"sip:0101555123456@127.0.0.1:{centre.ports[0]}", timeout=5)
        if not offer.is_over:
            await offer.hang_up()
        await centre.hears(call, "refused_transfer")
        again = await phone.answer()
        await talk(call, again)
        await call.hang_up()
        record = await centre.ledger(call)
    assert (record["disposition"], record["operators"]) == ("answered", ["101", "101"])
