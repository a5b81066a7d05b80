"""A centre whose operators hand citizens on: departments behind the trunk and at telephones that register here."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from centre import Centre, Phone, eventually, free_ports, talk

from core.settings import settings_from
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.dialog import Dialog
from demo.ends.user_agent import SipEnd
from runtime.records import prove
from services.city import load_city
from services.ports import TrunkPeer
from storage.database import Database

OUTSIDE, INSIDE, OTHER = "701", "702", "703"
"""Extensions: behind the trunk, and two that register here."""
SKILLS = {"101": {"card": 4}, "102": {"card": 4}, "201": {"consult": 4}, "301": {"consult": 1}}
STAFF_NUMBER = "0120000971"
EVERY_CASE = "TORITSUGI_EVERY_CASE"
"""Set by `accept transfer-cases`: the whole product of what may happen is told, not a choice of it."""
Case = TypeVar("Case")


@dataclass
class Handover:
    """A running centre, its carrier, and the departments' telephones by extension."""

    centre: Centre
    carrier: SipEnd
    departments: dict[str, SipEnd] = field(default_factory=dict)

    @classmethod
    async def open(cls, home: Path, *, browsers: frozenset[str] = frozenset()) -> Handover:
        """`browsers`: operators whose telephone is a browser; with any, there is a desk."""
        home.mkdir(exist_ok=True)
        carrier = await SipEnd.open("carrier")
        centre = Centre(
            home=home,
            ports=free_ports(5),
            database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
            browsers=browsers,
        )
        trunk = TrunkPeer(name="carrier", match="127.0.0.1", contact=f"sip:127.0.0.1:{carrier.port}")
        await centre.start(SKILLS, trunks=[trunk], staff=("city1", "city2"), supervisors=("301",))
        made = cls(centre, carrier, {OUTSIDE: carrier})
        for extension, endpoint in ((INSIDE, "city1"), (OTHER, "city2")):
            end = await SipEnd.open(endpoint)
            await end.register(endpoint, centre.secrets[endpoint], centre.place)
            made.departments[extension] = end
        return made

    async def close(self) -> None:
        for end in self.departments.values():
            await end.close()
        await self.centre.stop()

    async def department(self, extension: str, timeout: float = 15.0) -> IncomingCall:
        """The next call at a department's telephone, ringing."""
        call = await self.departments[extension].next_call(timeout)
        call.ring()
        return call

    async def served(self, phone: Phone, **more: Any) -> tuple[OutgoingCall, IncomingCall]:
        """A citizen and the operator in conversation."""
        call = await self.centre.queued("1", **more)
        offer = await phone.answer()
        await talk(call, offer)
        return call, offer

    def address(self, extension: str) -> str:
        return f"sip:{extension}@127.0.0.1:{self.centre.ports[0]}"

    async def hand_over(self, offer: Dialog, extension: str) -> asyncio.Task[int]:
        """A blind transfer by the telephone's own button (REFER); the telephone hangs up once it is under way."""
        return asyncio.create_task(self._refer_and_go(offer, extension))

    async def _refer_and_go(self, offer: Dialog, extension: str) -> int:
        status = await offer.refer(self.address(extension), timeout=30)
        if not offer.is_over:
            await offer.hang_up()
        return status

    async def by_code(self, offer: Dialog, code: str, extension: str) -> None:
        """The switch's own code in a call, and the extension once it is asked for."""
        before = self.centre.heard(offer).count("op_transfer_to")
        await offer.media.press(code)
        await self.centre.hears(offer, "op_transfer_to", times=before + 1)
        await offer.media.press(extension)

    async def asked_by_code(self, offer: Dialog, code: str, extension: str) -> IncomingCall:
        """A department that was asked by code, in conversation with the operator."""
        await self.by_code(offer, code, extension)
        rung = await self.department(extension)
        rung.answer()
        await talk(offer, rung)
        return rung

    async def ask(self, phone: Phone, offer: Dialog, extension: str) -> OutgoingCall:
        """Put the citizen on hold and call a department."""
        assert await offer.hold() < 300
        return await phone.end.call(extension)

    async def asked(
        self, phone: Phone, extension: str
    ) -> tuple[OutgoingCall, IncomingCall, OutgoingCall, IncomingCall]:
        """The citizen on hold while operator and department talk: citizen, offer, question, department."""
        call, offer = await self.served(phone)
        asked = await self.ask(phone, offer, extension)
        rung = await self.department(extension)
        rung.answer()
        await asked.answered(5)
        await talk(asked, rung)
        return call, offer, asked, rung

    async def join(self, offer: Dialog, asked: Dialog, extension: str) -> int:
        """Let the switch join the two (REFER with Replaces); the status."""
        return await offer.refer(self.address(extension), replaces=asked, timeout=10)

    async def agrees(self) -> None:
        """Wire, ledger and recordings tell the same calls."""
        settings = settings_from(self.centre.environment())
        result = await prove(settings, load_city(self.centre.profile), self.centre.database, 0.0, 4e9)
        assert result.differences == []

    async def back(self, phone: Phone, name: str) -> IncomingCall:
        """The operator takes the citizen back, and has heard to its end why."""
        again = await phone.answer()

        def told() -> bool:
            return any(one.name == name and one.whole for one in self.centre.heard_prompts(again))

        await eventually(told, what=f"{name} to its end")
        return again


def cases(*usual: Case, of: Iterable[Case]) -> list[Case]:
    """The usual cases, each one of all there are; all of them when every case is asked for."""
    every = list(of)
    assert set(usual) <= set(every)
    return every if os.environ.get(EVERY_CASE) else list(usual)


def now() -> float:
    return time.time()


def spans(rows: list[dict[str, Any]]) -> list[tuple[float, float]]:
    return [(row["started_at"], row["ended_at"]) for row in rows]
