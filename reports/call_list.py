"""A list of calls as CSV, line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ledger.export import BOM, safe_cell
from reports.cells import plain
from reports.opening import Opening
from reports.paper import Row
from reports.period import CALL_COLUMNS


def csv_head(title: str, opening: Opening) -> str:
    """What is listed, of which part, and the columns."""
    part = [opening.first.isoformat(), opening.last.isoformat()]
    part.append("" if opening.hour is None else f"{opening.hour}時")
    part.append("" if opening.line is None else opening.line or "（用件を選ぶ前）")
    heads = [title, opening.metric, *part], [column.title for column in CALL_COLUMNS]
    return BOM + "".join(map(_line, heads))


def csv_line(cells: Row) -> str:
    """One call."""
    return _line([plain(value) for value in cells])


def _line(cells: Sequence[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()
