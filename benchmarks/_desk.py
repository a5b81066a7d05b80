"""From the switch's event to the changed element in a browser, with two hundred operators' and ten supervisors'
screens on one desk, bursts of two thousand events, and a network that goes away in the middle of a call.

The moment of an event is the `Timestamp` that Asterisk puts on it; the moment of a change is `Date.now()` in a
`MutationObserver`; both are clocks of one machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, expect

from benchmarks._centre import NUMBER, CitySpec, LineSpec, LoadCentre, short_prompts, write_profile
from benchmarks._desk_delays import BURST_S, SETTLE_S, Shown, match, spread
from benchmarks._desk_screens import NOTE_OWN, NOTE_ROWS, Streams, chromium, page_of, taken
from benchmarks._desk_switch import (
    BURST,
    CALLERS,
    READY,
    RINGING,
    TALKING,
    WRAP_UP,
    Listener,
    Sender,
    teach_burst,
)
from benchmarks._ends import Citizens, Handling, Operators
from core.errors import ToritsugiError
from core.ids import OperatorId
from core.settings import Settings, settings_from
from desk.secrets_kept import Passwords
from interactions.access import Role
from runtime.demo_desk import WITHOUT_SECOND_FACTOR
from runtime.install.chromium import find_chromium
from services.city import load_city
from services.desk_ports import User
from storage.database import Database
from telephony.ami import actions
from telephony.ami.session import AmiSession
from telephony.members import member_name_of

from centre import eventually, free_ports  # isort: skip
from cut_road import Road  # isort: skip

OPERATORS, SUPERVISORS, TELEPHONES = 200, 10, 40
FIRST = 201
BURST_EVENTS = 2000
BURST_EVERY_S = 30.0
CALL_EVERY_S = 1.5
LIMIT_P95_MS = 250.0
CUT_S = 60.0
GROWTH = 0.05
"""A process is flat when its mean memory of the last quarter is at most this much above that of the second quarter."""
GROWTH_MB = 8.0
FLAT_FROM_MINUTES = 10
"""A shorter trial is still warming up."""
LINES = ("card", "portal", "booking", "form")
ALONE = "guide"
"""A line of one operator, who is called when the network is to go."""
CUT_OPERATOR, PROBE = str(FIRST), str(FIRST + TELEPHONES)
"""Whose call lasts while the network is away; whose own screen is watched."""
CITY = CitySpec(
    id="gamen",
    lines=tuple(LineSpec(id=line, ring_s=15) for line in (*LINES, ALONE)),
    operators={str(FIRST + n): {LINES[n % 4]: 3, LINES[(n + 1) % 4]: 2} for n in range(OPERATORS)}
    | {CUT_OPERATOR: {ALONE: 3}},
)
Say = Callable[[str], None]


@dataclass(slots=True)
class Size:
    """One process over time."""

    pid: int
    mb: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def look(self) -> None:
        stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        self.cpu_s.append((int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"))
        self.mb.append(round(int(stat[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1))

    def figures(self, seconds: float) -> dict[str, Any]:
        return {
            "mb": self.mb,
            "flat": self.flat,
            "cpu": round((self.cpu_s[-1] - self.cpu_s[0]) / seconds, 3),
        }

    @property
    def flat(self) -> bool:
        quarter = max(1, len(self.mb) // 4)
        early, late = fmean(self.mb[quarter : 2 * quarter] or self.mb[:1]), fmean(self.mb[-quarter:])
        return late - early <= max(GROWTH * early, GROWTH_MB)


@dataclass(slots=True)
class Trial:
    """One running trial."""

    centre: LoadCentre
    settings: Settings
    password: str
    seed: int
    minutes: float
    say: Say
    faults: list[str] = field(default_factory=list)
    shown: dict[str, list[Shown]] = field(default_factory=lambda: {"board": [], "own": []})
    bursts: list[float] = field(default_factory=list)

    async def run(self, road: Road) -> dict[str, Any]:
        profile = load_city(self.centre.profile)
        secret = (self.settings.home / "secrets" / "ami").read_text("ascii")
        ami = AmiSession("127.0.0.1", self.settings.ami_port, "toritsugi", secret)
        await ami.connect()
        listener = Listener(ami, profile.acd.pause_reasons)
        tasks = [asyncio.create_task(ami.run()), asyncio.create_task(listener.run())]
        origin = f"http://localhost:{road.to}"
        streams = Streams(origin)
        sender = await Sender.open(self.settings.ami_port, secret)
        program = find_chromium(self.settings.tools)
        if program is None:
            raise ToritsugiError(
                "Chromium がありません", where="accept desk", cure="./toritsugi test tests/desk で取り寄せる"
            )
        citizens, operators = await Citizens.open(self.centre.place), await Operators.open(self.centre.place)
        try:
            await self._people_come(ami, operators)
            citizens.connected = operators.connected
            self.say(f"画面 {OPERATORS + SUPERVISORS} 枚を開きます。")
            await self._open(streams)
            async with chromium(program) as browser, chromium(program, road) as cut_off:
                board = await page_of(browser, origin, "s0", self.password, "/board")
                own = await page_of(browser, origin, f"u{PROBE}", self.password, "/desk")
                cut = await page_of(cut_off, origin, f"u{CUT_OPERATOR}", self.password, "/desk")
                await board.evaluate(NOTE_ROWS)
                await own.evaluate(NOTE_OWN, PROBE)
                sizes = {name: Size(int(self.centre.warden()[name]["pid"])) for name in ("engine", "desk")}
                began = time.monotonic()
                until = began + 60 * self.minutes
                cutting = asyncio.create_task(self._network_goes(road, citizens, cut))
                tasks += [
                    asyncio.create_task(self._calls(citizens)),
                    asyncio.create_task(self._probes(ami)),
                    asyncio.create_task(self._bursts(ami, sender)),
                ]
                await self._watch(board, own, sizes, until)
                took = time.monotonic() - began
                try:
                    cut_figures = await cutting
                except (PlaywrightError, AssertionError) as problem:
                    self.faults.append(f"the cut network: {problem}")
                    cut_figures = {}
                for task in tasks[2:]:
                    task.cancel()
                until_at = time.time()
                await asyncio.sleep(SETTLE_S)
                await self._take(board, own)
                await self._true_at_the_end(streams)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            self.faults += [repr(one) for one in outcomes if isinstance(one, Exception)]
            await streams.close()
            sender.close()
            citizens.close()
            operators.close()
        return self._figures(listener, until_at, streams, sizes, took) | {
            "cut": cut_figures,
            "calls": len(citizens.log),
        }

    # ---- who is there -----------------------------------------------------------------------------

    async def _people_come(self, ami: AmiSession, operators: Operators) -> None:
        operators.handling = self._handled
        people = {f"op{FIRST + n}": self.centre.secrets[str(FIRST + n)] for n in range(TELEPHONES)}
        await operators.register(people)
        for operator, skills in CITY.operators.items():
            for queue in sorted(f"{line}-ja" for line in skills):
                reply = await actions.queue_add(
                    ami, queue, f"PJSIP/op{operator}", member=member_name_of(OperatorId(operator)), penalty=0
                )
                reply.required()
        await eventually(
            lambda: sum(state == "ready" for state in self.centre.live().get("operators", {}).values()) == OPERATORS,
            within=60, what=lambda: f"{OPERATORS} operators ready ({self.centre.log_tail()})",
        )  # fmt: skip

    def _handled(self, operator: str, user: str) -> Handling:
        chance = random.Random(f"{self.seed}{user}")
        if operator == f"op{CUT_OPERATOR}":
            return Handling(ring_s=0.2, talk_s=CUT_S * 0.8)
        return Handling(ring_s=chance.uniform(0.3, 2.0), talk_s=chance.uniform(4.0, 20.0))

    async def _open(self, streams: Streams) -> None:
        people = [(f"u{operator}", "/desk/live") for operator in CITY.operators]
        people += [(f"s{n}", "/board/live") for n in range(SUPERVISORS)]
        for name, path in people:
            await streams.open(name, self.password, path)
        await eventually(
            lambda: all(each.events for each in streams.streams), within=60, what="every stream's first event"
        )

    # ---- what happens -----------------------------------------------------------------------------

    async def _calls(self, citizens: Citizens) -> None:
        chance = random.Random(self.seed)
        async with asyncio.TaskGroup() as group:
            for _ in itertools.count():
                user = f"090{chance.randrange(10**8):08d}"
                group.create_task(
                    _quietly(
                        citizens.call(
                            NUMBER, user, str(chance.randrange(4) + 1), key_after_s=0.6, patience_s=60.0
                        )
                    )
                )
                await asyncio.sleep(CALL_EVERY_S * chance.uniform(0.3, 1.7))

    async def _probes(self, ami: AmiSession) -> None:
        """Somebody goes for a break or comes back every second; each third time it is the one whose screen we see."""
        chance = random.Random(self.seed + 1)
        away: set[str] = set()
        others = [str(FIRST + n) for n in range(TELEPHONES, OPERATORS)]
        for turn in itertools.count():
            operator = PROBE if turn % 3 == 0 else chance.choice(others)
            away ^= {operator}
            await actions.queue_pause(ami, f"PJSIP/op{operator}", operator in away, "break1")
            await asyncio.sleep(1.0)

    async def _bursts(self, ami: AmiSession, sender: Sender) -> None:
        """Two thousand events within a second: the switch's own dialplan sends them, of a kind that is nothing to
        the engine, while eighty operators go for a break and come back, in both of their queues."""
        await teach_burst(ami)
        # Every second one: a pause is written to the switch's own database, which is what its rate of events ends at.
        people = [str(FIRST + n) for n in range(TELEPHONES + 1, OPERATORS, 2)]
        pauses = [
            {"Action": "QueuePause", "Interface": f"PJSIP/op{operator}", "Paused": paused, "Reason": "break1"}
            for paused in ("true", "false")
            for operator in people
        ]
        while True:
            await asyncio.sleep(BURST_EVERY_S)
            self.bursts.append(time.time())
            begun = time.monotonic()
            for number in range(CALLERS):
                sender.send(
                    {"Action": "Originate", "ActionID": f"burst-{number}", "Channel": f"Local/{number}@{BURST}/n",
                     "Application": "Wait", "Data": "9", "Async": "true"}
                )  # fmt: skip
            sent = 0
            while sent < len(pauses):
                # Whatever has become due while this loop was busy goes out together.
                due = (time.monotonic() - begun) / (0.8 * BURST_S) * len(pauses)
                while sent < min(due, len(pauses)):
                    sender.send(pauses[sent])
                    sent += 1
                await asyncio.sleep(0.02)

    async def _network_goes(self, road: Road, citizens: Citizens, page: Page) -> dict[str, Any]:
        """In the middle of a call and of a sentence the network is away for a minute, in which the call ends."""
        await asyncio.sleep(min(20.0, 10 * self.minutes))
        began = time.monotonic() - time.time()
        typed, key = "交付通知書が届かない。", str(len(LINES) + 1)
        call = asyncio.create_task(
            citizens.call(NUMBER, "08012345678", key, key_after_s=0.6, patience_s=60.0)
        )
        await expect(page.locator("#r-state .state")).to_have_text(TALKING, timeout=30_000)
        await expect(page.locator("#r-call .number")).to_contain_text("080-1234-5678", timeout=10_000)
        question = page.get_by_label("問い合わせの内容")
        await question.fill(typed, timeout=10_000)
        await expect(page.locator("[data-saved]")).to_have_text("下書きを保存しました", timeout=10_000)
        road.cut()
        cut_at = time.monotonic()
        await question.press_sequentially("電話中に書いたつづき。", delay=60)
        typed += "電話中に書いたつづき。"
        await expect(page.locator("#lost")).to_contain_text("つながっていません", timeout=15_000)
        told_s = time.monotonic() - cut_at
        kept = await page.locator("[data-saved]").inner_text()
        shown_while = await page.locator("#r-state .state").inner_text()
        await asyncio.sleep(max(0.0, CUT_S - (time.monotonic() - cut_at)))
        await question.press_sequentially("切れた間のさいご。", delay=30)
        typed += "切れた間のさいご。"
        road.mend()
        mended_at = time.monotonic()
        await expect(page.locator("#lost")).to_be_empty(timeout=30_000)
        back_s = time.monotonic() - mended_at
        await expect(page.locator("#r-state .state")).not_to_have_text(TALKING, timeout=5_000)
        await expect(page.locator("[data-saved]")).to_have_text("下書きを保存しました", timeout=30_000)
        saved_s = time.monotonic() - mended_at
        value = await question.input_value()
        log = await call
        async with self.centre.database.reading() as unit:
            drafts = await unit.cases.drafts_of(f"u{CUT_OPERATOR}")
        stored = [each.content.get("question") for each in drafts]
        if value != typed or typed not in stored:
            self.faults.append(f"typed {typed!r}, the page has {value!r}, the server {stored!r}")
        return {
            "seconds": round(mended_at - cut_at, 1),
            "told_after_s": round(told_s, 1),
            "call_ended_meanwhile": cut_at < began + (log.ended_at or 0.0) < mended_at,
            "shown_meanwhile": shown_while,
            "said_of_the_draft": kept,
            "back_after_s": round(back_s, 1),
            "draft_stored_after_s": round(saved_s, 1),
            "typed_is_there": value == typed and typed in stored,
        }

    # ---- what is seen -----------------------------------------------------------------------------

    async def _watch(self, board: Page, own: Page, sizes: Mapping[str, Size], until: float) -> None:
        every = 60.0 if self.minutes >= 8 else 15.0
        look_at = time.monotonic()
        while time.monotonic() < until:
            if time.monotonic() >= look_at:
                look_at += every
                for size in sizes.values():
                    size.look()
            await self._take(board, own)
            await asyncio.sleep(2.0)
        for size in sizes.values():
            size.look()

    async def _take(self, board: Page, own: Page) -> None:
        self.shown["board"] += await taken(board)
        self.shown["own"] += await taken(own)

    async def _true_at_the_end(self, streams: Streams) -> None:
        """Each screen shows what the engine says, once nothing happens any more."""

        def wrong() -> list[str]:
            states = self.centre.live().get("operators", {})
            words = {"ready": READY, "ringing": RINGING, "talking": TALKING, "wrapup": WRAP_UP}
            return [
                each.name
                for each in streams.streams
                if each.path == "/desk/live"
                and words.get(states.get(each.name[1:], ""), "休憩") not in each.regions.get("state", "")
            ]

        try:
            await eventually(lambda: not wrong(), within=60, what=lambda: f"true screens; wrong: {wrong()}")
        except AssertionError as problem:
            self.faults.append(str(problem))

    def _figures(
        self, listener: Listener, until_at: float, streams: Streams, sizes: Mapping[str, Size], took: float
    ) -> dict[str, Any]:
        due = [each for each in listener.due if each.at <= until_at]
        board = match(due, self.shown["board"], self.bursts)
        own = match([each for each in due if each.operator == PROBE], self.shown["own"], self.bursts)
        figures: dict[str, Any] = {
            "minutes": round(took / 60, 1),
            "streams": len(streams.streams),
            "streams_ended": sum(each.ended for each in streams.streams),
            "events_sent": sum(each.events for each in streams.streams),
            "megabytes_sent": round(sum(each.octets for each in streams.streams) / 2**20, 1),
            "bursts": len(self.bursts),
            "events_in_the_busiest_second": listener.busiest(),
            "processes": {name: size.figures(took) for name, size in sizes.items()},
        }
        for name, found in (("board", board), ("own_screen", own)):
            every = found.steady + found.burst
            figures[name] = {
                **spread(every), "steady": spread(found.steady), "in_bursts": spread(found.burst),
                "overtaken": found.overtaken, "never_shown": len(found.never),
            }  # fmt: skip
            if not every or figures[name]["p95_ms"] > LIMIT_P95_MS:
                self.faults.append(
                    f"{name}: p95 {figures[name].get('p95_ms')} ms, {LIMIT_P95_MS:.0f} allowed"
                )
            if found.never:
                self.faults.append(f"{name}: never shown: {found.never[:5]}")
        if figures["events_in_the_busiest_second"] < BURST_EVENTS:
            self.faults.append(f"only {figures['events_in_the_busiest_second']} events in the busiest second")
        if figures["streams_ended"]:
            self.faults.append(f"{figures['streams_ended']} streams ended before the trial did")
        if self.minutes >= FLAT_FROM_MINUTES:
            growing = {name: size.mb for name, size in sizes.items() if not size.flat}
            self.faults += [f"memory of the {name} grows: {mb}" for name, mb in growing.items()]
        return figures


async def _quietly(work: Awaitable[Any]) -> None:
    """A citizen who is not served is no fault of the screens."""
    with contextlib.suppress(TimeoutError, OSError):
        await work


async def run_desk(folder: Path, *, minutes: float, seed: int, say: Say) -> dict[str, Any]:
    """The trial; figures with `faults`, a list of sentences that is empty when all went well."""
    profile, home = write_profile(folder, CITY), folder / "home"
    home.mkdir()
    short_prompts(home, profile)
    desk_port, road_port = free_ports(2)
    centre = LoadCentre(
        home=home, ports=free_ports(5), database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
        profile=str(profile),
        more={
            "TORITSUGI_HTTP_PORT": str(desk_port),
            **WITHOUT_SECOND_FACTOR,
        },
    )  # fmt: skip
    road = Road(road_port, desk_port)
    password = secrets.token_urlsafe(9)
    try:
        await centre.start({operator: dict(skills) for operator, skills in CITY.operators.items()})
        await _add_users(centre.database, password)
        await road.start()
        trial = Trial(centre, settings_from(centre.environment()), password, seed, minutes, say)
        figures = await trial.run(road)
    finally:
        road.stop()
        await centre.stop()
    return {"seed": seed, **figures, "faults": trial.faults}


async def _add_users(database: Database, password: str) -> None:
    hashed = await Passwords().hash(password)
    now = time.time()
    users = [
        User(
            name=f"u{operator}", display=f"試験{operator}", role=Role.OPERATOR, operator=OperatorId(operator),
            password_hash=hashed, created_at=now,
        )
        for operator in CITY.operators
    ]  # fmt: skip
    users += [
        User(name=f"s{n}", display=f"監督{n}", role=Role.SUPERVISOR, password_hash=hashed, created_at=now)
        for n in range(SUPERVISORS)
    ]
    async with database.uow() as unit:
        for user in users:
            await unit.users.put(user)
