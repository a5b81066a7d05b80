"""REGISTER (RFC 3261 §10): one contact, kept fresh."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Protocol

from demo.ends.dialog import authorization_header
from demo.ends.digest import Credentials
from demo.ends.sip_message import (
    Address,
    Headers,
    MalformedSip,
    SipRequest,
    SipResponse,
    parameters,
    parse_address,
)
from demo.ends.transactions import Place, TransactionLayer, new_branch


class RegistrationRefused(Exception):
    """The registrar said no; `status` is 408 when it said nothing."""

    def __init__(self, status: int) -> None:
        super().__init__(f"registration refused with {status}")
        self.status = status


class Registrant(Protocol):
    """What a registration needs from its end."""

    layer: TransactionLayer
    credentials: Credentials | None

    def via(self, branch: str) -> str: ...

    def contact(self, user: str) -> str: ...


class Registration:
    """One address of record at one registrar."""

    def __init__(self, end: Registrant, user: str, place: Place, expires: int) -> None:
        self.user, self.place = user, place
        self._end, self._expires, self._granted = end, expires, expires
        self._uri = f"sip:{place[0]}:{place[1]}"
        self._address = Address(f"sip:{user}@{place[0]}").with_tag(secrets.token_hex(6))
        self._call_id, self._cseq = secrets.token_hex(12), 0
        self._stopped = False

    async def register(self) -> int:
        """Register; the seconds that the registrar grants.

        Raises:
            RegistrationRefused: it did not.
        """
        response = await self._exchange(self._expires)
        self._granted = self._granted_by(response)
        return self._granted

    async def keep(self) -> None:
        """Refresh at half time until unregistered; a failed refresh is tried again at the next turn."""
        while not self._stopped:
            await asyncio.sleep(max(1.0, self._granted / 2))
            if not self._stopped:
                with contextlib.suppress(RegistrationRefused):
                    await self.register()

    async def unregister(self) -> None:
        """Remove our contact."""
        self._stopped = True
        await self._exchange(0)

    async def _exchange(self, expires: int) -> SipResponse:
        response = await self._send(expires)
        credentials = self._end.credentials
        for _ in range(2):  # a second challenge may only say that the nonce is stale
            if response is None or response.status not in {401, 407} or credentials is None:
                break
            try:
                header = authorization_header(response, credentials, "REGISTER", self._uri)
            except MalformedSip:
                break
            response = await self._send(expires, header)
        if response is None or response.status >= 300:
            raise RegistrationRefused(response.status if response else 408)
        return response

    async def _send(self, expires: int, *extra: tuple[str, str]) -> SipResponse | None:
        self._cseq += 1
        to = Address(self._address.uri)
        headers = Headers.of(
            [
                ("Via", self._end.via(new_branch())),
                ("Max-Forwards", "70"),
                ("From", str(self._address)),
                ("To", str(to)),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", self._end.contact(self.user)),
                ("Expires", str(expires)),
                *extra,
            ]
        )
        request = SipRequest(method="REGISTER", uri=self._uri, headers=headers)
        outcome: asyncio.Future[SipResponse | None] = asyncio.get_running_loop().create_future()

        def on_response(response: SipResponse | None) -> None:
            if (response is None or response.status >= 200) and not outcome.done():
                outcome.set_result(response)

        self._end.layer.start(request, self.place, on_response)
        return await outcome

    def _granted_by(self, response: SipResponse) -> int:
        ours = parse_address(self._end.contact(self.user)).uri
        for contact in response.headers.all("Contact"):
            if parse_address(contact).uri == ours:
                text = parameters(contact).get("expires", "")
                if text.isdigit():
                    return int(text)
        text = response.headers.get("Expires")
        return int(text) if text.isdigit() else self._expires
