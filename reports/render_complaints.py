"""The report on complaints as one HTML page and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from ledger.export import BOM, safe_cell
from reports.complaints import ComplaintReport
from reports.render import environment
from reports.render_quality import days_text


def render_complaints_html(report: ComplaintReport) -> str:
    """One self-contained page."""
    return (
        environment()
        .get_template("complaints.html.j2")
        .render(report=report, period=days_text(report.first_day, report.last_day))
    )


def render_complaints_csv(report: ComplaintReport) -> str:
    """One line for each of the period and each carried into it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(
        [
            "番号", "種類", "引き継ぎ", "受付", "市への通知", "通知までの秒", "期限", "期限に遅れた", "担当課", "内容",
            "状態", "担当者", "結果", "完了", "通話番号",
        ]
    )  # fmt: skip
    carried = set(report.carried)
    for each in (*report.carried, *report.opened):
        cells = (
            each.ticket, each.kind_ja, "はい" if each in carried else "", _moment(each.opened), _moment(each.told),
            "" if each.told_within_s is None else round(each.told_within_s), _moment(each.due),
            "はい" if each.late(report.made_at) else "", each.department, each.content, each.state_ja, each.owner,
            each.result, _moment(each.ended), each.call,
        )  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    return BOM + buffer.getvalue()


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="minutes")
