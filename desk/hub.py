"""One look at the floor a process, drawn once, and sent to every screen: whole at first, then what changed.

A screen that is slow or was cut off gets everything again, so it always comes back to the true state.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
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
from services.proofs import Proven, proven

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""How often the engine's word is looked at while nobody tells of a new one."""
LEAST_S = 0.02
"""Between two looks; half as long as the last one took, when that is more, so that pages are answered in between."""
LEDGER_EVERY_S = 0.5
DAY_EVERY_S = 30.0
"""The whole day is read again so often; between that, calls that came or ended are added to it."""
COUNT_LEAST_S = 1.0
"""Between two counts of the day."""
PULSE_EVERY_S = 2.0
TURN = 25
MOST_WAITING = 32
"""Messages that a slow screen may be behind before it gets everything anew."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A region that is mostly a long table: only rows that differ are sent."""

    before: str
    rows: Mapping[str, str]
    """By key, in order; each is one element that carries its key as `data-row`."""
    after: str

    def __str__(self) -> str:
        return f"{self.before}{''.join(self.rows.values())}{self.after}"


Draw = Callable[[FloorNow], Awaitable[Mapping[str, tuple[Any, Callable[[], str | Rows]]]]]
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
    drawn: Mapping[str, Any] | None = None
    """What `draw` gave last: the same value again says that nothing has changed."""
    inputs: dict[str, Any] = field(default_factory=dict)
    html: dict[str, str | Rows] = field(default_factory=dict)
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
        self._counted_at = 0.0
        self._uncounted = self._ledger_news = False
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
            callbacks=0, alerts=(), month=Proven(running=True),
            today=Today(day=clock.city_now().date(), at=None, rates=(), incoming=0, open=0, longest_s=None, lines=(),
                        hours=()),
        )  # fmt: skip

    # ---- looking ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever; ends by cancellation. A database that is away costs figures, not screens."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._live.run(), name="live")
            group.create_task(self._reads(), name="ledger")
            group.create_task(self._shows(), name="screens")

    async def _reads(self) -> None:
        """The ledger, beside the screens: what the engine says never waits for a database."""
        complained = False
        while True:
            try:
                await self._read_ledger(self._clock.epoch())
                complained = False
            except Exception:
                if not complained:
                    log.exception("the ledger could not be read; screens show how old it is")
                complained = True
            await asyncio.sleep(LEDGER_EVERY_S)

    async def _shows(self) -> None:
        complained = False
        pulsed_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._show()
                complained = False
            except Exception:
                if not complained:
                    log.exception("the floor could not be looked at; screens show how old it is")
                complained = True
            if loop.time() - pulsed_at >= PULSE_EVERY_S:
                pulsed_at = loop.time()
                self._pulse()
            await asyncio.sleep(max(LEAST_S, (loop.time() - began) / 2))
            await self._live.news(LOOK_EVERY_S)

    async def look(self) -> None:
        """Take in what is new, and tell the screens."""
        now = self._clock.epoch()
        if now - self._ledger_at >= LEDGER_EVERY_S:
            await self._read_ledger(now)
        await self._show()

    async def _show(self) -> None:
        told = self._live.read()
        if told.get("at") == self._told.get("at") and not self._ledger_news:
            return
        self._told, self._ledger_news = told, False
        self._compose()
        await self._tell()

    async def _read_ledger(self, now: float) -> None:
        async with self._reading() as unit:
            found = {call.call_id: call for call in await unit.calls.open_calls()}
            ended = self._open.keys() - found.keys()
            closed = await unit.calls.get(sorted(ended)) if ended else {}
            accounts = {each.id: each for each in await unit.operators.list() if each.active}
            alerts = await unit.alerts.open()
        self._uncounted |= found.keys() != self._open.keys()
        self._open, self._accounts = found, accounts
        self._day |= closed
        if now - self._day_at >= DAY_EVERY_S:
            await self._read_day(now)
        self._calls = self._day | self._open
        self._lasts = calls_in_hand(self._calls.values())
        self._ledger_at = now
        self.now = replace(self.now, ledger_at=now, alerts=tuple(alert_now(alert) for alert in alerts))
        if self._uncounted and now - self._counted_at >= COUNT_LEAST_S:
            await self._count(now)
        self._ledger_news = True

    async def _read_day(self, now: float) -> None:
        city_now = self._clock.city_now()
        begin = datetime.combine(city_now.date(), datetime.min.time(), city_now.tzinfo)
        # A faster city clock makes the real stretch shorter than this; calls outside are told by their city's day.
        since = now - (city_now - begin).total_seconds() - 1.0
        async with self._reading() as unit:
            calls = await unit.calls.between(since, now + 1.0)
            month = await proven(unit, self._clock, city_now.date().replace(day=1), city_now.date())
        self._day = {call.call_id: call for call in calls}
        self.now = replace(self.now, month=month)
        self._day_at, self._uncounted = now, True

    async def _count(self, now: float) -> None:
        time_of, today = self._clock.city_time_of, self._clock.city_now().date()
        mine = [call for call in self._calls.values() if time_of(call.arrived_at).date() == today]
        so_far = await self._answers() or ()
        # Thousands of calls: in a thread, so that nobody's screen waits for it.
        self.handled = await asyncio.to_thread(_handled, mine)
        figures = await asyncio.to_thread(
            today_now,
            mine,
            words=self.words,
            rule=self.rule,
            target=self._profile.acd.targets.answer_rate,
            so_far=so_far,
            hour_of=lambda at: time_of(at).hour,
            day=today,
            at=now,
        )
        self.now = replace(self.now, today=figures)
        self._counted_at, self._uncounted = now, False

    def _compose(self) -> None:
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

    def seat(self, operator: OperatorId) -> SeatNow | None:
        return self._seats.get(operator)

    def account(self, operator: OperatorId) -> OperatorAccount | None:
        return self._accounts.get(operator)

    # ---- telling ----------------------------------------------------------------------------------

    async def regions(self, name: str, draw: Draw) -> dict[str, str]:
        """A screen as it is now, for the page that is just being made."""
        drawn = await draw(self.now)
        return {region: str(paint()) for region, (_, paint) in drawn.items()}

    @contextlib.asynccontextmanager
    async def listen(self, name: str, draw: Draw) -> AsyncIterator[asyncio.Queue[bytes]]:
        """A queue of messages for one screen: everything first, then what changes.

        Args:
            name: screens of one name show the same and are drawn once.
        """
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        screen = self._screens.setdefault(name, Screen(draw))
        await self._draw(screen)
        queue.put_nowait(_everything(screen))
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
        # What many look at comes first.
        order = sorted(self._screens.items(), key=lambda each: -len(each[1].readers))
        for number, (name, screen) in enumerate(order):
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
            if changed:
                self._send(screen, _message("regions", changed))

    async def _draw(self, screen: Screen) -> dict[str, Any]:
        """Draw what changed since the last time; the data of a message, empty when nothing did."""
        regions: dict[str, str] = {}
        rows: dict[str, Any] = {}
        drawn = await screen.draw(self.now)
        if drawn is screen.drawn:
            return {}
        for region, (depends, paint) in drawn.items():
            if region not in screen.html or screen.inputs.get(region) != depends:
                html, before = paint(), screen.html.get(region)
                screen.inputs[region], screen.html[region] = depends, html
                if isinstance(html, Rows) and isinstance(before, Rows) and _same_frame(html, before):
                    differ = {key: row for key, row in html.rows.items() if before.rows.get(key) != row}
                    order = list(html.rows)
                    if differ or order != list(before.rows):
                        rows[region] = {"order": order, "rows": differ}
                elif html != before:
                    regions[region] = str(html)
        screen.drawn = drawn
        return {"all": False, "regions": regions, "rows": rows} if regions or rows else {}

    def _pulse(self) -> None:
        message = _message("pulse", self._ages())
        for screen in self._screens.values():
            self._send(screen, message)

    def _send(self, screen: Screen, message: bytes) -> None:
        for queue in screen.readers:
            if queue.qsize() >= MOST_WAITING:
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_everything(screen))
            else:
                queue.put_nowait(message)

    def _ages(self) -> dict[str, Any]:
        return {
            "now": self._clock.epoch(),
            "live_at": self.now.live_at,
            "ledger_at": self.now.ledger_at,
            "heard": self.now.heard,
        }


def _same_frame(one: Rows, other: Rows) -> bool:
    return (one.before, one.after) == (other.before, other.after)


def _everything(screen: Screen) -> bytes:
    regions = {name: str(html) for name, html in screen.html.items()}
    return _message("regions", {"all": True, "regions": regions, "rows": {}})


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
