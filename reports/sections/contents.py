"""What it was about: topics, places, cases, complaints, and room for words."""

from __future__ import annotations

from ledger.calls import Disposition
from reports import metrics as m
from reports.behind import TOPIC
from reports.drawn import Cell, drawn, part_of
from reports.paper import Block, Column, Kind, Rows, Table, Words
from reports.paper import Row as CellRow
from reports.sections.material import CASE_COLUMNS, Material
from reports.standing_out import sentences
from reports.tally import sum_of

_D = Disposition


def topics(material: Material) -> Table:
    """問い合わせ対応内容内訳: cases by their category."""
    columns = (
        Column(id="topic", title="内容"),
        Column(id="cases", title="件数", kind=Kind.CALLS, total=True),
    )
    found, part = dict(material.topic_counts), part_of(material.period)
    rows: list[tuple[Cell, ...]] = [
        (name, part.valued(found.pop(topic, 0), f"{TOPIC}{topic}")) for topic, name in material.topics.items()
    ]
    if found:
        rows.append(("分類なし", part.valued(sum(found.values()), TOPIC)))
    return drawn(
        id="topics", title="対応内容の内訳", columns=columns, rows=rows, total="計",
        foot={"cases": part.opening(f"{TOPIC}*")},
    )  # fmt: skip


def places(material: Material) -> Table:
    """By where citizens were received; only the telephone is counted, the rest is for the city's own figures."""
    columns = (
        Column(id="place", title="受付場所"),
        Column(id="people", title="件数", kind=Kind.CALLS),
    )
    answered = part_of(material.period).shown("answered")
    return drawn(
        id="places", title="受付場所別", columns=columns,
        rows=[(place, answered if number == 0 else None) for number, place in enumerate(material.places)],
        note="「–」の場所は、取次では数えていない。窓口の記録から書き入れる。",
    )  # fmt: skip


def cases(material: Material) -> Table:
    """対応状況全件."""
    return Table(
        id="cases", title="対応状況（全件）", columns=CASE_COLUMNS,
        rows=material.cases if material.cases is not None else Rows(CASE_COLUMNS), listing=True,
    )  # fmt: skip


def complaints(material: Material) -> Table:
    """苦情対応の記録及び対応内容 (千葉 6(3)ア)."""
    columns = (
        Column(id="at", title="受付", kind=Kind.MOMENT),
        Column(id="kind", title="区分"),
        Column(id="content", title="内容", wide=True),
        Column(id="department", title="担当"),
        Column(id="state", title="状況"),
        Column(id="handling", title="対応", wide=True),
    )
    rows: list[CellRow] = [
        (
            each.at.replace(tzinfo=None, microsecond=0), each.kind, each.content, each.department, each.state,
            each.handling,
        )
        for each in material.complaints
    ]  # fmt: skip
    return Table(id="complaints", title="苦情・誤案内と対応", columns=columns, rows=Rows(columns, rows))


def outreach(material: Material) -> Table:
    """電話による勧奨 (松阪 2章2(5)※): how many were called, and what came of each."""
    columns = (
        Column(id="at", title="日時", kind=Kind.MOMENT),
        Column(id="facility", title="事業所・施設", wide=True),
        Column(id="content", title="用件", wide=True),
        Column(id="result", title="対応の内容", wide=True),
        Column(id="by", title="担当"),
    )
    rows: list[CellRow] = [
        (each.at.replace(tzinfo=None, microsecond=0), each.facility, each.content, each.result, each.by)
        for each in material.outreach
    ]
    return Table(
        id="outreach", title="電話による勧奨", columns=columns, rows=Rows(columns, rows), note=f"{len(rows):,}件。"
    )  # fmt: skip


def standing_out(material: Material) -> Words:
    """What stood out, in three sentences, each of figures that the paper shows."""
    return Words(id="standing_out", title="目立ったこと", lines=sentences(material.period))


def remarks(_material: Material) -> Words:
    """Room for the person in charge."""
    return Words(id="remarks", title="課題と改善案", room=6)


def incident(material: Material) -> tuple[Block, ...]:
    """障害報告 (印西 7⑨, 宇部 9(9)): what happened, why, what is done; with the calls that were cut off."""
    tally = sum_of(material.period.cells.values())
    known = f"この期間に当方の都合で切れた電話は {tally.ends[_D.SYSTEM_FAILURE]}件（入電 {m.incoming(tally):,}件）。"
    return (
        Words(id="incident_what", title="障害の状況（いつ、何が、だれに）", lines=(known,), room=5),
        Words(id="incident_why", title="発生の原因", room=5),
        Words(id="incident_done", title="復旧までの対応（時刻とともに）", room=6),
        Words(id="incident_next", title="事後の対策（再発防止）", room=5),
    )
