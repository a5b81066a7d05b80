"""AMI on a slow road: what passes between the engine and the switch is held up at random, in order, both ways."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from centre import Centre, eventually, free_ports


async def _road(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: random.Random, most_s: float
) -> None:
    """Pass bytes on, each piece after 0 to `most_s` seconds and never before the piece ahead of it."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take_in() -> None:
        due = 0.0
        while data := await reader.read(4096):
            due = max(due, loop.time() + chance.uniform(0.0, most_s))
            pieces.put_nowait((due, data))
        pieces.put_nowait((due, b""))

    taking = asyncio.create_task(take_in())
    try:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                return
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        taking.cancel()
        writer.close()


@asynccontextmanager
async def delayed_ami(centre: Centre, seed: int, most_s: float) -> AsyncIterator[None]:
    """Put the slow road before the running centre's Asterisk, which moves to another port of loopback."""
    chance, (port,) = random.Random(seed), free_ports(1)
    ours = centre.ports[1]
    conf = Path(centre.home) / "asterisk" / "etc" / "manager.conf"
    text, found = re.subn(rf"(?m)^port = {ours}$", f"port = {port}", conf.read_text("utf-8"))
    if found != 1:
        raise RuntimeError("manager.conf names no port")
    conf.write_text(text, "utf-8")
    await centre.cli("manager reload")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(_road(reader, back, chance, most_s))
            group.create_task(_road(there, writer, chance, most_s))

    server = None
    for _ in range(100):
        with contextlib.suppress(OSError):
            server = await asyncio.start_server(serve, "127.0.0.1", ours)
            break
        await asyncio.sleep(0.1)
    if server is None:
        raise RuntimeError("Asterisk keeps its manager port")
    # The old session lives on beside the moved port; a new engine comes by the slow road.
    old = centre.engine_pid()
    await centre.kill_engine()
    await centre.engine_is_back(old)
    try:
        await eventually(lambda: centre.live().get("ami_connected"), within=30, what="AMI by the slow road")
        yield
    finally:
        server.close()
