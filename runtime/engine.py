"""The engine: menus over FastAGI, the floor over AMI, the ledger from disk. One loop, one task group.

Everything it decides reaches Asterisk as variables, pauses and penalties, so that its death costs decisions and
no call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from acd.events import FloorCommand, TellWaiting, Tick
from acd.floor import Floor, FloorRules
from acd.profile import AcdSection
from asterisk_conf.from_city import levels_of
from core.clock import Clock
from core.emergency import read_emergency
from core.facts.dialplan import Variable
from core.ids import OperatorId, QueueName
from core.settings import Settings
from ivr.announcements import OnTheSpot, wait_announcement
from ivr.ports import CallerGone
from ivr.session import Session, apply_result
from runtime.housekeeping import Housekeeper
from runtime.process import BEAT_EVERY_S, beat, beat_path, run_folder, write_json
from runtime.prompts import warm_up
from runtime.sounds import PromptFiles
from services.city import CityProfile
from services.ports import OperatorAccount
from telephony.agi.server import FastAgiChannel, FastAgiServer
from telephony.ami import actions
from telephony.ami.actions import queue_status, set_global
from telephony.ami.errors import AmiError
from telephony.ami.events import Disconnected, FullyBooted, Gap
from telephony.ami.floor import carry_out, floor_event, snapshot_events
from telephony.ami.session import AmiSession
from telephony.ami.whisper import whisper
from telephony.members import member_name_of

log = logging.getLogger(__name__)

TICK_S = 0.2
LEDGER_EVERY_S = 0.3
LIVE_EVERY_S = 0.5
SNAPSHOT_TRIES = 50


def floor_rules(acd: AcdSection, profile: CityProfile, operators: list[OperatorAccount]) -> FloorRules:
    """The floor's rules from the profile and the operators of this instance."""
    return FloorRules(
        wrap_up_s={QueueName(name): float(line.wrap_up_s) for name, line, _language in acd.queues()},
        missed_before_pause=acd.missed_offers_before_pause,
        words={
            QueueName(name): (float(line.first_word_s), float(line.word_every_s))
            for name, line, _language in acd.queues()
        },
        levels={
            (operator, QueueName(queue)): level
            for (operator, queue), level in levels_of(
                profile, [(OperatorId(o.id), o.skills) for o in operators]
            ).items()
        },
    )


@dataclass(slots=True, kw_only=True)
class Engine:
    """All parts of one engine, and how they run together."""

    settings: Settings
    profile: CityProfile
    clock: Clock
    ami: AmiSession
    prompts: PromptFiles
    floor: Floor
    sync_ledger: Callable[[], Awaitable[int]]
    """Takes what is new on disk into the ledger; returns the number of facts."""
    housekeeper: Housekeeper

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        agi = FastAgiServer("127.0.0.1", self.settings.agi_port, {"ivr": self._ivr})
        await agi.start()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._beat_file(), name="beat"),
                group.create_task(self._ami(), name="ami"),
                group.create_task(self._beat_switch(), name="beat-switch"),
                group.create_task(self._events(), name="events"),
                group.create_task(self._ticks(), name="ticks"),
                group.create_task(self._ledger(), name="ledger"),
                group.create_task(self._live(), name="live"),
                group.create_task(asyncio.to_thread(warm_up, self.profile.ivr.languages), name="warm-up"),
                group.create_task(self.housekeeper.watch_recordings(), name="recordings"),
                group.create_task(self.housekeeper.every_night(self._rotate_logs), name="night"),
            ]
            await stop.wait()
            for task in tasks:
                task.cancel()
        await agi.stop(grace=1.0)
        await self.ami.close()

    async def _ivr(self, channel: FastAgiChannel) -> None:
        session = Session(
            channel,
            self.profile.plan,
            self.prompts,
            self.clock,
            lambda: read_emergency(self.settings.home),
        )
        with contextlib.suppress(CallerGone):
            await apply_result(channel, await session.run())

    async def _beat_file(self) -> None:
        path = beat_path(self.settings, "engine")
        while True:
            beat(path)
            await asyncio.sleep(BEAT_EVERY_S)

    async def _ami(self) -> None:
        await self.ami.run()

    async def _beat_switch(self) -> None:
        while True:
            if self.ami.connected:
                await self._beat_once()
            await asyncio.sleep(1.0)

    async def _beat_once(self) -> None:
        with contextlib.suppress(AmiError):
            await set_global(self.ami, Variable.BEAT, str(int(self.clock.epoch())))

    async def _events(self) -> None:
        while True:
            event = await self.ami.events.get()
            match event:
                case FullyBooted() | Gap():
                    await self._snapshot()
                case Disconnected():
                    log.warning("AMI session lost: %s", event.reason)
                case _:
                    word = floor_event(event)
                    if word is not None:
                        await self._do(self.floor.handle(word))

    async def _snapshot(self) -> None:
        # The event that opens a login may come a moment before the session can be used.
        for _ in range(SNAPSHOT_TRIES):
            try:
                snapshot = await queue_status(self.ami)
                break
            except AmiError as problem:
                log.info("no snapshot of the queues yet: %s", problem)
                await asyncio.sleep(0.1)
        else:
            log.error("no snapshot of the queues; the next login brings another chance")
            return
        # At once, or the callers of the first second would be led by the fallback script.
        await self._beat_once()
        self.floor.reset()
        for word in snapshot_events(snapshot, self.clock.epoch()):
            await self._do(self.floor.handle(word))
        self.floor.settle()
        # A switch that has just started takes every telephone for unreachable until its turn to be asked comes,
        # up to 15 s later, and would tell callers that nobody is there.
        for operator in self.floor.members:
            with contextlib.suppress(AmiError):
                await actions.qualify(self.ami, member_name_of(operator))

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self.ami.connected:
                await self._do(self.floor.handle(Tick(at=self.clock.epoch())))

    async def _do(self, commands: list[FloorCommand]) -> None:
        for command in commands:
            try:
                if isinstance(command, TellWaiting):
                    await self._tell(command)
                else:
                    await carry_out(self.ami, command)
            except AmiError as problem:
                log.warning("%s not carried out: %s", type(command).__name__, problem)

    async def _tell(self, command: TellWaiting) -> None:
        language = command.queue.rpartition("-")[2]
        templates = {language: self.profile.prompts.templates(language)}
        files = [
            await self.prompts.dynamic(part.text, part.language)
            if isinstance(part, OnTheSpot)
            else self.prompts.path(part.language, part.name)
            for part in wait_announcement(templates, command.position, command.minutes, language)
        ]
        sound = "&".join(file for file in files if file)
        if sound and command.caller in self.floor.waiting:
            await whisper(self.ami, command.caller, sound)

    async def _ledger(self) -> None:
        while True:
            try:
                busy = await self.sync_ledger()
            except Exception:
                # The facts stay on disk; trying again is always right, giving up never is.
                log.exception("the ledger could not take in what is on disk")
                busy = 0
                await asyncio.sleep(2.0)
            await asyncio.sleep(0.01 if busy else LEDGER_EVERY_S)

    async def _rotate_logs(self) -> None:
        await actions.command(self.ami, "logger rotate")

    async def _live(self) -> None:
        path = run_folder(self.settings) / "live.json"
        while True:
            now = self.clock.epoch()
            write_json(
                path,
                {
                    "at": now,
                    "city_time": self.clock.city_now().isoformat(timespec="seconds"),
                    "ami_connected": self.ami.connected,
                    "operators": {op: member.state for op, member in sorted(self.floor.members.items())},
                    "waiting": [
                        {"queue": caller.queue, "waited_s": round(now - caller.joined_at, 1)}
                        for caller in sorted(self.floor.waiting.values(), key=lambda c: c.joined_at)
                    ],
                },
            )
            await asyncio.sleep(LIVE_EVERY_S)
