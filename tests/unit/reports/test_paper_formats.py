"""One paper in four formats: the same cells in each, totals that are sums of their parts, formulas that say so."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from month_papers import calls_of, paper
from pypdf import PdfReader

from core.settings import settings_from
from ledger.calls import Disposition
from ledger.export import safe_cell
from reports.cells import NOTHING, cell_text, plain
from reports.formats import MOST_PRINTED, csv_lines, html_parts, write_pdf, write_xlsx
from reports.paper import Kind, Paper, Table
from runtime.install.pango import ensure_pango

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def whole() -> Paper:
    return paper(calls_of())


def expected(table: Table) -> Iterator[list[str]]:
    """The table as people read it, the foot last."""
    for row in table.rows:
        yield [cell_text(value, column.kind) for value, column in zip(row, table.columns, strict=True)]
    foot = table.foot()
    if foot is not None:
        yield [
            cell_text(value, column.kind) if column.total or place == 0 else ""
            for place, (value, column) in enumerate(zip(foot, table.columns, strict=True))
        ]


class Tables(HTMLParser):
    """Cells of every table that names itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._foot: list[list[str]] = []
        self._name, self._part = "", ""
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag:
            case "table":
                self._name = dict(attrs).get("data-table") or ""
                self.found[self._name] = []
            case "thead" | "tfoot" | "tbody":
                self._part = tag
            case "tr" if self._name:
                rows = self._foot if self._part == "tfoot" else self.found[self._name]
                if self._part != "thead":
                    rows.append([])
            case "td" | "th":
                self._cell = self._part in ("tbody", "tfoot")
                if self._cell:
                    (self._foot if self._part == "tfoot" else self.found[self._name])[-1].append("")
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False
        if tag == "table":
            self.found[self._name] += self._foot
            self._foot, self._name = [], ""

    def handle_data(self, data: str) -> None:
        if self._cell:
            (self._foot if self._part == "tfoot" else self.found[self._name])[-1][-1] += data


def test_the_page_shows_every_cell(whole: Paper) -> None:
    reader = Tables()
    reader.feed("".join(html_parts(whole)))
    assert set(reader.found) == {table.id for table in whole.tables()}
    for table in whole.tables():
        assert reader.found[table.id] == list(expected(table)) or (
            not len(table.rows) and reader.found[table.id][0] == ["ありません。"]
        )


def test_the_csv_holds_every_cell(whole: Paper) -> None:
    text = "".join(csv_lines(whole))
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    for table in whole.tables():
        at = next(place for place, row in enumerate(rows) if row[:2] == ["表", table.id])
        assert rows[at + 1] == [column.title for column in table.columns]
        wanted = [[str(safe_cell(plain(value))) for value in row] for row in table.rows]
        foot = table.foot()
        if foot is not None:
            wanted.append([str(safe_cell(plain(value))) for value in foot])
        assert rows[at + 2 : at + 2 + len(wanted)] == wanted


def book_of(paper: Paper, *, values: bool) -> Any:
    target = io.BytesIO()
    write_xlsx(paper, target)
    return openpyxl.load_workbook(io.BytesIO(target.getvalue()), data_only=values)


def test_the_workbook_holds_every_cell_typed(whole: Paper) -> None:
    book = book_of(whole, values=True)
    sheets = dict(zip((table.id for table in whole.tables()), book.worksheets[1:], strict=True))
    for table in whole.tables():
        foot = table.foot()
        rows = [*table.rows, *([foot] if foot is not None else [])]
        for place, row in enumerate(rows, start=5):
            for number, (value, column) in enumerate(zip(row, table.columns, strict=True), start=1):
                shown = sheets[table.id].cell(place, number).value
                is_foot = foot is not None and row is foot
                if value is None:
                    blank = column.kind is Kind.TEXT or (is_foot and not column.total)
                    assert shown in ((None, "") if blank else (NOTHING,))
                elif isinstance(value, datetime):
                    assert shown == value
                elif isinstance(value, date):
                    assert shown.date() == value
                elif isinstance(value, str):
                    assert (shown or "") == value
                else:
                    assert isinstance(shown, int | float)
                    assert shown == pytest.approx(value, abs=1e-9)


def test_the_workbooks_formulas_say_what_its_cells_say(whole: Paper) -> None:
    book, values = book_of(whole, values=False), book_of(whole, values=True)
    formulas = 0
    for sheet in book.worksheets:
        shown = values[sheet.title]
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                formulas += 1
                if found := re.fullmatch(r"=SUM\(([A-Z]+)(\d+):\1(\d+)\)", cell.value):
                    cells = [shown[f"{found[1]}{n}"].value for n in range(int(found[2]), int(found[3]) + 1)]
                    result: Any = sum(value for value in cells if isinstance(value, int | float))
                else:
                    found = re.fullmatch(r'=IF\((\w+)=0,"–",(\w+)/\1\)', cell.value)
                    assert found, cell.value
                    whole_, part = shown[found[1]].value, shown[found[2]].value
                    result = part / whole_ if whole_ else NOTHING
                assert shown[cell.coordinate].value == (
                    result if isinstance(result, str) else pytest.approx(result)
                )
        assert sheet.print_area
    assert formulas > 60


def test_no_text_of_a_citizen_becomes_a_formula(whole: Paper) -> None:
    sheet = book_of(whole, values=False)["対応状況（全件）"]
    assert sheet["G5"].value == "=1+1 で始まる用件"
    assert sheet["G5"].data_type != "f"
    row = next(line for line in csv_lines(whole) if "で始まる用件" in line)
    assert "'=1+1" in row


def test_the_print_shows_the_same_figures() -> None:
    ensure_pango(settings_from().tools)
    small = paper(calls_of(60, 3), ("standing_out", "counts", "rates", "days", "hour_chart", "long_waits"))
    target = io.BytesIO()
    write_pdf(small, target)
    reader = PdfReader(io.BytesIO(target.getvalue()))
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))
    for table in small.tables():
        for row in expected(table):
            assert re.sub(r"\s", "", "".join(row)) in text, (table.id, row)
    assert small.data_version in text
    assert f"1/{len(reader.pages)}" in text


def test_every_total_is_the_sum_of_its_parts(whole: Paper) -> None:
    tables = {table.id: table for table in whole.tables()}
    incoming = (tables["counts"].foot() or ())[1]
    assert incoming == len(tables["calls"].rows)
    for name in ("days", "hours", "lines", "months"):
        foot = tables[name].foot() or ()
        assert foot[1] == incoming
        assert foot[1] == foot[3] + foot[5] + foot[6] + foot[7]
    answered = next(row[1] for row in tables["counts"].rows if row[0] == Disposition.ANSWERED.label_ja)
    assert (tables["grid"].foot() or ())[-1] == answered
    stages = list(tables["funnel"].rows)
    assert stages[0][1] == incoming
    assert stages[-1][1] == answered
    assert stages[0][1] == (tables["funnel"].foot() or (0, 0, 0))[2] + answered
    listed = [row for row in tables["calls"].rows if isinstance(row[7], float) and row[7] >= 300]
    assert len(listed) == len(tables["long_waits"].rows) == (tables["days"].foot() or ())[8]


def test_a_list_too_long_for_paper_is_left_to_the_other_formats() -> None:
    long = paper(calls_of(), ("calls",))
    table = long.table("calls")
    while len(table.rows) <= MOST_PRINTED:
        table.rows.append(next(iter(table.rows)))
    page = "".join(html_parts(long, in_print=True))
    assert "Excel と CSV に全件がある" in page
    assert 'data-table="calls"' not in page
    assert 'data-table="calls"' in "".join(html_parts(long))


def test_another_call_is_another_version_of_the_data() -> None:
    calls = calls_of()
    assert paper(calls, ()).data_version == paper(calls, ()).data_version
    assert paper(calls[1:], ()).data_version != paper(calls, ()).data_version
