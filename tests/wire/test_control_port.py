"""The door for commands: a whole answer to every line, whatever the line is, and nobody else's."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from acd.commands import Act, Answer, Command, Outcome, Role
from core.errors import ToritsugiError
from core.settings import Settings, settings_from
from runtime.control_port import ControlPort, ask, socket_address
from runtime.live_word import LiveWord

pytestmark = pytest.mark.wire
GOOD = {
    "id": "7",
    "act": "consult",
    "by": {"name": "青木", "role": "operator", "operator": "101"},
    "operator": "101",
    "to": "702",
}


async def soon(check: Callable[[], bool]) -> None:
    for _ in range(500):
        if check():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true within 5 s")


class Desk:
    """Notes what it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked: list[Command] = []
        self.done: list[Command] = []
        self.may = asyncio.Event()
        self.may.set()

    async def do(self, command: Command) -> Answer:
        self.asked.append(command)
        await self.may.wait()
        if command.act is Act.HANG_UP:
            raise RuntimeError("a fault of ours")
        self.done.append(command)
        return Answer(outcome=Outcome.DONE, text="相談先を呼び出しています。")


@asynccontextmanager
async def port(home: Path) -> AsyncIterator[tuple[Settings, Desk]]:
    # Deeper than a socket's address may be long.
    settings = settings_from({"TORITSUGI_HOME": str(home / ("deep" * 30))})
    desk = Desk()
    task = asyncio.create_task(ControlPort(settings, desk.do, LiveWord(dict, home / "live.json").words).run())
    path = settings.home / "run" / "control.sock"
    await soon(path.exists)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    try:
        yield settings, desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not path.exists()


async def test_a_command_and_its_answer(tmp_path: Path) -> None:
    async with port(tmp_path) as (settings, desk):
        answer = await ask(settings, GOOD)
    (command,) = desk.asked
    assert (command.act, command.operator, command.to) == (Act.CONSULT, "101", "702")
    assert (command.asker.name, command.asker.role, command.asker.operator) == ("青木", Role.OPERATOR, "101")
    assert (answer["id"], answer["outcome"], answer["text"]) == ("7", "done", "相談先を呼び出しています。")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"\n", "JSON"),
        (b"\xff\xfe\n", "JSON"),
        (b"[1]\n", "JSON"),
        (b"[" * 5000 + b"\n", "JSON"),
        (json.dumps({**GOOD, "act": "shout"}).encode() + b"\n", "知らない操作です: 'shout'"),
        (json.dumps({**GOOD, "by": None}).encode() + b"\n", "(by) がありません"),
        (
            json.dumps({**GOOD, "by": {"name": "x", "role": "mayor"}}).encode() + b"\n",
            "知らない役割です: 'mayor'",
        ),
        (json.dumps({**GOOD, "to": "702\r\nAction: Originate"}).encode() + b"\n", "to が読めません"),
        (json.dumps({**GOOD, "to": 702}).encode() + b"\n", "to が読めません"),
        (json.dumps({**GOOD, "skills": {"card": "3"}}).encode() + b"\n", "skills が読めません"),
        (json.dumps({**GOOD, "force": True}).encode() + b"\n", "知らない項目です: force"),
    ],
)
async def test_a_line_that_cannot_be_read_is_refused_and_the_next_is_taken(
    tmp_path: Path, line: bytes, words: str
) -> None:
    async with port(tmp_path) as (settings, desk):
        with socket_address(settings) as address:
            reader, writer = await asyncio.open_unix_connection(address)
        writer.write(line)
        refused: dict[str, Any] = json.loads(await reader.readline())
        assert (refused["outcome"], desk.asked) == ("refused", [])
        assert words in refused["text"]
        writer.write(json.dumps(GOOD).encode() + b"\n")
        assert json.loads(await reader.readline())["outcome"] == "done"
        writer.close()


async def test_a_line_without_end_is_cut_off(tmp_path: Path) -> None:
    async with port(tmp_path) as (settings, desk):
        with socket_address(settings) as address:
            reader, writer = await asyncio.open_unix_connection(address)
        writer.write(b"x" * 200_000)
        with suppress(ConnectionError):
            await writer.drain()
            assert await reader.read() == b""
        assert (await ask(settings, GOOD))["outcome"] == "done"
        assert len(desk.asked) == 1


async def test_a_fault_of_ours_is_an_answer_too(tmp_path: Path) -> None:
    async with port(tmp_path) as (settings, _desk):
        assert (await ask(settings, {**GOOD, "act": "hang_up"}))["outcome"] == "switch_refused"
        assert (await ask(settings, GOOD))["outcome"] == "done"


async def test_who_hangs_up_leaves_nothing_half_done(tmp_path: Path) -> None:
    async with port(tmp_path) as (settings, desk):
        desk.may.clear()
        with socket_address(settings) as address:
            _reader, writer = await asyncio.open_unix_connection(address)
        writer.write(json.dumps(GOOD).encode() + b"\n")
        await soon(lambda: bool(desk.asked))
        writer.close()
        desk.may.set()
        await soon(lambda: bool(desk.done))


async def test_without_an_engine_the_cure_is_told(tmp_path: Path) -> None:
    settings = settings_from({"TORITSUGI_HOME": str(tmp_path)})
    with pytest.raises(ToritsugiError, match="toritsugi up"):
        await ask(settings, GOOD)


async def test_a_socket_left_by_a_dead_engine_is_replaced(tmp_path: Path) -> None:
    async with port(tmp_path) as (settings, _desk):
        pass
    (settings.home / "run" / "control.sock").touch()
    task = asyncio.create_task(
        ControlPort(settings, Desk().do, LiveWord(dict, tmp_path / "live.json").words).run()
    )
    try:
        await soon((settings.home / "run" / "control.sock").is_socket)
        assert (await ask(settings, GOOD))["outcome"] == "done"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
