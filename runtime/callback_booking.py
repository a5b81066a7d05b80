"""Offering a call-back to a waiting caller, and the dialogue that books one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from acd.callback import Callback
from core.clock import Clock
from core.facts.dialplan import Variable
from core.ids import QueueName, demand_of, language_of
from core.phone import classify_caller
from ivr.callback import CallbackSession, WhenCalled, apply_booking
from ivr.ports import CallerGone
from runtime.floor_loop import FloorLoop
from runtime.sounds import PromptFiles
from services.city import CityProfile
from storage.database import Database
from telephony.agi.server import FastAgiChannel
from telephony.ami.errors import AmiError
from telephony.ami.session import AmiSession
from telephony.ami.whisper import whisper

REMEMBERED = 2000


class CallbackBooking:
    """One for an engine.

    Args:
        pending: the call-backs not at their end.
    """

    def __init__(
        self,
        *,
        profile: CityProfile,
        clock: Clock,
        ami: AmiSession,
        loop: FloorLoop,
        prompts: PromptFiles,
        database: Database,
        pending: Callable[[], Collection[Callback]],
    ) -> None:
        self._profile, self._clock, self._ami, self._loop = profile, clock, ami, loop
        self._prompts, self._database, self._pending = prompts, database, pending
        self._section = profile.acd.callback
        self._hours = self._section.hours(profile.hours)
        self._lines = {demand.name: demand.line for demand, _line in profile.acd.demands()}
        self._offered: dict[str, None] = {}
        """Channels of callers who have heard the offer."""

    async def offer(self, channel: str) -> bool:
        """Whisper the offer to a waiting caller; False when they have heard it, left, or may not book.

        Raises:
            AmiError: it could not be said; it may be tried again.
        """
        caller = self._loop.floor.waiting.get(channel)
        if caller is None or channel in self._offered or not self._serves(demand_of(caller.queue)):
            return False
        async with self._database.reading() as unit:
            way_out = any(trunk.contact for trunk in await unit.trunks.list())
        if not way_out:
            return False
        self._offered[channel] = None
        while len(self._offered) > REMEMBERED:
            del self._offered[next(iter(self._offered))]
        try:
            await whisper(self._ami, channel, self._prompts.path(language_of(caller.queue), "callback_offer"))
        except AmiError:
            self._offered.pop(channel, None)
            raise
        return True

    def _serves(self, demand: QueueName) -> bool:
        line = self._lines.get(demand)
        return line is not None and self._section.serves(line)

    async def book(self, channel: FastAgiChannel) -> None:
        """The FastAGI step `callback`: a waiting caller has pressed the key."""
        with contextlib.suppress(CallerGone):
            queue = QueueName(await channel.get_variable(Variable.QUEUE) or "")
            demand = demand_of(queue)
            language = await channel.get_variable(Variable.LANGUAGE) or language_of(demand)
            entered = float(await channel.get_variable(Variable.ENTERED) or self._clock.epoch())
            caller = classify_caller(
                await channel.get_variable("CALLERID(num)") or "",
                await channel.get_variable("CALLERID(name)") or "",
                await channel.get_variable("PJSIP_HEADER(read,Privacy)") or "",
            )
            now = self._clock.city_now()
            when = self._when(demand, entered, now)
            if when is None or not self._serves(demand):
                await channel.play([self._prompts.path(language, "callback_unavailable")])
                await apply_booking(channel, None)
                return
            session = CallbackSession(
                channel,
                {language: self._profile.prompts.templates(language)},
                self._prompts,
                language=language,
                digit_timeout_s=self._profile.ivr.digit_timeout_s,
            )
            await apply_booking(channel, await session.run(caller.number, when, now))

    def _when(self, demand: QueueName, entered: float, now: datetime) -> WhenCalled | None:
        """When a caller with this place may expect the call; None when it would never come."""
        minutes = self._loop.floor.wait_from_outside(
            demand,
            entered,
            self._clock.epoch(),
            [(each.demand, each.entered_at) for each in self._pending()],
        )
        soonest = now + timedelta(minutes=minutes[1] if minutes else 0)
        first = self._hours.next_from(soonest)
        if first is None or first >= self._hours.expiry(now):
            return None
        if first.date() != now.date() or first > soonest:
            return WhenCalled(opening=first)
        return WhenCalled(minutes=minutes)
