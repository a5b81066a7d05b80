"""The index that follows the database, and searches that are logged."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.ids import CallId
from faq_kb.article import document_of
from faq_kb.index import Index, changed, made_anew
from faq_kb.search import Hit, Searcher
from faq_kb.suggestion import Suggestion, suggest
from faq_kb.synonyms import Synonyms, SynonymSet
from faq_kb.vectors import WordVectors
from faq_kb.words import Analyser
from services.faq_ports import IndexCache, Moment, Published, SearchEntry
from services.ports import UnitOfWork
from speech.redact import redact_text

Result = TypeVar("Result")
RECIPE = 1
"""Rises whenever an index made by this code would differ from one made by the code before."""
_NOWHERE = Moment(base="", change=0)
_LONG = 3000
"""From so many articles on it is said that the index is being made."""
_WORDS_KEPT = 2000
"""Characters of a query in the log."""


class FaqSearch:
    """Searches what is published at this moment; a change is found by the next search.

    Args:
        cache: keeps the index between processes.
        load_vectors: the word vectors, or None; called once, when first needed.
        say: told when something takes long.
    """

    def __init__(
        self,
        cache: IndexCache,
        load_vectors: Callable[[], WordVectors | None],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._cache, self._load_vectors, self._say = cache, load_vectors, say
        self._analyser = Analyser()
        self._searcher: Searcher | None = None
        self._synonyms: list[SynonymSet] = []
        self._moment, self._index = _NOWHERE, Index()
        self._lock = threading.Lock()
        self._turn = asyncio.Lock()

    async def search(
        self, unit: UnitOfWork, text: str, limit: int, *, now: float | None, public: bool = False
    ) -> list[Hit]:
        """What answers `text` best among what is published; not logged."""
        searcher, index = await self.ready(unit)
        return await asyncio.to_thread(self._found, searcher, index, text, limit, now, public=public)

    async def suggest(
        self, unit: UnitOfWork, sentences: Sequence[str], *, now: float | None
    ) -> list[Suggestion]:
        """The entries that the sentences of a citizen ask for."""
        searcher, index = await self.ready(unit)
        return await asyncio.to_thread(self._suggested, searcher, index, sentences, now)

    async def alone(self, unit: UnitOfWork, work: Callable[[Searcher, Index], Result]) -> Result:
        """Do something long with the searcher and the index, while nobody searches."""
        searcher, index = await self.ready(unit)

        def locked() -> Result:
            with self._lock:
                return work(searcher, index)

        return await asyncio.to_thread(locked)

    def _found(
        self, searcher: Searcher, index: Index, text: str, limit: int, now: float | None, *, public: bool
    ) -> list[Hit]:
        # One at a time: the analyser's tokeniser cannot be used by two threads.
        with self._lock:
            return searcher.search(index, text, limit, now=now, public=public)

    def _suggested(
        self, searcher: Searcher, index: Index, sentences: Sequence[str], now: float | None
    ) -> list[Suggestion]:
        with self._lock:
            return suggest(searcher.hearing(), index, sentences, now=now)

    async def ready(self, unit: UnitOfWork) -> tuple[Searcher, Index]:
        """The searcher, and the index as of this transaction."""
        async with self._turn:
            return await self._ready(unit)

    async def _ready(self, unit: UnitOfWork) -> tuple[Searcher, Index]:
        moment = await unit.faq.moment()
        searcher = self._searcher
        if searcher is None:
            searcher = await asyncio.to_thread(self._open)
        if moment != self._moment:
            follows = (
                moment.base == self._moment.base
                and moment.change > self._moment.change
                and self._index.made_of > 0
            )
            news = await unit.faq.changed_since(self._moment.change if follows else 0)
            await asyncio.to_thread(self._take_in, searcher, moment, news, anew=not follows)
        sets = await unit.faq.synonyms()
        if sets != self._synonyms:
            await asyncio.to_thread(self._take_words, searcher, sets)
        return searcher, self._index

    def _open(self) -> Searcher:
        with self._lock:
            vectors = self._load_vectors()
            kept = self._cache.load()
            if kept is not None and kept[1] == _recipe(vectors):
                self._moment, _, self._index = kept
            self._searcher = Searcher(self._analyser, vectors)
            return self._searcher

    def _take_in(self, searcher: Searcher, moment: Moment, news: Sequence[Published], *, anew: bool) -> None:
        vectors = searcher.vectors
        with self._lock:
            if len(news) >= _LONG:
                self._say(f"検索の索引を作っています（{len(news)}件）。")
            fresh = [document_of(each.article_id, each.version) for each in news if each.version]
            if anew:
                index = made_anew(fresh, self._analyser, vectors)
            else:
                gone = [each.article_id for each in news if each.version is None]
                index = changed(self._index, fresh, gone, self._analyser, vectors)
            self._moment, self._index = moment, index
            self._cache.save(moment, _recipe(vectors), index)

    def _take_words(self, searcher: Searcher, sets: list[SynonymSet]) -> None:
        with self._lock:
            searcher.synonyms, self._synonyms = Synonyms(sets, self._analyser), sets

    async def renew_if_worn(self, unit: UnitOfWork) -> None:
        """Make the index anew where it has changed much: average lengths and rarity are of its first day."""
        searcher, index = await self.ready(unit)
        if index.worn:
            moment = await unit.faq.moment()
            news = await unit.faq.changed_since(0)
            await asyncio.to_thread(self._take_in, searcher, moment, news, anew=True)


def _recipe(vectors: WordVectors | None) -> str:
    return f"{RECIPE}{'+vectors' if vectors is not None else ''}"


def search_entry(
    hits: Sequence[Hit], text: str, *, at: float, actor: str, call: CallId | None = None
) -> SearchEntry:
    """What the log keeps of a search; numbers that identify somebody are masked."""
    return SearchEntry(
        at=at,
        actor=actor,
        words=redact_text(text)[:_WORDS_KEPT],
        found=tuple(hit.article_id for hit in hits),
        strict=bool(hits) and hits[0].strict,
        call=call,
    )
