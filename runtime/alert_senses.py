"""What alerts hear and look up: holds, missed offers and peers over AMI, the answer rate from the ledger, processes
that were started again, and calls that were turned away at the door.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from acd.alert_inputs import AnsweredSoFar, Restarted
from core.clock import Clock
from core.facts.dialplan import ManagerEvent
from core.ids import CallId, OperatorId
from core.phone import normalise_number
from ledger.calls import Call
from reports.answer_rates import AnswerRateRule, offered
from reports.metrics import answered
from reports.tally import tally_of
from runtime.process import alive, read_json
from services.ports import UnitOfWork, UnitOfWorkFactory
from telephony.ami.events import (
    AgentConnect,
    AgentRingNoAnswer,
    AmiEvent,
    ContactStatus,
    Disconnected,
    FullyBooted,
    Gap,
    Hangup,
    Hold,
    QueueMemberRemoved,
    Unhold,
    UserEvent,
)
from telephony.members import operator_of

log = logging.getLogger(__name__)

MISSES_KEPT = 50
ANSWERS_EVERY_S = 15.0
_DAY = timedelta(days=1)
TAIL_BYTES = 256 * 1024
"""Of the copy of SIP: some hundred calls, far more than come in ten minutes."""
CANCELLED = 487


class SwitchSenses:
    """Folds the switch's events into what no other part of the engine keeps."""

    def __init__(self, trunks: Collection[str]) -> None:
        self._trunks = frozenset(trunks)
        self._holds: dict[str, tuple[OperatorId, float]] = {}
        self._missed: dict[OperatorId, deque[float]] = {}
        self.help_asked: dict[OperatorId, float] = {}
        """When an operator last raised a hand."""
        self.unreachable: dict[str, float] = {}
        """Since when a trunk's peer gives no answer."""

    @property
    def holds(self) -> dict[OperatorId, float]:
        """Since when an operator has had somebody on hold."""
        since: dict[OperatorId, float] = {}
        for operator, at in self._holds.values():
            since[operator] = min(at, since.get(operator, at))
        return since

    @property
    def missed(self) -> Mapping[OperatorId, Sequence[float]]:
        """Moments of the offers that each operator missed since the last call they took."""
        return {operator: tuple(moments) for operator, moments in self._missed.items()}

    def hear(self, event: AmiEvent) -> None:
        """Take one event in."""
        match event:
            case Hold():
                operator = _operator(event.channel)
                if operator is not None:
                    self._holds.setdefault(event.channel, (operator, event.at))
            case Unhold() | Hangup():
                self._holds.pop(event.channel, None)
            case AgentRingNoAnswer():
                operator = _operator(event.member)
                if operator is not None:
                    self._missed.setdefault(operator, deque(maxlen=MISSES_KEPT)).append(event.at)
            case AgentConnect() | QueueMemberRemoved():
                operator = _operator(event.member)
                if operator is not None:
                    self._missed.pop(operator, None)
            case UserEvent() if event.name == ManagerEvent.HELP:
                operator = _operator(event.values.get("seat", ""))
                if operator is not None:
                    self.help_asked[operator] = event.at
            case ContactStatus() if event.endpoint in self._trunks:
                if event.status == "Unreachable":
                    self.unreachable.setdefault(event.endpoint, event.at)
                else:
                    self.unreachable.pop(event.endpoint, None)
            case Disconnected() | Gap() | FullyBooted():
                # An end may have been missed, and a hold that is over must not be told for ever.
                self._holds.clear()


def _operator(name: str) -> OperatorId | None:
    try:
        return operator_of(name)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _PastDay:
    """A day that is over, as it was counted."""

    answered: int
    offered: int
    number: int
    """All calls of the real stretch that was looked at."""
    open: tuple[CallId, ...]
    """Those that were not over then."""


class AnswersSoFar:
    """応答率 of the running day and month, counted by the contract's definition; a past day is counted again only when
    the ledger of it has changed.
    """

    def __init__(self, reading: UnitOfWorkFactory, clock: Clock, rule: AnswerRateRule) -> None:
        self._reading, self._clock, self._rule = reading, clock, rule
        self._past: dict[date, _PastDay] = {}
        self._past_until: date | None = None
        self._counted_at = float("-inf")
        self._last: tuple[AnsweredSoFar, ...] | None = None

    async def now(self) -> tuple[AnsweredSoFar, ...] | None:
        """Day and month; at most some seconds old, None when the ledger cannot be read."""
        if self._clock.epoch() - self._counted_at >= ANSWERS_EVERY_S:
            self._counted_at = self._clock.epoch()
            try:
                self._last = await self._count()
            except Exception:
                log.exception("alerts: the answer rate could not be counted")
                self._last = None
        return self._last

    async def _count(self) -> tuple[AnsweredSoFar, ...]:
        city_now, now = self._clock.city_now(), self._clock.epoch()
        today = city_now.date()
        month = today.replace(day=1)

        def real(day: date) -> float:
            # A faster city clock makes the real day shorter than this; calls outside are told by their city's day.
            begin = datetime.combine(day, datetime.min.time(), city_now.tzinfo)
            return now - (city_now - begin).total_seconds() - 1.0

        async with self._reading() as unit:
            if self._past_until != today:
                self._past, self._past_until = {}, today
            for day in await self._changed(unit, month, today, real):
                # A month at once would hold up the loop that calls run in.
                calls = await unit.calls.between(real(day), min(real(day + _DAY) + 2.0, now + 1.0))
                number = await unit.calls.number(real(day), real(day + _DAY))
                mine = self._of_day(calls, day)
                taken, asked = self._pair(mine)
                self._past[day] = _PastDay(
                    answered=taken,
                    offered=asked,
                    number=number,
                    open=tuple(call.call_id for call in mine if call.open),
                )
            taken, asked = self._pair(self._of_day(await unit.calls.between(real(today), now + 1.0), today))
        past = self._past.values()
        return (
            AnsweredSoFar(first_day=today, month=False, answered=taken, offered=asked, at=now),
            AnsweredSoFar(
                first_day=month,
                month=True,
                answered=taken + sum(each.answered for each in past),
                offered=asked + sum(each.offered for each in past),
                at=now,
            ),
        )

    async def _changed(
        self, unit: UnitOfWork, month: date, today: date, real: Callable[[date], float]
    ) -> list[date]:
        """Past days of the month that were not counted, or of which the ledger now says something else."""
        days = [month + number * _DAY for number in range((today - month).days)]
        if any(day not in self._past for day in days):
            return days
        left = {call for each in self._past.values() for call in each.open}
        over = (
            {call.call_id for call in (await unit.calls.get(left)).values() if not call.open}
            if left
            else set()
        )
        found = [day for day in days if over & set(self._past[day].open)]
        if await unit.calls.number(real(month), real(today)) != sum(
            each.number for each in self._past.values()
        ):
            found += [
                day
                for day in days
                if day not in found
                and await unit.calls.number(real(day), real(day + _DAY)) != self._past[day].number
            ]
        return found

    def _of_day(self, calls: Iterable[Call], day: date) -> list[Call]:
        return [call for call in calls if self._clock.city_time_of(call.arrived_at).date() == day]

    def _pair(self, calls: Sequence[Call]) -> tuple[int, int]:
        tally = tally_of(calls)
        return answered(tally), offered(tally, self._rule)


class Restarts:
    """Which processes of ours were started again, from what the parent tells (`run/warden.json`)."""

    def __init__(self, path: Path, at: float) -> None:
        self._path, self._began = path, at
        self._counts: dict[str, int] = {}
        self._switch: int | None = None
        self._last: dict[str, Restarted] = {}

    def look(self, at: float) -> Sequence[Restarted]:
        """The last restart of each process that had one."""
        state = read_json(self._path)
        if alive(state.get("pid")):
            for name, child in state.items():
                if isinstance(child, dict) and isinstance(child.get("restarts"), int):
                    self._child(name, child["restarts"], at)
            self._asterisk(state.get("asterisk"), at)
        return tuple(self._last.values())

    def _child(self, name: str, count: int, at: float) -> None:
        before = self._counts.get(name)
        self._counts[name] = count
        if before is None:
            # Whoever asks is the engine, begun just now: a count above zero is its own restart.
            if name == "engine" and count > 0:
                self._last[name] = Restarted(process=name, at=self._began, count=count)
        elif count > before:
            self._last[name] = Restarted(process=name, at=at, count=count)

    def _asterisk(self, pid: Any, at: float) -> None:
        if isinstance(pid, int) and pid != self._switch:
            if self._switch is not None:
                count = self._last["asterisk"].count + 1 if "asterisk" in self._last else 1
                self._last["asterisk"] = Restarted(process="asterisk", at=at, count=count)
            self._switch = pid


def refused_calls(path: Path, city_numbers: Collection[str], since: float) -> list[float] | None:
    """When calls to the city's own numbers were answered with a refusal, from the end of the copy of SIP.

    A caller who gives up (487) was not refused. Other numbers are strangers' guesses, which are to be refused.
    None when there is no copy.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    return _refused(_messages(lines), frozenset(city_numbers), since)


def _messages(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for line in lines:
        # The first line may be cut, and the last one half written.
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("method") == "INVITE":
            yield message


def _refused(messages: Iterable[Mapping[str, Any]], numbers: Collection[str], since: float) -> list[float]:
    arrived: dict[str, float] = {}
    answer: dict[str, int] = {}
    for message in messages:
        identity, status = str(message.get("call_id")), message.get("status")
        if status is None:
            if message.get("initial") and normalise_number(str(message.get("to_user"))) in numbers:
                arrived.setdefault(identity, float(message["at"]))
        elif isinstance(status, int) and status >= 200:
            answer[identity] = status
    return sorted(
        at
        for identity, at in arrived.items()
        if at >= since and answer.get(identity, 0) >= 400 and answer[identity] != CANCELLED
    )


async def refused_lately(path: Path, city_numbers: Collection[str], within_s: float) -> list[float] | None:
    """`refused_calls` of the last `within_s` seconds, beside the loop."""
    since = time.time() - within_s
    return await asyncio.to_thread(refused_calls, path, city_numbers, since)
