"""What simulated citizens and operators share: the town they live in, their voices, and how people take turns."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from core.errors import ToritsugiError
from demo.ends.dialog import Dialog
from demo.ends.g711 import Samples
from demo.ends.hearing import RATE
from demo.ends.identity import CallerIdentity
from demo.ends.listening import Fingerprints
from demo.ends.transactions import Place
from demo.script import Role


@unique
class Intent(StrEnum):
    """What a citizen is going to do."""

    BOOK = "book"
    ASK = "ask"
    ENGLISH = "english"
    MISPRESS = "mispress_then_right"
    SILENT = "silent"
    """Never presses a key, and should reach a person."""
    HANG_UP_IN_GREETING = "hang_up_in_greeting"
    HANG_UP_IN_MENU = "hang_up_in_menu"
    ABANDON = "abandon_in_queue"
    AFTER_HOURS = "after_hours"
    SELF_SERVICE = "self_service"

    @property
    def label_ja(self) -> str:
        return {
            Intent.BOOK: "予約",
            Intent.ASK: "問い合わせ",
            Intent.ENGLISH: "英語での問い合わせ",
            Intent.MISPRESS: "押し間違い",
            Intent.SILENT: "無操作",
            Intent.HANG_UP_IN_GREETING: "冒頭で切断",
            Intent.HANG_UP_IN_MENU: "案内中に切断",
            Intent.ABANDON: "待ち切れず切断",
            Intent.AFTER_HOURS: "時間外",
            Intent.SELF_SERVICE: "案内で解決",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """What everybody in the city knows: where to call, and how its voice sounds.

    Prompts are named `<language>/<prompt>`, as the city's sound files are.
    """

    number: str
    trunk: Place
    """Where citizens' INVITEs go."""
    prompts: Fingerprints
    menus: frozenset[str]
    """Names, without language, of the prompts that ask for a key."""
    language_keys: Mapping[str, str] = field(default_factory=dict)
    """Language to the key that chooses it."""
    language: str = "ja"
    """Spoken when nothing is chosen."""

    def named(self, language: str, *names: str) -> list[str]:
        """Full names of those prompts that exist."""
        known = set(self.prompts.names)
        return [full for name in names if (full := f"{language}/{name}") in known]


class Voices:
    """The script's lines as sound, by name."""

    def __init__(self, lines: Mapping[str, Samples]) -> None:
        self._lines = dict(lines)

    @classmethod
    def load(cls, paths: Mapping[str, Path]) -> Voices:
        """Read wav files: 8 kHz, one channel.

        Raises:
            ToritsugiError: a file has another rate.
        """
        return cls({name: load_sound(path) for name, path in paths.items()})

    def __getitem__(self, name: str) -> Samples:
        return self._lines[name]

    def fingerprints(self, *names: str) -> Fingerprints:
        return Fingerprints({name: self._lines[name] for name in names if name in self._lines})


def load_sound(path: Path) -> Samples:
    """A sound file as 16-bit samples.

    Raises:
        ToritsugiError: it is not at 8 kHz.
    """
    samples, rate = soundfile.read(str(path), dtype="int16", always_2d=True)
    if rate != RATE:
        raise ToritsugiError(f"標本化周波数が {rate} Hz です", where=str(path), cure="8000 Hz にする")
    mono: Samples = np.ascontiguousarray(samples[:, 0])
    return mono


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenPlan:
    """One caller of the day. Times in real seconds unless named otherwise."""

    intent: Intent
    topic: str
    """What the talk is about (`demo.script`)."""
    language: str
    keys: str
    """Menu keys that lead where this caller wants to go; empty for those who press none."""
    wrong_key: str = "8"
    identity: CallerIdentity
    shown: str
    """How the call shows in records: the number, or `withheld`, `payphone`, `unavailable`."""
    patience_s: float = 120.0
    """How long this caller waits in the queue."""
    seed: int = 0
    operator_hangs_up: bool = False
    """The operator, not the citizen, ends the talk."""


@unique
class Doing(StrEnum):
    """What somebody is doing, for those who watch."""

    CALLING = "calling"
    LISTENING = "listening"
    PRESSING = "pressing"
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    WRAPPING_UP = "wrapping_up"
    FREE = "free"
    MISSED = "missed"
    GONE = "gone"

    @property
    def label_ja(self) -> str:
        return {
            Doing.CALLING: "発信",
            Doing.LISTENING: "案内を聞く",
            Doing.PRESSING: "ボタン操作",
            Doing.WAITING: "待ち",
            Doing.RINGING: "呼出中",
            Doing.TALKING: "通話",
            Doing.WRAPPING_UP: "後処理",
            Doing.FREE: "受付可",
            Doing.MISSED: "不応答",
            Doing.GONE: "終了",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Somebody does something else now. `who` is a number, never shown unmasked."""

    at: float
    role: Role
    who: str
    doing: Doing
    detail: str = ""


class Stage:
    """Who is on the telephone about what: the play's book, so that an operator answers in the right words."""

    def __init__(self, on_news: Callable[[News], None] | None = None) -> None:
        self._plans: list[CitizenPlan] = []
        self._on_news = on_news

    def tell(self, role: Role, who: str, doing: Doing, detail: str = "") -> None:
        """Let those who watch know."""
        if self._on_news is not None:
            self._on_news(News(at=time.time(), role=role, who=who, doing=doing, detail=detail))

    def enter(self, plan: CitizenPlan) -> None:
        self._plans.append(plan)

    def leave(self, plan: CitizenPlan) -> None:
        with contextlib.suppress(ValueError):
            self._plans.remove(plan)

    def plan_for(self, shown_user: str) -> CitizenPlan | None:
        """The plan of the caller whose INVITE showed `shown_user`; the longest there, when several show alike."""
        return next((plan for plan in self._plans if plan.identity.user == shown_user), None)


async def pause(chance: random.Random, low: float, high: float) -> None:
    """A human delay."""
    await asyncio.sleep(chance.uniform(low, high))


async def until_over(call: Dialog, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it is done or the call is over, whichever comes first."""
    task = asyncio.ensure_future(work)
    over = asyncio.ensure_future(call.ended())
    try:
        await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        for one in (task, over):
            one.cancel()
        await asyncio.gather(task, over, return_exceptions=True)


async def listen_to_turn(call: Dialog, *, patience_s: float = 12.0, gap_s: float = 0.9) -> None:
    """Wait until the other one has spoken and fallen silent; not longer than `patience_s`."""
    began = time.time()
    if await call.media.voice.wait_sound(patience_s, at_least_s=0.2):
        left = max(1.0, began + patience_s - time.time())
        await call.media.voice.wait_silence(gap_s, left)


async def say(call: Dialog, voices: Voices, name: str) -> None:
    """Say a line of the script."""
    await call.media.say(voices[name], name)
