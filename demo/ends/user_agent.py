"""One telephone or trunk: a UDP socket, its registrations and its calls.

async with await SipEnd.open("citizens") as end:
    call = await end.call("0598531234", place=("127.0.0.1", 5060), identity=known("09012345678"))
    await call.answered(timeout=5)
    await call.media.press("1")
    await call.hang_up()
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Self, cast

from demo.ends.calls import IncomingCall, OutgoingCall, new_tag
from demo.ends.dialog import ALLOW, Dialog, EndEvent
from demo.ends.digest import Credentials
from demo.ends.identity import CallerIdentity, known
from demo.ends.registration import Registration
from demo.ends.sip_message import Address, SipRequest, SipResponse, parameters, parse_cseq
from demo.ends.transactions import Place, ServerTransaction, Timers, TransactionLayer, reply

OnCall = Callable[[IncomingCall], Awaitable[None]]


class SipEnd(asyncio.DatagramProtocol):
    """A SIP user agent on one UDP port. Make it with `SipEnd.open`, end it with `close`."""

    def __init__(self, name: str, host: str, timers: Timers) -> None:
        self.name, self.host, self.port = name, host, 0
        self.credentials: Credentials | None = None
        self.accept_reinvite = True
        self.deaf = False
        """True: the telephone has lost its network; nothing comes in, nothing goes out."""
        self.on_call: OnCall | None = None
        """Called for each new incoming call, in a task of its own; without it calls wait for `next_call`."""
        self.on_event: Callable[[EndEvent], None] | None = None
        self.on_wire: Callable[[bool, bytes, Place], None] | None = None
        """Called with (outgoing, datagram, peer) for everything that passes the socket."""
        self.calls: list[Dialog] = []
        """Every call of this end, oldest first."""
        self.registration: Registration | None = None
        self.layer = TransactionLayer(
            self._send, timers, self._on_request, self._on_ack, self._on_stray_response
        )
        self._dialogs: dict[tuple[str, str], Dialog] = {}
        self._waiting: asyncio.Queue[IncomingCall] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(
        cls, name: str = "end", *, host: str = "127.0.0.1", port: int = 0, timers: Timers | None = None
    ) -> Self:
        """Bind `host:port` (0: any free port)."""
        end = cls(name, host, timers or Timers())
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: end, local_addr=(host, port))
        return end

    async def close(self) -> None:
        """Hang up what is left, unregister, free the socket."""
        self.on_call = None
        async with asyncio.TaskGroup() as group:
            for dialog in [call for call in self.calls if not call.is_over]:
                group.create_task(self._hang_up_briefly(dialog))
        if self.registration is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self.unregister()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.layer.close()
        if self._transport is not None:
            self._transport.close()

    async def _hang_up_briefly(self, dialog: Dialog) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await dialog.hang_up()
        dialog.media.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    # Calling

    async def call(
        self,
        to_user: str,
        *,
        place: Place | None = None,
        identity: CallerIdentity | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        to_host: str = "",
    ) -> OutgoingCall:
        """Send an INVITE for `to_user` to `place` (default: our registrar) and return at once.

        `identity` says how the caller shows (default: our registered user); `headers` are added as they are.
        Wait with `answered()`; `hang_up()` cancels while it rings.
        """
        if place is None:
            if self.registration is None:
                raise ValueError("no place to call: register first, or name one")
            place = self.registration.place
        if identity is None:
            identity = known(self.registration.user if self.registration else self.name)
        local = Address(identity.uri(self.host), identity.display).with_tag(new_tag())
        port = "" if place[1] == 5060 else f":{place[1]}"
        remote = Address(f"sip:{to_user}@{to_host or place[0]}{'' if to_host else port}")
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        call = OutgoingCall(
            self,
            local=local,
            remote=remote,
            place=place,
            headers=[*identity.headers(self.host), *pairs],
        )
        self._add(call)
        call.start()
        return call

    async def next_call(self, timeout: float) -> IncomingCall:
        """The next incoming call that no `on_call` took.

        Raises:
            TimeoutError: none came.
        """
        async with asyncio.timeout(timeout):
            return await self._waiting.get()

    # Registering

    async def register(self, user: str, secret: str, registrar: Place, *, expires: int = 120) -> int:
        """Register and stay registered; the granted seconds.

        Raises:
            RegistrationRefused: the registrar said no, or nothing.
        """
        self.credentials = Credentials(user, secret)
        self.registration = Registration(self, user, registrar, expires)
        granted = await self.registration.register()
        self._spawn(self.registration.keep())
        return granted

    async def unregister(self) -> None:
        """Take our contact back."""
        if self.registration is not None:
            registration, self.registration = self.registration, None
            await registration.unregister()

    # What dialogs and registrations need

    def via(self, branch: str) -> str:
        return f"SIP/2.0/UDP {self.host}:{self.port};rport;branch={branch}"

    def contact(self, user: str) -> str:
        return f"<sip:{user}@{self.host}:{self.port}>"

    def emit(self, event: EndEvent) -> None:
        if self.on_event is not None:
            self.on_event(event)

    def forget_later(self, dialog: Dialog) -> None:
        # Late repeats of BYE and 2xx must still find their dialog.
        key = (dialog.call_id, dialog.local.tag)
        asyncio.get_running_loop().call_later(self.layer.timers.timeout, self._dialogs.pop, key, None)

    # The socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12 asyncio's own datagram transport was no DatagramTransport; so no isinstance.
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = int(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Place) -> None:
        if self.deaf:
            return
        if self.on_wire is not None:
            self.on_wire(False, data, addr)
        if data.strip():  # keep-alives are empty lines
            self.layer.receive(data, addr)

    def _send(self, data: bytes, place: Place) -> None:
        if self.deaf or self._transport is None or self._transport.is_closing():
            return
        if self.on_wire is not None:
            self.on_wire(True, data, place)
        self._transport.sendto(data, place)

    # Requests and strays

    def _add(self, dialog: Dialog) -> None:
        self._dialogs[dialog.call_id, dialog.local.tag] = dialog
        self.calls.append(dialog)

    def _dialog_of(self, request: SipRequest) -> Dialog | None:
        tag = parameters(request.headers.get("To")).get("tag", "")
        return self._dialogs.get((request.headers.get("Call-ID"), tag))

    def _on_request(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        dialog = self._dialog_of(request)
        if dialog is not None:
            dialog.receive(transaction)
        elif "tag" in parameters(request.headers.get("To")):
            transaction.respond(reply(request, 481, "Call/Transaction Does Not Exist"))
        elif request.method == "INVITE":
            self._on_invite(transaction)
        elif request.method in {"OPTIONS", "NOTIFY", "MESSAGE", "INFO"}:
            self.emit(
                EndEvent(time.time(), self.name, request.headers.get("Call-ID"), request.method.lower())
            )
            transaction.respond(reply(request, 200, "OK", ALLOW))
        elif request.method == "BYE":
            transaction.respond(reply(request, 481, "Call/Transaction Does Not Exist"))
        else:
            transaction.respond(reply(request, 405, "Method Not Allowed", ALLOW))

    def _on_invite(self, transaction: ServerTransaction) -> None:
        call = IncomingCall(self, transaction)
        self._add(call)
        if self.on_call is None:
            self._waiting.put_nowait(call)
        else:
            self._spawn(self.on_call(call))

    def _spawn(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_ack(self, request: SipRequest) -> None:
        dialog = self._dialog_of(request)
        if dialog is not None:
            dialog.receive_ack(request)

    def _on_stray_response(self, response: SipResponse) -> None:
        if parse_cseq(response.headers.get("CSeq"))[1] != "INVITE" or not 200 <= response.status < 300:
            return
        tag = parameters(response.headers.get("From")).get("tag", "")
        dialog = self._dialogs.get((response.headers.get("Call-ID"), tag))
        if isinstance(dialog, OutgoingCall):
            dialog.repeated_answer()
