"""By day, month, hour and line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from ledger.calls import Disposition
from reports import metrics as m
from reports.behind import LONGEST, offered_by
from reports.drawn import Cell, Part, drawn, part_of
from reports.paper import Chart, Column, Kind, Series, Table
from reports.period import Period
from reports.sections.material import Material
from reports.tally import Tally

_D = Disposition
NO_LINE = "（用件を選ぶ前）"

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


_COUNTED = ("incoming", "answered", "abandoned_queue", "overflow", "other")


def _metrics(period: Period) -> dict[str, str]:
    """Column to count."""
    long = f"five_minutes:{period.city.long_wait_s}"
    return {each: each for each in _COUNTED} | {"offered": offered_by(period.city.rule), "long": long}


def _parts(part: Part, metrics: dict[str, str]) -> tuple[Cell, ...]:
    rate = m.share(part.count("answered"), part.count(metrics["offered"]))
    made: dict[str, Cell] = {"rate": rate, "longest": part.valued(m.longest_wait(part.tally), LONGEST)}
    return tuple(
        part.shown(metrics[column.id]) if column.id in metrics else made[column.id] for column in _PARTS
    )


def _table(
    name: str, title: str, first: Column, rows: Iterable[tuple[str | date, Part]], period: Period
) -> Table:
    metrics, whole = _metrics(period), part_of(period)
    return drawn(
        id=name,
        title=title,
        columns=(first, *_PARTS),
        rows=[(label, *_parts(part, metrics)) for label, part in rows],
        total="計",
        foot={column: whole.opening(metric) for column, metric in metrics.items()},
    )


def _of_days(period: Period, tally: Tally, first: date, last: date) -> Part:
    return Part(city=period.city, tally=tally, first=first, last=last)


def days(material: Material) -> Table:
    period = material.period
    rows = [(day, _of_days(period, tally, day, day)) for day, tally in period.by_day().items()]
    return _table("days", "日別", Column(id="day", title="日", kind=Kind.DATE), rows, period)


def months(material: Material) -> Table:
    """By month, for papers of a whole contract."""
    period = material.period
    found: dict[date, Tally] = {}
    for day, tally in period.by_day().items():
        found.setdefault(day.replace(day=1), Tally()).merge(tally)
    rows = []
    for first, tally in found.items():
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        begin, end = max(first, period.first_day), min(last, period.last_day)
        rows.append((f"{first.year}年{first.month}月", _of_days(period, tally, begin, end)))
    return _table("months", "月別", Column(id="month", title="月"), rows, period)


def hours(material: Material) -> Table:
    period = material.period
    found, whole = period.by_hour(), part_of(period)
    every = range(min(found), max(found) + 1) if found else ()
    rows = [(f"{hour}時", replace(whole, tally=found.get(hour, Tally()), hour=hour)) for hour in every]
    return _table("hours", "時間帯別", Column(id="hour", title="時"), rows, period)


def lines(material: Material) -> Table:
    period, whole = material.period, part_of(material.period)
    rows = [
        (period.city.line_names.get(line, line) or NO_LINE, replace(whole, tally=tally, line=line))
        for line, tally in period.by_line().items()
    ]
    return _table("lines", "用件別", Column(id="line", title="用件"), rows, period)


def grid(material: Material) -> Table:
    """受付件数 by day and hour (上尾 5(4)②(ア)): answered calls."""
    period, whole = material.period, part_of(material.period)
    found, by_day = period.grid(), period.by_day()
    every = sorted({hour for _, hour in found})
    columns = (
        Column(id="day", title="日", kind=Kind.DATE),
        *(Column(id=f"h{hour}", title=f"{hour}時", kind=Kind.CALLS, total=True) for hour in every),
        Column(id="sum", title="計", kind=Kind.CALLS, total=True),
    )
    rows: list[tuple[Cell, ...]] = []
    for day in period.days():
        own = replace(whole, tally=by_day[day], first=day, last=day)
        parts = [replace(own, tally=found.get((day, hour), Tally()), hour=hour) for hour in every]
        rows.append((day, *(part.shown("answered") for part in parts), own.shown("answered")))
    return drawn(
        id="grid",
        title="受付件数（日別・時間別）",
        columns=columns,
        rows=rows,
        total="計",
        foot={f"h{hour}": replace(whole, hour=hour).opening("answered") for hour in every}
        | {"sum": whole.opening("answered")},
        note="コールセンターでオペレーターが応答した電話。",
    )


def day_chart(material: Material) -> Chart:
    period = material.period
    found = period.by_day()
    return _chart(
        "day_chart",
        "日別の入電",
        [f"{day.month}/{day.day}" if day.day == 1 else str(day.day) for day in found],
        [_of_days(period, tally, day, day) for day, tally in found.items()],
    )


def hour_chart(material: Material) -> Chart:
    found, whole = material.period.by_hour(), part_of(material.period)
    every = list(range(min(found), max(found) + 1)) if found else []
    parts = [replace(whole, tally=found.get(hour, Tally()), hour=hour) for hour in every]
    return _chart("hour_chart", "時間帯別の入電", [f"{hour}時" for hour in every], parts)


def _chart(name: str, title: str, labels: Sequence[str], parts: Sequence[Part]) -> Chart:
    kinds = (
        ("応答", "answered"),
        ("待ち中の切断", "abandoned_queue"),
        ("混雑の案内", "overflow"),
        ("その他", "other"),
    )
    series = tuple(
        Series(
            name=text,
            style=metric,
            values=tuple(float(part.count(metric)) for part in parts),
            opens=tuple(part.opening(metric) for part in parts),
        )
        for text, metric in kinds
    )
    return Chart(
        id=name,
        title=title,
        labels=tuple(labels),
        series=series,
        opens=tuple(part.opening("incoming") for part in parts),
    )
