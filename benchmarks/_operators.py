"""Operators' telephones for load: one process, one UDP socket, as many registrations as asked for.

Each INVITE is answered at once and hung up after the talk time. No media is sent. Lines on stdin ask for the
counters; they come as one JSON object a line on stdout.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sys
import time
from typing import cast

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


class Operators(asyncio.DatagramProtocol):
    """All telephones behind one port."""

    def __init__(self, place: tuple[str, int], media_port: int, talk_s: float) -> None:
        self._place, self._media, self._talk_s = place, media_port, talk_s
        self._transport: asyncio.DatagramTransport | None = None
        self._registering: dict[str, tuple[Credentials, asyncio.Future[None]]] = {}
        self._open: dict[str, bytes] = {}
        """Call-ID → our 200, said again when the INVITE comes again."""
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        self._port: int = sock.getsockname()[1]

    def counters(self) -> dict[str, int]:
        return {"answered": self.answered, "open": len(self._open)}

    async def register(self, user: str, secret: str) -> None:
        done = asyncio.get_running_loop().create_future()
        self._registering[user] = (Credentials(user, secret), done)
        self._send(self._register(user, 1))
        await asyncio.wait_for(done, 10)

    def _register(self, user: str, sequence: int, *more: tuple[str, str]) -> SipRequest:
        address = f"<sip:{user}@{self._place[0]}>"
        return SipRequest(
            method="REGISTER",
            uri=f"sip:{self._place[0]}:{self._place[1]}",
            headers=Headers.of([
                ("Via", f"SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{secrets.token_hex(8)};rport"),
                ("From", f"{address};tag={secrets.token_hex(4)}"), ("To", address),
                ("Call-ID", f"{user}-registration"), ("CSeq", f"{sequence} REGISTER"),
                ("Contact", f"<sip:{user}@127.0.0.1:{self._port}>"), ("Expires", "3600"),
                ("Max-Forwards", "70"), *more,
            ]),
        )  # fmt: skip

    def _send(self, message: SipMessage | bytes) -> None:
        assert self._transport is not None
        self._transport.sendto(message if isinstance(message, bytes) else serialise(message), self._place)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            message = parse_message(data)
        except MalformedSip:
            return
        if isinstance(message, SipResponse):
            if message.headers.get("CSeq").endswith("REGISTER"):
                self._registered(message)
            return
        if message.method == "INVITE":
            self._invited(message)
        elif message.method != "ACK":
            if message.method == "BYE":
                self._open.pop(message.headers.get("Call-ID"), None)
            self._send(_reply(message, 200))

    def _registered(self, response: SipResponse) -> None:
        user = parse_address(response.headers.get("To")).user
        credentials, done = self._registering[user]
        if response.status == 401:
            header = authorization_header(
                response, credentials, "REGISTER", f"sip:{self._place[0]}:{self._place[1]}"
            )
            self._send(self._register(user, 2, header))
        elif not done.done():
            done.set_result(None)

    def _invited(self, invite: SipRequest) -> None:
        call = invite.headers.get("Call-ID")
        if call not in self._open:
            self.answered += 1
            tag = secrets.token_hex(4)
            user = parse_address(invite.headers.get("To")).user
            body = (
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                f"m=audio {self._media} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
            ).encode()
            answer = _reply(invite, 200, tag, body, ("Contact", f"<sip:{user}@127.0.0.1:{self._port}>"))
            self._open[call] = serialise(answer)
            asyncio.get_running_loop().call_later(self._talk_s, self._bye, invite, tag)
        self._send(self._open[call])

    def _bye(self, invite: SipRequest, tag: str) -> None:
        if self._open.pop(invite.headers.get("Call-ID"), None) is None:
            return
        self._send(
            SipRequest(
                method="BYE",
                uri=parse_address(invite.headers.get("Contact")).uri,
                headers=Headers.of([
                    ("Via", f"SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{secrets.token_hex(8)};rport"),
                    ("From", f"{invite.headers.get('To')};tag={tag}"), ("To", invite.headers.get("From")),
                    ("Call-ID", invite.headers.get("Call-ID")), ("CSeq", "1 BYE"), ("Max-Forwards", "70"),
                ]),
            )
        )  # fmt: skip


def _reply(
    request: SipRequest, status: int, tag: str = "", body: bytes = b"", *more: tuple[str, str]
) -> SipResponse:
    pairs = [(name, value) for name, value in request.headers.fields if name in _BACK]
    if tag:
        pairs = [(name, f"{value};tag={tag}" if name == "To" else value) for name, value in pairs]
    kind = [("Content-Type", "application/sdp")] if body else []
    return SipResponse(status=status, reason="OK", headers=Headers.of([*pairs, *more, *kind]), body=body)


async def _main(port: int, talk_s: float) -> None:
    people: dict[str, str] = json.loads(sys.stdin.readline())
    media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    media.bind(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    place = ("127.0.0.1", port)
    _, operators = await loop.create_datagram_endpoint(
        lambda: Operators(place, media.getsockname()[1], talk_s), local_addr=("127.0.0.1", 0)
    )
    for user, secret in people.items():
        await operators.register(user, secret)
    print(json.dumps({"registered": len(people), "at": time.time()}), flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(operators.counters()), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2])))
