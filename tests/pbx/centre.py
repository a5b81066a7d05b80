"""A real centre for stories: our own `up` in processes of its own, real Asterisk, real SIP and RTP.

Stories wait for conditions, never for a time; whoever fails shows the logs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from two_counts import differences

from core.clock import clock_from_text
from core.emergency import clear_emergency
from core.ids import OperatorId
from core.settings import PROJECT_ROOT, settings_from
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.dialog import Dialog
from demo.ends.g711 import Samples
from demo.ends.hearing import RATE
from demo.ends.identity import CallerIdentity, known
from demo.ends.listening import Fingerprints, HeardPrompt
from demo.ends.user_agent import SipEnd
from runtime.prompts import speaker
from runtime.records import export_records
from services.city import load_city
from services.ports import AuditEntry, OperatorAccount, RecordingFile, StaffPhone, TrunkPeer
from storage.database import Database
from telephony.disk.rotation import rotated

PROFILE = Path(__file__).parent / "shiken.toml"
NUMBER = "0120000901"
TEST_NUMBER = "0120000991"
OPEN = "2026-11-24T10:00:00+09:00"
"""A Tuesday that is no holiday."""


async def eventually(
    check: Callable[[], Awaitable[Any] | Any],
    *,
    within: float = 15.0,
    what: str | Callable[[], str] = "the condition",
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
        if time.monotonic() >= deadline:
            said = what if isinstance(what, str) else what()
            raise AssertionError(f"{said} did not come true within {within:.0f} s")
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

    async def dial(self, code: str, *, listen: bool = False) -> OutgoingCall:
        """Dial a code; hang up as soon as it is answered, or listen until the centre hangs up."""
        call = await self.end.call(code)
        self.centre.codes.append(call)
        await call.answered(timeout=10)
        if not listen:
            await call.hang_up()
        assert await call.ended(timeout=15)
        return call

    async def sign_in(self) -> None:
        await self.dial("*11")
        await eventually(lambda: self.centre.operator_state(self.operator) == "ready", what="sign-in")

    async def sign_in_to_stand_by(self) -> OutgoingCall:
        """Sign in as somebody whose group is not called in; the call with what was said."""
        told = await self.dial("*11", listen=True)
        await self.state("paused:reserve")
        return told

    async def sign_out(self) -> None:
        await self.dial("*12")
        await eventually(lambda: self.centre.operator_state(self.operator) is None, what="sign-out")

    async def ready(self) -> None:
        await self.dial("*13")

    async def state(self, wanted: str | None, *, within: float = 15.0) -> None:
        """Wait until the engine sees this operator so."""
        await eventually(
            lambda: self.centre.operator_state(self.operator) == wanted,
            within=within,
            what=f"{self.operator} {wanted}",
        )

    async def next_call(self, timeout: float = 20.0) -> IncomingCall:
        """The next offer, not yet ringing."""
        return await self.end.next_call(timeout)

    async def rings(self, timeout: float = 20.0) -> IncomingCall:
        """The next offer, ringing and not answered."""
        call = await self.next_call(timeout)
        call.ring()
        return call

    async def answer(self, timeout: float = 20.0) -> IncomingCall:
        """Let it ring, then answer."""
        call = await self.rings(timeout)
        await asyncio.sleep(0.1)  # a person's hand; no condition to wait for
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
    made: list[str] = field(default_factory=list)
    """SIP Call-IDs of every citizen's call of this centre: the ledger may hold no other."""
    codes: list[OutgoingCall] = field(default_factory=list)
    """Short codes that operators dialled."""
    browsers: frozenset[str] = frozenset()
    """Operators whose telephone is a browser; with any, the centre has a desk."""
    web: list[int] = field(default_factory=lambda: free_ports(2))
    """Ports of the desk and of the switch's websocket."""
    recounted: set[str] = field(default_factory=set)
    """Calls whose figures were counted a second time, from the raw lines."""

    @property
    def city(self) -> str:
        return Path(self.profile).stem

    @property
    def place(self) -> tuple[str, int]:
        return ("127.0.0.1", self.ports[0])

    def environment(self) -> dict[str, str]:
        sip, ami, agi, hep, rtp = self.ports
        first = 20000 + (rtp % 20000) // 200 * 200
        return {
            **os.environ,
            "TORITSUGI_HOME": str(self.home),
            # Quick to make; the better voice is heard in the contract ring.
            "TORITSUGI_ENGLISH_VOICE": "espeak",
            "TORITSUGI_CITY": self.profile,
            "TORITSUGI_SIP_PORT": str(sip),
            "TORITSUGI_AMI_PORT": str(ami),
            "TORITSUGI_AGI_PORT": str(agi),
            "TORITSUGI_HEP_PORT": str(hep),
            "TORITSUGI_HTTP_PORT": str(self.web[0]) if self.browsers else "0",
            "TORITSUGI_WIRE_PORT": str(self.web[1]),
            "TORITSUGI_RTP_RANGE": f"{first}-{first + 199}",
            "TORITSUGI_DATABASE_URL": self.database.url,
            "TORITSUGI_CLOCK": str(self.home / "clock"),
            # Recognising speech takes whole cores from telephones that keep time; the demonstration's story does it.
            "TORITSUGI_TRANSCRIBERS": "0",
            "PYTHONPATH": str(PROJECT_ROOT),
        }

    # ---- running it -------------------------------------------------------------------------------

    async def start(
        self,
        operators: Mapping[str, Mapping[str, int]],
        groups: Mapping[str, str] | None = None,
        trunks: Sequence[TrunkPeer] = (),
        staff: Sequence[str] = (),
        supervisors: Sequence[str] = (),
    ) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.set_city_time(OPEN)
        await self.database.migrate()
        async with self.database.uow() as unit:
            for trunk in trunks:
                await unit.trunks.put(trunk)
            for endpoint in staff:
                self.secrets[endpoint] = secrets.token_urlsafe(18)
                await unit.staff_phones.put(StaffPhone(endpoint=endpoint, sip_secret=self.secrets[endpoint]))
            for number, skills in operators.items():
                self.secrets[number] = secrets.token_urlsafe(18)
                await unit.operators.put(
                    OperatorAccount(
                        id=OperatorId(number),
                        name=f"試験{number}",
                        sip_secret=self.secrets[number],
                        skills=skills,
                        languages=("ja", "en"),
                        group=(groups or {}).get(number, ""),
                        supervisor=number in supervisors,
                        browser=number in self.browsers,
                    )
                )
        with (self.home / "up.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "runtime", "up", cwd=PROJECT_ROOT, env=self.environment(),
                stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        await eventually(
            self._is_up,
            within=240,  # the first start on a machine makes the test city's prompts
            what=lambda: f"the centre's start (log: {self.log_tail()})",
        )
        await eventually(self._beats, within=60, what="the first heartbeat")

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log_tail()
        return bool(self.warden().get("ready") and self.live().get("ami_connected"))

    async def stop(self) -> None:
        for end in self.ends:
            await end.close()
        await self.halt()
        await self.database.close()
        self.recount()

    async def halt(self) -> None:
        """End the running processes."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 30)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()

    def warden(self) -> dict[str, Any]:
        return _json(self.home / "run" / "warden.json")

    def live(self) -> dict[str, Any]:
        return _json(self.home / "run" / "live.json")

    def alerts(self) -> list[str]:
        """Kinds of the alerts that are open."""
        return list(_json(self.home / "run" / "alerts.json").get("kinds", []))

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

    @contextlib.asynccontextmanager
    async def without_engine(self) -> AsyncIterator[None]:
        """The engine is dead, nobody starts it again, and its last heartbeat is old; until the end of the block."""
        parent, old = self.warden()["pid"], self.engine_pid()
        os.kill(parent, signal.SIGSTOP)
        try:
            kill(old)
            # On a busy machine each question to the console takes seconds.
            await eventually(self._beat_is_old, within=45, what="an old heartbeat")
            yield
        finally:
            os.kill(parent, signal.SIGCONT)
        await self.engine_is_back(old)

    async def _beat_age_s(self) -> float:
        """Of the engine's heartbeat as the dialplan sees it, when it was asked (the answer takes a moment)."""
        asked_at = time.time()
        shown = await self.cli("dialplan show globals")
        beat = re.search(r"TORITSUGI_BEAT=(\d+)", shown)
        assert "T_CITY" in shown
        return asked_at - int(beat[1]) if beat else float("inf")

    async def _beats(self) -> bool:
        return await self._beat_age_s() < 2

    async def _beat_is_old(self) -> bool:
        return await self._beat_age_s() > 4.5

    def log(self) -> str:
        """All that the instance has logged."""
        return (self.home / "up.log").read_text("utf-8", "replace")

    def engine_pid(self) -> int | None:
        pid = self.warden().get("engine", {}).get("pid")
        return int(pid) if pid else None

    async def kill_engine(self) -> None:
        """SIGKILL; the parent starts another one."""
        kill(self.engine_pid())

    async def engine_is_back(self, old: int | None) -> None:
        """Wait until another engine has taken over."""

        def back() -> bool:
            live = self.live()
            return live.get("engine") not in (None, old) and bool(live.get("ami_connected"))

        await eventually(back, within=40, what="a new engine")

    async def command(self, *arguments: str) -> str:
        """Run a command of ours as a supervisor named sato; what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "runtime", *arguments,
            cwd=PROJECT_ROOT, env=self.environment() | {"SUDO_USER": "sato"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

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
        """Hang up, sign out, unregister, close."""
        phone.end.deaf = False
        for call in [call for call in phone.end.calls if not call.is_over]:
            await call.hang_up()
        try:
            await phone.sign_out()
        finally:
            await phone.end.close()
            self.ends.remove(phone.end)

    @contextlib.asynccontextmanager
    async def at_work(self, *operators: str) -> AsyncIterator[list[Phone]]:
        """Operators who come, sign in, and go home at the end."""
        phones = list(await asyncio.gather(*(self.phone(operator) for operator in operators)))
        try:
            yield phones
        finally:
            await asyncio.gather(*(self.close_phone(phone) for phone in phones))

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
        self.made.append(call.call_id)
        await call.answered(timeout=10)
        return call

    async def queued(self, key: str = "1", **more: Any) -> OutgoingCall:
        """A citizen who knows the menu: presses `key` at once and is told that they are being connected."""
        call = await self.call(**more)
        await call.media.press(key)
        await self.hears(call, "connecting")
        return call

    async def chooses(self, key: str, **more: Any) -> OutgoingCall:
        """A citizen who listens to the menu first: an early key is lost while a process is still starting."""
        call = await self.call(**more)
        await self.hears(call, "menu_main", within=40)
        await call.media.press(key)
        await self.hears(call, "connecting")
        return call

    async def leave(self) -> None:
        """Every citizen hangs up and goes home; the city's clock and the closure are as they were."""
        for end in [end for end in self.ends if end.registration is None]:
            self.ends.remove(end)
            await end.close()
        clear_emergency(self.home)
        self.set_city_time(OPEN)
        await eventually(lambda: not self.live().get("waiting"), what="empty queues")
        left = sorted(self.live().get("operators", {}))
        for end in list(self.ends):
            # A story that failed may leave its telephones: one fault is told once, not by every story after it.
            await self.close_phone(Phone(end, end.name.removeprefix("op"), self))
        self.recount()
        assert not left, f"a story left {left} signed in"

    def recount(self) -> None:
        """The figures of the calls that have ended since the last time: the ledger's fold against the simple recount.

        Raises:
            AssertionError: they differ; each difference is told once.
        """
        settings = settings_from(self.environment())
        cel, queue_log = (
            [line for path in (*rotated(live), live) if path.exists() for line in whole_lines(path)]
            for live in (settings.cel_log, settings.queue_log)
        )
        found, ended = differences(cel, queue_log, self.recounted)
        self.recounted.update(ended)
        assert not found, "the two counts of the raw lines differ:\n" + "\n".join(found)

    # ---- what was heard, what was written ---------------------------------------------------------

    def ear(self, language: str = "ja") -> Fingerprints:
        if language not in self.fingerprints:
            folder = self.home / "sounds" / language / self.city
            self.fingerprints[language] = Fingerprints(
                {path.stem: soundfile.read(path, dtype="int16")[0] for path in sorted(folder.glob("*.wav"))}
            )
        return self.fingerprints[language]

    def heard(self, call: Dialog, language: str = "ja") -> list[str]:
        """Names of the prompts the citizen heard, in order."""
        return [prompt.name for prompt in self.heard_prompts(call, language)]

    def heard_prompts(self, call: Dialog, language: str = "ja") -> list[HeardPrompt]:
        return self.ear(language).find(call.media.heard.recording().samples)

    async def hears(
        self, call: Dialog, name: str, *, within: float = 20.0, language: str = "ja", times: int = 1
    ) -> None:
        """Wait until the citizen has heard a second (or nearly all) of the prompt `name`."""
        ear = self.ear(language)
        enough_s = min(1.0, 0.7 * ear.seconds(name))

        def found() -> bool:
            samples = call.media.heard.recording().samples
            return len(ear.find(samples, names=[name], at_least_s=enough_s)) >= times

        deadline = time.monotonic() + within
        while not found():
            assert time.monotonic() < deadline, f"{name} not heard, but {self.heard(call, language)}"
            await asyncio.sleep(0.15)

    async def hears_whole(
        self,
        call: Dialog,
        name: str,
        *,
        within: float = 15.0,
        language: str = "ja",
        among: Collection[str] = (),
    ) -> None:
        """Wait until `name` was heard to its end.

        Only this one and what it could be taken for (`among`) are looked for: a search for every prompt holds up the
        telephones of all stories in this process.
        """
        ear, names = self.ear(language), {name, *among}

        def found() -> bool:
            heard = ear.find(call.media.heard.recording().samples, names=names)
            return any(one.whole and one.name == name for one in heard)

        await eventually(
            found, within=within, what=lambda: f"{name} to its end, not {self.heard_prompts(call, language)}"
        )

    async def heard_sentence(self, call: OutgoingCall, text: str, language: str = "ja") -> bool:
        """Whether the citizen heard exactly this sentence, made on the spot."""
        settings = settings_from(self.environment())
        speak = speaker(settings, load_city(self.profile))
        made = await asyncio.to_thread(speak, text, language)
        ear = Fingerprints({"sentence": soundfile.read(made, dtype="int16")[0]})
        return any(one.whole for one in ear.find(call.media.heard.recording().samples))

    def told_at(self, call: Dialog, name: str, *, end: bool = False, language: str = "ja") -> float:
        """When the prompt `name` began (ended) in the citizen's ear; epoch seconds, its last time."""
        samples = call.media.heard.recording()
        prompt = self.ear(language).find(samples.samples, names=[name])[-1]
        return samples.started_at + (prompt.end_s if end else prompt.start_s)

    def wait_until(self, call: OutgoingCall, moment: float, language: str = "ja") -> float:
        """Seconds from the end of "connecting" to `moment`: the wait as the two ends saw it."""
        return moment - self.told_at(call, "connecting", end=True, language=language)

    async def audited(self, action: str, *, since: float = 0.0) -> list[AuditEntry]:
        """Audit lines of this action, in order."""
        async with self.database.reading() as unit:
            return [entry for entry in await unit.audit.between(since, 4e9) if entry.action == action]

    async def records(self) -> list[dict[str, Any]]:
        """The whole ledger. It may hold each citizen's call once and nothing else."""
        clock = clock_from_text(str(self.home / "clock"))
        records = await export_records(self.database, clock, 0.0, 4e9)
        found = Counter(record["sip_call_id"] for record in records)
        assert found.keys() <= set(self.made), f"phantom rows: {found.keys() - set(self.made)}"
        assert all(count == 1 for count in found.values()), found
        return records

    async def ledger(self, call: OutgoingCall | str, *, within: float = 15.0) -> dict[str, Any]:
        """The closed ledger record of a citizen's call (or of its SIP Call-ID)."""
        call_id = call if isinstance(call, str) else call.call_id

        async def closed() -> dict[str, Any] | None:
            records = await self.records()
            mine = [record for record in records if record["sip_call_id"] == call_id]
            assert len(mine) <= 1, f"one call, {len(mine)} ledger rows"
            return mine[0] if mine and mine[0]["disposition"] else None

        record: dict[str, Any] = await eventually(
            closed, within=within, what=lambda: f"the ledger row of {call_id} ({self.log_tail()})"
        )
        return record

    async def sides(self, record: Mapping[str, Any], base: str | None = None) -> dict[str, Samples]:
        """Both recorded sides of a call, or of its recording `base`, once the centre has taken in the closed files."""

        async def closed() -> list[RecordingFile]:
            async with self.database.reading() as unit:
                every = await unit.recordings.of_call(record["call_id"])
            files = [file for file in every if file.base == (base or record["call_id"])]
            return files if {(file.side, file.state) for file in files} == wanted else []

        wanted = {("citizen", "closed"), ("line", "closed")}
        files = await eventually(closed, what="two closed recordings")
        return {file.side: soundfile.read(file.path, dtype="int16")[0] for file in files}


def whole_lines(path: Path) -> list[str]:
    """The lines of a log that is being written; what a killed switch has cut is none."""
    text = path.read_text("utf-8", "replace")
    return [line for line in text.splitlines() if line] if text.endswith("\n") else text.splitlines()[:-1]


def tone(hz: float, seconds: float = 0.6) -> Samples:
    """A steady tone, easy to tell from speech and from hold music."""
    time_s = np.arange(int(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * hz * time_s)).astype(np.int16)


def tone_s(samples: Samples, hz: float) -> float:
    """Seconds in which the tone of `hz` stands out of everything else."""
    length = RATE // 20
    frames = samples[: len(samples) // length * length].reshape(-1, length).astype(np.float64)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    place = round(hz * length / RATE)
    near = power[:, place - 1 : place + 2].sum(axis=1)
    loud = np.sqrt((frames**2).mean(axis=1)) > 500
    return float(((near > 0.6 * power[:, 1:].sum(axis=1)) & loud).sum() * length / RATE)


async def talk(call: Dialog, offer: Dialog) -> None:
    """Both say something at once, and each hears the other; said again to whom is not joined yet."""

    def heard() -> bool:
        citizen, operator = offer.media.heard.recording(), call.media.heard.recording()
        return (
            tone_s(citizen.samples, 600) - before[0] > 0.3
            and tone_s(operator.samples, 1000) - before[1] > 0.3
        )

    before = (
        tone_s(offer.media.heard.recording().samples, 600),
        tone_s(call.media.heard.recording().samples, 1000),
    )
    for again in (True, True, False):
        say = [call.media.say(tone(600)), offer.media.say(tone(1000))]
        assert all(await asyncio.gather(*say)), "hung up in the middle of a sentence"
        try:
            await eventually(heard, within=2.0 if again else 15.0, what="each hears the other")
            return
        except AssertionError:
            if not again:
                raise


def kill(pid: int | None) -> None:
    """SIGKILL to a process that this test started."""
    assert pid, "no such process"
    os.kill(pid, signal.SIGKILL)


async def first_to_ring(*phones: Phone, timeout: float = 20.0) -> tuple[Phone, IncomingCall]:
    """Whoever gets the next offer, and the offer, ringing."""
    waits = {asyncio.create_task(phone.rings(timeout)): phone for phone in phones}
    done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    (task,) = done
    return waits[task], task.result()


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
