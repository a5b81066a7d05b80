"""What a menu needs from a telephone call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.facts.dialplan import UserEvent


class CallerGone(Exception):  # no error: callers hang up
    """The caller hung up; the session unwinds."""


class VoiceChannel(Protocol):
    """One answered call, as a menu sees it. Every method raises `CallerGone` once the caller has hung up."""

    async def play(self, files: Sequence[str], *, interrupt: str = "") -> str | None:
        """Play sound files (absolute paths without extension) one after the other.

        Returns the digit among `interrupt` that stopped it, or None when all was heard.
        """
        ...

    async def play_through(self, files: Sequence[str]) -> str | None:
        """Play everything to its end, whatever is pressed; the first digit pressed meanwhile, or None.

        For what must be heard (the notice that the call is recorded) without losing the key of a caller who
        knows the menu.
        """
        ...

    async def collect(self, files: Sequence[str], *, timeout: float, most: int = 1) -> str | None:
        """Play sounds, of which any key stops the rest, and take keys until `#`, or `most`, or silence.

        The last sound and the waiting are one command: a key pressed at the sound's end falls into no gap.

        Args:
            timeout: seconds of silence, after the sounds or after a key, that end it.

        Returns:
            The keys without the `#` that ended them; `"#"` when it was the only one; None when there was none.
        """
        ...

    async def wait_digit(self, timeout: float) -> str | None:
        """The next digit within `timeout` seconds, or None."""
        ...

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable."""
        ...

    async def get_variable(self, name: str) -> str | None:
        """A channel variable's or dialplan function's value, None when unset."""
        ...

    async def record_event(self, event: UserEvent, **values: str) -> None:
        """Write a user event into the durable record (CELGenUserEvent)."""
        ...
