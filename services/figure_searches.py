"""The searches of the knowledge base behind a figure, a day at a time."""

from __future__ import annotations

from core.clock import Clock
from faq_kb.text import solid
from faq_kb.usage import Searched, Success, success
from reports.behind import unknown
from reports.opening import SEARCHES, Opening
from services.faq_ports import SearchEntry
from services.ports import UnitOfWorkFactory
from services.proofs import DAY, city_moment
from speech.redact import redact_text

TITLES = {
    "searches": "FAQ の検索",
    "used": "項目が使われた検索",
    "no_strict_hit": "ぴったりの項目がなかった検索",
    "zero_hit": "1件も見つからなかった検索",
}
IN_VAIN = "in_vain:"


def how_it_went(entry: SearchEntry) -> Searched:
    """A search as far as its success is concerned."""
    return Searched(
        words=entry.words, found=len(entry.found), strict=entry.strict, used=bool(entry.used or entry.clicked)
    )


def title_of_searches(metric: str) -> str:
    """What is listed, in words. Raises ToritsugiError when there is no such count."""
    what = metric.removeprefix(SEARCHES)
    if what.startswith(IN_VAIN):
        return f"「{what.removeprefix(IN_VAIN)}」を探して見つからなかった検索"
    if what not in TITLES:
        raise unknown(metric)
    return TITLES[what]


def _counts(found: Success, what: str) -> bool:
    """Whether the only search of `found` stands in a figure."""
    if what.startswith(IN_VAIN):
        key = solid(what.removeprefix(IN_VAIN))
        return any(solid(redact_text(words)) == key for words, _ in found.in_vain)
    return bool(getattr(found, what))


class FigureSearches:
    """Lists what a figure counts, by the figure's own count over a single search."""

    def __init__(self, reading: UnitOfWorkFactory, clock: Clock) -> None:
        self._reading, self._clock = reading, clock

    async def behind(self, opening: Opening) -> list[SearchEntry]:
        """Every search that the figure counts, in order.

        Raises:
            ToritsugiError: there is no such count.
        """
        title_of_searches(opening.metric)
        what = opening.metric.removeprefix(SEARCHES)
        async with self._reading() as unit:
            searches = await unit.faq.searches(
                city_moment(self._clock, opening.first), city_moment(self._clock, opening.last + DAY)
            )
        return [each for each in searches if _counts(success([how_it_went(each)]), what)]
