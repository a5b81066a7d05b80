"""How the knowledge base was used and what it lacks (印西 5④(カ)(ケ)): searches, rankings, gaps, reviews, changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from reports.drawn import Part, drawn, part_of
from reports.metrics import share
from reports.opening import SEARCHES, named
from reports.paper import Block, Column, Kind, Row, Rows, Table, Words
from reports.period import Period

if TYPE_CHECKING:
    from reports.sections.material import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """An entry, and how often it was told or shown, in the period and in the equally long one before."""

    entry: str
    question: str
    told: int
    told_before: int
    shown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """Calls about the same thing that no entry answers."""

    words: str
    calls: Sequence[str]
    """Their ids."""
    last: datetime
    example: str
    """A sentence of a citizen, masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDue:
    """An entry in force that somebody should look at again."""

    entry: str
    question: str
    department: str
    why: str
    until: date
    """When it stops being valid, or when a year without a look is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One move of an entry."""

    at: datetime
    entry: str
    question: str
    state: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqUse:
    """Everything that papers tell of the knowledge base in one period."""

    searches: int
    searches_before: int
    zero_hit: int
    no_strict_hit: int
    used: int
    in_vain: Sequence[tuple[str, int]]
    """Words without a strict hit and without use, with how often; masked."""
    entries: Sequence[Ranked]
    looked: int
    """Transcribed calls that were looked at for gaps."""
    unanswered: int
    gaps: Sequence[Lacking]
    due: Sequence[ReviewDue]
    changes: Sequence[Changed]
    states: Sequence[tuple[str, int]]
    """Entries by where they stand at the time of the paper."""


def _table(name: str, title: str, columns: tuple[Column, ...], rows: list[Row], note: str = "") -> Table:
    return Table(id=name, title=title, columns=columns, rows=Rows(columns, rows), note=note)


def _use(material: Material) -> FaqUse:
    if material.faq is None:
        raise ValueError("a section of the knowledge base without its material")
    return material.faq


def searches(material: Material) -> Table:
    """How searches went."""
    use = _use(material)
    columns = (
        Column(id="name", title="検索"),
        Column(id="number", title="件数", kind=Kind.NUMBER),
        Column(id="share", title="検索に占める割合", kind=Kind.SHARE),
    )
    part = part_of(material.period)
    names = (
        ("検索", "searches", use.searches),
        ("使われた（開いた、または案内した）", "used", use.used),
        ("ぴったりの項目がなかった", "no_strict_hit", use.no_strict_hit),
        ("　うち1件も見つからなかった", "zero_hit", use.zero_hit),
    )
    return drawn(
        id="faq_searches",
        title="FAQ の検索",
        columns=columns,
        rows=[
            (name, part.valued(number, f"{SEARCHES}{what}"), share(number, use.searches))
            for name, what, number in names
        ],
        note=f"その前の同じ長さの期間の検索は{use.searches_before:,}件。",
    )


def in_vain(material: Material) -> Table:
    """What was searched without success."""
    columns = (
        Column(id="words", title="言葉", wide=True),
        Column(id="number", title="回数", kind=Kind.NUMBER),
    )
    part = part_of(material.period)
    return drawn(
        id="faq_in_vain",
        title="見つからなかった言葉",
        columns=columns,
        rows=[
            (words, part.valued(number, f"{SEARCHES}in_vain:{words}"))
            for words, number in _use(material).in_vain
        ],
        note="ぴったりの項目がなく、何も開かれなかった検索。類義語か項目を足す候補。",
    )


def entries(material: Material) -> Table:
    """The ranking of entries."""
    columns = (
        Column(id="entry", title="番号"),
        Column(id="question", title="質問", wide=True),
        Column(id="told", title="案内", kind=Kind.NUMBER),
        Column(id="before", title="前の期間", kind=Kind.NUMBER),
        Column(id="shown", title="表示", kind=Kind.NUMBER),
    )
    part, before = part_of(material.period), _before(material.period)
    rows = [
        (
            each.entry,
            each.question,
            part.valued(each.told, f"entry:used:{each.entry}"),
            before.valued(each.told_before, f"entry:used:{each.entry}"),
            part.valued(each.shown, f"entry:shown:{each.entry}"),
        )
        for each in _use(material).entries
    ]
    return drawn(
        id="faq_entries", title="よく使われた項目", columns=columns, rows=rows,
        note="案内、表示の多い順に50件まで。",
    )  # fmt: skip


def _before(period: Period) -> Part:
    """The equally long time before a period."""
    length = period.last_day - period.first_day
    return replace(
        part_of(period),
        first=period.first_day - length - timedelta(days=1),
        last=period.first_day - timedelta(days=1),
    )


def gaps(material: Material) -> Table:
    """Calls that nothing answers, taken together."""
    use = _use(material)
    columns = (
        Column(id="words", title="内容", wide=True),
        Column(id="calls", title="通話", kind=Kind.NUMBER),
        Column(id="last", title="最後", kind=Kind.MOMENT),
        Column(id="example", title="市民の言葉の例", wide=True),
    )
    part = part_of(material.period)
    return drawn(
        id="faq_gaps",
        title="FAQ の不足",
        columns=columns,
        rows=[
            (
                each.words,
                # Groups are made anew each time, and differ once an entry is there: the calls themselves are named.
                part.valued(len(each.calls), named(each.calls)),
                each.last.replace(tzinfo=None, microsecond=0),
                each.example,
            )
            for each in use.gaps
        ],
        note=f"文字起こしのある通話{use.looked:,}件のうち、合う項目がなかったものは{use.unanswered:,}件。2件以上の内容を示す。",
    )


def due(material: Material) -> Table:
    """Entries that should be looked at again."""
    columns = (
        Column(id="until", title="期限", kind=Kind.DATE),
        Column(id="entry", title="番号"),
        Column(id="question", title="質問", wide=True),
        Column(id="department", title="担当課"),
        Column(id="why", title="理由"),
    )
    rows: list[Row] = [
        (each.until, each.entry, each.question, each.department, each.why) for each in _use(material).due
    ]
    return _table("faq_due", "見直しの時期が来た項目", columns, rows)


def changes(material: Material) -> Table:
    """What was written, approved, published, retired."""
    use = _use(material)
    columns = (
        Column(id="at", title="日時", kind=Kind.MOMENT),
        Column(id="entry", title="番号"),
        Column(id="question", title="質問", wide=True),
        Column(id="state", title="状態"),
        Column(id="by", title="人"),
    )
    rows: list[Row] = [
        (each.at.replace(tzinfo=None, microsecond=0), each.entry, each.question, each.state, each.by)
        for each in use.changes
    ]
    states = "、".join(f"{name} {number:,}" for name, number in use.states)
    return _table("faq_changes", "項目の更新", columns, rows, f"作成の時点の項目：{states or 'なし'}。")


def standing_out(material: Material) -> Words:
    """What the figures above say, and what is proposed."""
    use = _use(material)
    lines = []
    if use.searches:
        lines.append(
            f"検索{use.searches:,}件のうち{use.used:,}件で項目が使われ、{use.zero_hit:,}件は1件も見つかりませんでした。"
        )
    else:
        lines.append("この期間に FAQ の検索はありませんでした。")
    if use.in_vain:
        words, number = use.in_vain[0]
        lines.append(
            f"最も多く見つからなかった言葉は「{words}」（{number:,}回）です。類義語か項目の追加を提案します。"
        )
    if use.gaps:
        first = use.gaps[0]
        lines.append(
            f"合う項目のない通話で最も多い内容は「{first.words}」（{len(first.calls):,}件）です。項目の追加を提案します。"
        )
    if use.due:
        lines.append(f"見直しの時期が来た項目は{len(use.due):,}件です。担当課の確認を提案します。")
    return Words(id="faq_words", title="目立ったことと改善の提案", lines=tuple(lines))


def faq(material: Material) -> tuple[Block, ...]:
    """All of it: for papers that tell of it in a row."""
    parts = (standing_out, searches, in_vain, entries, gaps, due, changes)
    return tuple(part(material) for part in parts)
