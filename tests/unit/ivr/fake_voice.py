"""A caller made of a script, and prompts made of their names."""

from __future__ import annotations

from collections.abc import Sequence

from core.facts.dialplan import UserEvent
from ivr.ports import CallerGone

SILENCE = ""


class FakeVoiceChannel:
    """A caller who answers each question from `keys`: a key, or `SILENCE`. Hangs up when these run out.

    `barge_in` presses while the prompt still plays; otherwise the caller hears it out first.
    """

    def __init__(self, keys: Sequence[str] = (), *, barge_in: bool = False) -> None:
        self.keys = list(keys)
        self.barge_in = barge_in
        self.early: list[tuple[str, str]] = []
        """(part of a prompt's name, key): pressed while a prompt plays that is not cut short."""
        self.heard: list[str] = []
        self.events: list[tuple[UserEvent, dict[str, str]]] = []
        self.variables: list[tuple[str, str]] = []
        self.cut_short: list[str] = []

    async def play(self, files: Sequence[str], *, interrupt: str = "") -> str | None:
        self.heard += files
        if interrupt and self.barge_in and self.keys and self.keys[0] in interrupt and self.keys[0]:
            self.cut_short.append(files[-1])
            return self.keys.pop(0)
        return None

    async def play_through(self, files: Sequence[str]) -> str | None:
        self.heard += files
        if self.early and self.early[0][0] in files[-1]:
            return self.early.pop(0)[1]
        return None

    async def collect(self, files: Sequence[str], *, timeout: float, most: int = 1) -> str | None:
        pressed = await self.play(files, interrupt="0123456789*#") or await self.wait_digit(timeout)
        if pressed is None or pressed == "#":
            return pressed
        while len(pressed) < most:
            key = await self.wait_digit(timeout)
            if key is None or key == "#":
                break
            pressed += key
        return pressed

    async def wait_digit(self, timeout: float) -> str | None:
        assert timeout > 0
        if not self.keys:
            raise CallerGone
        return self.keys.pop(0) or None

    async def set_variable(self, name: str, value: str) -> None:
        self.variables.append((name, value))

    async def get_variable(self, name: str) -> str | None:
        return dict(self.variables).get(name)

    async def record_event(self, event: UserEvent, **values: str) -> None:
        self.events.append((event, values))

    def steps(self) -> list[tuple[str, str, str]]:
        return [
            (values["node"], values["key"], values["result"])
            for event, values in self.events
            if event is UserEvent.STEP
        ]

    def of(self, event: UserEvent) -> list[dict[str, str]]:
        return [values for found, values in self.events if found is event]


class NamedPrompts:
    """Files named `language/name`; sentences made on the spot are `language:text`."""

    def __init__(self, *, can_speak: bool = True) -> None:
        self.can_speak = can_speak

    def path(self, language: str, name: str) -> str:
        return f"{language}/{name}"

    async def dynamic(self, text: str, language: str) -> str | None:
        return f"{language}:{text}" if self.can_speak else None
