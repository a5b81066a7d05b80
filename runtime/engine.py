"""The engine: menus over FastAGI, the floor over AMI, the ledger from disk. One loop, one task group.

Everything it decides reaches Asterisk as variables, pauses and penalties, so that its death costs decisions and
no call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from acd.channels import Channel, caps_of
from acd.demand import skills_of
from acd.rules import FloorRules
from core.clock import Clock
from core.emergency import read_emergency, read_notice
from core.settings import Settings
from ivr.ports import CallerGone
from ivr.session import Session, apply_result
from runtime.alerting import Alerting
from runtime.anchoring import Anchoring
from runtime.away_loop import AwayLoop
from runtime.callback_booking import CallbackBooking
from runtime.callbacks import CallbackDesk
from runtime.commanding import CommandDesk
from runtime.control_port import ControlPort
from runtime.floor_loop import FloorLoop, beat_switch
from runtime.guarding import GuardLoop
from runtime.housekeeping import Housekeeper
from runtime.live_file import live_record
from runtime.live_word import LiveWord
from runtime.long_calls import LongCalls
from runtime.office_hours import OfficeHours
from runtime.process import BEAT_EVERY_S, beat, beat_path, run_folder
from runtime.prompts import warm_up
from runtime.sounds import PromptFiles
from services.city import CityProfile
from services.event_sender import EventSender
from services.ports import OperatorAccount
from telephony.agi.server import FastAgiChannel, FastAgiServer
from telephony.ami import actions
from telephony.ami.session import AmiSession

log = logging.getLogger(__name__)

LEDGER_EVERY_S = 0.3
JOURNAL_EVERY_S = 2.0


def floor_rules(profile: CityProfile, operators: Sequence[OperatorAccount]) -> FloorRules:
    """The floor's rules from the profile and the operators of this instance."""
    acd = profile.acd
    demands = acd.demands()
    return FloorRules(
        demands=tuple(demand for demand, _line in demands),
        skills={operator.id: skills_of(operator.skills, operator.languages) for operator in operators},
        groups={operator.id: operator.group for operator in operators if operator.group},
        caps={operator.id: caps_of(operator.caps) for operator in operators if operator.caps},
        in_hand={
            operator.id: {Channel(name): count for name, count in operator.in_hand.items()}
            for operator in operators
            if operator.in_hand
        },
        wrap_up_s={demand.name: float(line.wrap_up_s) for demand, line in demands},
        missed_before_pause=acd.missed_offers_before_pause,
        load_rule=acd.even_by,
        limits_s={demand.name: float(acd.targets.wait_alert_s) for demand, _line in demands}
        if acd.targets.wait_alert_s is not None
        else {},
        words={demand.name: (float(line.first_word_s), float(line.word_every_s)) for demand, line in demands},
    )


@dataclass(slots=True, kw_only=True)
class Engine:
    """All parts of one engine, and how they run together."""

    settings: Settings
    profile: CityProfile
    clock: Clock
    ami: AmiSession
    prompts: PromptFiles
    loop: FloorLoop
    guard: GuardLoop
    callbacks: CallbackDesk
    booking: CallbackBooking
    sync_ledger: Callable[[], Awaitable[int]]
    """Takes what is new on disk into the ledger; returns the number of facts."""
    housekeeper: Housekeeper
    alerting: Alerting
    offices: OfficeHours
    commands: CommandDesk
    long_calls: LongCalls
    note_by_telephone: Callable[[], Awaitable[int]]
    """Puts into the audit what was switched by telephone."""
    anchoring: Anchoring
    events: EventSender
    speaks: bool = False
    """Whether sentences can be made on the spot without a wait; the first one loads a voice."""

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        agi = FastAgiServer(
            "127.0.0.1", self.settings.agi_port, {"ivr": self._ivr, "callback": self.booking.book}
        )
        await agi.start()
        word = LiveWord(self._live, run_folder(self.settings) / "live.json")
        self.loop.changed = word.changed
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._beat_file(), name="beat"),
                group.create_task(self._ami(), name="ami"),
                group.create_task(self._beat_switch(), name="beat-switch"),
                group.create_task(self.offices.run(), name="office-hours"),
                group.create_task(self.loop.run(), name="floor"),
                group.create_task(self.guard.run(), name="guard"),
                group.create_task(AwayLoop(self.loop, self.ami, self.clock).run(), name="away"),
                group.create_task(self.callbacks.run(), name="callbacks"),
                group.create_task(self._ledger(), name="ledger"),
                group.create_task(word.run(), name="live"),
                group.create_task(self._warm_up(), name="warm-up"),
                group.create_task(self.housekeeper.watch_recordings(), name="recordings"),
                group.create_task(self.alerting.run(), name="alerts"),
                group.create_task(self._commands(word), name="commands"),
                group.create_task(self.long_calls.run(), name="long-calls"),
                group.create_task(self._journal(), name="journal"),
                group.create_task(self.anchoring.run(), name="anchors"),
                group.create_task(self.events.run(), name="events"),
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
            lambda: read_notice(self.settings.home),
        )
        with contextlib.suppress(CallerGone):
            await apply_result(channel, await session.run())

    async def _warm_up(self) -> None:
        await asyncio.to_thread(warm_up, self.profile.ivr.languages)
        self.speaks = True

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
                await beat_switch(self.ami, self.clock)
            await asyncio.sleep(1.0)

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

    async def _commands(self, word: LiveWord) -> None:
        try:
            await ControlPort(self.settings, self.commands.do, word.words).run()
        except OSError:
            # Calls go on without it, and so must we.
            log.exception("no commands can be given: the control socket cannot be opened")

    async def _journal(self) -> None:
        while True:
            try:
                await self.note_by_telephone()
            except Exception:
                log.exception("what was switched by telephone is not in the audit yet")
            await asyncio.sleep(JOURNAL_EVERY_S)

    async def _rotate_logs(self) -> None:
        await actions.command(self.ami, "logger rotate")

    def _live(self) -> dict[str, Any]:
        return live_record(
            self.loop.floor.view(self.clock.epoch()),
            speaks=self.speaks,
            city_time=self.clock.city_now(),
            ami_connected=self.ami.connected,
            called_in=self.guard.guard.called_in,
            callbacks=self.callbacks.pending,
            expected_s=self.guard.guard.expected_s,
        )
