"""Alerts as a signed HTTP request to a system of the organisation."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict

import aiohttp

from core.clock import Clock
from services.alerting import Notice, NotTold

TIMEOUT_S = 10.0
SIGNATURE_HEADER = "X-Toritsugi-Signature"
_TRY_AGAIN = frozenset({408, 425, 429})


def signature(secret: str, moment: int, body: bytes) -> str:
    """Value of `SIGNATURE_HEADER`: the second it was made, and HMAC-SHA256 over that second, a dot and the body.

    The receiver refuses what is older than some minutes, so that a recorded request is of no use.
    """
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


class WebhookNotifier:
    """`services.alerting.Notifier` that posts JSON. Redirects are not followed: they would carry alerts elsewhere.

    Args:
        url: https, or http to this machine (checked in `core.settings`).
        secret: shared with the receiver.
        city, node: whose alerts these are.
    """

    name = "webhook"

    def __init__(
        self, url: str, *, secret: str, city: str, node: str, clock: Clock, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url, self._secret, self._clock = url, secret, clock
        self._city, self._node = city, node
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    def body(self, notices: Sequence[Notice]) -> bytes:
        """The request's body: city, node and the notices as in `services.alerting.Notice`."""
        values = {"city": self._city, "node": self._node, "notices": [asdict(notice) for notice in notices]}
        return json.dumps(values, ensure_ascii=False).encode()

    async def send(self, notices: Sequence[Notice]) -> None:
        body = self.body(notices)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Toritsugi",
            SIGNATURE_HEADER: signature(self._secret, int(self._clock.epoch()), body),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as fault:
            # The address may hold a token: only the kind of fault is told.
            raise NotTold(type(fault).__name__) from None
        if not 200 <= status < 300:
            raise NotTold(f"answered {status}", final=300 <= status < 500 and status not in _TRY_AGAIN)
