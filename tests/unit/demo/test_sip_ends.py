"""Two user agents talk over loopback: what the demo and the pbx stories rely on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import numpy as np
import pytest

from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.dialog import CallRefused, Moment, Side
from demo.ends.hearing import RATE
from demo.ends.identity import known, withheld
from demo.ends.transactions import Place, Timers
from demo.ends.user_agent import SipEnd

pytestmark = pytest.mark.unit

QUICK = Timers(t1=0.05, t2=0.2, t4=0.2)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[SipEnd, SipEnd]]:
    async with (
        await SipEnd.open("alice", timers=QUICK) as alice,
        await SipEnd.open("bob", timers=QUICK) as bob,
    ):
        yield alice, bob


async def connected(alice: SipEnd, bob: SipEnd) -> tuple[OutgoingCall, IncomingCall]:
    out = await alice.call("0598000000", place=(bob.host, bob.port), identity=known("09000000001"))
    into = await bob.next_call(2)
    into.ring()
    assert into.answer()
    await out.answered(2)
    return out, into


async def until(condition: Callable[[], bool], timeout: float = 3.0) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - the ends offer no event for these
            await asyncio.sleep(0.005)


def tone(seconds: float, hertz: float = 440.0) -> np.ndarray:
    moments = np.arange(int(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * hertz * moments)).astype(np.int16)


async def test_a_call_is_answered_talks_both_ways_and_is_ended_by_the_caller(
    pair: tuple[SipEnd, SipEnd],
) -> None:
    out, into = await connected(*pair)
    assert into.remote_user == "09000000001"
    assert all(await asyncio.gather(out.media.say(tone(0.4)), into.media.say(tone(0.3, 700))))
    await until(lambda: into.media.voice.sound_s >= 0.38 and out.media.voice.sound_s >= 0.28)
    await out.hang_up()
    assert await into.ended(2)
    assert (out.ended_by, into.ended_by) == (Side.SELF, Side.PEER)
    order = [Moment.INVITE, Moment.RINGING, Moment.ANSWERED, Moment.BYE_SENT, Moment.ENDED]
    assert [moment for moment in out.moments if moment in order] == order
    assert into.moments[Moment.BYE_RECEIVED] >= into.moments[Moment.ANSWERED]


async def test_the_called_side_may_end_it(pair: tuple[SipEnd, SipEnd]) -> None:
    out, into = await connected(*pair)
    await into.hang_up()
    assert await out.ended(2)
    assert (out.ended_by, into.ended_by) == (Side.PEER, Side.SELF)


async def test_the_audio_arrives_unharmed(pair: tuple[SipEnd, SipEnd]) -> None:
    out, into = await connected(*pair)
    said = (np.random.default_rng(7).normal(0, 4000, RATE // 2)).clip(-30000, 30000).astype(np.int16)
    await out.media.say(said)
    await until(lambda: into.media.voice.sound_s >= 0.5)
    heard = into.media.heard.recording().samples.astype(float)
    best = np.correlate(heard, said.astype(float), "valid").max()
    assert best / np.dot(said.astype(float), said.astype(float)) > 0.95
    assert into.media.statistics.lost == 0


async def test_keys_pressed_while_talking_are_received_once_each(pair: tuple[SipEnd, SipEnd]) -> None:
    out, into = await connected(*pair)
    assert await out.media.press("1#7", hold_s=0.06, pause_s=0.04)
    await until(lambda: len(into.media.keys) == 3)
    assert [key for key, _ in into.media.keys] == ["1", "#", "7"]


async def test_a_ringing_call_can_be_cancelled(pair: tuple[SipEnd, SipEnd]) -> None:
    alice, bob = pair
    out = await alice.call("1", place=(bob.host, bob.port))
    into = await bob.next_call(2)
    into.ring()
    await until(lambda: Moment.RINGING in out.moments)
    await out.hang_up()
    assert await into.ended(2)
    assert (out.status, into.status) == (487, 487)
    assert out.ended_by is Side.SELF
    assert Moment.CANCELLED in into.moments
    with pytest.raises(CallRefused):
        await out.answered(1)


async def test_hanging_up_before_any_response_cancels_at_the_first_one(pair: tuple[SipEnd, SipEnd]) -> None:
    alice, bob = pair
    out = await alice.call("1", place=(bob.host, bob.port))
    leaving = asyncio.create_task(out.hang_up())
    into = await bob.next_call(2)
    assert await into.ended(2)
    await leaving
    assert out.status == 487


@pytest.mark.parametrize(("status", "reason"), [(486, "Busy Here"), (603, "Decline"), (480, "Unavailable")])
async def test_a_refusal_reaches_the_caller(pair: tuple[SipEnd, SipEnd], status: int, reason: str) -> None:
    alice, bob = pair
    out = await alice.call("1", place=(bob.host, bob.port))
    (await bob.next_call(2)).refuse(status, reason)
    with pytest.raises(CallRefused) as refused:
        await out.answered(2)
    assert refused.value.status == status


async def test_several_calls_live_at_once_and_end_apart(pair: tuple[SipEnd, SipEnd]) -> None:
    calls = [await connected(*pair) for _ in range(4)]
    await calls[1][0].hang_up()
    assert await calls[1][1].ended(2)
    assert [out.is_established for out, _ in calls] == [True, False, True, True]


async def test_a_withheld_caller_shows_only_what_the_carrier_asserts(pair: tuple[SipEnd, SipEnd]) -> None:
    alice, bob = pair
    identity = withheld("09000000009").diverted_by("0598531111")
    await alice.call("1", place=(bob.host, bob.port), identity=identity, headers={"X-Trunk": "a"})
    into = await bob.next_call(2)
    assert into.remote_user == "anonymous"
    assert into.header("Privacy") == "id"
    assert "09000000009" in into.header("P-Asserted-Identity")
    assert "0598531111" in into.header("Diversion")
    assert into.header("X-Trunk") == "a"


async def test_hold_and_requests_inside_the_call(pair: tuple[SipEnd, SipEnd]) -> None:
    out, into = await connected(*pair)
    assert await into.hold() == 200
    sent = out.media.counters.sent
    into_before = into.media.counters.sent
    await until(lambda: into.media.counters.sent > into_before + 3)
    assert out.media.counters.sent - sent <= 1, "the held side stays quiet"
    assert await into.hold("sendrecv") == 200
    for method in ("OPTIONS", "NOTIFY", "INFO"):
        response = await out.request(method)
        assert response is not None
        assert response.status == 200
    pair[0].accept_reinvite = False
    assert await into.hold() == 488
    assert out.is_established


async def test_a_blind_transfer_is_asked_for_and_its_outcome_told(pair: tuple[SipEnd, SipEnd]) -> None:
    out, into = await connected(*pair)
    asked = asyncio.create_task(out.refer("sip:200@127.0.0.1"))
    await until(lambda: Moment.REFERRED in out.moments)
    # The far end of these tests takes no transfers; it says so.
    assert await asked == 405
    assert into.is_established


class LossyProxy(asyncio.DatagramProtocol):
    """Relays between one end and one peer; `drop(data)` says what gets lost."""

    def __init__(self, drop: Callable[[bytes], bool]) -> None:
        self.drop = drop
        self.passed: list[bytes] = []
        self.lost: list[bytes] = []
        self.peer: Place = ("127.0.0.1", 9)
        self._client: Place | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.place: Place = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Place) -> None:
        if addr != self.peer:
            self._client = addr
        if self.drop(data):
            self.lost.append(data)
            return
        self.passed.append(data)
        target = self._client if addr == self.peer else self.peer
        if target is not None:
            self.transport.sendto(data, target)


@contextlib.asynccontextmanager
async def lossy(peer: SipEnd, drop: Callable[[bytes], bool]) -> AsyncIterator[LossyProxy]:
    proxy = LossyProxy(drop)
    proxy.peer = (peer.host, peer.port)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: proxy, local_addr=("127.0.0.1", 0)
    )
    try:
        yield proxy
    finally:
        transport.close()


def first_of(*starts: bytes) -> Callable[[bytes], bool]:
    """Loses the first datagram that begins with each of `starts`."""
    left = set(starts)

    def drop(data: bytes) -> bool:
        hit = next((start for start in left if data.startswith(start)), None)
        if hit is not None:
            left.remove(hit)
        return hit is not None

    return drop


async def test_lost_datagrams_are_sent_again(pair: tuple[SipEnd, SipEnd]) -> None:
    alice, bob = pair
    invites: list[bytes] = []
    bob.on_wire = lambda outgoing, data, _: (
        invites.append(data) if not outgoing and data.startswith(b"INVITE") else None
    )
    async with lossy(bob, first_of(b"INVITE", b"SIP/2.0 200")) as proxy:
        out = await alice.call("1", place=proxy.place)
        into = await bob.next_call(2)
        assert into.answer()
        await out.answered(2)
        assert len(proxy.lost) == 2
        assert len(bob.calls) == 1, "the repeated INVITE is the same call"


async def test_a_200_is_repeated_until_it_is_acknowledged(pair: tuple[SipEnd, SipEnd]) -> None:
    alice, bob = pair
    acks: list[bytes] = []
    async with lossy(bob, lambda data: False) as proxy:
        out = await alice.call("1", place=proxy.place)
        into = await bob.next_call(2)
        original = bob.datagram_received

        def lose_first_ack(data: bytes, addr: Place) -> None:
            if data.startswith(b"ACK"):
                acks.append(data)
                if len(acks) == 1:
                    return
            original(data, addr)

        # The ACK goes to Bob's contact, past the proxy, so it is lost at his socket.
        bob.datagram_received = lose_first_ack  # type: ignore[method-assign]
        assert into.answer()
        await out.answered(2)
        await until(lambda: len(acks) == 2)
        assert not bob.layer.repeats, "after the ACK nothing is repeated"
        assert out.is_established


async def test_a_silent_peer_is_given_up(pair: tuple[SipEnd, SipEnd]) -> None:
    alice, bob = pair
    bob.deaf = True
    alice.layer.timers = Timers(t1=0.01, t2=0.04, t4=0.04)
    out = await alice.call("1", place=(bob.host, bob.port))
    with pytest.raises(CallRefused) as refused:
        await out.answered(3)
    assert refused.value.status == 408
    assert out.ended_by is None


async def test_crossing_byes_end_both_sides(pair: tuple[SipEnd, SipEnd]) -> None:
    out, into = await connected(*pair)
    work: list[Awaitable[None]] = [out.hang_up(), into.hang_up()]
    await asyncio.gather(*work)
    assert out.is_over
    assert into.is_over


async def test_a_request_for_an_unknown_call_gets_481(pair: tuple[SipEnd, SipEnd]) -> None:
    out, into = await connected(*pair)
    pair[1]._dialogs.clear()
    response = await out.request("INFO")
    assert response is not None
    assert response.status == 481
    assert not into.is_over
