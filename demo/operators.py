"""Operators: they register, sign in by code, answer after a moment, talk in turn, and end their wrap-up."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from demo.ends.calls import IncomingCall
from demo.ends.dialog import CallRefused
from demo.ends.transactions import Place
from demo.ends.user_agent import SipEnd
from demo.people import CitizenPlan, Doing, Stage, Voices, listen_to_turn, pause, say, until_over
from demo.script import Role, dialogue, greeting_name

SIGN_IN, SIGN_OUT, READY = "*11", "*12", "*13"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPlan:
    """How one operator works. Seconds."""

    operator: str
    """Number, `101`; the SIP user is `user`."""
    user: str
    secret: str
    answer_after_s: tuple[float, float] = (1.6, 2.6)
    miss_rate: float = 0.0
    """Share of offers that are declined after a moment."""
    wrap_up_s: tuple[float, float] = (1.0, 3.0)
    ready_rate: float = 0.8
    """Share of calls after which the operator dials the ready code; the timer ends the others' wrap-up."""
    seed: int = 0

    def __repr__(self) -> str:
        return f"OperatorPlan({self.operator})"


class Operator:
    """One operator's telephone and the person at it."""

    def __init__(self, plan: OperatorPlan, end: SipEnd, voices: Voices, stage: Stage) -> None:
        self.plan, self.end = plan, end
        self.offers: list[IncomingCall] = []
        """Every call this telephone was offered, answered or not."""
        self._voices, self._stage = voices, stage
        self._chance = random.Random(f"{plan.operator}:{plan.seed}")
        self._busy = False
        self._missing_allowed = True
        self._afterwards: set[asyncio.Task[None]] = set()
        end.on_call = self._on_call

    async def sign_in(self, registrar: Place) -> bool:
        """Register and dial the sign-in code; True when the code's tone was heard to its end.

        Raises:
            RegistrationRefused: wrong credentials, or no registrar.
        """
        await self.end.register(self.plan.user, self.plan.secret, registrar)
        heard = await self.dial(SIGN_IN)
        self._now(Doing.FREE)
        return heard

    async def sign_out(self) -> None:
        """Dial the sign-out code and take the registration back."""
        for task in tuple(self._afterwards):
            task.cancel()
        await self.dial(SIGN_OUT)
        self._now(Doing.GONE)
        await self.end.unregister()

    async def dial(self, code: str) -> bool:
        """Dial a short code, listen until the switch hangs up; True when something was heard."""
        call = await self.end.call(code)
        try:
            await call.answered(5)
        except (CallRefused, TimeoutError):
            await call.hang_up()
            return False
        if not await call.ended(8):
            await call.hang_up()
        return call.media.voice.sound_s > 0.1

    async def _on_call(self, call: IncomingCall) -> None:
        self.offers.append(call)
        if self._busy:
            call.refuse(486, "Busy Here")
            return
        call.ring()
        self._now(Doing.RINGING)
        # Never twice running: a demo of a few calls must not leave a caller with nobody.
        missing = self._missing_allowed and self._chance.random() < self.plan.miss_rate
        self._missing_allowed = not missing
        if await call.ended(self._chance.uniform(*self.plan.answer_after_s)):
            self._now(Doing.FREE)
            return  # the citizen has gone, or the offer was withdrawn
        if missing:
            self._now(Doing.MISSED)
            call.refuse(480, "Temporarily Unavailable")
            return
        if not call.answer():
            return
        self._busy = True
        self._now(Doing.TALKING)
        try:
            await until_over(call, self._talk(call))
        finally:
            self._busy = False
            await call.hang_up()
        self._now(Doing.WRAPPING_UP)
        task = asyncio.get_running_loop().create_task(self._wrap_up())
        self._afterwards.add(task)
        task.add_done_callback(self._afterwards.discard)

    async def _talk(self, call: IncomingCall) -> None:
        plan: CitizenPlan | None = self._stage.plan_for(call.remote_user)
        topic, language = (plan.topic, plan.language) if plan else ("ask", "ja")
        await pause(self._chance, 0.3, 0.6)  # the bridge comes a moment after the answer
        await say(call, self._voices, greeting_name(language))
        for line in dialogue(topic, language):
            if line.role is Role.OPERATOR:
                await pause(self._chance, 0.1, 0.5)
                await say(call, self._voices, line.name)
            else:
                await listen_to_turn(call)
        if plan is not None and plan.operator_hangs_up:
            await pause(self._chance, 0.3, 0.8)
            await call.hang_up()
        else:
            await call.ended(8)

    async def _wrap_up(self) -> None:
        if self._chance.random() < self.plan.ready_rate:
            await pause(self._chance, *self.plan.wrap_up_s)
            await self.dial(READY)
            if not self._busy:
                self._now(Doing.FREE)

    def _now(self, doing: Doing) -> None:
        self._stage.tell(Role.OPERATOR, self.plan.operator, doing)
