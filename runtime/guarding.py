"""Runs the guard beside the floor: looks twice a second, acts on the switch, and writes down every step."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from acd.alert_inputs import StepInForce
from acd.alert_steps import steps_in_force
from acd.guard import Guard
from acd.guard_steps import (
    BringIn,
    GuardCommand,
    GuardStep,
    OfferCallback,
    OverflowCaller,
    RelaxCaller,
    SendBack,
    step_text,
)
from core.clock import Clock
from runtime.floor_loop import FloorLoop
from services.ports import AuditEntry
from telephony.ami import actions
from telephony.ami.errors import AmiError
from telephony.ami.events import AmiEvent, FullyBooted
from telephony.ami.session import AmiSession

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
STEPS_MOST = 10_000
STEPS_KEPT = 200
STEP_IS_NEWS_S = 30.0
RELAX = "relax"
"""`WithdrawInfo` that the dialplan takes for the next stage (dialplans/30-queue.conf)."""


class GuardLoop:
    """Runs one guard on one floor."""

    def __init__(
        self,
        guard: Guard,
        floor_loop: FloorLoop,
        ami: AmiSession,
        clock: Clock,
        *,
        groups: Mapping[str, str],
        keep: Callable[[Sequence[GuardStep]], Awaitable[None]],
        read_by_hand: Callable[[], Awaitable[Collection[str]]],
        offer_callback: Callable[[OfferCallback], Awaitable[object]] | None = None,
    ) -> None:
        """`groups` is what people call the profile's groups; `read_by_hand` which of them a person has called in."""
        self.guard = guard
        self._floor_loop, self._ami, self._clock, self._groups = floor_loop, ami, clock, groups
        self._keep, self._read_by_hand, self._offer_callback = keep, read_by_hand, offer_callback
        guard.offers_callbacks = offer_callback is not None
        self._steps: list[GuardStep] = []
        self._lately: deque[GuardStep] = deque(maxlen=STEPS_KEPT)
        self._by_hand: frozenset[str] = frozenset()
        self._marked: dict[str, bool] = {}
        """What the dialplan has been told of each group."""
        floor_loop.listeners.append(self._heard)

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look(), name="guard-look")
            group.create_task(self._store(), name="guard-store")

    def in_force(self) -> tuple[StepInForce, ...]:
        """What the guard holds, and what it did a moment ago and may be over before anybody looks; for alerts."""
        since = self._clock.epoch() - STEP_IS_NEWS_S
        lately = [step for step in self._lately if step.at >= since]
        return steps_in_force([*lately, *self.guard.in_force], self._groups)

    def _heard(self, event: AmiEvent) -> None:
        if isinstance(event, FullyBooted):
            # A switch that has just started knows no global of ours.
            self._marked.clear()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not (self._ami.connected and self._floor_loop.settled):
                continue
            try:
                await self._once()
            except Exception:
                # Callers still move on by the dialplan's own timers.
                log.exception("the guard could not look")

    async def _once(self) -> None:
        try:
            self._by_hand = frozenset(await self._read_by_hand())
        except Exception:
            # What held before goes on holding; callers must not wait for a database.
            log.exception("whom a person has called in could not be read")
        floor = self._floor_loop.floor
        if self.guard.rules.groups != floor.rules.groups:
            self.guard.rules = replace(self.guard.rules, groups=floor.rules.groups)
        commands = self.guard.observe(floor.view(self._clock.epoch()), self._by_hand)
        floor.called_in = self.guard.called_in
        await self._mark()
        for command in commands:
            try:
                await self._do(command)
            except AmiError as problem:
                log.warning("%s not carried out: %s", type(command).__name__, problem)

    async def _mark(self) -> None:
        """Tell the dialplan which groups take calls, for those who sign in or come back from a break."""
        for group in self._groups:
            wanted = group in self.guard.called_in
            if self._marked.get(group) == wanted:
                continue
            try:
                await actions.set_global(self._ami, f"T_CALLED_{group}", "yes" if wanted else "no")
            except AmiError as problem:
                log.warning("the dialplan does not know of group %s yet: %s", group, problem)
                continue
            self._marked[group] = wanted

    async def _do(self, command: GuardCommand) -> None:
        match command:
            case GuardStep():
                log.warning("guard: %s", step_text(command, self._groups))
                self._steps.append(command)
                self._lately.append(command)
            case RelaxCaller():
                await self._withdrawn(command.queue, command.caller, RELAX)
            case OverflowCaller():
                await self._withdrawn(command.queue, command.caller, "")
            case OfferCallback():
                if self._offer_callback is not None:
                    await self._offer_callback(command)
            case BringIn():
                floor = self._floor_loop.floor
                self._floor_loop.do(floor.bring_in(command.operators, self._clock.epoch()))
            case SendBack():
                self._floor_loop.do(self._floor_loop.floor.send_back(command.operators))

    async def _withdrawn(self, queue: str, caller: str, info: str) -> None:
        reply = await actions.queue_withdraw(self._ami, queue, caller, info)
        if not reply.success:
            # Answered or gone in between.
            log.info("a caller was not taken out of %s: %s", queue, reply.message)

    async def _store(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not self._steps:
                continue
            batch, self._steps = self._steps, []
            try:
                await self._keep(batch)
            except Exception:
                log.exception("%d steps of the guard are not stored yet", len(batch))
                self._steps = [*batch, *self._steps][-STEPS_MOST:]


def audit_entry(step: GuardStep) -> AuditEntry:
    """The audit line of a step: who, what, when, and why with the figures."""
    figures = {
        "why": step.why.value,
        "rung": step.rung,
        "demand": step.demand,
        "waited_s": _rounded(step.waited_s),
        "remaining_s": _rounded(step.remaining_s),
        "limit_s": step.limit_s,
        "waiting": step.waiting,
        "on_duty": step.on_duty,
        "operators": list(step.operators) if step.group else None,
    }
    return AuditEntry(
        at=step.at,
        actor="engine",
        action=f"guard.{step.act}",
        subject=step.subject,
        detail={name: value for name, value in figures.items() if value is not None},
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
