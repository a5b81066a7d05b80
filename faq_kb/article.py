"""An entry of the knowledge base (FAQ), and its versions. Moments are real time in epoch seconds."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum, unique

from core.clock import TOKYO
from faq_kb.segment import FOR_EVER, Document
from faq_kb.text import sentences


@unique
class Audience(StrEnum):
    """Who may see an entry."""

    OPERATOR = "operator"
    PUBLIC = "public"
    """Citizens too: the city's site, a chat."""

    @property
    def label_ja(self) -> str:
        return {"operator": "オペレーター", "public": "市民にも公開"}[self.value]


@unique
class State(StrEnum):
    """Where the newest version of an entry stands. What is published stays in force until the next one is."""

    DRAFT = "draft"
    REVIEW = "review"
    """Somebody else at the centre reads it."""
    APPROVAL = "approval"
    """The city has it."""
    APPROVED = "approved"
    PUBLISHED = "published"
    RETIRED = "retired"

    @property
    def label_ja(self) -> str:
        return {
            "draft": "下書き", "review": "点検待ち", "approval": "市の承認待ち", "approved": "承認済み（公開前）",
            "published": "公開中", "retired": "廃止",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an entry says."""

    question: str
    answer: str
    """The long form, for reading."""
    spoken: str = ""
    """The short form, for saying."""
    category: str = ""
    forms: tuple[str, ...] = ()
    """Other ways to ask, a line each."""
    related: tuple[str, ...] = ()
    """Ids of entries that belong to it."""
    audience: Audience = Audience.OPERATOR
    department: str = ""
    """Who answers for it."""
    valid_from: date | None = None
    valid_until: date | None = None
    """The last day."""
    source: str = ""
    """Where it comes from: a page, a notice, an interview."""


LABELS: Mapping[str, str] = {
    "question": "質問", "answer": "回答", "spoken": "短い回答", "category": "分類", "forms": "別の聞き方",
    "related": "関連", "audience": "公開先", "department": "担当課", "valid_from": "有効開始日",
    "valid_until": "有効終了日", "source": "出典",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A text that once was, or is, the entry's. Versions never change."""

    number: int
    content: Content
    made_at: float
    made_by: str
    note: str = ""
    """What changed, and why."""
    correcting: bool = False
    """Whether it mends wrong guidance: whoever was told the version before is to be called back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of an entry, by whom."""

    at: float
    by: str
    role: str
    state: State
    version: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An entry: which version is in force, which is worked on, and how it came there."""

    article_id: str
    state: State
    latest: int
    """Number of the newest version."""
    published: int = 0
    """Number of the version in force; 0 for none."""
    due_at: float | None = None
    """Until when the one whose turn it is should have done it."""
    steps: tuple[Step, ...] = ()


def document_of(article_id: str, version: Version) -> Document:
    """What the search needs of a version in force."""
    content = version.content
    last = content.valid_until
    return Document(
        article_id=article_id,
        version=version.number,
        questions=(content.question, *content.forms),
        answer="\n".join(filter(None, (content.spoken, content.answer))),
        public=content.audience is Audience.PUBLIC,
        valid_from=_midnight(content.valid_from) if content.valid_from else 0.0,
        valid_until=_midnight(last + timedelta(days=1)) if last and last < date.max else FOR_EVER,
    )


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), TOKYO).timestamp()


WORDS: Mapping[str, str] = {"個人番号カード": "マイナンバーカード"}
"""What citizens do not hear, and what they hear instead (松阪 3章6ア). Other ways to ask may hold any word."""


def wrong_words(content: Content) -> list[str]:
    """Fields in which a word stands that citizens are not to hear, as people call them."""
    return [
        LABELS[name]
        for name in ("question", "answer", "spoken")
        if any(word in getattr(content, name) for word in WORDS)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became different in one field."""

    field: str
    label: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


def differences(old: Content, new: Content) -> list[Change]:
    """What changed between two contents, sentence by sentence, for people."""
    found = []
    for each in fields(Content):
        before, after = _parts(getattr(old, each.name)), _parts(getattr(new, each.name))
        if before == after:
            continue
        steps = list(difflib.ndiff(before, after))
        found.append(
            Change(
                field=each.name,
                label=LABELS[each.name],
                removed=tuple(line[2:] for line in steps if line.startswith("- ")),
                added=tuple(line[2:] for line in steps if line.startswith("+ ")),
            )
        )
    return found


def _parts(value: object) -> Sequence[str]:
    if value is None:
        return []
    if isinstance(value, tuple):
        return [str(part) for part in value]
    text = str(value)
    # Signs and breaks alone make a change too: where the sentences are equal, the texts as a whole are compared.
    return list(sentences(text)) if "".join(sentences(text)) == text else [text] if text else []
