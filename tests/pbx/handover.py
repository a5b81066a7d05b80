"""A centre whose operators hand citizens on: departments behind the trunk and at telephones that register here."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from centre import Centre, Phone, free_ports, talk

from core.settings import settings_from
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.dialog import Dialog, Moment
from demo.ends.hearing import RATE
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
WITHIN_S = 1.0
"""What the ledger may be off the moments that telephones saw."""
Case = TypeVar("Case")


@dataclass
class Handover:
    """A running centre, its carrier, and the departments' telephones by extension."""

    centre: Centre
    carrier: SipEnd
    departments: dict[str, SipEnd] = field(default_factory=dict)
    joined: dict[Dialog, float] = field(default_factory=dict)
    """When whoever heard something first was joined to the citizen; others are from their answer on."""

    @classmethod
    async def open(
        cls,
        home: Path,
        *,
        browsers: frozenset[str] = frozenset(),
        skills: Mapping[str, Mapping[str, int]] = SKILLS,
    ) -> Handover:
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
        await centre.start(skills, trunks=[trunk], staff=("city1", "city2"), supervisors=("301",))
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

    async def told(self, call: OutgoingCall) -> dict[str, Any]:
        """The closed record of a call that is over, held against what every telephone saw of it; the operators are
        still at work.

        Raises:
            AssertionError: a moment is more than a second off, or there is not the one recording, as long as the call.
        """
        record = await self.centre.ledger(call)
        found = [*self._unlike(call, record), *await recording_unlike(self.centre, record)]
        assert found == [], f"{found} in {record}"
        await self.agrees()
        return record

    def _unlike(self, call: OutgoingCall, record: dict[str, Any]) -> list[str]:
        """What the ledger tells otherwise than the telephones; empty when nothing."""
        offers = self._answered(
            [end for end in self.centre.ends if end.registration is not None], of=call.local.user
        )
        parts = [(end.name.removeprefix("op"), self._joined_at(offer), left(offer)) for end, offer in offers]
        found = [
            *apart("the call", (record["answered_at"], record["ended_at"]), seen(call)),
            *([] if [who for who, *_ in parts] == record["operators"] else [f"operators {parts}"]),
        ]
        for (who, *truth), span in zip(parts, spans(record["segments"]), strict=False):
            found += apart(f"operator {who}", span, (truth[0], truth[1]))
        legs = self._answered(self.departments.values())
        for row in record["staff"]:
            mine = [leg for _, leg in legs if abs(left(leg) - row["ended_at"]) <= WITHIN_S]
            answered = [leg.moments[Moment.ANSWERED] for leg in mine]
            if not any(at - WITHIN_S <= row["started_at"] for at in answered):
                found.append(f"nobody at {row['to']} talked from {row['started_at']} to {row['ended_at']}")
        for moved in record["transfers"]:
            if moved["result"] == "ANSWER" and moved["kind"] in ("blind", "straight"):
                begun = [row["started_at"] for row in record["staff"] if row["to"] == moved["to"]]
                if not any(abs(at - self._joined_at(leg)) <= WITHIN_S for at in begun for _, leg in legs):
                    found.append(f"nobody at {moved['to']} answered at {begun}")
        return found

    def _joined_at(self, leg: Dialog) -> float:
        return self.joined.get(leg, leg.moments[Moment.ANSWERED])

    @staticmethod
    def _answered(ends: Iterable[SipEnd], of: str = "") -> list[tuple[SipEnd, IncomingCall]]:
        """Calls to these telephones that were answered, in order; `of`: with this caller's number."""
        return sorted(
            (
                (end, call)
                for end in ends
                for call in end.calls
                if isinstance(call, IncomingCall)
                and Moment.ANSWERED in call.moments
                and (not of or call.remote_user == of)
            ),
            key=lambda each: each[1].moments[Moment.ANSWERED],
        )

    async def back(self, phone: Phone, name: str, timeout: float = 20.0) -> IncomingCall:
        """The operator takes the citizen back, and has heard to its end why."""
        again = await phone.answer(timeout)
        await self.centre.hears_whole(again, name)
        self.joined[again] = now()
        return again


async def recording_unlike(centre: Centre, record: dict[str, Any]) -> list[str]:
    """Where a call's recording does not fit the ledger: there is one, both sides as long as the call."""
    if record["recordings"] != [record["call_id"]]:
        return [f"recordings {record['recordings']}"]
    lasted = record["ended_at"] - record["answered_at"]
    return [
        f"the recording of the {side} is {len(samples) / RATE:.2f} s long, the call {lasted:.2f} s"
        for side, samples in (await centre.sides(record)).items()
        if abs(len(samples) / RATE - lasted) > WITHIN_S
    ]


def left(leg: Dialog) -> float:
    """When a telephone was out of the talk: the end of its leg, or when it asked the switch to hand on."""
    ended = leg.moments.get(Moment.ENDED, float("inf"))
    return min(ended, leg.moments.get(Moment.REFERRED, ended))


def seen(leg: Dialog) -> tuple[float, float]:
    """From the answer to the end of a leg."""
    return leg.moments[Moment.ANSWERED], leg.moments[Moment.ENDED]


def apart(what: str, told: tuple[float, float], truth: tuple[float, float]) -> list[str]:
    """Which of two moments are more than a second apart."""
    return [
        f"{what} {name} {at - true:+.2f} s"
        for name, at, true in zip(("began", "ended"), told, truth, strict=True)
        if abs(at - true) > WITHIN_S
    ]


def cases(*usual: Case, of: Iterable[Case]) -> list[Case]:
    """The usual cases, each one of all there are; all of them when every case is asked for."""
    every = list(of)
    assert set(usual) <= set(every)
    return every if os.environ.get(EVERY_CASE) else list(usual)


def now() -> float:
    return time.time()


def spans(rows: list[dict[str, Any]]) -> list[tuple[float, float]]:
    return [(row["started_at"], row["ended_at"]) for row in rows]
