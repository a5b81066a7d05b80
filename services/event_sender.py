"""Hands what is in the outbox to the systems that want to be told, until each has said that it has it.

At least once: a receiver that meets an `event_id` again has it already. An event that fails is tried again later and
later, and given up after a day and a half; it then waits for a person (`webhooks retry`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from core.clock import Clock
from interactions.profile import WebhookSection
from services.alerting import NotTold
from services.case_ports import EventState, OutboxEvent
from services.ports import UnitOfWorkFactory

log = logging.getLogger(__name__)

BACK_OFF_S = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0, 43_200.0, 43_200.0)
"""Between one try and the next; after the last of these an event is given up."""
BATCH = 50
LOOK_EVERY_S = 1.0
AT_ONCE = 4
"""Requests at the same time, over all systems."""


class Poster(Protocol):
    async def post(self, endpoint: WebhookSection, event: Mapping[str, object]) -> None:
        """Hand one event over, signed.

        Raises:
            NotTold: the receiver has not said that it has it.
        """
        ...


class EventSender:
    """Sends what is due.

    Args:
        uow: writes outcomes.
        reading: finds what is due.
        endpoints: those of the city's profile.
    """

    def __init__(
        self,
        uow: UnitOfWorkFactory,
        reading: UnitOfWorkFactory,
        clock: Clock,
        poster: Poster,
        endpoints: Mapping[str, WebhookSection],
    ) -> None:
        self._uow, self._reading, self._clock = uow, reading, clock
        self._poster, self._endpoints = poster, endpoints
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                sent = await self.send_due()
            except Exception:
                log.exception(
                    "what other systems are to be told waits: the outbox could not be read or written"
                )
                sent = 0
            await asyncio.sleep(0.0 if sent == BATCH else LOOK_EVERY_S)

    async def send_due(self) -> int:
        """One round; how many were tried."""
        async with self._reading() as unit:
            due = await unit.outbox.due(self._clock.epoch(), BATCH)
        if due:
            tried = await asyncio.gather(*(self._try(event) for event in due))
            async with self._uow() as unit:
                for event in tried:
                    await unit.outbox.put(event)
        return len(due)

    async def _try(self, event: OutboxEvent) -> OutboxEvent:
        endpoint = self._endpoints.get(event.endpoint)
        if endpoint is None:
            return self._given_up(event, "プロファイルにない送り先です")
        try:
            async with self._slots:
                await self._poster.post(endpoint, event.body)
        except NotTold as problem:
            return self._failed(event, str(problem))
        except Exception as problem:
            # One that cannot even be sent must not keep back the others, nor send them once more.
            log.exception("event %s for %s could not be sent", event.event_id, event.endpoint)
            return self._failed(event, type(problem).__name__)
        # Nothing of it is needed any more.
        return replace(
            event,
            state=EventState.SENT,
            tries=event.tries + 1,
            body={},
            error="",
            ended_at=self._clock.epoch(),
        )

    def _failed(self, event: OutboxEvent, error: str) -> OutboxEvent:
        tries = event.tries + 1
        if tries > len(BACK_OFF_S):
            return self._given_up(replace(event, tries=tries), error)
        due = self._clock.epoch() + BACK_OFF_S[tries - 1]
        return replace(event, tries=tries, next_try_at=due, error=error)

    def _given_up(self, event: OutboxEvent, error: str) -> OutboxEvent:
        log.error("event %s for %s is given up: %s", event.event_id, event.endpoint, error)
        return replace(event, state=EventState.DEAD, error=error, ended_at=self._clock.epoch())


def revived(event: OutboxEvent, now: float) -> OutboxEvent:
    """A given-up event that is to be tried anew."""
    return replace(event, state=EventState.WAITING, tries=0, next_try_at=now, ended_at=None)
