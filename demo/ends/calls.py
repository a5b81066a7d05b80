"""Setting a call up: the calling side and the called side of an INVITE (RFC 3261 §13–14)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from demo.ends.dialog import (
    ALLOW,
    SDP_TYPE,
    Agent,
    CallRefused,
    Dialog,
    Moment,
    Side,
    authorization_header,
)
from demo.ends.sdp import NoCommonMedia, answer_to, parse_sdp
from demo.ends.sip_message import (
    Address,
    Headers,
    MalformedSip,
    SipRequest,
    SipResponse,
    parse_address,
    parse_cseq,
)
from demo.ends.transactions import ClientTransaction, Place, ServerTransaction, reply


def new_tag() -> str:
    return secrets.token_hex(6)


class OutgoingCall(Dialog):
    """A call that this end makes. The INVITE leaves with `start`."""

    def __init__(
        self,
        agent: Agent,
        *,
        local: Address,
        remote: Address,
        place: Place,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(agent, f"{secrets.token_hex(12)}@{agent.host}", local, remote, place)
        self._request_uri, self._extra = remote.uri, tuple(headers)
        self._offer = self.media.describe()
        self._transaction: ClientTransaction | None = None
        self._ack = b""
        self._tried = False
        self._cancelling = False

    def start(self, *authorisation: tuple[str, str]) -> None:
        """Send the INVITE."""
        self.mark(Moment.INVITE, self.remote_user)
        request = self.build("INVITE", *self._extra, *authorisation, SDP_TYPE, body=self._offer.render())
        self._transaction = self.agent.layer.start(request, self._place, self._on_response)

    async def answered(self, timeout: float | None = None) -> None:
        """Wait until the call is answered.

        Raises:
            CallRefused: it was refused, cancelled or timed out.
            TimeoutError: `timeout` seconds passed (the call goes on ringing; `hang_up` cancels it).
        """
        async with asyncio.timeout(timeout):
            await self._established.wait()
        if Moment.ANSWERED not in self.moments:
            raise CallRefused(self.status, "not answered")

    async def hang_up(self) -> None:
        """BYE an answered call, CANCEL one that is still being set up."""
        if Moment.ANSWERED in self.moments or self.is_over:
            await super().hang_up()
            return
        self._cancelling = True
        self._cancel_when_possible()
        # Timer B no longer runs after a provisional: a peer that never sends the 487 is given up (§9.1).
        if not await self.ended(self.agent.layer.timers.timeout):
            self._fail(408, Side.SELF)

    def _cancel_when_possible(self) -> None:
        transaction = self._transaction
        if transaction is None or not transaction.provisional or Moment.CANCELLED in self.moments:
            return  # a CANCEL before the first provisional response could overtake the INVITE (§9.1)
        self.mark(Moment.CANCELLED)
        invite = transaction.request
        kept = [pair for pair in invite.headers.fields if pair[0] in {"From", "To", "Call-ID", "Route"}]
        headers = Headers.of(
            [
                ("Via", invite.headers.all("Via")[0]),
                ("Max-Forwards", "70"),
                *kept,
                ("CSeq", f"{parse_cseq(invite.headers.get('CSeq'))[0]} CANCEL"),
            ]
        )
        request = SipRequest(method="CANCEL", uri=invite.uri, headers=headers)
        self.agent.layer.start(request, transaction.place, lambda _response: None)

    def _on_response(self, response: SipResponse | None) -> None:
        if self.is_over:
            return
        if response is None:
            self._fail(408, None)
        elif response.status < 200:
            self._on_provisional(response)
        elif response.status < 300:
            self._on_answer(response)
        elif response.status in {401, 407} and self.agent.credentials is not None and not self._tried:
            self._tried = True
            try:
                header = authorization_header(response, self.agent.credentials, "INVITE", self._request_uri)
            except MalformedSip:
                self._fail(response.status, Side.PEER)
            else:
                self.start(header)
        else:
            self._fail(response.status, Side.SELF if self._cancelling else Side.PEER)

    def _on_provisional(self, response: SipResponse) -> None:
        if response.status == 100:
            self.mark(Moment.TRYING)
        else:
            self.mark(Moment.RINGING, str(response.status))
            self._connect(response.body)
        if self._cancelling:
            self._cancel_when_possible()

    def _on_answer(self, response: SipResponse) -> None:
        self.status = response.status
        self.remote = parse_address(response.headers.get("To"))
        self._routes = tuple(reversed(response.headers.all("Record-Route")))
        self.learn_target(response.headers)
        self._ack = self._send_ack(parse_cseq(response.headers.get("CSeq"))[0])
        self.mark(Moment.ANSWERED, str(response.status))
        self._established.set()
        connected = self._connect(response.body)
        if self._cancelling or not connected:
            # The 200 crossed our CANCEL, or nothing can be heard: end it the other way (§9.1, §14.1).
            self._later = asyncio.get_running_loop().create_task(self.hang_up())

    def _connect(self, body: bytes) -> bool:
        try:
            self.media.connect(parse_sdp(body), self._offer)
        except NoCommonMedia:
            return False
        return True

    def repeated_answer(self) -> None:
        """The peer repeats its 2xx: our ACK was lost."""
        if self._ack:
            self.agent.layer.send(self._ack, self.place())

    def _fail(self, status: int, by: Side | None) -> None:
        self.status = status
        self.mark(Moment.REFUSED, str(status))
        self.finish(by)


class IncomingCall(Dialog):
    """A call that this end is offered: `ring`, then `answer` or `refuse`, or nothing at all."""

    def __init__(self, agent: Agent, transaction: ServerTransaction) -> None:
        self.invite = transaction.request
        headers = self.invite.headers
        super().__init__(
            agent,
            headers.get("Call-ID"),
            parse_address(headers.get("To")).with_tag(new_tag()),
            parse_address(headers.get("From")),
            transaction.place,
        )
        self._transaction = transaction
        self._routes = headers.all("Record-Route")
        self._remote_cseq = parse_cseq(headers.get("CSeq"))[0]
        self.learn_target(headers)
        self.mark(Moment.INVITE, self.remote_user)
        transaction.on_cancel = self._on_cancel
        transaction.on_ack_missing = self._on_ack_missing
        transaction.respond(reply(self.invite, 100, "Trying"))

    def header(self, name: str) -> str:
        """A header of the INVITE, empty when absent."""
        return self.invite.headers.get(name)

    def ring(self) -> None:
        """180 Ringing."""
        if not self._transaction.answered:
            self.mark(Moment.RINGING)
            self._respond(180, "Ringing")

    def answer(self) -> bool:
        """200 OK; False when the caller has gone or no codec is shared (refused with 488)."""
        if self._transaction.answered or self.is_over:
            return False
        ours = self.media.describe()
        offer = None
        if self.invite.body:
            try:
                offer = parse_sdp(self.invite.body)
                ours = answer_to(offer, ours)
            except NoCommonMedia:
                self.refuse(488, "Not Acceptable Here")
                return False
        self._acks[self._remote_cseq] = self._transaction
        self._respond(200, "OK", SDP_TYPE, body=ours.render())
        self.status = 200
        self.mark(Moment.ANSWERED)
        if offer is not None:
            self.media.connect(offer, ours)
        self._established.set()
        return True

    def refuse(self, status: int = 486, reason: str = "Busy Here") -> None:
        """A final failure: 486 busy, 603 declined, 480 unavailable, 302 …"""
        if self._transaction.answered:
            return
        self._respond(status, reason)
        self.status = status
        self.mark(Moment.REFUSED, str(status))
        self.finish(Side.SELF)

    async def hang_up(self) -> None:
        """BYE an answered call; refuse one that still rings with 603."""
        if self._transaction.answered:
            await super().hang_up()
        else:
            self.refuse(603, "Decline")

    def _respond(self, status: int, reason: str, *extra: tuple[str, str], body: bytes = b"") -> None:
        contact = ("Contact", self.agent.contact(self.local.user))
        self._transaction.respond(
            reply(self.invite, status, reason, contact, ALLOW, *extra, tag=self.local.tag, body=body)
        )

    def _on_cancel(self) -> None:
        self._respond(487, "Request Terminated")
        self.status = 487
        self.mark(Moment.CANCELLED)
        self.finish(Side.PEER)

    def _on_ack_missing(self) -> None:
        if self.is_established:
            self._later = asyncio.get_running_loop().create_task(self.hang_up())
