"""Citizens and operators for thousands of calls: one UDP socket for each side, no media, a log of what each saw.

A citizen calls, presses a key by SIP INFO, waits as long as their patience lasts. An operator's telephone rings for a
moment, answers, talks as long as that citizen's matter takes and hangs up. The citizen's number names the call on
both sides, so the two logs can be joined without asking the switch anything.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, cast

from demo.ends.dialog import authorization_header
from demo.ends.digest import Credentials
from demo.ends.sip_message import (
    Headers,
    MalformedSip,
    SipMessage,
    SipRequest,
    SipResponse,
    parse_address,
    parse_message,
    serialise,
)

_BACK = ("Via", "From", "To", "Call-ID", "CSeq")
_AGAIN_S = 1.0
_TRIES = 8
_FINAL_S = 60.0


@dataclass(slots=True, kw_only=True)
class CallLog:
    """One citizen's call as the citizen saw it; epoch seconds."""

    user: str
    number: str
    invited_at: float
    answered_at: float | None = None
    keyed_at: float | None = None
    ended_at: float | None = None
    gave_up: bool = False


@dataclass(slots=True, kw_only=True)
class OfferLog:
    """One ring of one operator's telephone as the operator saw it; epoch seconds."""

    operator: str
    user: str
    """The citizen's number."""
    rang_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    """Of the talk or, without one, of the ringing."""


class _Socket(asyncio.DatagramProtocol):
    """Requests with retransmission and answers, on one port."""

    def __init__(self, place: tuple[str, int]) -> None:
        self.place = place
        self._transport: asyncio.DatagramTransport | None = None
        self._pending: dict[tuple[str, str], asyncio.Queue[SipResponse]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        media.bind(("127.0.0.1", 0))
        self._media = media

    @classmethod
    async def open(cls, place: tuple[str, int]) -> Self:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_datagram_endpoint(lambda: cls(place), local_addr=("127.0.0.1", 0))
        return made

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._transport is not None:
            self._transport.close()
        self._media.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        self.port: int = sock.getsockname()[1]

    def start(self, work: asyncio.Task[None]) -> None:
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    @property
    def sdp(self) -> bytes:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self._media.getsockname()[1]} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        ).encode()

    def send(self, message: SipMessage | bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            data = message if isinstance(message, bytes) else serialise(message)
            self._transport.sendto(data, self.place)

    def request(
        self, method: str, uri: str, pairs: list[tuple[str, str]], body: bytes = b"", kind: str = ""
    ) -> SipRequest:
        via = f"SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport"
        more = [("Content-Type", kind)] if kind else []
        return SipRequest(
            method=method, uri=uri,
            headers=Headers.of([("Via", via), *pairs, ("Max-Forwards", "70"), *more]), body=body,
        )  # fmt: skip

    async def ask(self, request: SipRequest) -> SipResponse:
        """Send once a second until something answers, then wait for the final answer."""
        key = (request.headers.get("Call-ID"), request.headers.get("CSeq"))
        answers: asyncio.Queue[SipResponse] = asyncio.Queue()
        self._pending[key] = answers
        try:
            for _ in range(_TRIES):
                self.send(request)
                try:
                    answer = await asyncio.wait_for(answers.get(), _AGAIN_S)
                    break
                except TimeoutError:
                    continue
            else:
                raise TimeoutError(f"no answer to {request.method}")
            while answer.status < 200:
                answer = await asyncio.wait_for(answers.get(), _FINAL_S)
            return answer
        finally:
            del self._pending[key]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            message = parse_message(data)
        except MalformedSip:
            return
        if isinstance(message, SipRequest):
            self.asked(message)
            return
        waiting = self._pending.get((message.headers.get("Call-ID"), message.headers.get("CSeq")))
        if waiting is not None:
            waiting.put_nowait(message)

    @abstractmethod
    def asked(self, request: SipRequest) -> None:
        """Take a request of the switch."""


def reply(
    request: SipRequest, status: int, *, tag: str = "", body: bytes = b"", contact: str = ""
) -> SipResponse:
    pairs = [(name, value) for name, value in request.headers.fields if name in _BACK]
    if tag:
        pairs = [(name, f"{value};tag={tag}" if name == "To" else value) for name, value in pairs]
    if contact:
        pairs.append(("Contact", contact))
    if body:
        pairs.append(("Content-Type", "application/sdp"))
    return SipResponse(status=status, reason="-", headers=Headers.of(pairs), body=body)


class Citizens(_Socket):
    """All citizens."""

    def __init__(self, place: tuple[str, int]) -> None:
        super().__init__(place)
        self.connected: Callable[[str], asyncio.Event] = lambda _user: asyncio.Event()
        """Set for a citizen once an operator has answered them (`Operators.connected`)."""
        self.log: list[CallLog] = []
        self._gone: dict[str, asyncio.Event] = {}

    @property
    def open_calls(self) -> int:
        return len(self._gone)

    async def call(
        self, number: str, user: str, key: str, *, key_after_s: float, patience_s: float
    ) -> CallLog:
        """One call from INVITE to its end; `patience_s` counts from the key on, until an operator answers."""
        log = CallLog(user=user, number=number, invited_at=time.time())
        self.log.append(log)
        call_id, tag = f"{user}-{secrets.token_hex(6)}", secrets.token_hex(4)
        uri = f"sip:{number}@{self.place[0]}:{self.place[1]}"
        ours = f"<sip:{user}@127.0.0.1:{self.port}>"
        base = [("From", f"{ours};tag={tag}"), ("Call-ID", call_id)]
        gone = self._gone[call_id] = asyncio.Event()
        invite = self.request(
            "INVITE", uri, [*base, ("To", f"<{uri}>"), ("CSeq", "1 INVITE"), ("Contact", ours)],
            self.sdp, "application/sdp",
        )  # fmt: skip
        answer = await self.ask(invite)
        to = answer.headers.get("To")
        where = parse_address(answer.headers.get("Contact")).uri if answer.status < 300 else uri
        self.send(self.request("ACK", where, [*base, ("To", to), ("CSeq", "1 ACK")]))
        try:
            if answer.status >= 300:
                log.ended_at = time.time()
                return log
            log.answered_at = time.time()
            if await _set_within(gone, key_after_s):
                return log
            info = self.request(
                "INFO", where, [*base, ("To", to), ("CSeq", "2 INFO")],
                f"Signal={key}\r\nDuration=100\r\n".encode(), "application/dtmf-relay",
            )  # fmt: skip
            log.keyed_at = time.time()
            await self.ask(info)
            if await self._waited(gone, user, patience_s - (time.time() - log.keyed_at)):
                return log
            log.gave_up, log.ended_at = True, time.time()
            await self.ask(self.request("BYE", where, [*base, ("To", to), ("CSeq", "3 BYE")]))
            return log
        finally:
            log.ended_at = log.ended_at or time.time()
            del self._gone[call_id]

    async def _waited(self, gone: asyncio.Event, user: str, patience_s: float) -> bool:
        """Whether the call went on to its end before patience did."""
        talk = asyncio.create_task(self.connected(user).wait())
        over = asyncio.create_task(gone.wait())
        try:
            done, _ = await asyncio.wait(
                {talk, over}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                return False
            await over
            return True
        finally:
            talk.cancel()
            over.cancel()

    def asked(self, request: SipRequest) -> None:
        if request.method == "ACK":
            return
        if request.method == "INVITE":
            self.send(reply(request, 200, body=self.sdp, contact=f"<sip:citizen@127.0.0.1:{self.port}>"))
            return
        self.send(reply(request, 200))
        if request.method == "BYE":
            gone = self._gone.get(request.headers.get("Call-ID"))
            if gone is not None:
                gone.set()


@dataclass(frozen=True, slots=True)
class Handling:
    """What one operator does with one citizen's call."""

    ring_s: float
    talk_s: float
    answers: bool = True


class Operators(_Socket):
    """All operators' telephones."""

    def __init__(self, place: tuple[str, int]) -> None:
        super().__init__(place)
        self.log: list[OfferLog] = []
        self.handling: Callable[[str, str], Handling] = lambda operator, user: Handling(0.05, 0.5)
        """Operator and citizen's number to what happens."""
        self._open: dict[str, tuple[OfferLog, asyncio.Event, bytes]] = {}
        self._connected: dict[str, asyncio.Event] = {}

    def connected(self, user: str) -> asyncio.Event:
        return self._connected.setdefault(user, asyncio.Event())

    async def register(self, people: Mapping[str, str]) -> None:
        """Register each user with their secret."""
        for user, secret in people.items():
            await self._register(user, secret)

    async def _register(self, user: str, secret: str) -> None:
        uri = f"sip:{self.place[0]}:{self.place[1]}"
        address = f"<sip:{user}@{self.place[0]}>"
        call_id, more = f"{user}-{secrets.token_hex(6)}", ()
        for sequence in itertools.count(1):
            pairs = [
                ("From", f"{address};tag={secrets.token_hex(4)}"), ("To", address), ("Call-ID", call_id),
                ("CSeq", f"{sequence} REGISTER"), ("Contact", f"<sip:{user}@127.0.0.1:{self.port}>"),
                ("Expires", "7200"), *more,
            ]  # fmt: skip
            answer = await self.ask(self.request("REGISTER", uri, pairs))
            if answer.status == 200:
                return
            if answer.status != 401 or sequence > 2:
                raise RuntimeError(f"{user} cannot register: {answer.status}")
            more = (authorization_header(answer, Credentials(user, secret), "REGISTER", uri),)

    def asked(self, request: SipRequest) -> None:
        call_id = request.headers.get("Call-ID")
        if request.method == "INVITE":
            known = self._open.get(call_id)
            if known is not None:
                if known[2]:
                    self.send(known[2])
                return
            self.start(asyncio.get_running_loop().create_task(self._offered(request)))
        elif request.method == "CANCEL":
            self.send(reply(request, 200))
            if call_id in self._open:
                self._open[call_id][1].set()
        elif request.method != "ACK":
            self.send(reply(request, 200))
            if request.method == "BYE" and call_id in self._open:
                self._open[call_id][1].set()

    async def _offered(self, invite: SipRequest) -> None:
        call_id, tag = invite.headers.get("Call-ID"), secrets.token_hex(4)
        operator = parse_address(invite.headers.get("To")).user
        user = parse_address(invite.headers.get("From")).user
        over = asyncio.Event()
        log = OfferLog(operator=operator, user=user, rang_at=time.time())
        self.log.append(log)
        self._open[call_id] = (log, over, b"")
        plan = self.handling(operator, user)
        self.send(reply(invite, 180, tag=tag))
        try:
            if await _set_within(over, plan.ring_s if plan.answers else 120.0):
                self.send(reply(invite, 487, tag=tag))
                return
            answer = serialise(
                reply(invite, 200, tag=tag, body=self.sdp, contact=f"<sip:{operator}@127.0.0.1:{self.port}>")
            )
            self._open[call_id] = (log, over, answer)
            self.send(answer)
            log.answered_at = time.time()
            self.connected(user).set()
            if not await _set_within(over, plan.talk_s):
                log.ended_at = time.time()
                pairs = [
                    ("From", f"{invite.headers.get('To')};tag={tag}"), ("To", invite.headers.get("From")),
                    ("Call-ID", call_id), ("CSeq", "1 BYE"),
                ]  # fmt: skip
                target = parse_address(invite.headers.get("Contact")).uri
                await self.ask(self.request("BYE", target, pairs))
        finally:
            log.ended_at = log.ended_at or time.time()
            del self._open[call_id]


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
