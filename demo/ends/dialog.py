"""A call as one end sees it (RFC 3261 §12): state, moments, and what may be asked inside it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Protocol

from demo.ends.digest import Credentials, authorization, best_challenge
from demo.ends.media import MediaSession
from demo.ends.sdp import AudioDescription, NoCommonMedia, answer_to, parse_sdp
from demo.ends.sip_message import (
    Address,
    Headers,
    MalformedSip,
    SipRequest,
    SipResponse,
    parse_address,
    parse_cseq,
    parse_uri,
    serialise,
)
from demo.ends.transactions import Place, ServerTransaction, TransactionLayer, new_branch, reply

SDP_TYPE = ("Content-Type", "application/sdp")
ALLOW = ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, UPDATE, INFO")


@unique
class Moment(StrEnum):
    """What is time-stamped in every call (epoch seconds, the first time it happens)."""

    INVITE = "invite"
    TRYING = "trying"
    RINGING = "ringing"
    ANSWERED = "answered"
    """200 OK sent or received."""
    REFUSED = "refused"
    CANCELLED = "cancelled"
    BYE_SENT = "bye_sent"
    BYE_RECEIVED = "bye_received"
    REFERRED = "referred"
    ENDED = "ended"


@unique
class Side(StrEnum):
    """Who ended a call."""

    SELF = "self"
    PEER = "peer"


@dataclass(frozen=True, slots=True)
class EndEvent:
    """Something worth showing; `detail` is a status, a key, a number."""

    at: float
    end: str
    call_id: str
    kind: str
    detail: str = ""


class CallRefused(Exception):
    """The call was not answered; `status` is the SIP status (408 when nobody spoke)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason = status, reason


class Agent(Protocol):
    """What a dialog needs from its end."""

    name: str
    host: str
    layer: TransactionLayer
    credentials: Credentials | None
    accept_reinvite: bool

    def via(self, branch: str) -> str: ...

    def contact(self, user: str) -> str: ...

    def emit(self, event: EndEvent) -> None: ...

    def forget_later(self, dialog: Dialog) -> None: ...


class Dialog:
    """One call. Subclasses set it up; here is what both directions share."""

    def __init__(self, agent: Agent, call_id: str, local: Address, remote: Address, place: Place) -> None:
        self.agent, self.call_id, self.local, self.remote = agent, call_id, local, remote
        self.moments: dict[Moment, float] = {}
        self.status = 0
        """Final status of the INVITE; 0 while there is none."""
        self.ended_by: Side | None = None
        self.media = MediaSession(agent.host)
        self.reinvites = 0
        self._place = place
        self._target = remote.uri
        self._routes: tuple[str, ...] = ()
        self._local_cseq, self._remote_cseq = secrets.randbelow(900) + 1, -1
        self._sdp_version = 1
        self._established = asyncio.Event()
        self._over = asyncio.Event()
        self._refer_status: asyncio.Future[int] | None = None
        self._acks: dict[int, ServerTransaction] = {}

    # What others ask

    @property
    def is_established(self) -> bool:
        return self._established.is_set() and not self._over.is_set()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def remote_user(self) -> str:
        """User part of the peer's address; empty when it has none."""
        try:
            return self.remote.user
        except MalformedSip:
            return ""

    async def ended(self, timeout: float | None = None) -> bool:
        """Wait until the call is over; False when `timeout` seconds passed first."""
        try:
            async with asyncio.timeout(timeout):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def hang_up(self) -> None:
        """End an established call by BYE; subclasses deal with calls that are not yet answered."""
        if self.is_over:
            return
        self.mark(Moment.BYE_SENT)
        self.finish(Side.SELF)
        await self.request("BYE")

    async def refer(self, target: str, *, replaces: Dialog | None = None, timeout: float = 30.0) -> int:
        """Transfer the peer to the URI `target` (blind), or to the peer of `replaces` (attended).

        The call itself stays: hang up once the status is below 300, as telephones do.
        Returns the last status of the transfer: what the NOTIFY's sipfrag said, the REFER's own status when
        it was refused, 408 when nothing came in time.
        """
        uri = target
        if replaces is not None:
            wanted = f"{replaces.call_id};to-tag={replaces.remote.tag};from-tag={replaces.local.tag}"
            escaped = wanted.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
            uri = f"{target}?Replaces={escaped}"
        outcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._refer_status = outcome
        self.mark(Moment.REFERRED)
        response = await self.request(
            "REFER", ("Refer-To", f"<{uri}>"), ("Referred-By", f"<{self.local.uri}>")
        )
        if response is None or response.status >= 300:
            return response.status if response else 408
        try:
            async with asyncio.timeout(timeout):
                return await outcome
        except TimeoutError:
            return 408

    async def hold(self, direction: str = "sendonly") -> int:
        """Re-INVITE with another direction (`sendonly`, `inactive`, `sendrecv`); the final status."""
        self._sdp_version += 1
        ours = self.media.describe(version=self._sdp_version)
        ours = AudioDescription(
            host=ours.host, port=ours.port, session=ours.session, version=ours.version, direction=direction
        )
        response = await self.request("INVITE", SDP_TYPE, body=ours.render())
        if response is None:
            return 408
        if response.status < 300:
            self._send_ack(parse_cseq(response.headers.get("CSeq"))[0])
            with contextlib.suppress(NoCommonMedia):
                self.media.connect(parse_sdp(response.body), ours)
        return response.status

    async def request(self, method: str, *extra: tuple[str, str], body: bytes = b"") -> SipResponse | None:
        """A request inside the dialog; its final response, None when the peer never answered."""
        response = await self._transact(self.build(method, *extra, body=body))
        credentials = self.agent.credentials
        if response is not None and response.status in {401, 407} and credentials is not None:
            header = authorization_header(response, credentials, method, self._target)
            response = await self._transact(self.build(method, *extra, header, body=body))
        return response

    # Building

    def mark(self, moment: Moment, detail: str = "") -> None:
        """Time-stamp a moment, once, and tell the listeners."""
        if moment not in self.moments:
            self.moments[moment] = time.time()
            self.agent.emit(
                EndEvent(self.moments[moment], self.agent.name, self.call_id, moment.value, detail)
            )

    def build(
        self, method: str, *extra: tuple[str, str], body: bytes = b"", cseq: int | None = None
    ) -> SipRequest:
        """The next request of this dialog; `cseq` is given for ACK only."""
        if cseq is None:
            self._local_cseq += 1
            cseq = self._local_cseq
        user = self.local.user
        headers = Headers.of(
            [
                ("Via", self.agent.via(new_branch())),
                ("Max-Forwards", "70"),
                *(("Route", route) for route in self._routes),
                ("From", str(self.local)),
                ("To", str(self.remote)),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"),
                *([] if method in {"BYE", "ACK"} else [("Contact", self.agent.contact(user)), ALLOW]),
                *extra,
            ]
        )
        return SipRequest(method=method, uri=self._target, headers=headers, body=body)

    def place(self) -> Place:
        """Where requests of this dialog go: the first route, else the peer's contact."""
        text = parse_address(self._routes[0]).uri if self._routes else self._target
        try:
            uri = parse_uri(text)
        except MalformedSip:
            return self._place
        if not uri.host.replace(".", "").isdigit():
            return self._place  # names are not resolved here
        return uri.host, uri.port or 5060

    async def _transact(self, request: SipRequest) -> SipResponse | None:
        outcome: asyncio.Future[SipResponse | None] = asyncio.get_running_loop().create_future()

        def on_response(response: SipResponse | None) -> None:
            if (response is None or response.status >= 200) and not outcome.done():
                outcome.set_result(response)

        self.agent.layer.start(request, self.place(), on_response)
        return await outcome

    def _send_ack(self, cseq: int) -> bytes:
        data = serialise(self.build("ACK", cseq=cseq))
        self.agent.layer.send(data, self.place())
        return data

    def finish(self, by: Side | None) -> None:
        """The call is over for us."""
        if self.is_over:
            return
        self.ended_by = by
        self.media.close()
        self._over.set()
        self._established.set()
        self.mark(Moment.ENDED, by.value if by else "")
        self.agent.forget_later(self)

    # Requests of the peer

    def receive(self, transaction: ServerTransaction) -> None:
        """A request inside this dialog."""
        request = transaction.request
        number, method = parse_cseq(request.headers.get("CSeq"))
        if number <= self._remote_cseq:
            transaction.respond(reply(request, 500, "Out Of Order", tag=self.local.tag))
            return
        self._remote_cseq = number
        handlers: dict[str, Callable[[ServerTransaction], None]] = {
            "BYE": self._on_bye,
            "INVITE": self._on_offer,
            "UPDATE": self._on_offer,
            "NOTIFY": self._on_notify,
            "OPTIONS": self._on_plain,
            "INFO": self._on_plain,
            "MESSAGE": self._on_plain,
        }
        handler = handlers.get(method)
        if handler is None:
            transaction.respond(reply(request, 405, "Method Not Allowed", ALLOW, tag=self.local.tag))
        else:
            handler(transaction)

    def receive_ack(self, request: SipRequest) -> None:
        """The ACK of a 2xx of ours, with the answer when the INVITE brought no offer."""
        transaction = self._acks.pop(parse_cseq(request.headers.get("CSeq"))[0], None)
        if transaction is None:
            return
        transaction.acknowledged()
        if request.body:
            with contextlib.suppress(NoCommonMedia):
                self.media.connect(parse_sdp(request.body), self.media.describe())

    def _on_plain(self, transaction: ServerTransaction) -> None:
        transaction.respond(reply(transaction.request, 200, "OK", ALLOW, tag=self.local.tag))

    def _on_bye(self, transaction: ServerTransaction) -> None:
        self._on_plain(transaction)
        if not self.is_over:
            self.mark(Moment.BYE_RECEIVED)
            self.finish(Side.PEER)

    def _on_notify(self, transaction: ServerTransaction) -> None:
        self._on_plain(transaction)
        line = transaction.request.body.decode(errors="replace").partition("\r\n")[0]
        if not line.startswith("SIP/2.0 ") or self._refer_status is None or self._refer_status.done():
            return
        status = line.split(" ")[1]
        if status.isdigit() and int(status) >= 200:
            self._refer_status.set_result(int(status))

    def _on_offer(self, transaction: ServerTransaction) -> None:
        request, tag = transaction.request, self.local.tag
        if self.is_over:
            transaction.respond(reply(request, 481, "Call Does Not Exist", tag=tag))
            return
        if request.method == "INVITE" and not self.agent.accept_reinvite:
            transaction.respond(reply(request, 488, "Not Acceptable Here", tag=tag))
            return
        self.reinvites += 1
        self._sdp_version += 1
        contact = ("Contact", self.agent.contact(self.local.user))
        ours = self.media.describe(version=self._sdp_version)
        extra = [contact, ALLOW]
        body = b""
        try:
            if request.body:
                offer = parse_sdp(request.body)
                ours = answer_to(offer, ours)
                self.media.connect(offer, ours)
        except NoCommonMedia:
            transaction.respond(reply(request, 488, "Not Acceptable Here", tag=tag))
            return
        if request.body or request.method == "INVITE":
            extra.append(SDP_TYPE)
            body = ours.render()
        self.learn_target(request.headers)
        if request.method == "INVITE":
            self._acks[parse_cseq(request.headers.get("CSeq"))[0]] = transaction
        transaction.respond(reply(request, 200, "OK", *extra, tag=tag, body=body))

    def learn_target(self, headers: Headers) -> None:
        """Where the peer wants to be reached from now on."""
        contacts = headers.all("Contact")
        if contacts:
            self._target = parse_address(contacts[0]).uri


def authorization_header(
    response: SipResponse, credentials: Credentials, method: str, uri: str
) -> tuple[str, str]:
    """The header that answers a 401 or 407.

    Raises:
        MalformedSip: the challenge cannot be answered.
    """
    asked, name = ("WWW-Authenticate", "Authorization")
    if response.status == 407:
        asked, name = ("Proxy-Authenticate", "Proxy-Authorization")
    challenge = best_challenge(response.headers.all(asked))
    return name, authorization(challenge, credentials, method=method, uri=uri)
