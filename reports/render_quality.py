"""The report on voice quality as one HTML page and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

from ledger.export import BOM, safe_cell
from reports.cells import NOTHING, day_text
from reports.quality import SHORT_PACKETS, THRESHOLDS, WORST, QualityReport
from reports.render import environment

Spread = tuple[float | None, float | None, float | None]


def days_text(first: date, last: date) -> str:
    """A day, a whole month, or from one day to another, in words."""
    if first == last:
        return day_text(first)
    if (
        first.day == 1
        and (last + timedelta(days=1)).day == 1
        and (first.year, first.month) == (last.year, last.month)
    ):
        return f"{first.year}年{first.month}月"
    return f"{day_text(first)}から{day_text(last)}まで"


def _loss(share: float | None) -> str:
    """Rounded up: a loss never looks smaller than it is."""
    return NOTHING if share is None else f"{-(-share * 10_000 // 1) / 100:.2f}%"


def _ms(seconds: float | None) -> str:
    return NOTHING if seconds is None else f"{1000 * seconds:.0f}ミリ秒"


def render_quality_html(report: QualityReport, desk: str = "") -> str:
    """One self-contained page; figures open at the desk of this address."""
    made = environment()
    made.filters |= {
        "loss": _loss,
        "ms": _ms,
        "three_percent": lambda spread: "／".join(_loss(value) for value in spread),
        "three_ms": lambda spread: "／".join(_ms(value) for value in spread),
    }
    return made.get_template("quality.html.j2").render(
        report=report,
        desk=desk,
        period=days_text(report.first_day, report.last_day),
        thresholds=THRESHOLDS,
        worst=WORST,
        short=SHORT_PACKETS,
    )


def render_quality_csv(report: QualityReport) -> str:
    """One line a route. Losses and shares are of 1, times seconds, a missing figure is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    measures = ("損失", "ゆらぎ", "往復の遅れ")
    writer.writerow(
        [
            "初日", "末日", "経路", "内線", "回線脚", "判定した数", "基準超え", "基準超えの割合", "相手の報告なし",
            *(f"{name} {kind}" for name in measures for kind in ("中央値", "95%値", "最大")),
            "基準の出典",
        ]
    )  # fmt: skip
    sources = "; ".join(f"{each.name_ja} {each.limit:g} {each.source}" for each in THRESHOLDS)
    for row in report.rows:
        figures = [value for spread in (row.loss, row.jitter_s, row.round_trip_s) for value in spread]
        cells = (
            report.first_day.isoformat(), report.last_day.isoformat(), row.name, row.route.extension, row.legs,
            row.judged, row.over, _cell(row.share_over), row.unreported, *(_cell(value) for value in figures), sources,
        )  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    return BOM + buffer.getvalue()


def _cell(value: float | None) -> float | str:
    return "" if value is None else round(value, 5)
