"""The last cases of a telephone number."""

from __future__ import annotations

import asyncio
import logging

from desk.visit import Desk
from interactions.access import Person
from interactions.case import Case
from interactions.search import CaseQuery, sought_of

log = logging.getLogger(__name__)

EARLIER_S = 90 * 86_400.0
EARLIER_MOST = 5


class Earlier:
    """The earlier cases of whoever is on the telephone: read once for each number, and never waited for by a screen.

    Until they are read there are none; the look after that shows them.
    """

    def __init__(self, desk: Desk, person: Person) -> None:
        self._desk, self._person = desk, person
        self._number = ""
        self._found: tuple[Case, ...] = ()
        self._reading: asyncio.Task[None] | None = None

    def of(self, number: str) -> tuple[Case, ...]:
        if number != self._number:
            self._number, self._found = number, ()
            if self._reading is not None:
                self._reading.cancel()
            self._reading = asyncio.create_task(self.read(number)) if number else None
        return self._found

    async def read(self, number: str) -> None:
        """Read them now; for a page that is made once."""
        try:
            found = await earlier_cases(self._desk, self._person, number) if number else ()
        except Exception:
            log.exception("earlier cases could not be read")
            return
        self._number, self._found = number, found


async def earlier_cases(desk: Desk, person: Person, number: str) -> tuple[Case, ...]:
    """The last cases of a number that the operator may see."""
    query = CaseQuery(number=number, since=desk.clock.epoch() - EARLIER_S, limit=EARLIER_MOST)
    async with desk.reading() as unit:
        index = unit.cases.index
        hits = await index.search(query, sought_of(query, person, index.normalise), counts=False)
        return tuple(await unit.cases.many(hits.case_ids))
