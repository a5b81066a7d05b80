"""The last cases of a telephone number."""

from __future__ import annotations

from desk.visit import Desk
from interactions.access import Person
from interactions.case import Case
from interactions.search import CaseQuery, sought_of

EARLIER_S = 90 * 86_400.0
EARLIER_MOST = 5


async def earlier_cases(desk: Desk, person: Person, number: str) -> tuple[Case, ...]:
    """The last cases of a number that the operator may see."""
    query = CaseQuery(number=number, since=desk.clock.epoch() - EARLIER_S, limit=EARLIER_MOST)
    async with desk.reading() as unit:
        index = unit.cases.index
        hits = await index.search(query, sought_of(query, person, index.normalise), counts=False)
        return tuple(await unit.cases.many(hits.case_ids))
