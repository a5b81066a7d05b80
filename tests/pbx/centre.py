"""A real centre for stories: our own `up` in processes of its own, real Asterisk, real SIP and RTP.

Stories wait for conditions, never for a time; whoever fails shows the logs.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile

from core.ids import OperatorId
from core.settings import PROJECT_ROOT
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.identity import CallerIdentity, known
from demo.ends.listening import Fingerprints, HeardPrompt
from demo.ends.user_agent import SipEnd
from services.ports import OperatorAccount
from storage.database import Database

PROFILE = Path(__file__).parent / "shiken.toml"
NUMBER = "0120000901"
TEST_NUMBER = "0120000991"
OPEN = "2026-11-24T10:00:00+09:00"
"""A Tuesday that is no holiday."""
CITY = "shiken"


async def eventually(
    check: Callable[[], Awaitable[Any] | Any], *, within: float = 15.0, what: str = "the condition"
) -> Any:
    """Wait until `check` returns something true, and return it.

    Raises:
        AssertionError: it did not within the time.
    """
    deadline = time.monotonic() + within
    while True:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come true within {within:.0f} s"
        await asyncio.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports that are free for UDP and TCP now."""
    found: list[int] = []
    held = []
    while len(found) < count:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        port = udp.getsockname()[1]
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            tcp.bind(("127.0.0.1", port))
        except OSError:
            udp.close()
            continue
        held += [udp, tcp]
        found.append(port)
    for each in held:
        each.close()
    return found


@dataclass
class Phone:
    """An operator's telephone."""

    end: SipEnd
    operator: str
    centre: Centre
    stays: bool = False
    """True: signed in for the rest of the module."""

    async def dial(self, code: str) -> None:
        """Dial a short code and wait until the centre has confirmed it and hung up."""
        call = await self.end.call(code)
        await call.answered(timeout=10)
        assert await call.ended(timeout=15)

    async def sign_in(self) -> None:
        await self.dial("*11")
        await eventually(lambda: self.centre.operator_state(self.operator) == "ready", what="sign-in")

    async def sign_out(self) -> None:
        await self.dial("*12")
        await eventually(lambda: self.centre.operator_state(self.operator) is None, what="sign-out")

    async def ready(self) -> None:
        await self.dial("*13")

    async def next_call(self, timeout: float = 20.0) -> IncomingCall:
        return await self.end.next_call(timeout)

    async def answer(self, timeout: float = 20.0) -> IncomingCall:
        """Let it ring, then answer."""
        call = await self.next_call(timeout)
        call.ring()
        await asyncio.sleep(0.2)  # a person's hand; no condition to wait for
        assert call.answer()
        return call


@dataclass
class Centre:
    """One running instance for the test city."""

    home: Path
    ports: list[int]
    database: Database
    secrets: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    ends: list[SipEnd] = field(default_factory=list)
    fingerprints: dict[str, Fingerprints] = field(default_factory=dict)
    profile: str = str(PROFILE)

    @property
    def place(self) -> tuple[str, int]:
        return ("127.0.0.1", self.ports[0])

    def environment(self) -> dict[str, str]:
        sip, ami, agi, hep, rtp = self.ports
        first = 20000 + (rtp % 20000) // 200 * 200
        return {
            **os.environ,
            "TORITSUGI_HOME": str(self.home),
            "TORITSUGI_CITY": self.profile,
            "TORITSUGI_SIP_PORT": str(sip),
            "TORITSUGI_AMI_PORT": str(ami),
            "TORITSUGI_AGI_PORT": str(agi),
            "TORITSUGI_HEP_PORT": str(hep),
            "TORITSUGI_RTP_RANGE": f"{first}-{first + 199}",
            "TORITSUGI_DATABASE_URL": self.database.url,
            "TORITSUGI_CLOCK": str(self.home / "clock"),
            "PYTHONPATH": str(PROJECT_ROOT),
        }

    # ---- running it -------------------------------------------------------------------------------

    async def start(self, operators: dict[str, dict[str, int]]) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.set_city_time(OPEN)
        await self.database.migrate()
        async with self.database.uow() as unit:
            for number, skills in operators.items():
                self.secrets[number] = secrets.token_urlsafe(18)
                await unit.operators.put(
                    OperatorAccount(
                        id=OperatorId(number),
                        name=f"試験{number}",
                        sip_secret=self.secrets[number],
                        skills=skills,
                        languages=("ja", "en"),
                    )
                )
        with (self.home / "up.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "runtime", "up", cwd=PROJECT_ROOT, env=self.environment(),
                stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        await eventually(
            lambda: self.warden().get("ready") and self.live().get("ami_connected"),
            within=90,
            what=f"the centre's start (log: {self.log_tail()})",
        )

    async def stop(self) -> None:
        for end in self.ends:
            await end.close()
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 30)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        await self.database.close()

    def warden(self) -> dict[str, Any]:
        return _json(self.home / "run" / "warden.json")

    def live(self) -> dict[str, Any]:
        return _json(self.home / "run" / "live.json")

    def operator_state(self, operator: str) -> str | None:
        """As the engine sees it; at most a second old."""
        state = self.live().get("operators", {}).get(operator)
        return str(state) if state is not None else None

    def log_tail(self) -> str:
        path = self.home / "up.log"
        return path.read_text("utf-8", "replace")[-1500:] if path.exists() else "no log"

    def set_city_time(self, city_time: str) -> None:
        """Move the city's clock; every process looks at the next question."""
        path = self.home / "clock"
        partial = path.with_suffix(".new")
        partial.write_text(f"{city_time}|{time.time():.3f}|1")
        partial.replace(path)

    def engine_pid(self) -> int | None:
        pid = self.warden().get("engine", {}).get("pid")
        return int(pid) if pid else None

    async def engine_is_back(self, old: int | None) -> None:
        """Wait until another engine has taken over."""

        def back() -> bool:
            return (
                self.engine_pid() not in (None, old)
                and bool(self.live().get("ami_connected"))
                and time.time() - float(self.live().get("at", 0)) < 1.5
            )

        await eventually(back, within=40, what="a new engine")

    async def cli(self, command: str) -> str:
        """Ask this instance's Asterisk on its console."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c",
            "import asyncio,sys\nfrom runtime.instance import Instance\n"
            "print(asyncio.run(Instance.open().asterisk().cli(sys.argv[1])))",
            command, cwd=PROJECT_ROOT, env=self.environment(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _err = await process.communicate()
        return out.decode("utf-8", "replace")

    # ---- people -----------------------------------------------------------------------------------

    async def phone(self, operator: str, *, sign_in: bool = True) -> Phone:
        """A registered operator's telephone; `close_phone` ends it."""
        end = await SipEnd.open(f"op{operator}")
        self.ends.append(end)
        await end.register(f"op{operator}", self.secrets[operator], self.place)
        phone = Phone(end, operator, self)
        if sign_in:
            await phone.sign_in()
        return phone

    async def close_phone(self, phone: Phone) -> None:
        """Sign out, unregister, close."""
        if self.operator_state(phone.operator) is not None:
            await phone.sign_out()
        await phone.end.close()
        self.ends.remove(phone.end)

    async def citizen(self) -> SipEnd:
        end = await SipEnd.open("citizen")
        self.ends.append(end)
        return end

    async def call(
        self, number: str = NUMBER, *, identity: CallerIdentity | None = None, **more: Any
    ) -> OutgoingCall:
        """A citizen calls; returns once the call is answered by the centre."""
        end = await self.citizen()
        call = await end.call(
            number, place=self.place, identity=identity or known(f"090{secrets.randbelow(10**8):08d}"), **more
        )
        await call.answered(timeout=10)
        return call

    # ---- what was heard, what was written ---------------------------------------------------------

    def ear(self, language: str = "ja") -> Fingerprints:
        if language not in self.fingerprints:
            folder = self.home / "sounds" / language / CITY
            self.fingerprints[language] = Fingerprints(
                {path.stem: soundfile.read(path, dtype="int16")[0] for path in sorted(folder.glob("*.wav"))}
            )
        return self.fingerprints[language]

    def heard(self, call: OutgoingCall, language: str = "ja") -> list[str]:
        """Names of the prompts the citizen heard, in order."""
        return [prompt.name for prompt in self.heard_prompts(call, language)]

    def heard_prompts(self, call: OutgoingCall, language: str = "ja") -> list[HeardPrompt]:
        assert call.media is not None
        return self.ear(language).find(call.media.heard.recording().samples)

    async def hears(
        self, call: OutgoingCall, name: str, *, within: float = 20.0, language: str = "ja"
    ) -> None:
        """Wait until the citizen has heard the prompt `name`."""
        await eventually(
            lambda: name in self.heard(call, language),
            within=within,
            what=f"prompt {name} (heard {self.heard(call, language)})",
        )

    async def ledger(self, call: OutgoingCall, *, within: float = 15.0) -> dict[str, Any]:
        """The closed ledger record of a citizen's call."""
        from core.clock import clock_from_text
        from runtime.records import export_records

        async def closed() -> dict[str, Any] | None:
            records = await export_records(self.database, clock_from_text(str(self.home / "clock")), 0.0, 4e9)
            mine = [record for record in records if record["sip_call_id"] == call.call_id]
            assert len(mine) <= 1, f"one call, {len(mine)} ledger rows"
            return mine[0] if mine and mine[0]["disposition"] else None

        record: dict[str, Any] = await eventually(
            closed, within=within, what=f"the ledger row of {call.call_id} ({self.log_tail()[-500:]})"
        )
        return record


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
