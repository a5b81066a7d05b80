"""An engine's socket with one operator's call behind it: the real wire and the real rules, and a switch that obeys."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desk_world import World, present_calls

from acd.command_rules import CentreFacts, not_allowed, not_now
from acd.commands import Act, Answer, Asked, Command, Hand, Outcome
from core.ids import OperatorId
from core.settings import Settings, settings_from
from desk.hands import Hands
from runtime.commanding import DONE_JA
from runtime.control_port import ControlPort
from runtime.desk_control import EngineControl
from runtime.instance import Instance
from runtime.live_word import LiveWord

CALL = present_calls()[0].call_id
HAND = Hand(operator=OperatorId("101"), state="talking", call=CALL, leg="there", citizen="there", joined=True)


@dataclass
class Engine:
    """What is in hand, and what was asked for."""

    hand: Hand
    facts: CentreFacts
    asked: list[tuple[Act, str]] = field(default_factory=list)

    async def do(self, command: Command) -> Answer:
        """As `runtime.commanding.CommandDesk`, with a switch that does at once what it is told."""
        why = not_allowed(command, self.facts) or not_now(command, self.hand, self.facts)
        if why is not None:
            return Answer(outcome=Outcome.REFUSED, text=why, hand=self.hand)
        if command.act is not Act.STATE:
            self.asked.append((command.act, command.to))
        self.hand = replace(self.hand, **_AFTER.get(command.act, lambda _: {})(self.hand))
        return Answer(outcome=Outcome.DONE, text=DONE_JA[command.act], hand=self.hand)


def _ended(_hand: Hand) -> dict[str, Any]:
    return {"state": "wrapup", "call": None, "citizen": "", "leg": "", "asked": Asked.NO}


_AFTER: dict[Act, Any] = {
    Act.TRANSFER: _ended,
    Act.COMPLETE: _ended,
    Act.HANG_UP: _ended,
    Act.CONSULT: lambda _: {"asked": Asked.RINGING},
    Act.JOIN: lambda _: {"asked": Asked.TOGETHER},
    Act.SWAP: lambda hand: {"asked": Asked.HELD if hand.asked is Asked.TALKING else Asked.TALKING},
    Act.RETURN: lambda _: {"asked": Asked.NO, "joined": True},
    Act.PAUSE_RECORDING: lambda _: {"muted": True},
    Act.RESUME_RECORDING: lambda _: {"muted": False},
    Act.MARK_RELAY: lambda _: {"relay": True},
    Act.WARN: lambda hand: {"warned": hand.warned + 1},
}


@contextlib.asynccontextmanager
async def served(engine: Engine, home: Path) -> AsyncIterator[EngineControl]:
    """The engine on its socket, and a desk's control that speaks to it."""
    settings: Settings = replace(settings_from(), home=home)
    task = asyncio.create_task(
        ControlPort(settings, engine.do, LiveWord(dict, home / "live.json").words).run()
    )
    try:
        async with asyncio.timeout(5):
            while True:
                if (home / "run" / "control.sock").exists():
                    break
                await asyncio.sleep(0.01)
        yield EngineControl(cast(Instance, SimpleNamespace(settings=settings)))
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def engine(world: World) -> AsyncIterator[Engine]:
    """The desk speaks to an engine's socket; 101 talks."""
    facts = CentreFacts(
        departments=frozenset(entry.extension for entry in world.profile.acd.directory), lines=frozenset(), pauses={},
        operators=frozenset({OperatorId("101")}), supervisors=frozenset(),
    )  # fmt: skip
    found = Engine(HAND, facts)
    async with served(found, world.home) as control:
        control.closure = control.notice = lambda: None  # type: ignore[method-assign] # no emergency in this home
        world.desk.control = control
        world.desk.hands = Hands(control)
        yield found
