"""The daily report as one HTML page (to read and to print) and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ledger.calls import Disposition
from ledger.export import BOM, safe_cell
from reports.behind import offered_by
from reports.cells import NOTHING, cell_text, day_text, limit, minutes, percent
from reports.charts import bars_svg
from reports.comparison import Comparison
from reports.daily import DailyReport, Row
from reports.opening import Opening


def figure_text(value: float | None, unit: str) -> str:
    """A figure as it is printed."""
    if value is None:
        return NOTHING
    return {"calls": lambda v: f"{v:,.0f}件", "seconds": minutes, "share": percent}[unit](value)


def clock_text(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}"


def _bars(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Stacked bars in percent of the highest one."""
    highest = max((row.incoming for row in rows), default=0) or 1
    bars = []
    for row in rows:
        below, parts = 0.0, []
        for kind in ("answered", "abandoned_queue", "overflow", "other"):
            number = getattr(row, kind)
            if number:
                height = 100.0 * number / highest
                parts.append({"kind": kind, "number": number, "bottom": below, "height": height})
                below += height
        bars.append({"label": row.label, "incoming": row.incoming, "parts": parts, "top": below})
    return bars


def environment() -> Environment:
    """Templates with the filters that every paper uses."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "minutes": minutes,
        "limit": limit,
        "percent": percent,
        "day": day_text,
        "clock": clock_text,
        "result_ja": _result_ja,
        "difference_ja": lambda name: _DIFFERENCES.get(name, name),
        "cell": cell_text,
        "moment": lambda moment: f"{moment:%Y年%-m月%-d日 %H:%M}",
        "bars_svg": bars_svg,
    }
    environment.globals |= {"figure_text": figure_text, "bars": _bars, "opening_of": opening_of}
    return environment


_DIFFERENCES = {
    "disposition": "結果",
    "operators": "担当",
    "wait_s": "待ち時間",
    "ledger": "台帳にない",
    "truth": "事実にない",
    "twice": "台帳に二つある",
}


def _result_ja(value: str | None) -> str:
    return Disposition(value).label_ja if value else NOTHING


_BEHIND = {
    "callbacks": "callback",
    "system_failures": "system_failure",
    "answer_rate_of_all": "opened",
    "wait_told": "told",
    "asa": "answered",
    "asa_arrival": "from_arrival",
    "att": "answered",
    "acw": "wrap_up",
}


def opening_of(report: DailyReport, name: str, row: Row | None = None) -> Opening:
    """The calls behind a figure of the day, or of one hour or line: what it counts, or is a share or mean of."""
    rule = offered_by(report.city.rule)
    limits = {
        "answer_rate": rule,
        "service_level": f"answered_within:{report.city.service_level_s}",
        "five_minutes": f"five_minutes:{report.city.long_wait_s}",
    }
    metric = limits.get(name) or _BEHIND.get(name, name)
    if row is not None and name in ("incoming", "other"):
        # Hours and lines hold ended calls only.
        metric = {"incoming": "ended", "other": "other_ended"}[name]
    return Opening(
        metric=metric,
        first=report.day,
        last=report.day,
        hour=row.hour if row else None,
        line=row.line if row else None,
    )


def render_daily_html(report: DailyReport, desk: str = "") -> str:
    """One self-contained page: no script, nothing loaded from elsewhere; figures open at the desk of this address."""
    return environment().get_template("daily.html.j2").render(report=report, desk=desk)


def render_demo_report(
    report: DailyReport,
    comparisons: Sequence[Comparison],
    transcripts: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> str:
    """The daily report, with each call as the telephones saw it beside the ledger, and what was said.

    Args:
        report: the day.
        comparisons: from `reports.comparison.compare`.
        transcripts: by call id, in order of time: `side` (`citizen` or `line`), `start_s`, `text`,
        `confidence`
            (0 to 1, or None).
    """
    return (
        environment()
        .get_template("demo.html.j2")
        .render(report=report, desk="", comparisons=comparisons, transcripts=dict(transcripts or {}))
    )


def render_daily_csv(report: DailyReport) -> str:
    """Figures of the day and of each hour, one a line. Shares are of 1, times are seconds, a missing one is
    empty.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(["日付", "区分", "項目", "名称", "値", "単位", "定義", "定義の版"])
    day = report.day.isoformat()

    def write(part: str, name: str, title: str, value: float | None, unit: str, *more: str) -> None:
        shown = "" if value is None else round(value, 4)
        writer.writerow([safe_cell(cell) for cell in (day, part, name, title, shown, unit, *more)])

    for figure in report.figures:
        write(
            "全日",
            figure.id,
            figure.name_ja,
            figure.value,
            _UNITS[figure.unit],
            figure.definition,
            figure.version,
        )
    for kind, rows in (("時間帯", report.hours), ("回線", report.lines)):
        for row in rows:
            for name, title, unit in _ROW_FIELDS:
                write(f"{kind} {row.label}", name, title, getattr(row, name), unit, "", "")
    if report.outreach is not None:
        write("電話による勧奨", "outreach", "かけた電話", len(report.outreach), "件", "", "")
        for each in report.outreach:
            told = f"{each.content}：{each.result}（{each.by}）"
            write(f"電話による勧奨 {each.at:%H:%M}", "outreach", each.facility, 1, "件", told, "")
    return BOM + buffer.getvalue()


_UNITS = {"calls": "件", "seconds": "秒", "share": "割合"}
_ROW_FIELDS = (
    ("incoming", "入電", "件"),
    ("answered", "応答", "件"),
    ("abandoned_queue", "待ち中の切断", "件"),
    ("overflow", "混雑の案内", "件"),
    ("other", "その他", "件"),
    ("answer_rate", "応答率", "割合"),
    ("longest_wait", "最長待ち時間", "秒"),
)
