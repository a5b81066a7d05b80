"""The FastAGI server beside the known faults: the voice channel's promises, bounds, and ends that are clean."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from agi_peer import AgiPeer

from core.errors import ToritsugiError
from core.facts.dialplan import UserEvent
from ivr.ports import CallerGone
from telephony.agi.errors import AgiTimeout
from telephony.agi.server import FastAgiChannel, FastAgiServer
from telephony.agi.voice import QUICK_S, Command

pytestmark = pytest.mark.wire

Handler = Callable[[FastAgiChannel], Awaitable[None]]


async def play_out(handler: Handler, *replies: str) -> list[str]:
    """Serve one call with `handler`; the commands that Asterisk saw."""
    failures: list[BaseException] = []

    async def watched(channel: FastAgiChannel) -> None:
        try:
            await handler(channel)
        except BaseException as exc:
            failures.append(exc)
            raise

    server = FastAgiServer("127.0.0.1", 0, {"ivr": watched})
    await server.start()
    try:
        peer = await AgiPeer.connect(server.port, "ivr", "c-n1-1.1")
        commands = [await peer.answer(reply) for reply in replies]
        assert await peer.closed()
        peer.close()
    finally:
        await server.stop(grace=0)
    if failures:
        raise failures[0]
    return commands


async def test_arguments_and_environment() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert channel.arguments == ("c-n1-1.1",)
        assert channel.environment["agi_uniqueid"] == "n1-1.1"

    assert await play_out(handler) == []


async def test_play_stops_at_the_first_wanted_digit() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.play(["/s/a", "/s/b", "/s/c"], interrupt="19") == "9"

    commands = await play_out(handler, "200 result=0 endpos=800", "200 result=57 endpos=160")
    assert commands == ['STREAM FILE "/s/a" "19"', 'STREAM FILE "/s/b" "19"']


async def test_a_missing_sound_is_passed_over_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.play(["/s/missing", "/s/b"]) is None

    commands = await play_out(handler, "200 result=-1 endpos=0", "200 result=6", "200 result=0 endpos=800")
    assert commands[1:] == ["CHANNEL STATUS", 'STREAM FILE "/s/b" ""']
    assert "/s/missing" in caplog.text


@pytest.mark.parametrize("status", ["HANGUP\n200 result=-1", "511 Command Not Permitted on a dead channel"])
async def test_a_hangup_during_a_sound_is_the_callers_end(status: str) -> None:
    async def handler(channel: FastAgiChannel) -> None:
        await channel.play(["/s/a", "/s/b"])

    with pytest.raises(CallerGone):
        await play_out(handler, "200 result=-1 endpos=0", status)


async def test_playing_through_keeps_the_first_key_and_leaves_nothing_out() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.play_through(["/s/notice", "/s/more"]) == "1"

    commands = await play_out(
        handler, "200 result=49 endpos=1600", "200 result=0 endpos=8000", "200 result=0 endpos=800"
    )
    assert commands == [
        'STREAM FILE "/s/notice" "0123456789*#"',
        'STREAM FILE "/s/notice" "" "1600"',
        'STREAM FILE "/s/more" ""',
    ]


async def test_digits_and_silence() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.wait_digit(2.5) == "#"
        assert await channel.wait_digit(0) is None

    commands = await play_out(handler, "200 result=35", "200 result=0")
    assert commands == ['WAIT FOR DIGIT "2500"', 'WAIT FOR DIGIT "1"']


async def test_a_sound_and_the_key_after_it_are_one_command() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.collect(["/s/a", "/s/b"], timeout=2.0) == "5"
        assert await channel.collect(["/s/a", "/s/b"], timeout=2.0) == "7"
        assert await channel.collect(["/s/b"], timeout=2.0) is None
        assert await channel.collect(["/s/b"], timeout=2.0) == "#"

    commands = await play_out(
        handler, "200 result=0 endpos=800", "200 result=5", "200 result=55 endpos=160", "200 result= (timeout)",
        "200 result=",
    )  # fmt: skip
    assert commands == [
        'STREAM FILE "/s/a" "0123456789*#"', 'GET DATA "/s/b" "2000" "1"', 'STREAM FILE "/s/a" "0123456789*#"',
        'GET DATA "/s/b" "2000" "1"', 'GET DATA "/s/b" "2000" "1"',
    ]  # fmt: skip


async def test_a_number_is_taken_as_a_whole() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.collect(["/s/b"], timeout=3.0, most=20) == "0598531234"
        assert await channel.collect(["/s/b"], timeout=3.0, most=20) == "05"
        assert await channel.collect(["/s/a", "/s/b"], timeout=3.0, most=3) == "123"

    commands = await play_out(
        handler, "200 result=0598531234", "200 result=05 (timeout)", "200 result=49 endpos=80", "200 result=50",
        "200 result=51",
    )  # fmt: skip
    assert commands[0] == 'GET DATA "/s/b" "3000" "20"'


async def test_a_missing_sound_before_a_key_is_logged_and_the_key_awaited(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(channel: FastAgiChannel) -> None:
        assert await channel.collect(["/s/missing"], timeout=2.0) == "1"

    commands = await play_out(handler, "200 result=-1", "200 result=6", "200 result=49")
    assert commands[1:] == ["CHANNEL STATUS", 'WAIT FOR DIGIT "2000"']
    assert "/s/missing" in caplog.text


async def test_a_hangup_before_a_key_is_the_callers_end() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        await channel.collect(["/s/a"], timeout=2.0)

    with pytest.raises(CallerGone):
        await play_out(handler, "200 result=-1", "511 Command Not Permitted on a dead channel")


async def test_variables() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        await channel.set_variable("NAME", "市役所")
        assert await channel.get_variable("NAME") == "市役所"
        assert await channel.get_variable("EMPTY") == ""
        assert await channel.get_variable("UNSET") is None

    await play_out(handler, "200 result=1", "200 result=1 (市役所)", "200 result=1 ()", "200 result=0")


async def test_events_for_the_record_are_encoded() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        await channel.record_event(UserEvent.REFERRED, node="main", to='a,b|"c"\n')

    commands = await play_out(handler, "200 result=0")
    assert commands == ['EXEC "CELGenUserEvent" "TS_REFERRED,node=main&to=a%2Cb%7C%22c%22%0A"']


async def test_a_missing_application_is_an_error() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        await channel.record_event(UserEvent.REFERRED, node="main", to="1")

    with pytest.raises(ToritsugiError, match="app_celgenuserevent"):
        await play_out(handler, "200 result=-2")


async def test_no_reply_gives_the_channel_up() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        with pytest.raises(AgiTimeout):
            await channel._execute(Command(line=b"ANSWER\n", patience=0.05))
        with pytest.raises(CallerGone):
            await channel.wait_digit(1)

    server = FastAgiServer("127.0.0.1", 0, {"ivr": handler})
    await server.start()
    peer = await AgiPeer.connect(server.port)
    assert await peer.command() == "ANSWER"
    assert await peer.closed()
    peer.close()
    await server.stop()
    assert server.counters.failed == 0


async def test_a_cancelled_command_ends_the_channel_too() -> None:
    """Its reply would otherwise be taken for the next command's."""

    async def handler(channel: FastAgiChannel) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(channel.wait_digit(60), 0.05)
        with pytest.raises(CallerGone):
            await channel.get_variable("X")

    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await play_out(handler, "", "200 result=1 (never sent)")


async def test_patience_follows_the_sounds_length(tmp_path: Path) -> None:
    (tmp_path / "ten.wav").write_bytes(b"\0" * (44 + 16_000 * 10))
    seen: list[float] = []

    class Watched(FastAgiChannel):
        async def _execute(self, command: Command):  # type: ignore[no-untyped-def] # watches only
            seen.append(command.patience)
            return await super()._execute(command)

    reader = asyncio.StreamReader()
    reader.feed_data(b"200 result=0 endpos=80000\n")
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    await Watched({}, reader, writer).play([str(tmp_path / "ten")])
    assert seen == [10 + QUICK_S]
    writer.close()
    server.close()


async def test_more_calls_than_allowed_are_turned_away_at_once() -> None:
    async def handler(channel: FastAgiChannel) -> None:
        await channel.wait_digit(60)

    server = FastAgiServer("127.0.0.1", 0, {"ivr": handler}, max_sessions=2)
    await server.start()
    peers = [await AgiPeer.connect(server.port) for _ in range(2)]
    for peer in peers:
        await peer.command()
    refused = await AgiPeer.connect(server.port)
    assert await refused.closed()
    assert server.counters.refused == 1
    await peers[0].say("200 result=49\n")
    assert await peers[0].closed()
    served = await AgiPeer.connect(server.port)
    assert (await served.command()).startswith("WAIT FOR DIGIT")
    await server.stop(grace=0)
    for peer in (*peers, refused, served):
        peer.close()


async def test_a_failing_handler_closes_its_socket_only(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_channel: FastAgiChannel) -> None:
        raise ValueError("broken menu")

    with pytest.raises(ValueError, match="broken menu"):
        await play_out(handler)
    assert "the dialplan falls back" in caplog.text


async def test_an_unknown_script_is_closed() -> None:
    async def handler(_channel: FastAgiChannel) -> None: ...

    server = FastAgiServer("127.0.0.1", 0, {"ivr": handler})
    await server.start()
    peer = await AgiPeer.connect(server.port, "nonsense")
    assert await peer.closed()
    peer.close()
    await server.stop()
    assert server.counters.unreadable == 1


async def test_a_taken_port_says_which_setting_to_change() -> None:
    first = FastAgiServer("127.0.0.1", 0, {})
    await first.start()
    with pytest.raises(ToritsugiError, match="TORITSUGI_AGI_PORT"):
        await FastAgiServer("127.0.0.1", first.port, {}).start()
    await first.stop()
