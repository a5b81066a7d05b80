"""The shortfall report as one HTML page and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from ledger.export import BOM, safe_cell
from reports.cells import day_text
from reports.definitions import DEFINITIONS
from reports.render import environment
from reports.shortfall import ShortfallReport, by_day_and_hour

PRINTED = ("lost", "on_duty", "offers", "missed_offers", "att", "acw")
"""Ids of the figures whose wording the page prints."""


def period_text(report: ShortfallReport) -> str:
    """The period in words: a day, a month, or from one day to another."""
    first, last = report.first_day, report.last_day
    if first == last:
        return day_text(first)
    if first == last.replace(day=1) and (last + timedelta(days=1)).month != last.month:
        return f"{first.year}年{first.month}月"
    return f"{day_text(first)}から{day_text(last)}まで"


def render_shortfall_html(report: ShortfallReport, desk: str = "") -> str:
    """One self-contained page, ending in the part that a person fills in; figures open at the desk of this address."""
    made = environment()
    made.globals |= {"weekday": lambda day: "月火水木金土日"[day.weekday()]}
    return made.get_template("shortfall.html.j2").render(
        report=report,
        desk=desk,
        period=period_text(report),
        grid=by_day_and_hour(report),
        definitions=[DEFINITIONS[name] for name in PRINTED],
    )


def render_shortfall_csv(report: ShortfallReport) -> str:
    """One line for each hour in which calls were lost. Times are seconds, a missing figure is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(
        [
            "日付", "時", "対象", "応答", "応答できなかった電話", "受付人数", "受付者なしの秒", "呼び出し", "不応答",
            "平均通話", "平均後処理", "最長待ち", "兆し", "通話番号", "応答率の定義",
        ]
    )  # fmt: skip
    for each in report.hours:
        hour = each.hour
        cells = (
            hour.key.day.isoformat(), hour.key.hour, hour.offered, hour.answered, len(each.calls),
            _number(hour.on_duty), _number(hour.nobody_s), hour.offers, hour.missed, _number(hour.talk_s),
            _number(hour.wrap_up_s), _number(hour.longest_wait_s),
            "、".join(cause.kind.label_ja for cause in each.causes),
            " ".join(call.call_id for call in each.calls), report.city.rule.id,
        )  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    return BOM + buffer.getvalue()


def _number(value: float | None) -> float | str:
    return "" if value is None else round(value, 2)
