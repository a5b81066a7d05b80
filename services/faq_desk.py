"""The knowledge base beside a call: searching, suggestions, opening an entry, telling it; all of it written down."""

from __future__ import annotations

from dataclasses import dataclass

from core.clock import Clock
from core.errors import ToritsugiError
from core.ids import CallId
from faq_kb.article import Article, Content, State, Version
from faq_kb.suggestion import ANSWERED
from faq_kb.text import sentences
from interactions.access import Person
from interactions.case import case_id_of
from services.case_desk import CaseDesk
from services.faq_loop import said_in
from services.faq_search import FaqSearch, search_entry
from services.ports import UnitOfWork, UnitOfWorkFactory

MOST = 10
MOST_SENTENCES = 40
"""The latest ones of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry in force, as it stands on a screen."""

    article_id: str
    version: int
    content: Content
    sure: bool
    """Whether it was found without guessing; a suggestion: whether it answers the call."""
    led: str = ""
    """The sentence that led to it, for a suggestion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has found."""

    entries: tuple[Entry, ...]
    search_id: int = 0
    """Of the log; 0 when it was not logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An entry as somebody reads it, with what belongs to it."""

    entry: Entry
    related: tuple[Entry, ...]


class FaqDesk:
    """The use cases. One a process: the index is large."""

    def __init__(
        self,
        *,
        reading: UnitOfWorkFactory,
        uow: UnitOfWorkFactory,
        clock: Clock,
        search: FaqSearch,
        cases: CaseDesk,
    ) -> None:
        self._reading, self._uow, self._clock = reading, uow, clock
        self.search, self._cases = search, cases

    async def find(
        self,
        person: Person,
        text: str,
        *,
        call: CallId | None = None,
        limit: int = MOST,
        public: bool = False,
        logged: bool = True,
    ) -> Found:
        """What answers `text` best among what is in force.

        Args:
            logged: write the search down, also when nothing was found; not while somebody is still typing.
        """
        if not text.strip():
            return Found(entries=())
        async with self._reading() as unit:
            hits = await self.search.search(unit, text, limit, now=self._now(), public=public)
            texts = await unit.faq.in_force([hit.article_id for hit in hits])
        found = tuple(
            _entry(hit.article_id, texts[hit.article_id], sure=hit.strict)
            for hit in hits
            if hit.article_id in texts
        )
        if not logged:
            return Found(entries=found)
        kept = search_entry(hits, text, at=self._clock.epoch(), actor=person.name, call=call)
        async with self._uow() as unit:
            return Found(entries=found, search_id=await unit.faq.log_search(kept))

    async def suggested(self, call: CallId | None, words: str) -> Found:
        """Entries for what was said in a call, as far as there is a transcript, and for what is typed of it."""
        said = list(sentences(words))
        async with self._reading() as unit:
            if call is not None:
                said = [*said_in(call, 0.0, await unit.transcripts.of_call(call)).citizen, *said]
            if not said:
                return Found(entries=())
            hints = await self.search.suggest(unit, said[-MOST_SENTENCES:], now=self._now())
            texts = await unit.faq.in_force([hint.article_id for hint in hints])
        return Found(
            entries=tuple(
                _entry(
                    hint.article_id,
                    texts[hint.article_id],
                    sure=hint.confidence >= ANSWERED,
                    led=hint.sentences[0],
                )
                for hint in hints
                if hint.article_id in texts
            )
        )

    async def opened(
        self, person: Person, article_id: str, *, call: CallId | None = None, search_id: int = 0
    ) -> Opened:
        """An entry in force, to be read; noted with the search that led to it, and in the case of the call.

        Raises:
            ToritsugiError: nothing of this id is in force.
        """
        async with self._reading() as unit:
            version = await _in_force(unit, article_id)
            texts = await unit.faq.in_force(version.content.related)
        if search_id:
            async with self._uow() as unit:
                await unit.faq.mark_search(search_id, clicked=article_id, actor=person.name)
        if call is not None:
            await self._cases.faq(person, await self._case_of(call), article_id, version.number)
        return Opened(
            entry=_entry(article_id, version, sure=True),
            related=tuple(
                _entry(each, texts[each], sure=True) for each in version.content.related if each in texts
            ),
        )

    async def told(
        self, person: Person, article_id: str, number: int, *, call: CallId, search_id: int = 0
    ) -> None:
        """The citizen of a call was told this version of an entry.

        Raises:
            ToritsugiError: this version was never in force.
        """
        async with self._reading() as unit:
            article = await unit.faq.get(article_id)
        if article is None or not _was_in_force(article, number):
            raise ToritsugiError(
                "公開されたことのない版です", where=f"{article_id} 版{number}", cure="開きなおす"
            )
        await self._cases.faq(person, await self._case_of(call), article_id, number, used=True)
        if search_id:
            async with self._uow() as unit:
                await unit.faq.mark_search(search_id, used=article_id, actor=person.name)

    async def told_in(self, call: CallId) -> frozenset[tuple[str, int]]:
        """Entries with their versions that the citizen of a call was told."""
        case_id = await self._case_of(call)
        async with self._reading() as unit:
            uses = (await unit.cases.faqs([case_id])).get(case_id, [])
        return frozenset((use.article, use.version) for use in uses if use.used_at is not None)

    async def _case_of(self, call: CallId) -> str:
        async with self._reading() as unit:
            case = await unit.cases.of_call(call)
        return case.case_id if case else case_id_of(call)

    def _now(self) -> float:
        return self._clock.city_now().timestamp()


def _entry(article_id: str, version: Version, *, sure: bool, led: str = "") -> Entry:
    return Entry(article_id=article_id, version=version.number, content=version.content, sure=sure, led=led)


async def _in_force(unit: UnitOfWork, article_id: str) -> Version:
    version = (await unit.faq.in_force([article_id])).get(article_id)
    if version is None:
        raise ToritsugiError("公開中の項目ではありません", where=article_id, cure="探しなおす")
    return version


def _was_in_force(article: Article, number: int) -> bool:
    return article.published == number or any(
        step.state is State.PUBLISHED and step.version == number for step in article.steps
    )
