"""Screens of a desk for a trial: many streams of people who are signed in, and a browser that notes what it shows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar, TCPConnector
from playwright.async_api import Browser, Page, async_playwright

from benchmarks._desk_delays import Shown
from benchmarks._stories import make_importable

make_importable()
from cut_road import Road

NOTE_ROWS = """() => {
  window.noted = [];
  const shown = new Map();
  const note = (first) => {
    const at = Date.now();
    for (const row of document.querySelectorAll("#r-seats tr[data-row]")) {
      const label = row.cells[1].textContent.trim();
      if (shown.get(row.dataset.row) === label) continue;
      shown.set(row.dataset.row, label);
      if (!first) window.noted.push([row.dataset.row, label, at]);
    }
  };
  note(true);
  const region = document.getElementById("r-seats");
  new MutationObserver(() => note(false)).observe(region, { childList: true, subtree: true });
}"""
NOTE_OWN = """(operator) => {
  window.noted = [];
  let shown = null;
  const note = (first) => {
    const label = document.querySelector("#r-state .state")?.textContent.trim() ?? "";
    if (label === shown) return;
    shown = label;
    if (!first) window.noted.push([operator, label, Date.now()]);
  };
  note(true);
  const region = document.getElementById("r-state");
  new MutationObserver(() => note(false)).observe(region, { childList: true, subtree: true });
}"""
TAKE = "() => window.noted.splice(0)"


@dataclass(slots=True)
class Stream:
    """One person's stream of server-sent events."""

    name: str
    path: str
    events: int = 0
    octets: int = 0
    ended: int = 0
    """How often it ended and was opened anew."""
    regions: dict[str, str] = field(default_factory=dict)
    """As last told; of small screens only."""


class Streams:
    """Everybody's browser but those in which somebody really looks."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.streams: list[Stream] = []
        self._sessions: list[ClientSession] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, name: str, password: str, path: str) -> None:
        """Sign in as a browser does, and listen until `close`."""
        session = ClientSession(
            self._origin, cookie_jar=CookieJar(unsafe=True), headers={"Origin": self._origin},
            connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None, sock_connect=10),
        )  # fmt: skip
        self._sessions.append(session)
        async with session.post(
            "/sign-in", data={"name": name, "password": password}, allow_redirects=False
        ) as answer:
            if answer.status != 303:
                raise RuntimeError(f"{name} cannot sign in: {answer.status}")
        stream = Stream(name, path)
        self.streams.append(stream)
        self._tasks.append(asyncio.create_task(self._listen(session, stream)))

    async def _listen(self, session: ClientSession, stream: Stream) -> None:
        while True:
            try:
                async with session.get(stream.path) as answer:
                    if answer.status != 200:
                        raise RuntimeError(f"{stream.name}: {stream.path} answers {answer.status}")
                    await self._read(answer.content, stream)
            except (ClientError, OSError):
                pass
            stream.ended += 1
            await asyncio.sleep(1.0)

    @staticmethod
    async def _read(content: Any, stream: Stream) -> None:
        rest = b""
        small = stream.path == "/desk/live"
        async for piece in content.iter_any():
            stream.octets += len(piece)
            *whole, rest = (rest + piece).split(b"\n\n") if small else (*[b""] * piece.count(b"\n\n"), b"")
            stream.events += len(whole)
            for event in whole:
                if event.startswith(b"event: regions"):
                    told = json.loads(event.partition(b"data: ")[2])["regions"]
                    stream.regions |= told

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in self._sessions:
            await session.close()


async def page_of(browser: Browser, origin: str, name: str, password: str, path: str) -> Page:
    """Somebody's own browser, signed in, at a page."""
    context = await browser.new_context(
        locale="ja-JP", viewport={"width": 1280, "height": 900}, base_url=origin
    )
    context.set_default_timeout(60_000)
    page = await context.new_page()
    await page.goto("/sign-in")
    await page.get_by_label("利用者名").fill(name)
    await page.get_by_label("パスワード").fill(password)
    await page.get_by_role("button", name="サインイン").click()
    await page.get_by_role("button", name="サインアウト").wait_for()
    await page.goto(path)
    return page


async def taken(page: Page) -> list[Shown]:
    """What a page began to show since the last time."""
    return [Shown(operator, label, at / 1000) for operator, label, at in await page.evaluate(TAKE)]


@contextlib.asynccontextmanager
async def chromium(program: Path, road: Road | None = None) -> AsyncIterator[Browser]:
    """A browser; with a road, it goes to the desk on that."""
    args = ["--no-sandbox", *(road.browser_args if road else ())]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=args)
        try:
            yield browser
        finally:
            await browser.close()
