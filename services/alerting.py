"""Alerts kept and told: the book's changes become rows and notices, and every channel tells on its own.

A channel that fails, hangs or is slow holds up nobody: each has a bounded queue, a time limit, tries with growing
pauses, and a state that `toritsugi status` shows.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Protocol

from acd.alert_words import CityTimeOf, words_for
from acd.alerts import (
    Acknowledgement,
    Alert,
    AlertBook,
    AlertChange,
    AlertKind,
    AlertRule,
    Reading,
)
from core.clock import Clock
from services.ports import UnitOfWorkFactory

log = logging.getLogger(__name__)

SEND_WITHIN_S = 20.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
TRIES = 6
"""With pauses of 2, 4, 8, 16 and 32 s between; after that the notice is given up."""
MOST_WAITING = 200
"""Notices that wait in one channel; the oldest give way."""
REMEMBERED_S = 86_400.0
"""What was told in this time counts after a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell people."""

    alert: str
    """Id to acknowledge it by."""
    kind: str
    subject: str
    what: str
    """`raised`, `reminded`, `cleared` or `test`."""
    at: float
    since: float
    title: str
    lines: tuple[str, ...]


class NotTold(Exception):
    """A channel could not deliver.

    Args:
        reason: short, without secrets, for the log and `status`.
        final: trying again will not help.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Notifier(Protocol):
    """One way to reach people (port)."""

    @property
    def name(self) -> str:
        """`log`, `mail` or `webhook`."""
        ...

    async def send(self, notices: Sequence[Notice]) -> None:
        """Tell these, as one message where the channel can.

        Raises:
            NotTold: nobody was reached.
        """
        ...


@dataclass(slots=True)
class ChannelState:
    """What a channel has done since the start."""

    sent: int = 0
    failed: int = 0
    """Notices given up."""
    dropped: int = 0
    """Notices that gave way to newer ones."""
    waiting: int = 0
    last_sent_at: float | None = None
    last_error: str = ""
    last_error_at: float | None = None

    @property
    def well(self) -> bool:
        """Whether the last attempt succeeded, or there was none."""
        return self.last_error_at is None or (self.last_sent_at or 0.0) > self.last_error_at

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "well": self.well,
            "sent": self.sent,
            "failed": self.failed,
            "dropped": self.dropped,
            "waiting": self.waiting,
            "last_sent_at": self.last_sent_at,
            "last_error": self.last_error,
            "last_error_at": self.last_error_at,
        }


class Channel:
    """A notifier with a queue of its own. `put` never waits; `run` delivers for ever."""

    def __init__(
        self,
        notifier: Notifier,
        clock: Clock,
        *,
        within_s: float = SEND_WITHIN_S,
        first_pause_s: float = FIRST_PAUSE_S,
        tries: int = TRIES,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.notifier, self._clock = notifier, clock
        self._within_s, self._first_pause_s, self._tries = within_s, first_pause_s, tries
        self._most = most_waiting
        self._waiting: deque[Notice] = deque()
        self._news = asyncio.Event()
        self.state = ChannelState()

    def put(self, notices: Sequence[Notice]) -> None:
        """Have these delivered; beyond the queue's size the oldest are given up."""
        self._waiting.extend(notices)
        while len(self._waiting) > self._most:
            self._waiting.popleft()
            self.state.dropped += 1
        self.state.waiting = len(self._waiting)
        if notices:
            self._news.set()

    async def run(self) -> None:
        """Deliver, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = tuple(self._waiting)
                self._waiting.clear()
                await self._deliver(batch)
                self.state.waiting = len(self._waiting)

    async def _deliver(self, batch: Sequence[Notice]) -> None:
        pause = self._first_pause_s
        for attempt in range(1, self._tries + 1):
            problem = await self.attempt(batch)
            if problem is None:
                return
            if problem.final or attempt == self._tries:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        self.state.failed += len(batch)
        log.error("alerts: %s gave up %d notices: %s", self.notifier.name, len(batch), self.state.last_error)

    async def attempt(self, batch: Sequence[Notice]) -> NotTold | None:
        """One try; None when it was delivered."""
        try:
            async with asyncio.timeout(self._within_s):
                await self.notifier.send(batch)
        except TimeoutError:
            problem = NotTold(f"no answer within {self._within_s:g} s")
        except NotTold as told:
            problem = told
        except Exception as fault:
            # A fault of one adapter must not end the task group that calls run in.
            log.exception("alerts: %s failed", self.notifier.name)
            problem = NotTold(type(fault).__name__, final=True)
        else:
            self.state.sent += len(batch)
            self.state.last_sent_at = self._clock.epoch()
            return None
        self.state.last_error, self.state.last_error_at = str(problem), self._clock.epoch()
        log.warning("alerts: %s did not deliver: %s", self.notifier.name, problem)
        return problem


@dataclass(slots=True, kw_only=True)
class AlertKeeper:
    """The book of some kinds of alerts, with its rows in the database and its notices on the channels."""

    rules: Mapping[AlertKind, AlertRule]
    kinds: frozenset[AlertKind]
    """Kinds that this process judges; alerts of other kinds are another's."""
    reading: UnitOfWorkFactory
    uow: UnitOfWorkFactory
    clock: Clock
    channels: Sequence[Channel]
    must_know: bool = True
    """Whether to wait for a database that is away before the first look; otherwise nothing counts as known."""
    _book: AlertBook | None = None
    _unsaved: dict[str, Alert] = field(default_factory=dict)

    async def look(
        self, readings: Sequence[Reading], unknown: Collection[AlertKind] = ()
    ) -> list[AlertChange]:
        """Take a moment's readings in; store and tell what changed.

        A database that is away costs no notice: rows are written when it is back.
        """
        now = self.clock.epoch()
        book = await self._opened(now)
        await self._acknowledged(book)
        changes = book.observe(now, [each for each in readings if each.kind in self.kinds], unknown)
        self._unsaved |= {change.alert.id: change.alert for change in changes}
        notices = [notice_of(change, now, self.clock.city_time_of) for change in changes if change.notify]
        for channel in self.channels:
            channel.put(notices)
        await self._save()
        return changes

    @property
    def open(self) -> tuple[Alert, ...]:
        return () if self._book is None else self._book.open

    async def _opened(self, now: float) -> AlertBook:
        if self._book is None:
            known: list[Alert] = []
            try:
                async with self.reading() as unit:
                    known = await unit.alerts.known(now - REMEMBERED_S)
            except Exception:
                if self.must_know:
                    raise
                log.exception("alerts: what was told before could not be read")
            mine = [alert for alert in known if alert.kind in self.kinds]
            rules = {kind: rule for kind, rule in self.rules.items() if kind in self.kinds}
            self._book = AlertBook(rules, mine, day_of=self._day_of)
        return self._book

    def _day_of(self, at: float) -> date:
        return self.clock.city_time_of(at).date()

    async def _acknowledged(self, book: AlertBook) -> None:
        waiting = [alert.id for alert in book.open if alert.acknowledged is None]
        if not waiting:
            return
        try:
            async with self.reading() as unit:
                found = await unit.alerts.acknowledged(waiting)
        except Exception:
            log.exception("alerts: acknowledgements could not be read")
            return
        for identity, by in found.items():
            book.acknowledge(identity, by)

    async def _save(self) -> None:
        if not self._unsaved:
            return
        try:
            async with self.uow() as unit:
                await unit.alerts.put(list(self._unsaved.values()))
        except Exception:
            log.exception("alerts: %d rows could not be stored; tried again", len(self._unsaved))
            return
        self._unsaved.clear()


def notice_of(change: AlertChange, now: float, time_of: CityTimeOf) -> Notice:
    """A change as a notice."""
    words = words_for(change, time_of)
    return Notice(
        alert=change.alert.id,
        kind=change.alert.kind.value,
        subject=change.alert.subject,
        what=change.what.value,
        at=now,
        since=change.alert.since,
        title=words.title,
        lines=words.lines,
    )


def trial_notice(now: float, time_of: CityTimeOf, centre: str) -> Notice:
    """A notice that says it is a trial."""
    return Notice(
        alert="",
        kind="test",
        subject="",
        what="test",
        at=now,
        since=now,
        title="【試験】警報の試験です",
        lines=(
            f"状況：{centre}の警報が届くかを試しています。",
            f"いつから：{time_of(now):%H:%M:%S}",
            "すること：何もいりません。",
        ),
    )


async def acknowledge(uow: UnitOfWorkFactory, prefix: str, by: Acknowledgement) -> list[Alert]:
    """Acknowledge the one open alert whose id begins with `prefix`; those that fit, when it is not one."""
    async with uow() as unit:
        fitting = [alert for alert in await unit.alerts.open() if alert.id.startswith(prefix)]
        if len(fitting) == 1:
            await unit.alerts.acknowledge(fitting[0].id, by)
            return [replace(fitting[0], acknowledged=by)]
    return fitting
