"""The dialogue of a caller who asks to be called back: the number is confirmed, or asked for, or nothing is changed.

It knows one way out that books, and every other one, silence included, leads back to the place in the queue.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from core.clock import TOKYO
from core.facts.dialplan import Next, Variable
from core.phone import callable_number, number_groups
from ivr.announcements import Templates
from ivr.ports import VoiceChannel
from ivr.prompts import fill
from ivr.session import PromptCatalogue
from ivr.spoken import say_minutes, say_next_opening

ALL_KEYS = "0123456789*#"
CONFIRM, ANOTHER = "1", "2"
NUMBERS = 4
"""Numbers that are looked at before the caller is sent back to wait."""
BETWEEN_GROUPS_S = 0.3
MOST_DIGITS = 16
MOST_KEYS = 48
"""With the stars of whoever begins anew."""
STEP = "callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenCalled:
    """When the caller may expect the call: in minutes, or from a moment on, or when it is their turn."""

    minutes: tuple[int, int] | None = None
    opening: datetime | None = None
    """Set when it cannot be today any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What the dialplan is to write and say."""

    number: str
    say: str
    """Sound file: when the call may be expected."""


class CallbackSession:
    """One caller who pressed the key. `run` raises `CallerGone` when they hang up."""

    def __init__(
        self,
        channel: VoiceChannel,
        templates: Templates,
        prompts: PromptCatalogue,
        *,
        language: str,
        digit_timeout_s: float,
    ) -> None:
        self._channel, self._texts, self._prompts = channel, templates[language], prompts
        self._language, self._timeout_s = language, digit_timeout_s

    async def run(self, caller: str | None, when: WhenCalled, now: datetime) -> Booking | None:
        """Lead the dialogue.

        Args:
            caller: the number that the call came from; None when there is none that can be called.
            when: told at the end.
            now: the city's time.

        Returns:
            None when the caller goes on waiting.
        """
        # The caller hears that we are at it while the sentence is being made.
        goodbye = asyncio.ensure_future(self._when(when, now))
        try:
            await self._play("callback_intro")
            number = callable_number(caller) or await self._ask_number()
            for _ in range(NUMBERS):
                if number is None:
                    break
                key = await self._confirm(number) if number else ANOTHER
                if key == CONFIRM:
                    return Booking(number=number, say=await goodbye)
                if key != ANOTHER:
                    break
                if not number:
                    await self._play("callback_bad_number")
                number = await self._ask_number()
            await self._play("callback_back")
            return None
        finally:
            goodbye.cancel()

    async def _confirm(self, number: str) -> str | None:
        """Read the number back, digit by digit in its groups; the key pressed then, or None.

        From prompts that exist: a sentence made for it would leave the number, as sound, in the prompts' cache.
        """
        key = await self._interruptible("callback_number")
        for group in number_groups(number):
            key = key or await self._interruptible(*(f"digit_{digit}" for digit in group))
            key = key or await self._channel.wait_digit(BETWEEN_GROUPS_S)
        return key or await self._channel.collect([self._file("callback_confirm")], timeout=self._timeout_s)

    async def _ask_number(self) -> str | None:
        """A number that may be called, `""` when it may not, None when the caller pressed nothing."""
        keys = await self._channel.collect(
            [self._file("callback_ask_number")], timeout=self._timeout_s, most=MOST_KEYS
        )
        # A star begins anew.
        digits = (keys or "").rpartition("*")[2].rstrip("#")[:MOST_DIGITS]
        if not digits:
            return None
        return callable_number(digits) or ""

    async def _when(self, when: WhenCalled, now: datetime) -> str:
        made = None
        if when.opening is not None:
            spoken = say_next_opening(now.astimezone(TOKYO), when.opening, self._language)
            made = await self._prompts.dynamic(
                fill(self._texts["callback_later"], {"next": spoken}), self._language
            )
        elif when.minutes is not None:
            spoken = say_minutes(*when.minutes, self._language)
            made = await self._prompts.dynamic(
                fill(self._texts["callback_soon"], {"minutes": spoken}), self._language
            )
        return made or self._file("callback_booked")

    async def _interruptible(self, *names: str) -> str | None:
        return await self._channel.play([self._file(name) for name in names], interrupt=ALL_KEYS)

    async def _play(self, name: str) -> None:
        await self._channel.play([self._file(name)])

    def _file(self, name: str) -> str:
        return self._prompts.path(self._language, name)


async def apply_booking(channel: VoiceChannel, booking: Booking | None) -> None:
    """Tell the dialplan what to do; the mark that the step came to its end is set last.

    Raises:
        CallerGone: the caller hung up.
    """
    if booking is not None:
        await channel.set_variable(Variable.CALLBACK_TO, booking.number)
        await channel.set_variable(Variable.SAY, booking.say)
    await channel.set_variable(Variable.NEXT, Next.QUEUE if booking is None else Next.CALLBACK)
    await channel.set_variable(Variable.DONE, STEP)
