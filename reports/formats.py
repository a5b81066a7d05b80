"""A paper in each format: HTML for the screen, PDF for print, Excel and CSV for clerks and programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum, unique
from typing import IO, Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from ledger.export import BOM, safe_cell
from reports.cells import NOTHING, plain
from reports.paper import Column, Kind, Paper, Table, Value, Words
from reports.render import environment

MOST_PRINTED = 1500
"""Rows of a list of calls that still go on paper: some forty pages."""


@unique
class Format(StrEnum):
    HTML = "html"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


def html_parts(paper: Paper, *, in_print: bool = False) -> Iterator[str]:
    """The page, piece by piece; a long list is never whole in memory."""
    template = environment().get_template("paper.html.j2")
    yield from template.generate(paper=paper, print=in_print, most=MOST_PRINTED)


def csv_lines(paper: Paper) -> Iterator[str]:
    """One figure a line: table, row, column, value, unit. Shares are of 1, times seconds, a missing figure is empty.

    A list of calls or cases comes as one line each, its cells named by a heading line of their own.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")

    def taken() -> str:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    def write(*cells: object) -> str:
        writer.writerow([safe_cell(cell) for cell in cells])
        return taken()

    yield BOM
    yield write("報告", paper.title, paper.city, paper.period, paper.made_at.isoformat(timespec="seconds"))
    yield write("データ版", paper.data_version)
    if paper.answer_rate_rule:
        yield write("応答率の定義", paper.answer_rate_rule)
    for table in paper.tables():
        yield write()
        yield write("表", table.id, table.title)
        yield write(*(column.title for column in table.columns))
        for row in table.rows:
            yield write(*(plain(value) for value in row))
        foot = table.foot()
        if foot is not None:
            yield write(*(plain(value) for value in foot))
    for words in paper.blocks:
        if isinstance(words, Words) and words.lines:
            yield write()
            yield write("文", words.id, words.title)
            for line in words.lines:
                yield write(line)


def write_pdf(paper: Paper, target: IO[bytes]) -> None:
    """The page in print, with the header and number of each page.

    Raises:
        ToritsugiError: the libraries that lay out text, or the Japanese font, are missing.
    """
    from reports.printing import print_pdf

    print_pdf("".join(html_parts(paper, in_print=True)), target)


# ---- Excel ---------------------------------------------------------------------------------------

_NUMBER_FORMATS = {
    Kind.CALLS: "#,##0",
    Kind.SECONDS: "#,##0.0",
    Kind.SHARE: "0.0%",
    Kind.FINE_SHARE: "0.000%",
    Kind.NUMBER: "#,##0.##",
    Kind.DATE: "yyyy/m/d",
    Kind.MOMENT: "yyyy/m/d h:mm:ss",
}
_WIDTHS = {Kind.TEXT: 18, Kind.DATE: 12, Kind.MOMENT: 19}
_HEAD_ROWS = 4


def write_xlsx(paper: Paper, target: IO[bytes]) -> None:
    """A workbook: one sheet a table, figures as figures, sums and rates as formulas, ready to print; no macros."""
    book = xlsxwriter.Workbook(
        target, {"constant_memory": True, "default_date_format": "yyyy/m/d", "remove_timezone": True}
    )
    book.set_properties({"title": paper.title, "subject": paper.period, "created": datetime(2000, 1, 1)})  # noqa: DTZ001
    _Book(book, paper).write()
    book.close()


class _Book:
    def __init__(self, book: Any, paper: Paper) -> None:
        self._book, self._paper = book, paper
        base = {"font_name": "Yu Gothic", "font_size": 10}
        self._title = book.add_format({**base, "bold": True, "font_size": 14})
        self._plain = book.add_format({**base, "text_wrap": True, "valign": "top"})
        self._head = book.add_format(
            {**base, "bold": True, "bg_color": "#E6EBF0", "bottom": 2, "text_wrap": True, "valign": "vcenter"}
        )
        self._cells = {
            kind: book.add_format(
                {**base, "bottom": 4, **({"num_format": text} if (text := _NUMBER_FORMATS.get(kind)) else {})}
            )
            for kind in Kind
        }
        self._sums = {
            kind: book.add_format(
                {
                    **base,
                    "bold": True,
                    "top": 2,
                    **({"num_format": text} if (text := _NUMBER_FORMATS.get(kind)) else {}),
                }
            )
            for kind in Kind
        }
        self._names: set[str] = set()

    def write(self) -> None:
        self._cover()
        for table in self._paper.tables():
            self._table(table)

    def _sheet(self, title: str) -> Any:
        name = "".join("・" if sign in "[]:*?/\\" else sign for sign in title)[:28]
        found, number = name, 2
        while found in self._names:
            found, number = f"{name}{number}", number + 1
        self._names.add(found)
        sheet = self._book.add_worksheet(found)
        sheet.set_paper(9)  # A4
        sheet.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
        sheet.set_header(f"&L{self._paper.city} {self._paper.title}&R{self._paper.period}")
        sheet.set_footer(f"&Lデータ版 {self._paper.data_version}&R&P / &N")
        return sheet

    def _cover(self) -> None:
        paper = self._paper
        sheet = self._sheet("表紙")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 78)
        lines: list[tuple[str, str]] = [
            ("市", paper.city),
            ("窓口", paper.centre),
            ("対象", paper.period),
            ("作成", f"{paper.made_at:%Y/%m/%d %H:%M}"),
            ("データ版", paper.data_version),
            *([("応答率の定義", paper.answer_rate_rule)] if paper.answer_rate_rule else []),
            *(("注", note) for note in paper.notes),
        ]
        for block in paper.blocks:
            if isinstance(block, Words):
                lines += [(block.title if place == 0 else "", line) for place, line in enumerate(block.lines)]
                lines += [
                    (block.title if place == 0 and not block.lines else "", "") for place in range(block.room)
                ]
        lines += [
            (f"{each.name_ja}（{each.key}）", each.text_ja) for each in paper.definitions if each.text_ja
        ]
        sheet.write_string(0, 0, paper.title, self._title)
        for place, (name, text) in enumerate(lines, start=2):
            sheet.write_string(place, 0, name, self._plain)
            sheet.write_string(place, 1, text, self._plain)
        sheet.print_area(0, 0, len(lines) + 1, 1)
        sheet.fit_to_pages(1, 0)

    def _table(self, table: Table) -> None:
        sheet = self._sheet(table.title)
        columns = table.columns
        for place, column in enumerate(columns):
            wide = 40 if column.wide else _WIDTHS.get(column.kind, max(9, 2 * len(column.title) + 2))
            sheet.set_column(place, place, wide)
        if len(columns) > 7:
            sheet.set_landscape()
        sheet.write_string(0, 0, table.title, self._title)
        sheet.write_string(1, 0, self._paper.period)
        if table.note:
            sheet.write_string(2, 0, table.note)
        for place, column in enumerate(columns):
            sheet.write_string(_HEAD_ROWS - 1, place, column.title, self._head)
        at = _HEAD_ROWS
        for row in table.rows:
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                self._cell(sheet, at, place, column, value, columns)
            at += 1
        foot = table.foot()
        if foot is not None:
            self._foot(sheet, at, columns, foot)
            at += 1
        sheet.freeze_panes(_HEAD_ROWS, 1)
        sheet.repeat_rows(_HEAD_ROWS - 1)
        sheet.print_area(0, 0, max(at - 1, _HEAD_ROWS), len(columns) - 1)
        sheet.fit_to_pages(1, 0)

    def _cell(
        self, sheet: Any, row: int, place: int, column: Column, value: Value, columns: tuple[Column, ...]
    ) -> None:
        style = self._cells[column.kind]
        if column.ratio is not None:
            part, whole = (_place(columns, name) for name in column.ratio)
            top, bottom = xl_rowcol_to_cell(row, part), xl_rowcol_to_cell(row, whole)
            shown = NOTHING if value is None else value
            sheet.write_formula(row, place, f'=IF({bottom}=0,"{NOTHING}",{top}/{bottom})', style, shown)
        elif value is None:
            sheet.write_string(row, place, "" if column.kind is Kind.TEXT else NOTHING, style)
        elif isinstance(value, datetime | date):
            sheet.write_datetime(row, place, value, style)
        elif isinstance(value, str):
            sheet.write_string(row, place, value, style)
        else:
            sheet.write_number(row, place, value, style)

    def _foot(self, sheet: Any, row: int, columns: tuple[Column, ...], foot: tuple[Value, ...]) -> None:
        for place, (column, value) in enumerate(zip(columns, foot, strict=True)):
            style = self._sums[column.kind]
            if column.total and column.ratio is not None:
                self._cell_ratio_foot(sheet, row, place, column, value, columns)
            elif column.total:
                letter = xl_col_to_name(place)
                cells = f"{letter}{_HEAD_ROWS + 1}:{letter}{row}"
                sheet.write_formula(
                    row, place, f"=SUM({cells})" if row > _HEAD_ROWS else "=0", style, value or 0
                )
            else:
                sheet.write_string(row, place, str(value or ""), style)

    def _cell_ratio_foot(
        self, sheet: Any, row: int, place: int, column: Column, value: Value, columns: tuple[Column, ...]
    ) -> None:
        part, whole = (_place(columns, name) for name in column.ratio or ())
        top, bottom = xl_rowcol_to_cell(row, part), xl_rowcol_to_cell(row, whole)
        shown = NOTHING if value is None else value
        sheet.write_formula(
            row, place, f'=IF({bottom}=0,"{NOTHING}",{top}/{bottom})', self._sums[column.kind], shown
        )


def _place(columns: tuple[Column, ...], name: str) -> int:
    return [column.id for column in columns].index(name)
