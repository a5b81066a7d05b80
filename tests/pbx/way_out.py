"""A centre that may call citizens back, and the carrier that brings them its calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from centre import Centre, eventually, free_ports

from acd.callback import Callback, CallbackState
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.identity import CallerIdentity, known
from demo.ends.user_agent import SipEnd
from services.ports import TrunkPeer
from storage.database import Database

KEY = "5"
SKILLS = {"consult": 4}


@dataclass
class WayOut:
    """A running centre and the end to which its outgoing calls go."""

    centre: Centre
    carrier: SipEnd
    seen: list[str] = field(default_factory=list)
    """Numbers that the carrier was asked for, in order."""

    @classmethod
    async def open(cls, home: Path) -> WayOut:
        home.mkdir(exist_ok=True)
        carrier = await SipEnd.open("carrier")
        centre = Centre(
            home=home,
            ports=free_ports(5),
            database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
        )
        trunk = TrunkPeer(name="carrier", match="127.0.0.1", contact=f"sip:127.0.0.1:{carrier.port}")
        await centre.start(dict.fromkeys(("101", "102"), SKILLS), trunks=[trunk], supervisors=("102",))
        return cls(centre, carrier)

    async def close(self) -> None:
        await self.centre.stop()
        await self.carrier.close()

    async def forget(self) -> None:
        """Nobody is to be called any more: a failed story must not ring in the next."""
        async with self.centre.database.uow() as unit:
            await unit.callbacks.forget([each.call for each in await unit.callbacks.open()])

    async def citizen_rings(self, timeout: float = 25.0) -> IncomingCall:
        """The next call that reaches a citizen's telephone, ringing."""
        call = await self.carrier.next_call(timeout)
        self.seen.append(call.local.user)
        call.ring()
        return call

    def untouched(self) -> bool:
        """Whether no call waits to be taken at the carrier."""
        return self.carrier._waiting.empty()

    async def wait_in_line(self, number: str | None = None, **more: CallerIdentity) -> OutgoingCall:
        """A citizen who waits in the queue of the consult line."""
        identity = more.pop("identity", None) or known(number or "09000000000")
        before = len(self.centre.live().get("waiting", []))
        call = await self.centre.queued("3", identity=identity)
        await eventually(lambda: len(self.centre.live()["waiting"]) > before, what="one more waiting")
        return call

    async def press_key(self, call: OutgoingCall) -> None:
        await call.media.press(KEY)
        await self.centre.hears(call, "callback_intro")

    async def book(self, call: OutgoingCall) -> None:
        """Press the key, hear the number, say yes, hear the promise; the centre hangs up."""
        await self.press_key(call)
        await self.centre.hears(call, "callback_number")
        await call.media.press("1")
        await self.centre.hears(call, "callback_booked")
        assert await call.ended(20)

    async def of(self, number: str) -> list[Callback]:
        """Call-backs for a number, oldest booking first."""
        async with self.centre.database.reading() as unit:
            found = await unit.callbacks.between(0.0, 4e9)
        return sorted((each for each in found if each.number == number), key=lambda each: each.booked_at)

    async def reaches(self, number: str, state: CallbackState, within: float = 20.0) -> Callback:
        """Wait until the newest call-back for a number is in a state."""

        async def there() -> Callback | None:
            found = await self.of(number)
            return found[-1] if found and found[-1].state is state else None

        async def what() -> str:
            return f"{await self.of(number)}"

        found: Callback = await eventually(there, within=within, what=f"call-back {state}")
        return found


def shown(call: IncomingCall) -> str:
    """The number that a telephone shows for an incoming call."""
    return call.remote_user
