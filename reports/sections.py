"""The parts that papers are made of: each a table, chart or text from one period; the profile lists them by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ledger.calls import Disposition, TransferKind
from reports import metrics as m
from reports.answer_rates import ANSWER_RATE_RULES, offered
from reports.cells import limit
from reports.paper import Block, Chart, Column, Kind, Rows, Series, Table, Words
from reports.paper import Row as CellRow
from reports.period import CALL_COLUMNS, Period
from reports.resolution import Resolution
from reports.tally import Tally, sum_of

_D = Disposition
NO_LINE = "（用件を選ぶ前）"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandledCase:
    """One case as a paper lists it."""

    at: datetime
    case_id: str
    caller: str
    """Masked."""
    topic: str
    operator: str
    status: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One complaint or case of wrong guidance."""

    at: datetime
    kind: str
    content: str
    department: str
    state: str
    handling: str


@dataclass(slots=True, kw_only=True)
class Material:
    """What the sections draw on."""

    period: Period
    topics: Mapping[str, str] = field(default_factory=dict)
    """Categories of the profile by id."""
    cases: Rows | None = None
    topic_counts: Mapping[str, int] = field(default_factory=dict)
    complaints: Sequence[Complaint] = ()
    resolution: Resolution | None = None
    places: Sequence[str] = ()
    """Where the contract receives citizens, the telephone first; only the telephone is counted here."""
    handled_s: float | None = None
    available_s: float | None = None


CASE_COLUMNS = (
    Column(id="at", title="応対の開始", kind=Kind.MOMENT),
    Column(id="case", title="番号"),
    Column(id="caller", title="発信者"),
    Column(id="topic", title="内容"),
    Column(id="operator", title="担当"),
    Column(id="status", title="状況"),
    Column(id="question", title="用件", wide=True),
    Column(id="answer", title="対応", wide=True),
)


def case_cells(case: HandledCase) -> CellRow:
    """A case as a row of `CASE_COLUMNS`."""
    return (
        case.at.replace(tzinfo=None, microsecond=0), case.case_id, case.caller, case.topic, case.operator,
        case.status, case.question, case.answer,
    )  # fmt: skip


# ---- figures -------------------------------------------------------------------------------------


def counts(material: Material) -> Table:
    """How many calls, by what became of them; they add up to the incoming ones."""
    tally = material.period.whole
    columns = (
        Column(id="name", title="結果"),
        Column(id="calls", title="件数", kind=Kind.CALLS, total=True),
        Column(id="share", title="入電に占める割合", kind=Kind.SHARE),
    )
    whole = m.incoming(tally)
    rows: list[CellRow] = [
        (each.label_ja, tally.ends[each], m.share(tally.ends[each], whole))
        for each in _D
        if each is not _D.TEST
    ]
    if tally.open:
        rows.append(("通話中", tally.open, m.share(tally.open, whole)))
    note = f"試験の電話 {tally.tests}件は入れない。" if tally.tests else ""
    return Table(
        id="counts", title="入電の内訳", columns=columns, rows=Rows(columns, rows), total="入電", note=note
    )


def rates(material: Material) -> Table:
    """The shares, each with what it divides."""
    period, tally = material.period, material.period.whole
    rule, answered = period.city.rule, tally.ends[_D.ANSWERED]
    within = period.city.service_level_s
    open_calls = m.incoming(tally) - tally.ends[_D.AFTER_HOURS]
    parts: list[tuple[str, int, int]] = [
        ("応答率", answered, offered(tally, rule)),
        (f"サービスレベル（{within}秒以内）", tally.answered.within(within), offered(tally, rule)),
        ("放棄呼率", tally.ends[_D.ABANDONED_QUEUE], tally.waits.count),
        ("案内中の切断率", tally.ends[_D.ABANDONED_MENU], open_calls),
        ("転送率", tally.transferred, answered),
        ("二次対応率", tally.handed_over, answered),
        ("二次対応の応答率", tally.reached, tally.handed_over),
        ("待ち時間の案内の的中率", tally.told_true, tally.told),
    ]
    if material.resolution is not None:
        found = material.resolution
        parts += [
            ("一次完了率（推定）", found.resolved, found.answered),
            ("再入電発生率（推定）", found.repeaters, found.callers),
        ]
    columns = (
        Column(id="name", title="指標"),
        Column(id="part", title="分子", kind=Kind.CALLS),
        Column(id="whole", title="分母", kind=Kind.CALLS),
        Column(id="share", title="割合", kind=Kind.SHARE, ratio=("part", "whole")),
    )
    rows: list[CellRow] = [(name, part, whole, m.share(part, whole)) for name, part, whole in parts]
    return Table(id="rates", title="割合", columns=columns, rows=Rows(columns, rows))


def times(material: Material) -> Table:
    """Waits and handling, seconds."""
    tally = material.period.whole
    columns = (Column(id="name", title="指標"), Column(id="seconds", title="時間", kind=Kind.SECONDS))
    rows: list[CellRow] = [
        ("平均応答速度", m.average_speed_of_answer(tally)),
        ("平均応答速度（着信から）", m.average_from_arrival(tally)),
        ("最長待ち時間", m.longest_wait(tally)),
        ("平均通話時間", m.average_talk(tally)),
        ("平均後処理時間", m.average_wrap_up(tally)),
        ("平均処理時間", m.average_handling(tally)),
    ]
    return Table(id="times", title="時間", columns=columns, rows=Rows(columns, rows))


def meter(material: Material) -> Table:
    """応答率 by the contract's denominator and by every other legal one."""
    period, tally = material.period, material.period.whole
    own = period.city.rule
    rules = [own, *(rule for rule in ANSWER_RATE_RULES.values() if rule.id != own.id)]
    columns = (
        Column(id="rule", title="数え方"),
        Column(id="answered", title="応答", kind=Kind.CALLS),
        Column(id="offered", title="分母", kind=Kind.CALLS),
        Column(id="rate", title="応答率", kind=Kind.SHARE, ratio=("answered", "offered")),
        Column(id="formula", title="式", wide=True),
        Column(id="id", title="定義"),
    )
    answered = tally.ends[_D.ANSWERED]
    rows: list[CellRow] = [
        (
            f"{rule.name_ja}{'（契約）' if place == 0 else ''}",
            answered,
            offered(tally, rule),
            m.share(answered, offered(tally, rule)),
            rule.text_ja,
            rule.id,
        )
        for place, rule in enumerate(rules)
    ]
    return Table(
        id="meter",
        title="応答率メーター",
        columns=columns,
        rows=Rows(columns, rows),
        note="契約の数え方のほかに、契約でよく使われる分母をすべて並べる。",
    )


def definitions_in_force(material: Material) -> tuple[Table, ...]:
    """Where the contract's denominator changed within the period: each stretch of days by every one, side by side.

    The figure that counts for a stretch is the one of its own definition; the others show what they would say.
    """
    period = material.period
    stretches = period.stretches()
    if len(stretches) < 2:
        return ()
    by_day = period.by_day()
    columns = (
        Column(id="days", title="期間"),
        Column(id="rule", title="数え方", wide=True),
        Column(id="answered", title="応答", kind=Kind.CALLS),
        Column(id="offered", title="分母", kind=Kind.CALLS),
        Column(id="rate", title="応答率", kind=Kind.SHARE, ratio=("answered", "offered")),
        Column(id="counts", title="契約"),
    )
    rows: list[CellRow] = []

    def row(days: str, name: str, answered: int, whole: int, counts: str = "") -> None:
        rows.append((days, name, answered, whole, m.share(answered, whole), counts))

    rules = {rule.id: rule for _, _, rule in stretches}
    own_answered = own_offered = 0
    for first, last, own in stretches:
        tally = sum_of(each for day, each in by_day.items() if first <= day <= last)
        answered = tally.ends[_D.ANSWERED]
        own_answered, own_offered = own_answered + answered, own_offered + offered(tally, own)
        for rule in rules.values():
            days = f"{first.month}/{first.day}〜{last.month}/{last.day}"
            row(days, rule.name_ja, answered, offered(tally, rule), "この期間の契約" if rule == own else "")
    for rule in rules.values():
        row("全期間", rule.name_ja, own_answered, offered(period.whole, rule))
    row("全期間", "それぞれの期間の契約による", own_answered, own_offered, "計")
    return (
        Table(
            id="definitions_in_force", title="応答率の数え方の変更", columns=columns, rows=Rows(columns, rows),
            note="期間の途中で数え方が変わったため、並べて示す。ほかの表の応答率は、新しい数え方による。",
        ),
    )  # fmt: skip


# ---- days, hours, lines --------------------------------------------------------------------------

_PARTS = (
    Column(id="incoming", title="入電", kind=Kind.CALLS, total=True),
    Column(id="offered", title="分母", kind=Kind.CALLS, total=True),
    Column(id="answered", title="応答", kind=Kind.CALLS, total=True),
    Column(id="rate", title="応答率", kind=Kind.SHARE, ratio=("answered", "offered"), total=True),
    Column(id="abandoned_queue", title="待ち中の切断", kind=Kind.CALLS, total=True),
    Column(id="overflow", title="混雑の案内", kind=Kind.CALLS, total=True),
    Column(id="other", title="その他", kind=Kind.CALLS, total=True),
    Column(id="long", title="長い待ち", kind=Kind.CALLS, total=True),
    Column(id="longest", title="最長待ち", kind=Kind.SECONDS),
)


def _parts(tally: Tally, period: Period) -> CellRow:
    answered, left, full = (tally.ends[each] for each in (_D.ANSWERED, _D.ABANDONED_QUEUE, _D.OVERFLOW))
    whole = offered(tally, period.city.rule)
    return (
        m.incoming(tally), whole, answered, m.share(answered, whole), left, full,
        m.incoming(tally) - answered - left - full, m.long_waits(tally, period.city.long_wait_s),
        m.longest_wait(tally),
    )  # fmt: skip


def _table(
    name: str, title: str, first: Column, rows: Iterable[tuple[str | date, Tally]], period: Period
) -> Table:
    columns = (first, *_PARTS)
    return Table(
        id=name,
        title=title,
        columns=columns,
        rows=Rows(columns, [(label, *_parts(tally, period)) for label, tally in rows]),
        total="計",
    )


def days(material: Material) -> Table:
    period = material.period
    return _table(
        "days", "日別", Column(id="day", title="日", kind=Kind.DATE), period.by_day().items(), period
    )


def months(material: Material) -> Table:
    """By month, for papers of a whole contract."""
    period = material.period
    found: dict[str, Tally] = {}
    for day, tally in period.by_day().items():
        found.setdefault(f"{day.year}年{day.month}月", Tally()).merge(tally)
    return _table("months", "月別", Column(id="month", title="月"), found.items(), period)


def hours(material: Material) -> Table:
    period = material.period
    found = period.by_hour()
    every = range(min(found), max(found) + 1) if found else ()
    rows = [(f"{hour}時", found.get(hour, Tally())) for hour in every]
    return _table("hours", "時間帯別", Column(id="hour", title="時"), rows, period)


def lines(material: Material) -> Table:
    period = material.period
    rows = [
        (period.city.line_names.get(line, line) or NO_LINE, tally) for line, tally in period.by_line().items()
    ]
    return _table("lines", "用件別", Column(id="line", title="用件"), rows, period)


def grid(material: Material) -> Table:
    """受付件数 by day and hour (上尾 5(4)②(ア)): answered calls."""
    period = material.period
    found = {key: tally.ends[_D.ANSWERED] for key, tally in period.grid().items()}
    every = sorted({hour for _, hour in found})
    columns = (
        Column(id="day", title="日", kind=Kind.DATE),
        *(Column(id=f"h{hour}", title=f"{hour}時", kind=Kind.CALLS, total=True) for hour in every),
        Column(id="sum", title="計", kind=Kind.CALLS, total=True),
    )
    rows: list[CellRow] = []
    for day in period.days():
        numbers = [found.get((day, hour), 0) for hour in every]
        rows.append((day, *numbers, sum(numbers)))
    return Table(
        id="grid",
        title="受付件数（日別・時間別）",
        columns=columns,
        rows=Rows(columns, rows),
        total="計",
        note="コールセンターでオペレーターが応答した電話。",
    )


def day_chart(material: Material) -> Chart:
    found = material.period.by_day()
    return _chart(
        "day_chart",
        "日別の入電",
        [f"{day.month}/{day.day}" if day.day == 1 else str(day.day) for day in found],
        list(found.values()),
    )


def hour_chart(material: Material) -> Chart:
    found = material.period.by_hour()
    every = list(range(min(found), max(found) + 1)) if found else []
    tallies = [found.get(hour, Tally()) for hour in every]
    return _chart("hour_chart", "時間帯別の入電", [f"{hour}時" for hour in every], tallies)


def _chart(name: str, title: str, labels: Sequence[str], tallies: Sequence[Tally]) -> Chart:
    kinds = (("応答", "answered", _D.ANSWERED), ("待ち中の切断", "abandoned_queue", _D.ABANDONED_QUEUE),
             ("混雑の案内", "overflow", _D.OVERFLOW))  # fmt: skip
    series = [
        Series(name=text, style=style, values=tuple(float(tally.ends[kind]) for tally in tallies))
        for text, style, kind in kinds
    ]
    rest = tuple(float(m.incoming(tally) - sum(tally.ends[kind] for *_, kind in kinds)) for tally in tallies)
    return Chart(
        id=name,
        title=title,
        labels=tuple(labels),
        series=(*series, Series(name="その他", style="other", values=rest)),
    )


# ---- where callers are lost ----------------------------------------------------------------------


def funnel(material: Material) -> Table:
    """From the trunk to the desk: how many were there, how many went no further, and why."""
    period, tally = material.period, material.period.whole
    ends = tally.ends
    rows: list[CellRow] = []
    left = m.incoming(tally) - tally.open
    whole = left

    def stage(name: str, lost: int, why: str) -> None:
        nonlocal left
        rows.append((name, left, lost, why, m.share(left, whole)))
        left -= lost

    stage("着信", ends[_D.AFTER_HOURS], "受付時間外")
    stage("冒頭の案内", tally.lost_in[""], "案内の途中で切断")
    for node in period.steps:
        stage(f"メニュー {node}", tally.lost_in[node], "メニューの途中で切断")
    stage("用件の選択", ends[_D.SELF_SERVED], "自動案内で完了")
    stage("自動案内の後", ends[_D.REFERRED], "他の番号を案内")
    stage("待ち列", ends[_D.ABANDONED_QUEUE], "待ち中の切断")
    stage("待ち列（続けた人）", ends[_D.OVERFLOW], "混雑の案内")
    stage("折り返しの選択", ends[_D.CALLBACK], "折り返し予約")
    stage("接続", ends[_D.SYSTEM_FAILURE], "システム障害")
    stage("オペレーター", 0, "")
    columns = (
        Column(id="stage", title="段階"),
        Column(id="calls", title="届いた電話", kind=Kind.CALLS),
        Column(id="lost", title="ここまでの電話", kind=Kind.CALLS, total=True),
        Column(id="why", title="理由"),
        Column(id="share", title="着信に占める割合", kind=Kind.SHARE),
    )
    return Table(
        id="funnel",
        title="回線からオペレーターまで",
        columns=columns,
        rows=Rows(columns, rows),
        total="応答の前に終わった電話",
        note="話し中で回線に届かなかった電話は、通信事業者の数値がなければ分からない。",
    )


def long_waits(material: Material) -> Table:
    """The calls behind the five-minute rule (千葉 7(5)オ(イ))."""
    least = limit(material.period.city.long_wait_s)
    return Table(
        id="long_waits", title=f"待ちが{least}以上の電話", columns=CALL_COLUMNS,
        rows=material.period.long_waits, listing=True,
    )  # fmt: skip


def calls(material: Material) -> Table:
    """Every call: what all figures can be traced to."""
    return Table(
        id="calls", title="全通話", columns=CALL_COLUMNS, rows=material.period.calls, listing=True,
        note="発信者の番号は下4桁のほかを伏せる。",
    )  # fmt: skip


def handover(material: Material) -> Table:
    """二次対応 (宇部 10(1), 10(3)): calls handed on, and what came of it."""
    tally = material.period.whole
    columns = (Column(id="name", title="区分"), Column(id="calls", title="件数", kind=Kind.CALLS))
    rows: list[CellRow] = [
        ("応答", tally.ends[_D.ANSWERED]),
        ("転送先が応答した電話", tally.transferred),
        ("　うちすぐに転送", tally.transferred_by[TransferKind.BLIND]),
        ("　うち確認してから転送", tally.transferred_by[TransferKind.ATTENDED]),
        ("職員へつなごうとした電話", tally.handed_over),
        ("　うち職員と話した電話", tally.reached),
        ("　うち職員が出なかった電話", tally.handed_over - tally.reached),
    ]
    return Table(
        id="handover", title="職員への引き継ぎ（二次対応）", columns=columns, rows=Rows(columns, rows)
    )


# ---- contents ------------------------------------------------------------------------------------


def topics(material: Material) -> Table:
    """問い合わせ対応内容内訳: cases by their category."""
    columns = (
        Column(id="topic", title="内容"),
        Column(id="cases", title="件数", kind=Kind.CALLS, total=True),
    )
    found = dict(material.topic_counts)
    rows: list[CellRow] = [(name, found.pop(topic, 0)) for topic, name in material.topics.items()]
    if found:
        rows.append(("分類なし", sum(found.values())))
    return Table(id="topics", title="対応内容の内訳", columns=columns, rows=Rows(columns, rows), total="計")


def places(material: Material) -> Table:
    """By where citizens were received; only the telephone is counted, the rest is for the city's own figures."""
    columns = (
        Column(id="place", title="受付場所"),
        Column(id="people", title="件数", kind=Kind.CALLS),
    )
    answered = material.period.whole.ends[_D.ANSWERED]
    rows: list[CellRow] = [
        (place, answered if number == 0 else None) for number, place in enumerate(material.places)
    ]
    return Table(
        id="places", title="受付場所別", columns=columns, rows=Rows(columns, rows),
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


# ---- words ---------------------------------------------------------------------------------------


def standing_out(material: Material) -> Words:
    """What stood out, in three sentences, each of figures that the paper shows."""
    from reports.standing_out import sentences

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
