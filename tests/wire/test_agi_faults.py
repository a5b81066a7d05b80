"""Every known FastAGI fault of panoramisk 1.4: the bare library fails, our server does not.

Letters as in docs/adr/0001-guarded-panoramisk.md.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agi_peer import AgiPeer
from panoramisk.fast_agi import Application, Request

from ivr.ports import CallerGone
from telephony.agi.errors import AgiError
from telephony.agi.server import FastAgiChannel, FastAgiServer

pytestmark = pytest.mark.wire


@asynccontextmanager
async def serving(
    handler: Callable[[FastAgiChannel], Awaitable[None]], **more: Any
) -> AsyncIterator[FastAgiServer]:
    server = FastAgiServer("127.0.0.1", 0, {"ivr": handler}, **more)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(grace=0)


async def call(server: FastAgiServer, *replies: str | bytes) -> list[str]:
    """Play one session to its end; the commands that were sent."""
    peer = await AgiPeer.connect(server.port)
    commands = [await peer.answer(reply) for reply in replies]
    assert await peer.closed()
    peer.close()
    return commands


async def bare_request(lines: bytes) -> Any:
    """panoramisk's request over a peer that has said `lines` and nothing more."""

    class Writer:
        def write(self, data: bytes) -> None: ...

        async def drain(self) -> None: ...

    reader = asyncio.StreamReader()
    reader.feed_data(lines)
    reader.feed_eof()
    return Request(app=None, headers={}, reader=reader, writer=Writer())


BARE_SERVER = """
import asyncio, panoramisk.fast_agi as fast_agi
async def echo(reader, writer):
    while data := await reader.read(1):
        writer.write(data)
async def main():
    application = fast_agi.Application()
    agi = await asyncio.start_server(application.handler, "127.0.0.1", 0)
    other = await asyncio.start_server(echo, "127.0.0.1", 0)
    print(agi.sockets[0].getsockname()[1], other.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_bare_library_hangs_its_loop_on_a_port_scan() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BARE_SERVER, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        agi, other = map(int, (await process.stdout.readline()).split())
        reader, writer = await asyncio.open_connection("127.0.0.1", other)

        async def echoes() -> None:
            for _ in range(500):
                writer.write(b"a")
                await asyncio.wait_for(reader.read(1), 1)

        writer.write(b"a")
        assert await asyncio.wait_for(reader.read(1), 5) == b"a"
        (await asyncio.open_connection("127.0.0.1", agi))[1].close()
        with pytest.raises(TimeoutError):
            await echoes()
        assert process.returncode is None
        writer.close()
    finally:
        process.kill()
        await process.wait()


async def test_a_port_scans_and_half_headers_cost_nothing() -> None:
    answered = asyncio.Event()

    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.wait_digit(1) == "5"
        answered.set()

    async with serving(handler) as server:
        for said in ("", "agi_network: yes\n", "GET / HTTP/1.1\r\n\r\n", "x" * 100_000, "\n"):
            peer = await AgiPeer.connect(server.port, None)
            await peer.say(said)
            peer.close()
        await call(server, "200 result=53")
        assert answered.is_set()
        assert server.counters.accepted == 1


async def test_a_silent_peer_is_dropped_after_the_header_time() -> None:
    async def handler(_channel: FastAgiChannel) -> None:
        raise AssertionError

    async with serving(handler, header_timeout=0.05) as server:
        peer = await AgiPeer.connect(server.port, None)
        await peer.say("agi_network: yes\n")
        assert await peer.closed()
        peer.close()
        assert server.counters.unreadable == 1


async def test_o_bare_library_takes_the_end_for_a_number() -> None:
    request = await bare_request(b"")
    with pytest.raises(ValueError, match="invalid literal"):
        await request.send_command("ANSWER")


async def test_o_the_end_of_the_conversation_is_the_callers_end() -> None:
    outcome: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def handler(channel: FastAgiChannel) -> None:
        try:
            await channel.wait_digit(1)
        except CallerGone as exc:
            outcome.set_result(exc)
            raise

    async with serving(handler) as server:
        peer = await AgiPeer.connect(server.port)
        await peer.command()
        peer.close()
        assert isinstance(await asyncio.wait_for(outcome, 5), CallerGone)
        assert server.counters.failed == 0


async def test_p_bare_library_is_off_by_one_after_a_hangup_line() -> None:
    request = await bare_request(b"HANGUP\n200 result=1 (first)\n200 result=1 (second)\n")
    assert "error" in await request.send_command("GET VARIABLE FIRST")
    reply = await request.send_command("GET VARIABLE SECOND")
    assert reply["result"] == ("1", "first")


async def test_p_a_hangup_line_is_no_reply() -> None:
    values: list[object] = []

    async def handler(channel: FastAgiChannel) -> None:
        values.append(await channel.get_variable("FIRST"))
        try:
            await channel.get_variable("SECOND")
        except CallerGone:
            values.append("gone")
            raise

    async with serving(handler) as server:
        commands = await call(server, "HANGUP\n200 result=1 (first)")
        assert values == ["first", "gone"]
        assert commands == ['GET VARIABLE "FIRST"']


USAGE = (
    "520-Invalid command syntax.  Proper usage follows:\nWaits for a digit.\nMore.\n520 End of proper usage."
)


async def test_q_bare_library_loses_step_after_a_long_usage_text() -> None:
    request = await bare_request(f"{USAGE}\n200 result=1 (next)\n".encode())
    await request.send_command("WAIT FOR DIGIT")
    with pytest.raises(ValueError, match="invalid literal"):
        await request.send_command("GET VARIABLE NEXT")


async def test_q_bare_library_raises_on_bytes_that_are_no_utf8() -> None:
    request = await bare_request(b"200 result=1 (\x8eR)\n")
    with pytest.raises(UnicodeDecodeError):
        await request.send_command("GET VARIABLE X")


async def test_q_usage_texts_broken_bytes_and_line_breaks_in_values_keep_step() -> None:
    values: list[object] = []

    async def handler(channel: FastAgiChannel) -> None:
        for _ in range(2):
            try:
                values.append(await channel.get_variable("A"))
            except AgiError as exc:
                values.append(type(exc))
        for name in "BCDE":
            values.append(await channel.get_variable(name))

    async with serving(handler) as server:
        await call(
            server,
            USAGE,
            "510 Invalid or unknown command",
            b"200 result=1 (\x8eR)",
            "200 result=1 (one\ntwo (2),\nthree)",
            "100 Trying\n200 result=0",
            "noise\n200 result=1 (last)",
        )
    assert values == [AgiError, AgiError, "\ufffdR", "one\ntwo (2),\nthree", None, "last"]


async def test_r_bare_library_refuses_a_plain_function() -> None:
    with pytest.raises(AttributeError):
        Application().add_route("ivr", lambda request: None)


async def test_r_any_callable_that_can_be_awaited_serves() -> None:
    async def work(channel: FastAgiChannel, name: str) -> None:
        await channel.set_variable(name, "1")

    async with serving(lambda channel: work(channel, "X")) as server:
        assert await call(server, "200 result=1") == ['SET VARIABLE "X" "1"']


async def test_s_bare_library_swallows_a_cancellation() -> None:
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
    started = asyncio.Event()

    async def endpoint(_request: object) -> None:
        started.set()
        await asyncio.Event().wait()

    class Writer:
        def close(self) -> None: ...

        def get_extra_info(self, _name: str) -> None: ...

    application = Application()
    application.add_route("ivr", endpoint)
    reader = asyncio.StreamReader()
    reader.feed_data(b"agi_network_script: ivr\n\n")
    task = asyncio.create_task(application.handler(reader, Writer()))
    await started.wait()
    task.cancel()
    await task
    assert not task.cancelled()


async def test_s_stop_ends_sessions_and_closes_their_sockets() -> None:
    started = asyncio.Event()
    ends: list[type[BaseException]] = []

    async def handler(channel: FastAgiChannel) -> None:
        started.set()
        try:
            await channel.wait_digit(60)
        except BaseException as exc:
            ends.append(type(exc))
            raise

    async with serving(handler) as server:
        peer = await AgiPeer.connect(server.port)
        await peer.command()
        await server.stop(grace=0)
        assert ends == [asyncio.CancelledError]
        assert server.active == 0
        assert await peer.closed()
        peer.close()


async def test_s_values_are_quoted() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        with pytest.raises(AgiError):
            await channel.set_variable("X", "1\nHANGUP")
        await channel.set_variable("X", 'a "b" \\c')

    async with serving(handler) as server:
        assert await call(server, "200 result=1") == ['SET VARIABLE "X" "a \\"b\\" \\\\c"']
