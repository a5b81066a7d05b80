"""Finding cases: what may be asked for, the facets that are counted, and the pages that come back.

An index keeps, for each case, the tokens of its words and a token for each facet value (`st:done`). A question is a
tree over both. Hits come newest first, known by their place in time, and the next page begins below the last place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from zlib import crc32

from core.errors import ToritsugiError
from interactions.access import Action, Person, Scope, scope_of, sees_confidential
from interactions.case import Case
from interactions.search_words import (
    Both,
    Either,
    Normaliser,
    Sought,
    Synonyms,
    Term,
    no_synonyms,
    sought_words,
    tokens_of,
)

MOST_HITS = 500
"""Hits on a page."""
INDEX_FORM = 3
"""Counts what an index keeps of a case; one of another form is made anew."""
EVERY = "al:l"
"""A token of every case."""
MOST_TOKENS = 60_000
"""Of words that are kept of a case; PostgreSQL takes no more than a megabyte (`tsvector`)."""
LOW_BITS = 20
"""A place is milliseconds since the epoch, and so many bits that part the cases of the same moment."""


@unique
class Facet(StrEnum):
    """What is counted, by the prefix of its tokens. The first five have one value a case at most (`shape`)."""

    STATUS = "st"
    CATEGORY = "ca"
    LINE = "li"
    LANGUAGE = "la"
    FLAG = "fl"
    TAG = "tg"
    OPERATOR = "pe"
    DEPARTMENT = "de"
    AUTO_TAG = "at"
    """What a transcript is about, told by the machine; never mixed with what people wrote."""

    @property
    def label_ja(self) -> str:
        return {
            "st": "状況", "ca": "分類", "li": "窓口", "la": "言語", "fl": "印", "tg": "タグ", "pe": "担当者",
            "de": "担当課", "at": "自動タグ",
        }[self.value]  # fmt: skip


SHAPE = (Facet.STATUS, Facet.CATEGORY, Facet.LINE, Facet.LANGUAGE, Facet.FLAG)


@unique
class Flag(StrEnum):
    COMPLAINT = "complaint"
    MISTAKEN_GUIDANCE = "mistaken_guidance"
    CONFIDENTIAL = "confidential"
    UNWRITTEN = "unwritten"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """What is looked for. Values of one facet are alternatives; different facets, words and period must all hold."""

    words: str = ""
    number: str = ""
    """National digits of a caller; for who may see numbers."""
    values: Mapping[Facet, Sequence[str]] = field(default_factory=dict)
    since: float | None = None
    """Epoch seconds; the first talk began then or later."""
    until: float | None = None
    """… and before this."""
    after: int | None = None
    """The last place of the page before."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetCounts:
    """How many of the found cases have each value."""

    total: int
    values: Mapping[Facet, Mapping[str, int]]
    months: Mapping[str, int]
    """By month of the first talk (`2026-11`, Japan's time)."""
    newest: int | None = None
    """Tags, operators and departments are counted in so many of the newest cases only; None: in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """One page of case ids, newest first."""

    case_ids: tuple[str, ...]
    after: int | None
    """Asks for the next page; None on the last one."""
    counts: FacetCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an index keeps of a case."""

    place: int
    case_id: str
    month: int
    """Years × 12 and months, Japan's time."""
    shape: tuple[str, ...]
    """Facet tokens of `SHAPE`."""
    labels: tuple[str, ...]
    """Facet tokens of the others."""
    tokens: tuple[str, ...]
    """All tokens: of words, then of facets."""


def place_of(moment: float, case_id: str) -> int:
    """Where a case stands in time; the same whenever it is indexed anew. An index parts the rare two that share one."""
    return _floor(moment) | (crc32(case_id.encode()) & ((1 << LOW_BITS) - 1))


def places_between(since: float | None, until: float | None) -> tuple[int | None, int | None]:
    """First place of a period, and the first one after it."""
    return None if since is None else _floor(since), None if until is None else _floor(until)


def _floor(moment: float) -> int:
    return round(moment * 1000) << LOW_BITS


def month_of(moment: float) -> int:
    """Years × 12 and months of a moment by Japan's clock, which knows no summer time."""
    days = int((moment + 9 * 3600) // 86_400)
    # Civil date from days since the epoch (Gregorian calendar, cycles of 146,097 days).
    days += 719_468
    era, day_of_era = divmod(days, 146_097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return (year + era * 400 + (month <= 2)) * 12 + month - 1


def month_text(month: int) -> str:
    """`2026-11`."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def facet_token(facet: Facet, value: str) -> str:
    """One token of ASCII letters, digits, `_`, `:` and whatever is not ASCII, so that no tokeniser parts it."""
    return f"{facet}:" + "".join(
        each if ord(each) > 127 or (each.isalnum() and not each.isupper()) else f"_{ord(each):02x}"
        for each in value
    )


def value_of(token: str) -> tuple[Facet, str]:
    """The facet and value behind a token."""
    kind, _, text = token.partition(":")
    parts = text.split("_")
    return Facet(kind), parts[0] + "".join(chr(int(part[:2], 16)) + part[2:] for part in parts[1:])


def number_token(number: str) -> str:
    """A token that finds the cases of a number, and from which nobody reads it at a glance."""
    return f"no:{hashlib.sha256(number.encode()).hexdigest()[:16]}"


def entry_of(case: Case, more: Iterable[str], normalise: Normaliser, auto_tags: Iterable[str] = ()) -> Entry:
    """What an index keeps of a case.

    Args:
        case: with at least one call, or imported without any.
        more: texts beside the case's own: notes, transcripts.
        normalise: the index's.
        auto_tags: ids of the tags that transcripts were given.
    """
    first = case.calls[0] if case.calls else None
    flags = [
        flag
        for flag, set_ in (
            (Flag.COMPLAINT, case.complaint),
            (Flag.MISTAKEN_GUIDANCE, case.mistaken_guidance),
            (Flag.CONFIDENTIAL, case.confidential),
            (Flag.UNWRITTEN, case.unwritten),
        )
        if set_
    ]
    shape = [
        (Facet.STATUS, case.status.value),
        (Facet.CATEGORY, case.category),
        (Facet.LINE, first.line if first else None),
        (Facet.LANGUAGE, first.language if first else None),
        *((Facet.FLAG, flag.value) for flag in flags),
    ]
    labels = [
        *((Facet.TAG, tag) for tag in case.tags),
        *((Facet.OPERATOR, operator) for operator in case.operators),
        *((Facet.DEPARTMENT, department) for department in case.departments),
        *((Facet.AUTO_TAG, tag) for tag in auto_tags),
    ]
    words: list[str] = []
    for text in (case.question, case.answer, *case.tags, *more):
        words += tokens_of(text, normalise)
    numbers = dict.fromkeys(number_token(call.caller) for call in case.calls if call.caller)
    shape_tokens = tuple(facet_token(facet, value) for facet, value in shape if value)
    label_tokens = tuple(dict.fromkeys(facet_token(facet, value) for facet, value in labels))
    return Entry(
        place=place_of(case.started_at, case.case_id),
        case_id=case.case_id,
        month=month_of(case.started_at),
        shape=shape_tokens,
        labels=label_tokens,
        tokens=(*words[:MOST_TOKENS], EVERY, *shape_tokens, *label_tokens, *numbers),
    )


def sought_of(
    query: CaseQuery, person: Person | None, normalise: Normaliser, synonyms: Synonyms = no_synonyms
) -> Both | None:
    """The tree for a question by `person`, who finds no more than they may view; None: every case.

    Raises:
        ToritsugiError: unreadable words, or a limit out of range.
    """
    if not 1 <= query.limit <= MOST_HITS:
        raise ToritsugiError(
            f"件数は 1 から {MOST_HITS} です: {query.limit}", where="limit", cure="小さくする"
        )
    parts: list[Sought] = []
    without: list[Sought] = []
    words = sought_words(query.words, normalise, synonyms)
    if words is not None:
        parts += words.parts
        without += words.without
    for facet, values in query.values.items():
        if values:
            parts.append(_any_of(facet, values))
    if query.number:
        parts.append(Term(number_token(query.number)))
    if person is not None:
        allowed, hidden = _visible(person)
        parts += allowed
        without += hidden
    if not parts and not without:
        return None
    return Both(tuple(parts) or (Term(EVERY),), tuple(without))


def _any_of(facet: Facet, values: Sequence[str]) -> Sought:
    terms = tuple(Term(facet_token(facet, value)) for value in dict.fromkeys(values))
    return terms[0] if len(terms) == 1 else Either(terms)


def _visible(person: Person) -> tuple[list[Sought], list[Sought]]:
    """What must hold, and what must not, for this person to see a case (`interactions.access.allowed`)."""
    mine: list[Sought] = []
    if person.operator is not None:
        mine.append(Term(facet_token(Facet.OPERATOR, person.operator)))
    if person.department:
        mine.append(Term(facet_token(Facet.DEPARTMENT, person.department)))
    match scope_of(person, Action.VIEW):
        case Scope.ALL:
            allowed: list[Sought] = []
        case Scope.OWN if person.operator is not None:
            return [Term(facet_token(Facet.OPERATOR, person.operator))], []
        case Scope.DEPARTMENT if person.department:
            return [Term(facet_token(Facet.DEPARTMENT, person.department))], []
        case _:
            return [], [Term(EVERY)]
    if sees_confidential(person):
        return allowed, []
    confidential = Term(facet_token(Facet.FLAG, Flag.CONFIDENTIAL))
    return allowed, [Both((confidential,), tuple(mine))]
