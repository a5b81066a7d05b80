"""The evenness report as one HTML page and as CSV."""

from __future__ import annotations

import csv
import io

from ledger.export import BOM, safe_cell
from reports.definitions import DEFINITIONS
from reports.evenness import EvennessReport, load_text, sentence
from reports.render import environment

PRINTED = (
    "handled_calls",
    "handled_time",
    "offers",
    "missed_offers",
    "available_time",
    "load_rate",
    "evenness",
    "deviations",
)
"""Ids of the figures whose wording the page prints."""

DEVIATIONS = {
    "order": "先に呼ぶはずの人がほかにいた",
    "caller": "先につなぐはずの市民がほかにいた",
    "unknown": "空いていると知らない人が呼ばれた",
}


def render_evenness_html(report: EvennessReport, desk: str = "") -> str:
    """One self-contained page: no script, nothing loaded from elsewhere; figures open at the desk of this address."""
    made = environment()
    made.filters["deviation_ja"] = lambda kind: DEVIATIONS.get(kind, kind)
    made.globals |= {"sentence": sentence, "load_text": load_text}
    definitions = [DEFINITIONS[name] for name in PRINTED]
    return made.get_template("evenness.html.j2").render(report=report, definitions=definitions, desk=desk)


def render_evenness_csv(report: EvennessReport) -> str:
    """One line for each operator and skill. Shares are of 1, times are seconds, a missing figure is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(
        [
            "週の初日", "技能", "技能名", "番号", "氏名", "対応件数", "割合", "対応時間", "呼び出し", "不応答",
            "受付可能時間", "全業務の件数", "全業務の時間", "負荷率", "負荷率の基準", "比較", "ばらつき", "呼び出し計",
            "参考値", "定義の版",
        ]
    )  # fmt: skip
    for part in report.parts:
        for row in part.rows:
            cells = (
                report.first_day.isoformat(), part.group.id, part.group.name_ja, row.operator, row.name, row.calls,
                _number(row.share), _number(row.handled_s), row.offers, row.missed, _number(row.available_s),
                row.all_calls, _number(row.all_handled_s), _number(row.load), report.load_by.value,
                int(row.compared), _number(part.evenness), part.offers, int(not part.enough),
                DEFINITIONS["evenness"].key,
            )  # fmt: skip
            writer.writerow([safe_cell(cell) for cell in cells])
    return BOM + buffer.getvalue()


def _number(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)
