"""One look at the floor a process, drawn once, and sent to every screen: whole at first, then what changed.

A screen that is slow or was cut off gets everything again, so it always comes back to the true state.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import fmean
from typing import Any

from core.clock import Clock
from core.ids import CallId, OperatorId
from desk.floor_now import (
    FloorNow,
    SeatNow,
    Today,
    Words,
    alert_now,
    calls_in_hand,
    lines_now,
    menu_now,
    seats_now,
    today_now,
    waiting_now,
)
from ledger.calls import Call, Segment
from reports.answer_rates import AnswerRateRule
from services.city import CityProfile
from services.desk_ports import LiveSource
from services.ports import OperatorAccount, UnitOfWorkFactory

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""How often the engine's word is looked at while nobody tells of a new one."""
LEAST_S = 0.02
"""Between two looks; as long as the last one took, when that is more, so that screens cost at most half the process."""
LEDGER_EVERY_S = 0.5
DAY_EVERY_S = 10.0
"""The whole day is counted again so often, and whenever a call has ended, at most once a second."""
DAY_LEAST_S = 1.0
PULSE_EVERY_S = 2.0
TURN = 25
MOST_WAITING = 32
"""Messages that a slow screen may be behind before it gets everything anew."""

Draw = Callable[[FloorNow], Awaitable[Mapping[str, tuple[Any, Callable[[], str]]]]]
"""The regions of a screen: by name, what it depends on, and how it is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """One operator's finished talks of today."""

    calls: int
    talk_s: float
    """Mean."""
    wrap_up_s: float | None
    """Mean of those that are known."""


@dataclass(slots=True)
class Screen:
    """What screens of one kind show."""

    draw: Draw
    inputs: dict[str, Any] = field(default_factory=dict)
    html: dict[str, str] = field(default_factory=dict)
    readers: set[asyncio.Queue[bytes]] = field(default_factory=set)
    failing: bool = False
    """It could not be drawn the last time, which was logged."""


class Hub:
    """Looks at the floor and tells all screens. Start it with `run`."""

    def __init__(
        self,
        *,
        live: LiveSource,
        reading: UnitOfWorkFactory,
        clock: Clock,
        profile: CityProfile,
        rule: AnswerRateRule,
        answers: Callable[[], Awaitable[Any]],
    ) -> None:
        self._live, self._reading, self._clock = live, reading, clock
        self._profile, self._answers = profile, answers
        self.rule = rule
        """What stands in the denominator of 応答率."""
        self.words = Words(profile)
        self._screens: dict[str, Screen] = {}
        self._accounts: dict[OperatorId, OperatorAccount] = {}
        self._open: dict[CallId, Call] = {}
        self._day: dict[CallId, Call] = {}
        self._calls: dict[CallId, Call] = {}
        """Those of the day and the open ones together."""
        self._lasts: dict[OperatorId, Call] = {}
        self._day_at = self._ledger_at = float("-inf")
        self._told: Mapping[str, Any] = {}
        self._seats: dict[OperatorId, SeatNow] = {}
        self.team_load: float | None = None
        """Mean load of all who are signed in."""
        self.handled: dict[OperatorId, Handled] = {}
        """What each operator has done today."""
        self.stamps: Counter[str] = Counter()
        """Counts up, by user, whenever their drafts change."""
        self.now = FloorNow(
            live_at=None, ledger_at=None, heard=False, seats=(), waiting=(), menu=(), called_in=(),
            callbacks=0, alerts=(), today=Today(rates=(), incoming=0, open=0, longest_s=None, lines=(), hours=()),
        )  # fmt: skip

    # ---- looking ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever; ends by cancellation. A database that is away costs figures, not screens."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._live.run(), name="live")
            group.create_task(self._looking(), name="looks")

    async def _looking(self) -> None:
        complained = False
        pulsed_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self.look()
                complained = False
            except Exception:
                if not complained:
                    log.exception("the floor could not be looked at; screens show how old it is")
                complained = True
            if loop.time() - pulsed_at >= PULSE_EVERY_S:
                pulsed_at = loop.time()
                self._pulse()
            await asyncio.sleep(max(LEAST_S, loop.time() - began))
            await self._live.news(LOOK_EVERY_S)

    async def look(self) -> None:
        """Take in what is new, and tell the screens."""
        now = self._clock.epoch()
        told = self._live.read()
        fresh = told.get("at") != self._told.get("at")
        self._told = told
        if now - self._ledger_at >= LEDGER_EVERY_S:
            await self._read_ledger(now)
        elif not fresh:
            return
        await self._compose(now)
        await self._tell()

    async def _read_ledger(self, now: float) -> None:
        async with self._reading() as unit:
            calls = await unit.calls.open_calls()
            self._accounts = {each.id: each for each in await unit.operators.list() if each.active}
            alerts = await unit.alerts.open()
        found = {call.call_id: call for call in calls}
        ended = bool(self._open.keys() - found.keys())
        self._open = found
        self.now = replace(self.now, ledger_at=now, alerts=tuple(alert_now(alert) for alert in alerts))
        self._ledger_at = now
        if now - self._day_at >= (DAY_LEAST_S if ended else DAY_EVERY_S):
            await self._read_day(now)
        self._calls = self._day | self._open
        self._lasts = calls_in_hand(self._calls.values())

    async def _read_day(self, now: float) -> None:
        city_now = self._clock.city_now()
        begin = datetime.combine(city_now.date(), datetime.min.time(), city_now.tzinfo)
        # A faster city clock makes the real stretch shorter than this; calls outside are told by their city's day.
        since = now - (city_now - begin).total_seconds() - 1.0
        async with self._reading() as unit:
            calls = await unit.calls.between(since, now + 1.0)
        time_of = self._clock.city_time_of
        mine = [call for call in calls if time_of(call.arrived_at).date() == city_now.date()]
        self._day = {call.call_id: call for call in mine}
        self.handled = _handled(mine)
        so_far = await self._answers() or ()
        today = today_now(
            mine,
            words=self.words,
            rule=self.rule,
            target=self._profile.acd.targets.answer_rate,
            so_far=so_far,
            hour_of=lambda at: time_of(at).hour,
        )
        self.now = replace(self.now, today=today)
        self._day_at = now

    async def _compose(self, now: float) -> None:
        told = self._told
        names = {str(each.id): each.name for each in self._accounts.values()}
        marked = {each.call for each in self.now.waiting if each.call is not None and each.predicted}
        limit_s = self._profile.acd.targets.wait_alert_s
        waiting = waiting_now(told, self._open, names, self.words, limit_s, marked)
        seats = seats_now(told, tuple(self._accounts.values()), self._calls, self._lasts, self.words)
        groups = self._profile.acd.guard.groups
        self.now = replace(
            self.now,
            live_at=told.get("at"),
            heard=bool(told.get("ami_connected")),
            seats=seats,
            waiting=waiting,
            menu=menu_now(self._open.values(), waiting, self.words),
            called_in=tuple(groups.get(each, each) for each in told.get("called_in", ())),
            callbacks=len(told.get("callbacks", ())),
            today=replace(self.now.today, lines=lines_now(self.now.today.lines, waiting, seats)),
        )
        self._seats, self.team_load = self.now.by_operator(), self.now.team_load()

    def call(self, call: CallId) -> Call | None:
        """A call of today."""
        return self._calls.get(call)

    @property
    def day(self) -> tuple[Call, ...]:
        """The calls that the figures of today were counted from."""
        return tuple(self._day.values())

    @property
    def day_at(self) -> float | None:
        """When they were counted; None before the first time."""
        return self._day_at if math.isfinite(self._day_at) else None

    def seat(self, operator: OperatorId) -> SeatNow | None:
        return self._seats.get(operator)

    def account(self, operator: OperatorId) -> OperatorAccount | None:
        return self._accounts.get(operator)

    # ---- telling ----------------------------------------------------------------------------------

    async def regions(self, name: str, draw: Draw) -> dict[str, str]:
        """A screen as it is now, for the page that is just being made."""
        drawn = await draw(self.now)
        return {region: paint() for region, (_, paint) in drawn.items()}

    @contextlib.asynccontextmanager
    async def listen(self, name: str, draw: Draw) -> AsyncIterator[asyncio.Queue[bytes]]:
        """A queue of messages for one screen: everything first, then what changes.

        Args:
            name: screens of one name show the same and are drawn once.
        """
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        screen = self._screens.setdefault(name, Screen(draw))
        await self._draw(screen)
        queue.put_nowait(_message("regions", {"all": True, "regions": screen.html}))
        queue.put_nowait(_message("pulse", self._ages()))
        screen.readers.add(queue)
        try:
            yield queue
        finally:
            screen.readers.discard(queue)
            if not screen.readers:
                self._screens.pop(name, None)

    @property
    def readers(self) -> int:
        """How many screens listen."""
        return sum(len(screen.readers) for screen in self._screens.values())

    async def _tell(self) -> None:
        for number, (name, screen) in enumerate(list(self._screens.items())):
            if number % TURN == TURN - 1:
                # So many are drawn without a break; then what was drawn goes out, and pages are answered.
                await asyncio.sleep(0)
            try:
                changed = await self._draw(screen)
            except Exception:
                # One screen that cannot be drawn must not stop the others.
                if not screen.failing:
                    log.exception("a screen could not be drawn: %s", name)
                screen.failing = True
                continue
            screen.failing = False
            if not changed:
                continue
            self._send(screen, _message("regions", {"all": False, "regions": changed}))

    async def _draw(self, screen: Screen) -> dict[str, str]:
        """Draw what changed since the last time."""
        changed = {}
        for region, (depends, paint) in (await screen.draw(self.now)).items():
            if region not in screen.html or screen.inputs.get(region) != depends:
                html = paint()
                screen.inputs[region] = depends
                if screen.html.get(region) != html:
                    screen.html[region] = changed[region] = html
        return changed

    def _pulse(self) -> None:
        message = _message("pulse", self._ages())
        for screen in self._screens.values():
            self._send(screen, message)

    def _send(self, screen: Screen, message: bytes) -> None:
        for queue in screen.readers:
            if queue.qsize() >= MOST_WAITING:
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_message("regions", {"all": True, "regions": screen.html}))
            else:
                queue.put_nowait(message)

    def _ages(self) -> dict[str, Any]:
        return {
            "now": self._clock.epoch(),
            "live_at": self.now.live_at,
            "ledger_at": self.now.ledger_at,
            "heard": self.now.heard,
        }


def _handled(calls: Sequence[Call]) -> dict[OperatorId, Handled]:
    talks: dict[OperatorId, list[Segment]] = {}
    for call in calls:
        for segment in call.segments:
            if segment.ended_at is not None:
                talks.setdefault(segment.operator, []).append(segment)
    found = {}
    for operator, mine in talks.items():
        wraps = [segment.wrap_up_s for segment in mine if segment.wrap_up_s is not None]
        found[operator] = Handled(
            calls=len(mine),
            talk_s=round(fmean((segment.ended_at or 0.0) - segment.started_at for segment in mine)),
            wrap_up_s=round(fmean(wraps)) if wraps else None,
        )
    return found


def _message(event: str, data: Mapping[str, Any]) -> bytes:
    """One server-sent event, made once for all who get it."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
