"""`AmiSession` beside the known faults: deadlines, bounds, snapshots, order of what the consumer sees."""

from __future__ import annotations

import asyncio

import pytest
from ami_fake import FakeAmi, member, message, success

from telephony.ami import actions
from telephony.ami.errors import AmiBadValue, AmiBusy, AmiDisconnected, AmiRefused, AmiTimeout, AmiUnreachable
from telephony.ami.events import AmiEvent, FullyBooted, Gap, QueueMemberStatus
from telephony.ami.guarded import MAX_FRAME, MAX_PENDING
from telephony.ami.session import AmiSession, AmiTiming

pytestmark = pytest.mark.wire

QUICK = AmiTiming(connect=2, action=2, ping_every=5, booted=2, retry_first=0.02, retry_last=0.05)


async def connected(ami: FakeAmi, queue_size: int = 100) -> AmiSession:
    session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=QUICK, queue_size=queue_size)
    await session.connect(timeout=5)
    assert isinstance(await session.events.get(), FullyBooted)
    return session


async def test_an_action_without_a_session_fails_at_once() -> None:
    session = AmiSession("127.0.0.1", 1, "u", "right")
    with pytest.raises(AmiDisconnected):
        await session.action("Ping")


async def test_nobody_there_is_unreachable_within_the_time_given() -> None:
    async with FakeAmi() as ami:
        port = ami.port
    session = AmiSession("127.0.0.1", port, "u", "right", timing=QUICK)
    with pytest.raises(AmiUnreachable, match=str(port)):
        await session.connect(timeout=0.2)


async def test_silence_is_a_timeout_and_the_late_reply_disturbs_nobody() -> None:
    async with FakeAmi() as ami:
        session = await connected(ami)
        with pytest.raises(AmiTimeout):
            await session.action("QueueStatus", timeout=0.05)
        await ami.send(success(ami.received[-1], "too late"))
        assert (await session.action("Ping")).fields["ping"] == "Pong"
        await session.close()


async def test_a_cancellation_that_meets_the_reply_is_not_swallowed() -> None:
    async with FakeAmi() as ami:
        session = await connected(ami)
        assert session._link is not None
        waiting = asyncio.create_task(session.action("QueuePause"))
        await ami.until(lambda: "QueuePause" in ami.names())
        (pending,) = session._link.responses.values()
        # In one turn of the loop, as it happens when a service is stopped while the switch answers.
        pending.future.set_result([])
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await session.close()


async def test_replies_find_their_action_whatever_their_order() -> None:
    async with FakeAmi() as ami:
        session = await connected(ami)
        first = asyncio.create_task(session.action("QueuePause"))
        second = asyncio.create_task(session.action("QueuePenalty"))
        await ami.until(lambda: "QueuePause" in ami.names() and "QueuePenalty" in ami.names())
        by_name = {action["Action"]: action for action in ami.received}
        await ami.send(success(by_name["QueuePenalty"], "penalty") + success(by_name["QueuePause"], "pause"))
        assert ((await first).message, (await second).message) == ("pause", "penalty")
        await session.close()


async def test_a_list_with_other_events_between_its_rows() -> None:
    def answer(action: dict[str, str]) -> str:
        row = message(Event="QueueParams", ActionID=action["ActionID"], Queue="a", Strategy="leastrecent",
                      Calls="0", Completed="3", Abandoned="1")  # fmt: skip
        end = message(Event="QueueStatusComplete", ActionID=action["ActionID"], EventList="Complete")
        start = success(action, "Queue status will follow", EventList="start")
        return start + row + member("QueueMemberStatus", 7) + row + end

    async with FakeAmi() as ami:
        ami.on("QueueStatus", answer)
        session = await connected(ami)
        snapshot = await actions.queue_status(session)
        assert [(queue.queue, queue.completed) for queue in snapshot.queues] == [("a", 3), ("a", 3)]
        between = await session.events.get()
        assert isinstance(between, QueueMemberStatus)
        assert between.penalty == 7
        await session.close()


async def test_a_slow_consumer_sees_one_gap_and_then_what_is_newest() -> None:
    async with FakeAmi() as ami:
        session = await connected(ami, queue_size=10)
        await ami.send("".join(member("QueueMemberStatus", number) for number in range(25)))
        await session.action("Ping")
        seen: list[AmiEvent] = []
        while not session.events.empty():
            seen.append(session.events.get_nowait())
        assert isinstance(seen[0], Gap)
        numbers = [item.penalty for item in seen[1:] if isinstance(item, QueueMemberStatus)]
        assert numbers == list(range(25 - len(numbers), 25))
        assert numbers
        assert session.counters.dropped + len(numbers) >= 25
        await session.close()


async def test_unwanted_events_are_not_even_decoded() -> None:
    async with FakeAmi() as ami:
        session = await connected(ami)
        await ami.send(message(Event="VarSet", Variable="X", Value="1") * 50 + member("QueueMemberStatus", 1))
        assert isinstance(await session.events.get(), QueueMemberStatus)
        assert session._link is not None
        assert session._link.skipped == 50
        await session.close()


async def test_a_message_without_end_drops_the_connection() -> None:
    async with FakeAmi() as ami:
        session = await connected(ami)
        await ami.send(b"Event: " + b"x" * (MAX_FRAME + 1))
        await ami.until(lambda: ami.open == 0)
        await session.close()


async def test_too_many_unanswered_actions_are_refused_before_sending() -> None:
    async with FakeAmi() as ami:
        session = await connected(ami)
        waiting = [asyncio.create_task(session.action("QueuePause")) for _ in range(MAX_PENDING)]
        await ami.until(lambda: ami.names().count("QueuePause") == MAX_PENDING)
        with pytest.raises(AmiBusy):
            await session.action("QueuePause")
        await session.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {AmiDisconnected}


async def test_on_connected_runs_at_every_login() -> None:
    snapshots: list[bool] = []

    async def snapshot(session: AmiSession) -> None:
        await actions.ping(session)
        snapshots.append(session.connected)

    async with FakeAmi() as ami:
        session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=QUICK, on_connected=snapshot)
        await session.connect(timeout=5)
        running = asyncio.create_task(session.run())
        await ami.drop()
        await ami.until(lambda: ami.names().count("Ping") == 2)
        await session.close()
        await running
        assert snapshots == [True, True]


async def test_a_refusal_is_an_answer_and_required_makes_it_an_error() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueAdd", lambda a: message(
            Response="Error", ActionID=a["ActionID"], Message="Unable to add interface: Already there"
        ))  # fmt: skip
        session = await connected(ami)
        reply = await actions.queue_add(session, "booking-ja", "PJSIP/op101", member="op101")
        assert not reply.success
        with pytest.raises(AmiRefused, match="Already there"):
            reply.required()
        await session.close()


@pytest.mark.parametrize("reason", ["休憩", "a|b", "a,b", "a;b", "x" * 80])
async def test_what_would_corrupt_the_persistent_members_is_refused(reason: str) -> None:
    async with FakeAmi() as ami:
        session = await connected(ami)
        with pytest.raises(AmiBadValue):
            await actions.queue_pause(session, "PJSIP/op101", True, reason)
        assert "QueuePause" not in ami.names()
        await session.close()
