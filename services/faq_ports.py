"""What the use cases of the knowledge base need from the world."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Protocol

from core.ids import CallId
from faq_kb.article import Article, State, Version
from faq_kb.index import Index
from faq_kb.synonyms import SynonymSet
from faq_kb.workflow import ChangeRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Which state of the knowledge base somebody has seen."""

    base: str
    """A name that the database got when its first entry came; another database has another one."""
    change: int
    """Number of the last change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An entry that changed: its version in force, or None when it has none any more."""

    article_id: str
    version: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """A search that somebody made. `words` are masked before they come here."""

    at: float
    actor: str
    words: str
    found: tuple[str, ...]
    """Ids of the entries shown, in order."""
    strict: bool
    """Whether the first ones were found without guessing."""
    call: CallId | None = None
    clicked: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    search_id: int = 0
    """Given by the store."""


@unique
class UseKind(StrEnum):
    SHOWN = "shown"
    """It was on the operator's screen."""
    USED = "used"
    """The citizen was told it."""

    @property
    def label_ja(self) -> str:
        return {"shown": "表示", "used": "案内"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class UseEntry:
    """A version that somebody saw or was told."""

    at: float
    """When it was told; shown, if it was not told."""
    article_id: str
    version: int
    kind: UseKind
    actor: str
    case_id: str
    """Of a case that may not be opened yet (`interactions.case.case_id_of`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqSet:
    """Entries to be stored together with their new versions."""

    articles: Sequence[Article]
    versions: Mapping[str, Sequence[Version]] = field(default_factory=dict)


class FaqStore(Protocol):
    """Entries and their versions, requests, synonyms and searches; and how entries were used in cases."""

    async def put(self, faq: FaqSet) -> None:
        """Store entries (new, or in place of what they were) and add their versions."""
        ...

    async def get(self, article_id: str) -> Article | None: ...

    async def articles(self, ids: Collection[str] | None = None) -> list[Article]:
        """Entries by id: these, or all."""
        ...

    async def states(self) -> dict[State, int]:
        """How many entries stand in each state."""
        ...

    async def in_state(self, state: State | None, after: str, limit: int) -> list[Article]:
        """Entries in a state, or in any, by id, behind the id `after`."""
        ...

    async def version(self, article_id: str, number: int) -> Version | None: ...

    async def history(self, article_id: str) -> list[Version]:
        """All versions of an entry, the first one first."""
        ...

    async def latest(self, ids: Collection[str] | None = None) -> dict[str, Version]:
        """The newest version of these entries, or of all."""
        ...

    async def in_force(self, ids: Collection[str] | None = None) -> dict[str, Version]:
        """The published version of these entries, or of all that have one."""
        ...

    async def moment(self) -> Moment: ...

    async def changed_since(self, change: int) -> list[Published]:
        """Entries that changed after the change of this number; with 0 all."""
        ...

    async def put_request(self, request: ChangeRequest) -> None: ...

    async def requests(self, *, every: bool = False) -> list[ChangeRequest]:
        """Those not at their end, or all; by when they are due."""
        ...

    async def request(self, request_id: str) -> ChangeRequest | None: ...

    async def synonyms(self) -> list[SynonymSet]: ...

    async def put_synonyms(self, sets: Sequence[SynonymSet]) -> None: ...

    async def drop_synonyms(self, set_id: str) -> bool: ...

    async def log_search(self, entry: SearchEntry) -> int:
        """Store a search; its id."""
        ...

    async def mark_search(
        self, search_id: int, *, clicked: str = "", used: str = "", actor: str | None = None
    ) -> bool:
        """Add what was opened, or told to the citizen, after a search; False when there is no such search, or it is not
        the `actor`'s, if one is named."""
        ...

    async def searches(self, since: float, until: float) -> list[SearchEntry]: ...

    async def uses(
        self, since: float, until: float, article_id: str | None = None, version: int | None = None
    ) -> list[UseEntry]:
        """What was shown or told in cases (`CaseStore.add_faq` keeps it) in `[since, until)`, in order."""
        ...


class IndexCache(Protocol):
    """Where an index outlives its process."""

    def load(self) -> tuple[Moment, str, Index] | None:
        """The index with the moment that it knows and the recipe it was made by; None when there is none."""
        ...

    def save(self, moment: Moment, recipe: str, index: Index) -> None:
        """Keep an index. What cannot be written is not kept, and the next process makes it again."""
        ...
