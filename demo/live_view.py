"""Watching the day: a live board in a terminal, or one line an event on stderr."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from core.masking import mask_number
from demo.people import Doing, News
from demo.script import Role

Figures = Callable[[], Mapping[str, Any]]
CityTime = Callable[[float], datetime]

_STYLES = {
    Doing.TALKING: "bold green",
    Doing.WAITING: "yellow",
    Doing.RINGING: "cyan",
    Doing.MISSED: "red",
    Doing.WRAPPING_UP: "magenta",
    Doing.GONE: "dim",
}
_SHOWN_CALLERS = 14


@dataclass(slots=True)
class _Row:
    who: str
    since: float
    doing: Doing
    note: str = ""


@dataclass(slots=True)
class Board:
    """Where everybody stands; built from news alone."""

    citizens: dict[str, _Row] = field(default_factory=dict)
    operators: dict[str, _Row] = field(default_factory=dict)
    seen: Counter[Doing] = field(default_factory=Counter)
    """How often citizens began to do something."""

    def take(self, news: News) -> None:
        rows = self.citizens if news.role is Role.CITIZEN else self.operators
        row = rows.get(news.who)
        if row is None:
            row = rows[news.who] = _Row(news.who, news.at, news.doing)
        if news.role is Role.CITIZEN:
            self.seen[news.doing] += 1
            if news.doing is Doing.CALLING:
                row.note = news.detail
        row.doing, row.since = news.doing, news.at


def news_line(news: News, city_time: CityTime) -> str:
    """One event in words, the number masked."""
    who = f"{news.who} 番" if news.role is Role.OPERATOR else _shown(news.who)
    role = "オペレーター" if news.role is Role.OPERATOR else "市民"
    detail = f"({news.detail})" if news.detail else ""
    return f"{city_time(news.at):%H:%M} {role} {who}: {news.doing.label_ja}{detail}"


def _shown(who: str) -> str:
    return mask_number(who) if who.isdigit() else {"withheld": "非通知"}.get(who, who)


class LiveView:
    """Give `handle` to the `Stage`; run the day inside `async with`.

    Args:
        city_time: the city's clock for a real moment.
        headless: lines instead of a board (also taken when the output is no terminal).
        figures: what the engine says about itself, name to value, asked at each refresh; shown as it is.
    """

    def __init__(
        self,
        city_time: CityTime,
        *,
        title: str = "取次 デモ",
        headless: bool = False,
        figures: Figures | None = None,
        stream: TextIO | None = None,
        refresh_s: float = 0.25,
    ) -> None:
        self.board = Board()
        self._city_time, self._title, self._figures = city_time, title, figures
        self._stream = stream or sys.stderr
        self._console = Console(file=self._stream)
        self.headless = headless or not self._console.is_terminal
        self._refresh_s, self._last_at = refresh_s, 0.0
        self._live: Live | None = None
        self._task: asyncio.Task[None] | None = None

    def handle(self, news: News) -> None:
        """Take one event in."""
        self.board.take(news)
        self._last_at = news.at
        if self.headless:
            print(news_line(news, self._city_time), file=self._stream, flush=True)

    async def __aenter__(self) -> LiveView:
        if not self.headless:
            self._live = Live(console=self._console, auto_refresh=False, transient=False)
            self._live.start()
            self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._live is not None:
            self._live.update(self.render(self._last_at), refresh=True)
            self._live.stop()

    async def _run(self) -> None:
        while self._live is not None:
            self._live.update(self.render(time.time()), refresh=True)
            await asyncio.sleep(self._refresh_s)

    def render(self, now: float) -> Panel:
        """The board at the real moment `now`."""
        parts: list[Any] = [_table("市民", list(self.board.citizens.values())[-_SHOWN_CALLERS:], now, _shown)]
        parts.append(_table("オペレーター", sorted(self.board.operators.values(), key=_by_who), now, str))
        if self._figures is not None:
            figures = Table(title="エンジン", show_header=False, expand=True)
            for name, value in self._figures().items():
                figures.add_row(str(name), str(value))
            parts.append(figures)
        seen = self.board.seen
        counts = f"着信 {seen[Doing.CALLING]}  通話 {seen[Doing.TALKING]}  終了 {seen[Doing.GONE]}"
        when = f"{self._city_time(now):%Y-%m-%d %H:%M}" if now else ""
        return Panel(Group(*parts), title=f"{self._title}  {when}", subtitle=counts)


def _by_who(row: _Row) -> str:
    return row.who


def _table(title: str, rows: list[_Row], now: float, shown: Callable[[str], str]) -> Table:
    table = Table(title=title, expand=True)
    for name in ("番号", "用件", "状態", "秒"):
        table.add_column(name, justify="right" if name == "秒" else "left")
    for row in rows:
        style = _STYLES.get(row.doing, "")
        seconds = "" if row.doing is Doing.GONE else f"{max(0.0, now - row.since):.0f}"
        table.add_row(shown(row.who), row.note, row.doing.label_ja, seconds, style=style)
    return table
