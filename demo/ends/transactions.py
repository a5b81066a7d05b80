"""SIP transactions over UDP (RFC 3261 §17, RFC 6026): retransmission, absorption and time-outs.

One `TransactionLayer` serves one socket. It calls `send(bytes, address)` and never sees the socket itself.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from demo.ends.sip_message import (
    MalformedSip,
    SipMessage,
    SipRequest,
    SipResponse,
    parameters,
    parse_cseq,
    parse_message,
    serialise,
)

Place = tuple[str, int]
Send = Callable[[bytes, Place], None]
OnResponse = Callable[[SipResponse | None], None]
"""Called for each new response; with None when the transaction timed out."""

_COOKIE = "z9hG4bK"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """RFC 3261 table 4, in seconds."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def timeout(self) -> float:
        """Timers B, F, H: 64 × T1."""
        return 64 * self.t1


def new_branch() -> str:
    return _COOKIE + secrets.token_hex(10)


def branch_of(message: SipMessage) -> str:
    vias = message.headers.all("Via")
    return parameters(vias[0]).get("branch", "") if vias else ""


def _sent_by(request: SipRequest) -> str:
    top = request.headers.all("Via")[0]
    return top.partition(";")[0].split()[-1].lower()


class ClientTransaction:
    """One request of ours until its final response (or, for INVITE, until retransmissions are absorbed)."""

    def __init__(
        self, layer: TransactionLayer, request: SipRequest, place: Place, on_response: OnResponse
    ) -> None:
        self.request, self.place = request, place
        self.final: SipResponse | None = None
        self.provisional = False
        self.done = False
        self._layer, self._on_response = layer, on_response
        self._data = serialise(request)
        self._interval = layer.timers.t1
        loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = loop.call_later(self._interval, self._retransmit)
        self._limit = loop.call_later(layer.timers.timeout, self._time_out)
        self._ack: bytes | None = None
        layer.send(self._data, place)

    @property
    def is_invite(self) -> bool:
        return self.request.method == "INVITE"

    @property
    def repeats(self) -> bool:
        return self._retry is not None

    def _retransmit(self) -> None:
        self._layer.send(self._data, self.place)
        self._interval *= 2
        if not self.is_invite:
            t2 = self._layer.timers.t2
            self._interval = t2 if self.provisional else min(self._interval, t2)
        self._retry = asyncio.get_running_loop().call_later(self._interval, self._retransmit)

    def _stop_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _time_out(self) -> None:
        self._stop()
        if self.final is None:
            self._on_response(None)

    def _stop(self) -> None:
        self.done = True
        self._stop_retry()
        self._limit.cancel()
        self._layer.forget_client(self)

    def receive(self, response: SipResponse) -> None:
        if self.final is not None:
            if self._ack is not None and response.status >= 300:
                self._layer.send(self._ack, self.place)
            return
        if response.status < 200:
            self.provisional = True
            if self.is_invite:
                self._stop_retry()
                self._limit.cancel()  # after a provisional the caller's patience rules, not timer B
            self._on_response(response)
            return
        self.final = response
        self._stop_retry()
        self._limit.cancel()
        loop = asyncio.get_running_loop()
        if self.is_invite and response.status >= 300:
            self._ack = serialise(self._failure_ack(response))
            self._layer.send(self._ack, self.place)
            self._limit = loop.call_later(self._layer.timers.timeout, self._stop)
        elif self.is_invite:
            self._stop()  # repeats of a 2xx belong to the dialog, which ACKs them
        else:
            self._limit = loop.call_later(self._layer.timers.t4, self._stop)
        self._on_response(response)

    def _failure_ack(self, response: SipResponse) -> SipRequest:
        kept = [pair for pair in self.request.headers.fields if pair[0] in {"From", "Call-ID", "Route"}]
        headers = type(self.request.headers).of(
            [
                ("Via", self.request.headers.all("Via")[0]),
                ("Max-Forwards", "70"),
                *kept,
                ("To", response.headers.get("To")),
                ("CSeq", f"{parse_cseq(self.request.headers.get('CSeq'))[0]} ACK"),
            ]
        )
        return SipRequest(method="ACK", uri=self.request.uri, headers=headers)

    def cancel_timers(self) -> None:
        self._stop_retry()
        self._limit.cancel()


class ServerTransaction:
    """One request of the peer; answers its repeats with our last response."""

    def __init__(self, layer: TransactionLayer, request: SipRequest, place: Place) -> None:
        self.request, self.place = request, place
        self.last: SipResponse | None = None
        self.on_ack_missing: Callable[[], None] | None = None
        self.on_cancel: Callable[[], None] | None = None
        self._layer = layer
        self._data = b""
        self._retry: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._interval = layer.timers.t1

    @property
    def answered(self) -> bool:
        return self.last is not None and self.last.status >= 200

    @property
    def repeats(self) -> bool:
        return self._retry is not None

    def respond(self, response: SipResponse) -> None:
        """Send a response; a final one of an INVITE is repeated until it is acknowledged."""
        if self.answered:
            return
        self.last, self._data = response, serialise(response)
        self._layer.send(self._data, self.place)
        if response.status < 200:
            return
        loop = asyncio.get_running_loop()
        if self.request.method == "INVITE":
            self._retry = loop.call_later(self._interval, self._retransmit)
        self._limit = loop.call_later(self._layer.timers.timeout, self._expire)

    def _retransmit(self) -> None:
        self._layer.send(self._data, self.place)
        self._interval = min(self._interval * 2, self._layer.timers.t2)
        self._retry = asyncio.get_running_loop().call_later(self._interval, self._retransmit)

    def _expire(self) -> None:
        unacknowledged = self._retry is not None
        self.cancel_timers()
        self._layer.forget_server(self)
        if unacknowledged and self.on_ack_missing is not None:
            self.on_ack_missing()

    def repeat(self) -> None:
        if self._data:
            self._layer.send(self._data, self.place)

    def acknowledged(self) -> None:
        """The ACK came: stop repeating; repeats of the INVITE are still absorbed."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def cancel_timers(self) -> None:
        self.acknowledged()
        if self._limit is not None:
            self._limit.cancel()


class TransactionLayer:
    """Matches datagrams to transactions; what is new goes up."""

    def __init__(
        self,
        send: Send,
        timers: Timers,
        on_request: Callable[[ServerTransaction], None],
        on_ack: Callable[[SipRequest], None],
        on_stray: Callable[[SipResponse], None],
    ) -> None:
        self.send, self.timers = send, timers
        self._on_request, self._on_ack, self._on_stray = on_request, on_ack, on_stray
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str, str], ServerTransaction] = {}

    def start(self, request: SipRequest, place: Place, on_response: OnResponse) -> ClientTransaction:
        """Send `request`, whose top Via must hold a fresh branch."""
        key = (branch_of(request), request.method)
        transaction = self._clients[key] = ClientTransaction(self, request, place, on_response)
        return transaction

    def receive(self, data: bytes, place: Place) -> None:
        """One datagram. What cannot be parsed is dropped, as RFC 3261 §18 wants for UDP."""
        try:
            message = parse_message(data)
            if isinstance(message, SipResponse):
                self._receive_response(message)
            else:
                self._receive_request(message, place)
        except MalformedSip as exc:
            _log.debug("dropped a datagram: %s", exc)

    def _receive_response(self, response: SipResponse) -> None:
        method = parse_cseq(response.headers.get("CSeq"))[1]
        transaction = self._clients.get((branch_of(response), method))
        if transaction is None:
            self._on_stray(response)
        else:
            transaction.receive(response)

    def _receive_request(self, request: SipRequest, place: Place) -> None:
        method = "INVITE" if request.method == "ACK" else request.method
        key = (branch_of(request), _sent_by(request), method)
        known = self._servers.get(key)
        if request.method == "ACK":
            if known is not None:
                known.acknowledged()
            self._on_ack(request)
        elif known is not None:
            known.repeat()
        elif request.method == "CANCEL":
            self._cancel(request, place, key)
        else:
            transaction = self._servers[key] = ServerTransaction(self, request, place)
            self._on_request(transaction)

    def _cancel(self, request: SipRequest, place: Place, key: tuple[str, str, str]) -> None:
        invite = self._servers.get((key[0], key[1], "INVITE"))
        transaction = self._servers[key] = ServerTransaction(self, request, place)
        if invite is None:
            transaction.respond(reply(request, 481, "Call/Transaction Does Not Exist"))
            return
        transaction.respond(reply(request, 200, "OK"))
        if not invite.answered and invite.on_cancel is not None:
            invite.on_cancel()

    @property
    def repeats(self) -> bool:
        """Whether some message of ours is still being sent again and again."""
        pending: list[ClientTransaction | ServerTransaction] = [*self._clients.values()]
        pending += self._servers.values()
        return any(transaction.repeats for transaction in pending)

    def forget_client(self, transaction: ClientTransaction) -> None:
        self._clients.pop((branch_of(transaction.request), transaction.request.method), None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self._servers.pop((branch_of(request), _sent_by(request), request.method), None)

    def close(self) -> None:
        """Stop every timer; nothing is sent any more."""
        for client in self._clients.values():
            client.cancel_timers()
        for server in self._servers.values():
            server.cancel_timers()
        self._clients.clear()
        self._servers.clear()


def reply(
    request: SipRequest,
    status: int,
    reason: str,
    *extra: tuple[str, str],
    tag: str = "",
    body: bytes = b"",
) -> SipResponse:
    """A response to `request` with the headers that must be copied; `tag` completes To when it has none."""
    headers = request.headers
    to = headers.get("To")
    if status > 100 and "tag" not in parameters(to):
        to = f"{to};tag={tag or secrets.token_hex(6)}"
    pairs = [("Via", via) for via in headers.all("Via")]
    pairs += [("Record-Route", route) for route in headers.all("Record-Route")]
    pairs += [("From", headers.get("From")), ("To", to)]
    pairs += [("Call-ID", headers.get("Call-ID")), ("CSeq", headers.get("CSeq"))]
    pairs += list(extra)
    return SipResponse(status=status, reason=reason, headers=type(headers).of(pairs), body=body)
