"""Every known AMI fault of panoramisk 1.4: the bare library fails, `AmiSession` does not.

Letters as in docs/adr/0001-guarded-panoramisk.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ami_fake import FakeAmi, member, message, success
from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from telephony.ami.errors import AmiBadValue, AmiDisconnected, AmiLoginRefused
from telephony.ami.events import (
    AmiEvent,
    Disconnected,
    FullyBooted,
    OriginateResponse,
    QueueMemberStatus,
    UserEvent,
)
from telephony.ami.guarded import GuardedProtocol
from telephony.ami.session import AmiSession, AmiTiming

pytestmark = pytest.mark.wire

QUICK = AmiTiming(connect=2, action=2, ping_every=5, booted=2, retry_first=0.02, retry_last=0.05)


@asynccontextmanager
async def fake() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as ami:
        yield ami


@asynccontextmanager
async def bare(ami: FakeAmi, **config: Any) -> AsyncIterator[Any]:
    """A logged-in panoramisk manager."""
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    manager = Manager(
        host="127.0.0.1", port=ami.port, username="u", secret="right", **{"reconnect_timeout": 0, **config}
    )
    await manager.connect()
    await ami.until(lambda: "Login" in ami.names())
    try:
        yield manager
    finally:
        manager.connection_lost = lambda exc: None
        manager.connect = lambda: None
        manager.close()


@asynccontextmanager
async def ours(ami: FakeAmi, timing: AmiTiming = QUICK, **more: Any) -> AsyncIterator[AmiSession]:
    """A running session of ours, `FullyBooted` already taken."""
    session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=timing, **more)
    await session.connect(timeout=5)
    running = asyncio.create_task(session.run())
    assert isinstance(await event(session), FullyBooted)
    try:
        yield session
    finally:
        await session.close()
        await running


async def event(session: AmiSession) -> AmiEvent:
    return await asyncio.wait_for(session.events.get(), 5)


async def drained(manager: Any) -> None:
    """All that was sent to the manager before has been handled."""
    await asyncio.wait_for(manager.send_action({"Action": "Ping"}), 5)


ATXFER = {"Channel": "PJSIP/op101-1", "Exten": "200", "Context": "transfer"}


async def test_b_bare_library_drops_the_connection_on_successfully_queued() -> None:
    async with fake() as ami:
        ami.on("Atxfer", lambda a: success(a, "Atxfer successfully queued"))
        async with bare(ami, reconnect_timeout=60) as manager:
            future = manager.send_action({"Action": "Atxfer", **ATXFER})
            await ami.until(lambda: "Atxfer" in ami.names() and ami.open == 0)
            assert not future.done()


async def test_b_successfully_queued_is_a_reply() -> None:
    async with fake() as ami:
        ami.on("Atxfer", lambda a: success(a, "Atxfer successfully queued"))
        async with ours(ami) as session:
            assert (await session.action("Atxfer", timeout=None, **ATXFER)).success
            assert session.connected


async def test_c_bare_library_never_ends_queue_add() -> None:
    async with fake() as ami:
        ami.on("QueueAdd", lambda a: success(a, "Added interface to queue"))
        async with bare(ami) as manager:
            future = manager.send_action({"Action": "QueueAdd", "Queue": "q", "Interface": "PJSIP/op101"})
            await drained(manager)
            assert not future.done()


async def test_c_queue_add_ends() -> None:
    async with fake() as ami:
        ami.on("QueueAdd", lambda a: success(a, "Added interface to queue"))
        async with ours(ami) as session:
            reply = await session.action("QueueAdd", Queue="q", Interface="PJSIP/op101")
            assert reply.success


async def test_d_bare_library_drops_the_connection_when_a_callback_raises() -> None:
    async with fake() as ami, bare(ami, reconnect_timeout=60) as manager:
        seen: list[str] = []

        def callback(_manager: Any, event: Any) -> None:
            seen.append(event.penalty)
            raise ValueError

        manager.register_event("QueueMember*", callback)
        await ami.send(member("QueueMemberStatus", 1) + member("QueueMemberStatus", 2))
        await ami.until(lambda: ami.open == 0)
        assert seen == ["1"]


async def test_d_a_bad_event_costs_itself_only(caplog: pytest.LogCaptureFixture) -> None:
    async with fake() as ami, ours(ami) as session:
        await ami.send(
            message(Event="QueueMemberStatus", Queue="q")
            + member("QueueMemberStatus", 1).replace("Penalty: 1", "Penalty: many")
            + member("QueueMemberStatus", 2)
        )
        found = await event(session)
        assert isinstance(found, QueueMemberStatus)
        assert found.penalty == 2
        assert session.counters.malformed == 2
        assert "lacks 'membername'" in caplog.text


async def test_d_a_raising_consumer_does_not_close_the_connection() -> None:
    def consumer(_fields: object) -> None:
        raise ValueError

    async with fake() as ami:
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(
            lambda: GuardedProtocol(consumer, ["QueueMemberStatus"]), "127.0.0.1", ami.port
        )
        await ami.until(lambda: ami.open == 1)
        await ami.send(member("QueueMemberStatus", 1))
        reply = await asyncio.wait_for(link.request("Ping", {}).future, 5)
        assert reply[0].ping == "Pong"
        assert link.faulty == 1
        link.close()


YAMADA = message(Event="UserEvent", UserEvent="Name", Text="山田太郎").encode()
INSIDE_A_CHARACTER = YAMADA.index("山".encode()) + 1


async def test_e_bare_library_loses_a_character_cut_between_reads() -> None:
    texts: list[str] = []

    class Factory:
        def dispatch(self, event: Any) -> None:
            texts.append(event.text)

    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory, protocol.encoding = Factory(), "utf-8"
    protocol.data_received(YAMADA[:INSIDE_A_CHARACTER])
    protocol.data_received(YAMADA[INSIDE_A_CHARACTER:])
    assert texts == ["田太郎"]


async def test_e_a_character_cut_between_reads_is_whole() -> None:
    texts: list[str] = []
    link = GuardedProtocol(lambda fields: texts.append(fields["text"]), ["UserEvent"])
    link.connection_made(None)
    for cut in range(1, len(YAMADA)):
        link.data_received(YAMADA[:cut])
        link.data_received(YAMADA[cut:])
    assert texts == ["山田太郎"] * (len(YAMADA) - 1)


ORIGINATE = {"Channel": "PJSIP/op101", "Context": "c", "Exten": "1", "Priority": "1", "Async": "true"}


async def test_f_bare_library_sends_an_unanswered_action_again() -> None:
    async with fake() as ami, bare(ami) as manager:
        manager.send_action({"Action": "Originate", **ORIGINATE})
        await ami.until(lambda: ami.names().count("Originate") == 1)
        await ami.drop()
        await ami.until(lambda: ami.names().count("Originate") == 2)
        ids = {action["ActionID"] for action in ami.received if action["Action"] == "Originate"}
        assert len(ids) == 1


async def test_f_an_unanswered_action_fails_at_once_and_is_never_sent_again() -> None:
    async with fake() as ami, ours(ami) as session:
        waiting = asyncio.create_task(session.action("Originate", timeout=None, **ORIGINATE))
        await ami.until(lambda: "Originate" in ami.names())
        await ami.drop()
        with pytest.raises(AmiDisconnected):
            await waiting
        assert isinstance(await event(session), Disconnected)
        assert isinstance(await event(session), FullyBooted)
        await session.action("Ping")
        assert ami.names().count("Originate") == 1


def half_a_list(action: dict[str, str]) -> str:
    return success(action, "Queue status will follow", EventList="start") + message(
        Event="QueueMember", ActionID=action["ActionID"], Queue="q"
    )


async def test_g_bare_library_never_ends_an_interrupted_list() -> None:
    async with fake() as ami:
        ami.on("QueueStatus", half_a_list)
        async with bare(ami) as manager:
            future = manager.send_action({"Action": "QueueStatus"})
            await ami.until(lambda: "QueueStatus" in ami.names())
            await drained(manager)
            await ami.drop()
            await ami.until(lambda: ami.names().count("Login") == 2)
            await drained(manager)
            assert not future.done()


async def test_g_an_interrupted_list_fails() -> None:
    async with fake() as ami:
        ami.on("QueueStatus", half_a_list)
        async with ours(ami) as session:
            waiting = asyncio.create_task(session.action("QueueStatus"))
            await ami.until(lambda: "QueueStatus" in ami.names())
            await ami.drop()
            with pytest.raises(AmiDisconnected):
                await waiting


async def test_h_bare_library_keeps_a_half_open_connection() -> None:
    async with fake() as ami:
        ami.silent("Ping")
        async with bare(ami) as manager:
            for _ in range(3):
                manager.ping()
            await ami.until(lambda: ami.names().count("Ping") == 3)
            assert len(manager.responses) == 3
            assert ami.open == 1


async def test_h_a_half_open_connection_is_dropped_and_made_again() -> None:
    async with fake() as ami:
        timing = AmiTiming(connect=2, action=0.1, ping_every=0.05, booted=2, retry_first=0.02)
        async with ours(ami, timing) as session:
            ami.silent("Ping")
            assert isinstance(await event(session), Disconnected)
            assert isinstance(await event(session), FullyBooted)
            assert ami.connections >= 2


async def test_i_bare_library_connects_again_after_close() -> None:
    async with fake() as ami, bare(ami, on_disconnect=lambda manager, exc: manager.close()):
        await ami.drop()
        await ami.until(lambda: ami.connections >= 2)


async def test_i_closed_stays_closed() -> None:
    async with fake() as ami:
        timing = AmiTiming(connect=2, action=2, ping_every=5, booted=2, retry_first=30)
        session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=timing)
        await session.connect(timeout=5)
        running = asyncio.create_task(session.run())
        await ami.drop()
        ami_server = ami._server
        assert ami_server is not None
        ami_server.close()  # the reconnect fails, so that it is pending
        while not isinstance(await event(session), Disconnected):
            pass
        await session.close()
        await asyncio.wait_for(running, 5)
        assert ami.connections == 1


async def test_j_bare_library_tries_a_wrong_secret_for_ever() -> None:
    async with fake() as ami:
        ami.secret = "changed"
        async with bare(ami):
            await ami.until(lambda: ami.names().count("Login") >= 4)


async def test_j_a_wrong_secret_is_an_error_that_says_so() -> None:
    async with fake() as ami:
        ami.secret = "changed"
        session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=QUICK)
        with pytest.raises(AmiLoginRefused, match=r"manager\.conf"):
            await session.connect(timeout=5)
        assert ami.connections == 1


async def test_j_a_secret_that_changes_ends_the_run() -> None:
    async with fake() as ami:
        session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=QUICK)
        await session.connect(timeout=5)
        running = asyncio.create_task(session.run())
        ami.secret = "changed"
        await ami.drop()
        with pytest.raises(AmiLoginRefused):
            await asyncio.wait_for(running, 5)


INJECTED = "1\r\n\r\nAction: Command\r\nActionID: x\r\nCommand: core stop now"


async def test_k_bare_library_lets_a_value_smuggle_an_action() -> None:
    async with fake() as ami, bare(ami) as manager:
        manager.send_action({"Action": "Setvar", "Variable": "X", "Value": INJECTED})
        await ami.until(lambda: "Command" in ami.names())


@pytest.mark.parametrize("value", [INJECTED, "a\nb", "a\rb", "a\0b"])
async def test_k_a_value_with_a_line_break_is_refused(value: str) -> None:
    async with fake() as ami, ours(ami) as session:
        with pytest.raises(AmiBadValue):
            await session.action("Setvar", Variable="X", Value=value)
        with pytest.raises(AmiBadValue):
            await session.action("Originate", Variable=["A=1", f"B={value}"])
        with pytest.raises(AmiBadValue):
            await session.action("Setvar", timeout=None, **{"Value\r\nAction": "Command"})
        await session.action("Ping")
        assert set(ami.names()) == {"Login", "Ping"}


def originated(action: dict[str, str]) -> str:
    return success(action, "Originate successfully queued") + message(
        Event="OriginateResponse", ActionID=action["ActionID"], Response="Failure", Channel="PJSIP/op101",
        Reason="3", Uniqueid="<null>",
    )  # fmt: skip


async def test_l_bare_library_hides_events_of_pending_actions() -> None:
    async with fake() as ami:
        ami.on("Originate", originated)
        async with bare(ami) as manager:
            seen: list[str] = []
            manager.register_event("*", lambda _manager, event: seen.append(event.event))
            manager.send_action({"Action": "Originate", **ORIGINATE})
            await ami.until(lambda: "Originate" in ami.names())
            await ami.send(member("QueueMemberStatus", 1))
            await drained(manager)
            assert "QueueMemberStatus" in seen
            assert "OriginateResponse" not in seen


async def test_l_events_of_actions_reach_the_stream() -> None:
    async with fake() as ami:
        ami.on("Originate", originated)
        async with ours(ami) as session:
            reply = await session.action("Originate", timeout=None, **ORIGINATE)
            found = await event(session)
            assert isinstance(found, OriginateResponse)
            assert found.action_id == reply.fields["actionid"]
            assert not found.success


async def test_m_bare_library_runs_coroutine_callbacks_out_of_order() -> None:
    async with fake() as ami, bare(ami) as manager:
        seen: list[int] = []
        done = asyncio.Event()

        async def callback(_manager: Any, event: Any) -> None:
            number = int(event.penalty)
            for _ in range(5 if number % 2 == 0 else 1):
                await asyncio.sleep(0)
            seen.append(number)
            if len(seen) == 6:
                done.set()

        manager.register_event("QueueMemberStatus", callback)
        await ami.send("".join(member("QueueMemberStatus", number) for number in range(6)))
        await asyncio.wait_for(done.wait(), 5)
        assert seen == [1, 3, 5, 0, 2, 4]


async def test_m_events_come_in_order() -> None:
    async with fake() as ami, ours(ami) as session:
        await ami.send("".join(member("QueueMemberStatus", number) for number in range(2000)))
        found = [await event(session) for _ in range(2000)]
        numbers = [item.penalty for item in found if isinstance(item, QueueMemberStatus)]
        assert numbers == list(range(2000))


async def test_user_events_keep_their_japanese() -> None:
    async with fake() as ami, ours(ami) as session:
        await ami.send(YAMADA)
        found = await event(session)
        assert isinstance(found, UserEvent)
        assert found.values["text"] == "山田太郎"
