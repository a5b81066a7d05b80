"""Events of cases and calls as signed HTTP requests. Adapter of `services.event_sender.Poster`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import aiohttp

from core.clock import Clock
from interactions.profile import WebhookSection
from notify.webhook import SIGNATURE_HEADER, TIMEOUT_S, signature
from services.alerting import NotTold


class EventPoster:
    """Posts one event a request. Redirects are not followed: they would carry the event elsewhere.

    Args:
        secret: of an endpoint by its id, shared with the receiver (`notify.webhook.signature`).
    """

    def __init__(self, secret: Callable[[str], str], clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self._secret, self._clock = secret, clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def post(self, endpoint: WebhookSection, event: Mapping[str, object]) -> None:
        body = json.dumps(event, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Toritsugi",
            SIGNATURE_HEADER: signature(self._secret(endpoint.id), int(self._clock.epoch()), body),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as fault:
            # The address may hold a token: only the kind of fault is told.
            raise NotTold(type(fault).__name__) from None
        if not 200 <= status < 300:
            raise NotTold(f"answered {status}")
