"""Citizens on the telephone: they listen, press, mis-press, wait, talk, and hang up."""

from __future__ import annotations

import asyncio
import random
import time

from demo.ends.calls import OutgoingCall
from demo.ends.dialog import CallRefused
from demo.ends.listening import LiveEar
from demo.ends.user_agent import SipEnd
from demo.people import (
    CitizenPlan,
    Doing,
    Intent,
    Stage,
    Town,
    Voices,
    listen_to_turn,
    pause,
    say,
    until_over,
)
from demo.script import Role, dialogue, greeting_name

_LONGEST_CALL_S = 240.0
_TALKERS = {Intent.BOOK, Intent.ASK, Intent.ENGLISH, Intent.MISPRESS, Intent.SILENT, Intent.ABANDON}


class Citizen:
    """One caller. `run` makes the call and returns when it is over; `call` is then the evidence."""

    def __init__(self, plan: CitizenPlan, town: Town, voices: Voices, stage: Stage) -> None:
        self.plan = plan
        self.call: OutgoingCall | None = None
        self._town, self._voices, self._stage = town, voices, stage
        self._chance = random.Random(plan.seed)
        self._operator = voices.fingerprints(greeting_name("ja"), greeting_name("en"))
        # In any language: without the engine the switch speaks the city's own.
        spoken = (town.language, *town.language_keys)
        self._connecting = [name for one in spoken for name in town.named(one, "connecting")]
        self._queued_at: float | None = None

    async def run(self, trunk: SipEnd) -> OutgoingCall:
        """Call the city through `trunk`."""
        town = self._town
        self._stage.enter(self.plan)
        self._now(Doing.CALLING, self.plan.intent.label_ja)
        call = self.call = await trunk.call(town.number, place=town.trunk, identity=self.plan.identity)
        try:
            await call.answered(20)
            self._now(Doing.LISTENING)
            # Longer than this, something keeps the caller for ever; the truth will show it.
            async with asyncio.timeout(_LONGEST_CALL_S):
                await until_over(call, self._behave(call))
        except (CallRefused, TimeoutError):
            pass
        finally:
            self._stage.leave(self.plan)
            if not call.is_over:
                await call.hang_up()
            self._now(Doing.GONE)
        return call

    def _now(self, doing: Doing, detail: str = "") -> None:
        self._stage.tell(Role.CITIZEN, self.plan.shown, doing, detail)

    async def _behave(self, call: OutgoingCall) -> None:
        match self.plan.intent:
            case Intent.HANG_UP_IN_GREETING:
                await call.media.voice.wait_sound(10, at_least_s=0.5)
                await pause(self._chance, 0.5, 2.0)
            case Intent.HANG_UP_IN_MENU:
                await self._hear_menu(call, self._town.language, time.time())
                await pause(self._chance, 0.5, 2.5)
            case Intent.AFTER_HOURS:
                await call.ended()
            case Intent.SELF_SERVICE:
                await self._choose(call)
                await self._hear_answer(call)
            case intent if intent in _TALKERS:
                if intent is not Intent.SILENT:
                    await self._choose(call)
                await self._wait_and_talk(call)

    # The menu

    async def _choose(self, call: OutgoingCall) -> None:
        plan, town = self.plan, self._town
        since, language = 0.0, town.language
        if plan.language != language and plan.language in town.language_keys:
            language = plan.language
            since = await self._choose_language(call, language)
        keys = list(plan.keys)
        if plan.intent is Intent.MISPRESS:
            keys.insert(0, plan.wrong_key)
        for key in keys:
            if not await self._hear_menu(call, language, since):
                return  # not understood: wait for a person like the silent ones
            await self._press(call, key)
            since = time.time()

    async def _choose_language(self, call: OutgoingCall, language: str) -> float:
        """Press the language's key when it is offered; the moment from which its menu may be heard."""
        town = self._town
        ear = LiveEar(town.prompts, call.media)
        await ear.wait(town.named(language, "language"), since=0.0, timeout=40, enough_s=0.6)
        await self._press(call, town.language_keys[language])
        return time.time()

    async def _hear_menu(self, call: OutgoingCall, language: str, since: float) -> bool:
        """Wait until a menu is being said, and has been listened to for a while; False when none comes."""
        ear = LiveEar(self._town.prompts, call.media)
        names = [*self._town.named(language, *self._town.menus), *self._connecting]
        heard = await ear.wait(names, since=since, timeout=60, enough_s=1.0)
        if heard is None:
            return False
        if heard.name in self._connecting:
            self._queued_at = heard.end_s
            return False
        # Some know their key by heart, others listen on; nobody sits through all of it.
        await pause(self._chance, 0.3, 3.0)
        return True

    async def _hear_answer(self, call: OutgoingCall) -> None:
        """Listen to the announcement that answers the question; hang up when more is offered, or wait."""
        ear = LiveEar(self._town.prompts, call.media)
        language = (
            self.plan.language if self.plan.language in self._town.language_keys else self._town.language
        )
        if self._chance.random() < 0.5:
            await ear.wait(self._town.named(language, "after_tell"), since=0.0, timeout=90)
        else:
            await call.ended()
        await call.hang_up()

    async def _press(self, call: OutgoingCall, key: str) -> None:
        self._now(Doing.PRESSING, key)
        await call.media.press(key, hold_s=self._chance.uniform(0.1, 0.2))

    # The queue and the talk

    async def _wait_and_talk(self, call: OutgoingCall) -> None:
        plan = self.plan
        ear = LiveEar(self._town.prompts, call.media)
        if self._queued_at is None:
            heard = await ear.wait(self._connecting, since=0.0, timeout=150)
            self._queued_at = heard.end_s if heard is not None else time.time()
        queued_at = self._queued_at
        await asyncio.sleep(max(0.0, queued_at - time.time()))
        self._now(Doing.WAITING)
        if plan.intent is Intent.ABANDON:
            await asyncio.sleep(max(0.0, queued_at + plan.patience_s - time.time()))
            await call.hang_up()
            return
        operator = LiveEar(self._operator, call.media)
        names = self._operator.names
        if await operator.wait(names, since=queued_at - 1, timeout=plan.patience_s) is not None:
            await self._talk(call)
        await call.hang_up()

    async def _talk(self, call: OutgoingCall) -> None:
        self._now(Doing.TALKING)
        await call.media.voice.wait_silence(0.7, 10)
        for line in dialogue(self.plan.topic, self.plan.language):
            if line.role is Role.CITIZEN:
                await pause(self._chance, 0.1, 0.5)
                await say(call, self._voices, line.name)
            else:
                await listen_to_turn(call)
        if self.plan.operator_hangs_up:
            await call.ended(8)
        else:
            await pause(self._chance, 0.3, 0.9)
