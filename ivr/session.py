"""A caller's way from the greeting to the queue, over any `VoiceChannel`.

Runs in the engine (FastAGI) and, when the engine is dead, in the fallback script (process AGI); it therefore
imports nothing heavy.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from core.clock import Clock
from core.facts.dialplan import Next, UserEvent, Variable
from core.hours import ClosedReason, Emergency, HoursState, OpeningHours
from core.ids import LineId, QueueName
from ivr.announcements import PromptPart, Templates, closed_announcement
from ivr.engine import (
    Announce,
    Ask,
    Checked,
    CheckHours,
    Digit,
    Enqueue,
    HangUp,
    Input,
    Play,
    Prompt,
    RecordStep,
    RingStaff,
    SayClosed,
    SetLanguage,
    Silence,
    Started,
    at_start,
    step,
)
from ivr.flow import Flow
from ivr.ports import VoiceChannel

_log = logging.getLogger(__name__)


class PromptCatalogue(Protocol):
    """Where the sound files are."""

    def path(self, language: str, name: str) -> str:
        """The prompt's file, absolute, without extension."""
        ...

    async def dynamic(self, text: str, language: str) -> str | None:
        """A file that says `text`, made on the spot; None when that cannot be done in time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """All that a session needs to know of its city."""

    flow: Flow
    hours: OpeningHours
    templates: Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """What the dialplan is to do with the call."""

    next: Next
    language: str
    line: LineId | None = None
    queue: QueueName | None = None
    """With `Next.STAFF`: who takes the call in vain; None while the centre is closed."""
    priority: int = 0
    staff: str = ""
    """With `Next.STAFF`: the directory's extension."""
    closed: ClosedReason | None = None
    say: str = ""
    """With `closed`: the file that says so."""


class Session:
    """One caller. `run` raises `CallerGone` when they hang up."""

    def __init__(
        self,
        channel: VoiceChannel,
        plan: CallPlan,
        prompts: PromptCatalogue,
        clock: Clock,
        emergency: Callable[[], Emergency | None],
        notice: Callable[[], Emergency | None] = lambda: None,
    ) -> None:
        """`emergency`: the closure in force. `notice`: what every caller hears before the menu."""
        self._channel, self._plan, self._prompts = channel, plan, prompts
        self._clock, self._emergency, self._notice = clock, emergency, notice
        self._found = HoursState(open=True)
        self._early: str | None = None

    async def run(self) -> SessionResult:
        """Leads the caller to an end.

        Raises:
            CallerGone: the caller hung up.
        """
        flow = self._plan.flow
        straight = await self._channel.get_variable(Variable.STRAIGHT) or ""
        if straight in flow.direct:
            return await self._straight(straight, flow.direct[straight])
        state, given = at_start(flow), _START
        while True:
            state, actions = step(flow, state, given)
            for action in actions:
                match action:
                    case Enqueue(line):
                        return self._to(Next.QUEUE, line, state.language)
                    case RingStaff(extension, line):
                        return replace(self._to(Next.STAFF, line, state.language), staff=extension)
                    case HangUp():
                        return SessionResult(next=Next.HANGUP, language=state.language)
                    case Ask(prompts, timeout_s):
                        given = await self._ask(prompts, timeout_s)
                    case CheckHours():
                        given = await self._check_hours(state.language)
                    case SayClosed():
                        await self._say_closed(state.language)
                    case _:
                        await self._act(action)

    def _to(self, way: Next, line: LineId, language: str) -> SessionResult:
        flow = self._plan.flow
        return SessionResult(
            next=way,
            language=language,
            line=line,
            queue=flow.queue(line, language),
            priority=flow.lines[line].priority,
        )

    async def _straight(self, extension: str, line: LineId) -> SessionResult:
        """The dialled number belongs to a department, which has hours of its own; the centre's say who takes the call
        when nobody there does."""
        language = self._plan.flow.languages[0]
        await self._channel.play([self._prompts.path(language, "greeting")])
        result = replace(self._to(Next.STAFF, line, language), staff=extension)
        if (await self._check_hours(language)).open:
            return result
        emergency = self._found.emergency
        told = emergency.message if emergency is not None else "closed_static"
        return replace(result, queue=None, closed=self._found.reason, say=self._prompts.path(language, told))

    async def _act(self, action: SetLanguage | RecordStep | Play | Announce) -> None:
        match action:
            case SetLanguage(language):
                await self._channel.record_event(UserEvent.LANGUAGE, lang=language)
            case RecordStep(node, key, result):
                await self._channel.record_event(UserEvent.STEP, node=node, key=key, result=result.value)
            case Play(prompt):
                self._early = await self._channel.play_through([self._file(prompt)]) or self._early
            case Announce(node, prompt, refer_to):
                await self._channel.play([self._file(prompt)])
                if refer_to is None:
                    await self._channel.record_event(UserEvent.SELF_SERVED, node=node)
                else:
                    await self._channel.record_event(UserEvent.REFERRED, node=node, to=refer_to)

    async def _ask(self, prompts: tuple[Prompt, ...], timeout_s: float) -> Input:
        key, self._early = self._early, None
        if key is None:
            key = await self._channel.collect([self._file(prompt) for prompt in prompts], timeout=timeout_s)
        return Silence() if key is None else Digit(key)

    async def _check_hours(self, language: str) -> Checked:
        now = self._clock.city_now()
        self._found = self._plan.hours.state_at(now, self._emergency())
        notice = self._notice()
        if self._found.open and notice is not None and (notice.until is None or now < notice.until):
            file = self._prompts.path(language, notice.message)
            self._early = await self._channel.play_through([file]) or self._early
        return Checked(self._found.open)

    async def _say_closed(self, language: str) -> None:
        found = self._found
        opening = found.next_opening.isoformat() if found.next_opening else ""
        await self._channel.record_event(UserEvent.CLOSED, reason=str(found.reason), next=opening)
        parts = closed_announcement(self._plan.templates, found, self._clock.city_now(), language)
        await self._channel.play([file for part in parts if (file := await self._part(part))])

    async def _part(self, part: PromptPart) -> str | None:
        if isinstance(part, Prompt):
            return self._file(part)
        try:
            made = await self._prompts.dynamic(part.text, part.language)
        except Exception:
            # A caller must hear something whatever befalls the synthesiser.
            _log.exception("prompt could not be made on the spot")
            made = None
        if made is None and part.instead:
            return self._prompts.path(part.language, part.instead)
        return made

    def _file(self, prompt: Prompt) -> str:
        return self._prompts.path(prompt.language, prompt.name)


_START: Input = Started()


async def apply_result(channel: VoiceChannel, result: SessionResult, step_name: str = "ivr") -> None:
    """Tells the dialplan what to do; the mark that the step came to its end is set last.

    Raises:
        CallerGone: the caller hung up.
    """
    await channel.set_variable(Variable.LANGUAGE, result.language)
    if result.line is not None:
        await channel.set_variable(Variable.LINE, result.line)
    if result.queue is not None:
        await channel.set_variable(Variable.QUEUE, result.queue)
        await channel.set_variable(Variable.PRIORITY, str(result.priority))
    if result.staff:
        await channel.set_variable(Variable.STAFF, result.staff)
    if result.closed is not None:
        await channel.set_variable(Variable.CLOSED, result.closed)
        await channel.set_variable(Variable.SAY, result.say)
    await channel.set_variable(Variable.NEXT, result.next)
    await channel.set_variable(Variable.DONE, step_name)
