"""Keeps the floor in step with the switch: events in, commands out, a snapshot whenever something may be missed.

Commands are sent in order and their replies awaited aside, so that a slow AMI delays decisions and never the events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from acd.events import ExplainOffer, FloorCommand, OrderHeld, SetOrder, TellWaiting, Tick
from acd.floor import Floor
from acd.rules import FloorRules
from core.clock import Clock
from core.facts.dialplan import ENTERED, Variable
from telephony.ami import actions
from telephony.ami.errors import AmiError
from telephony.ami.events import AmiEvent, Disconnected, FullyBooted, Gap
from telephony.ami.floor import SwitchCommand, carry_out, floor_event, snapshot_events
from telephony.ami.session import AmiSession
from telephony.members import member_name_of

log = logging.getLogger(__name__)

TICK_S = 0.2
RULES_EVERY_S = 0.5
OFFERS_EVERY_S = 0.5
OFFERS_MOST = 10_000
SNAPSHOT_TRIES = 50

ReadRules = Callable[[str], Awaitable[tuple[str, FloorRules | None]]]
"""Given the version that is known, the present one and, when it differs, the rules."""


async def beat_switch(ami: AmiSession, clock: Clock) -> None:
    """Tell the dialplan that the engine lives (docs/dialplan-contract.md, `TORITSUGI_BEAT`)."""
    with contextlib.suppress(AmiError):
        await actions.set_global(ami, Variable.BEAT, str(int(clock.epoch())))


class FloorLoop:
    """Runs one floor on one AMI session."""

    def __init__(
        self,
        floor: Floor,
        ami: AmiSession,
        clock: Clock,
        *,
        tell: Callable[[TellWaiting], Awaitable[None]],
        keep_offers: Callable[[Sequence[ExplainOffer]], Awaitable[None]],
        read_rules: ReadRules,
    ) -> None:
        self.floor, self._ami, self._clock = floor, ami, clock
        self._tell, self._keep_offers, self._read_rules = tell, keep_offers, read_rules
        self._offers: list[ExplainOffer] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._unheld: Counter[int] = Counter()
        self.settled = False
        """Whether the floor has been seen whole."""
        self.listeners: list[Callable[[AmiEvent], None]] = []
        """Told of every AMI event, in order, before the floor."""
        self.changed: Callable[[], None] = lambda: None
        """Called when the floor may look other than before."""
        self.diverters: list[Callable[[Sequence[FloorCommand]], Sequence[FloorCommand]]] = []
        """May take commands of the floor out before they are carried out."""

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._events(), name="floor-events")
            group.create_task(self._ticks(), name="floor-ticks")
            group.create_task(self._rules(), name="floor-rules")
            group.create_task(self._store_offers(), name="floor-offers")

    def do(self, commands: Sequence[FloorCommand]) -> None:
        """Carry out what the floor asked for, in this order."""
        for divert in self.diverters:
            commands = divert(commands)
        for command in commands:
            match command:
                case ExplainOffer():
                    if command.deviation:
                        log.info("offer to %s deviates: %s", command.operator, command.deviation)
                    self._offers.append(command)
                case TellWaiting():
                    self._send(self._told(command))
                case _:
                    if isinstance(command, SetOrder):
                        self._unheld[command.version] += 1
                    self._send(self._carried(command))

    def _send(self, work: Awaitable[None]) -> None:
        # Tasks start in the order in which they are made, and each puts its action on the wire before it first
        # waits: the switch gets the commands in the floor's order.
        task = asyncio.ensure_future(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _told(self, command: TellWaiting) -> None:
        try:
            await self._tell(command)
        except AmiError as problem:
            log.warning("a waiting caller was not told: %s", problem)

    async def _carried(self, command: SwitchCommand) -> None:
        try:
            await carry_out(self._ami, command)
        except AmiError as problem:
            log.warning("%s not carried out: %s", type(command).__name__, problem)
            return
        if isinstance(command, SetOrder) and command.version in self._unheld:
            self._unheld[command.version] -= 1
            if not self._unheld[command.version]:
                del self._unheld[command.version]
                self.do(self.floor.handle(OrderHeld(at=self._clock.epoch(), version=command.version)))

    async def _events(self) -> None:
        while True:
            event = await self._ami.events.get()
            for listener in self.listeners:
                listener(event)
            match event:
                case FullyBooted() | Gap():
                    await self._snapshot()
                    self.changed()
                case Disconnected():
                    log.warning("AMI session lost: %s", event.reason)
                    self.changed()
                case _:
                    word = floor_event(event)
                    if word is not None:
                        self.do(self.floor.handle(word))
                        self.changed()

    async def _snapshot(self) -> None:
        # The event that opens a login may come a moment before the session can be used.
        for _ in range(SNAPSHOT_TRIES):
            try:
                snapshot = await actions.queue_status(self._ami)
                break
            except AmiError as problem:
                log.info("no snapshot of the queues yet: %s", problem)
                await asyncio.sleep(0.1)
        else:
            log.error("no snapshot of the queues; the next login brings another chance")
            return
        # At once, or the callers of the first second would be led by the fallback script.
        await beat_switch(self._ami, self._clock)
        entered = await self._first_entries([entry.channel for entry in snapshot.entries])
        self._unheld.clear()
        self.floor.reset()
        for word in snapshot_events(snapshot, self._clock.epoch(), entered):
            self.do(self.floor.handle(word))
        self.do(self.floor.settle())
        self.settled = True
        # A switch that has just started takes every telephone for unreachable until its turn to be asked comes,
        # up to 15 s later, and would tell callers that nobody is there.
        for operator in self.floor.members:
            with contextlib.suppress(AmiError):
                await actions.qualify(self._ami, member_name_of(operator))

    async def _first_entries(self, channels: Sequence[str]) -> dict[str, float]:
        """When these callers first entered a queue, as the dialplan keeps it: a queue knows its own entry only."""
        entered: dict[str, float] = {}
        for channel in channels:
            with contextlib.suppress(AmiError, ValueError):
                entered[channel] = float(await actions.channel_variable(self._ami, channel, ENTERED))
        return entered

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self._ami.connected:
                commands = self.floor.handle(Tick(at=self._clock.epoch()))
                self.do(commands)
                if commands:
                    self.changed()

    async def _rules(self) -> None:
        known = ""
        while True:
            try:
                version, rules = await self._read_rules(known)
            except Exception:
                # What held before goes on holding.
                log.exception("operators' skills could not be read")
                version, rules = known, None
            if rules is not None:
                self.do(self.floor.learn(rules))
            known = version
            await asyncio.sleep(RULES_EVERY_S)

    async def _store_offers(self) -> None:
        while True:
            await asyncio.sleep(OFFERS_EVERY_S)
            if not self._offers:
                continue
            batch, self._offers = self._offers, []
            try:
                await self._keep_offers(batch)
            except Exception:
                log.exception("the reasons of %d offers are not stored yet", len(batch))
                self._offers = [*batch, *self._offers][-OFFERS_MOST:]
