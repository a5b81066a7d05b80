"""The engine's word on its way to the desk: at once, not once an event, and by the file when nobody tells."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings, settings_from
from runtime.control_port import ControlPort, listen, socket_address
from runtime.live_floor import LiveFloor
from runtime.live_word import LEAST_S, LiveWord
from runtime.process import run_folder, write_json

pytestmark = pytest.mark.wire


async def soon(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while True:
            if check():
                return
            await asyncio.sleep(0.005)


class Floor:
    """A floor of one number, and the words about it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.number = 0
        self.made = 0
        self.filler = ""
        self.word = LiveWord(self.now, run_folder(settings) / "live.json")

    def now(self) -> dict[str, Any]:
        self.made += 1
        return {"at": time.time(), "number": self.number, "filler": self.filler}

    def becomes(self, number: int) -> None:
        self.number = number
        self.word.changed()

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """The engine runs."""

        async def nothing(_command: object) -> Any:
            raise AssertionError("nobody asked for anything")

        port = ControlPort(self.settings, nothing, self.word.words)
        tasks = [asyncio.create_task(self.word.run()), asyncio.create_task(port.run())]
        try:
            with socket_address(self.settings) as address:
                await soon(Path(address).exists)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(settings_from({"TORITSUGI_HOME": str(tmp_path)}))


async def test_a_change_is_heard_at_once_and_a_burst_is_one_word(floor: Floor) -> None:
    async with floor.told():
        words = listen(floor.settings)
        assert (await anext(words))["number"] == 0
        await asyncio.sleep(2 * LEAST_S)
        began = time.monotonic()
        floor.becomes(1)
        assert (await anext(words))["number"] == 1
        assert time.monotonic() - began < LEAST_S, "it waited although nothing had been said for a while"
        made = floor.made
        for number in range(2, 2002):
            floor.becomes(number)
            if number % 100 == 0:
                await asyncio.sleep(0.005)
        while (await anext(words))["number"] != 2001:
            pass
        assert floor.made - made <= (time.monotonic() - began) / LEAST_S + 1


async def test_a_silent_floor_says_that_it_lives(floor: Floor) -> None:
    async with floor.told():
        words = listen(floor.settings)
        first, second = await anext(words), await anext(words)
        assert (second["number"], second["at"] > first["at"]) == (0, True)


async def test_who_is_slow_gets_the_newest_word_next(floor: Floor) -> None:
    floor.filler = "字" * 300_000  # more than a socket holds
    async with floor.told():
        slow = socket.socket(socket.AF_UNIX)
        with socket_address(floor.settings) as address:
            slow.connect(address)
        slow.sendall(b'{"act": "floor"}\n')
        for number in range(1, 11):
            floor.becomes(number)
            await asyncio.sleep(LEAST_S * 1.2)
        with slow, slow.makefile("rb") as lines:
            heard: list[int] = []
            while not heard or heard[-1] != 10:
                heard.append(json.loads(await asyncio.to_thread(lines.readline))["number"])
        assert len(heard) < 8, heard


async def test_without_a_socket_the_file_is_read_and_its_age_is_true(floor: Floor) -> None:
    live = LiveFloor(floor.settings)
    task = asyncio.create_task(live.run())
    try:
        assert live.read() == {}
        async with floor.told():
            await soon(lambda: live.read().get("number") == 0)
            floor.becomes(7)
            await live.news(5)
            await soon(lambda: live.read()["number"] == 7)
            last = live.read()["at"]
        await asyncio.sleep(0.05)
        assert live.read()["at"] >= last, "it went back in time"
        # An engine whose socket cannot be opened goes on writing.
        write_json(run_folder(floor.settings) / "live.json", {"at": last + 1, "number": 8})
        assert live.read()["number"] == 8
        async with floor.told():
            floor.becomes(9)
            await soon(lambda: live.read()["number"] == 9)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
