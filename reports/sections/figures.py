"""The figures of the whole period."""

from __future__ import annotations

from ledger.calls import Disposition
from reports import metrics as m
from reports.answer_rates import ANSWER_RATE_RULES, AnswerRateRule
from reports.behind import BY_CONTRACT, LONGEST, offered_by
from reports.drawn import Cell, Part, drawn, part_of
from reports.paper import Column, Kind, Table
from reports.sections.material import Material
from reports.tally import sum_of

_D = Disposition


def counts(material: Material) -> Table:
    """How many calls, by what became of them; they add up to the incoming ones."""
    part = part_of(material.period)
    columns = (
        Column(id="name", title="結果"),
        Column(id="calls", title="件数", kind=Kind.CALLS, total=True),
        Column(id="share", title="入電に占める割合", kind=Kind.SHARE),
    )
    whole, tests = part.count("incoming"), part.tally.tests
    names = [(each.label_ja, each.value) for each in _D if each is not _D.TEST]
    names += [("通話中", "open")] if part.tally.open else []
    return drawn(
        id="counts",
        title="入電の内訳",
        columns=columns,
        rows=[(title, part.shown(name), m.share(part.count(name), whole)) for title, name in names],
        total="入電",
        foot={"calls": part.opening("incoming")},
        note=f"試験の電話 {tests}件は入れない。" if tests else "",
    )


def rates(material: Material) -> Table:
    """The shares, each with what it divides."""
    part = part_of(material.period)
    offered, within = offered_by(part.city.rule), part.city.service_level_s
    names: list[tuple[str, str, str]] = [
        ("応答率", "answered", offered),
        (f"サービスレベル（{within}秒以内）", f"answered_within:{within}", offered),
        ("放棄呼率", "abandoned_queue", "queued"),
        ("案内中の切断率", "abandoned_menu", "opened"),
        ("転送率", "transferred", "answered"),
        ("二次対応率", "handed_over", "answered"),
        ("二次対応の応答率", "reached", "handed_over"),
        ("待ち時間の案内の的中率", "told_true", "told"),
    ]
    rows: list[tuple[Cell, ...]] = [
        (title, part.shown(above), part.shown(below), m.share(part.count(above), part.count(below)))
        for title, above, below in names
    ]
    if material.resolution is not None:
        found = material.resolution
        rows += [
            (
                title, part.valued(above, names[0]), part.valued(below, names[1]), m.share(above, below),
            )
            for title, above, below, names in (
                ("一次完了率（推定）", found.resolved, found.answered, ("resolved", "answered_known")),
                ("再入電発生率（推定）", found.repeaters, found.callers, ("repeaters", "callers")),
            )
        ]  # fmt: skip
    columns = (
        Column(id="name", title="指標"),
        Column(id="part", title="分子", kind=Kind.CALLS),
        Column(id="whole", title="分母", kind=Kind.CALLS),
        Column(id="share", title="割合", kind=Kind.SHARE, ratio=("part", "whole")),
    )
    return drawn(id="rates", title="割合", columns=columns, rows=rows)


def times(material: Material) -> Table:
    """Waits and handling, seconds."""
    part = part_of(material.period)
    tally = part.tally
    columns = (Column(id="name", title="指標"), Column(id="seconds", title="時間", kind=Kind.SECONDS))
    rows: list[tuple[Cell, ...]] = [
        ("平均応答速度", part.valued(m.average_speed_of_answer(tally), "answered")),
        ("平均応答速度（着信から）", part.valued(m.average_from_arrival(tally), "from_arrival")),
        ("最長待ち時間", part.valued(m.longest_wait(tally), LONGEST)),
        ("平均通話時間", part.valued(m.average_talk(tally), "answered")),
        ("平均後処理時間", part.valued(m.average_wrap_up(tally), "wrap_up")),
        ("平均処理時間", part.valued(m.average_handling(tally), "answered")),
    ]
    return drawn(id="times", title="時間", columns=columns, rows=rows)


def meter(material: Material) -> Table:
    """応答率 by the contract's denominator and by every other legal one."""
    part = part_of(material.period)
    own = part.city.rule
    rules = [own, *(rule for rule in ANSWER_RATE_RULES.values() if rule.id != own.id)]
    columns = (
        Column(id="rule", title="数え方"),
        Column(id="answered", title="応答", kind=Kind.CALLS),
        Column(id="offered", title="分母", kind=Kind.CALLS),
        Column(id="rate", title="応答率", kind=Kind.SHARE, ratio=("answered", "offered")),
        Column(id="formula", title="式", wide=True),
        Column(id="id", title="定義"),
    )
    return drawn(
        id="meter",
        title="応答率メーター",
        columns=columns,
        rows=[
            (
                f"{rule.name_ja}{'（契約）' if place == 0 else ''}",
                part.shown("answered"),
                part.shown(offered_by(rule)),
                m.share(part.count("answered"), part.count(offered_by(rule))),
                rule.text_ja,
                rule.id,
            )
            for place, rule in enumerate(rules)
        ],
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
    rows: list[tuple[Cell, ...]] = []

    def row(days: str, part: Part, rule: AnswerRateRule, counts: str = "") -> None:
        whole = offered_by(rule)
        rate = m.share(part.count("answered"), part.count(whole))
        rows.append((days, rule.name_ja, part.shown("answered"), part.shown(whole), rate, counts))

    rules = {rule.id: rule for _, _, rule in stretches}
    everything = part_of(period)
    own_offered = 0
    for first, last, own in stretches:
        tally = sum_of(each for day, each in by_day.items() if first <= day <= last)
        part = Part(city=period.city, tally=tally, first=first, last=last)
        own_offered += part.count(offered_by(own))
        for rule in rules.values():
            days = f"{first.month}/{first.day}〜{last.month}/{last.day}"
            row(days, part, rule, "この期間の契約" if rule == own else "")
    for rule in rules.values():
        row("全期間", everything, rule)
    answered = everything.count("answered")
    rows.append(
        (
            "全期間", "それぞれの期間の契約による", everything.shown("answered"),
            everything.valued(own_offered, BY_CONTRACT), m.share(answered, own_offered), "計",
        )
    )  # fmt: skip
    return (
        drawn(
            id="definitions_in_force", title="応答率の数え方の変更", columns=columns, rows=rows,
            note="期間の途中で数え方が変わったため、並べて示す。ほかの表の応答率は、新しい数え方による。",
        ),
    )  # fmt: skip
