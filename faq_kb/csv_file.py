"""Entries as CSV: opens in Excel (UTF-8 with a mark, nothing runs as a formula) and comes back exactly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.errors import ToritsugiError
from faq_kb.article import LABELS, Audience, Content, State

NEEDED = ("id", "question", "answer")
COLUMNS = (
    "id", "question", "answer", "spoken", "category", "forms", "related", "audience", "department",
    "valid_from", "valid_until", "source", "state",
)  # fmt: skip
LONGEST = 50_000
"""Characters of a cell."""
SHOWN_PROBLEMS = 50
_MARK = "\ufeff"
_ID = re.compile(r"[^\s,\"'\x00-\x1f]{1,64}")
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r]")
"""What Excel could take for a formula; such a cell gets an apostrophe in front, and loses one when it is read."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TELL_EVERY = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of a file."""

    line: int
    """Where it begins in the file, from 1."""
    article_id: str
    content: Content
    state: State | None
    """None when the file does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a row cannot be taken in."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.line}行目 {self.column}: {self.reason}"
            if self.column
            else f"{self.line}行目: {self.reason}"
        )


class RowsRefused(ToritsugiError):
    """A file with bad rows; nothing of it is taken in."""

    code = "faq.rows_refused"

    def __init__(self, problems: Sequence[Problem], where: str) -> None:
        self.problems = tuple(problems)
        lines = [f"  {problem}" for problem in self.problems[:SHOWN_PROBLEMS]]
        if len(self.problems) > SHOWN_PROBLEMS:
            lines.append(f"  ほか {len(self.problems) - SHOWN_PROBLEMS} か所")
        super().__init__(
            f"取り込めない行が {len(self.problems)} か所あり、何も取り込みませんでした\n" + "\n".join(lines),
            where=where,
            cure="示した行を直して、もう一度取り込む",
        )


def read_rows(data: bytes, where: str, tell: Callable[[int], None] = lambda _: None) -> list[Row]:
    """The entries of a CSV file.

    Args:
        data: the file.
        where: its name, for errors.
        tell: is told now and then how many rows were read.

    Raises:
        RowsRefused: names each bad row with its line and the reason.
        ToritsugiError: it is no CSV in UTF-8, or a needed column is missing.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ToritsugiError(
            f"{line}行目が UTF-8 ではありません",
            where=where,
            cure="Excel では「CSV UTF-8 (コンマ区切り)」で保存する",
        ) from problem
    csv.field_size_limit(4 * LONGEST)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    line = 1
    try:
        header = _header(next(reader, []), where)
        line = reader.line_num + 1
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cells):
                continue
            if len(cells) != len(header):
                reason = f"列が {len(cells)} あります（見出しは {len(header)}）"
                problems.append(Problem(line=start, column="", reason=reason))
                continue
            row = _row(start, dict(zip(header, map(_plain, cells), strict=True)), problems)
            if row is None:
                continue
            if row.article_id in seen:
                reason = f"{row.article_id} は {seen[row.article_id]}行目にもあります"
                problems.append(Problem(line=start, column="id", reason=reason))
            seen.setdefault(row.article_id, start)
            rows.append(row)
            if len(rows) % _TELL_EVERY == 0:
                tell(len(rows))
    except csv.Error as problem:
        problems.append(Problem(line=line, column="", reason=f"CSV として読めません（{problem}）"))
    if problems:
        raise RowsRefused(problems, where)
    return rows


def _header(cells: Sequence[str], where: str) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    missing = [name for name in NEEDED if name not in header]
    double = sorted({name for name in header if name and header.count(name) > 1})
    if missing or double:
        raise ToritsugiError(
            f"見出しに{'ない' if missing else '二つある'}列: {', '.join(missing or double)}",
            where=f"{where}:1",
            cure=f"1行目に列の名前を書く。使える列: {', '.join(COLUMNS)}",
        )
    return header


def unknown_columns(data: bytes) -> list[str]:
    """Columns of a readable file that nothing is read from."""
    header = next(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")), [])
    return [cell for cell in header if cell.strip().lower() not in COLUMNS]


def _row(line: int, cells: Mapping[str, str], problems: list[Problem]) -> Row | None:
    before = len(problems)

    def wrong(column: str, reason: str) -> None:
        problems.append(Problem(line=line, column=column, reason=reason))

    for column, cell in cells.items():
        if _CONTROL.search(cell):
            wrong(column, "制御文字が入っています")
        if len(cell) > LONGEST:
            wrong(column, f"長すぎます（{len(cell)}文字。{LONGEST}文字まで）")
    article_id = cells["id"].strip()
    if not _ID.fullmatch(article_id):
        wrong("id", "空か、空白・引用符を含むか、64文字を超えています" if article_id else "空です")
    for column in ("question", "answer"):
        if not cells[column].strip():
            wrong(column, f"{LABELS[column]}が空です")
    audience = cells.get("audience", "").strip()
    if audience and audience not in set(Audience):
        wrong("audience", f"{audience!r} は使えません（{', '.join(Audience)}）")
    state = cells.get("state", "").strip()
    if state and state not in set(State):
        wrong("state", f"{state!r} は使えません（{', '.join(State)}）")
    days: dict[str, date | None] = {}
    for column in ("valid_from", "valid_until"):
        text = cells.get(column, "").strip()
        try:
            days[column] = date.fromisoformat(text) if text else None
        except ValueError:
            wrong(column, f"日付ではありません: {text!r}（例: 2026-04-01）")
    if (first := days.get("valid_from")) and (last := days.get("valid_until")) and last < first:
        wrong("valid_until", "開始日より前です")
    if len(problems) > before:
        return None
    return Row(
        line=line,
        article_id=article_id,
        content=Content(
            question=cells["question"],
            answer=cells["answer"],
            spoken=cells.get("spoken", ""),
            category=cells.get("category", ""),
            forms=_lines(cells.get("forms", "")),
            related=_lines(cells.get("related", "")),
            audience=Audience(audience or Audience.OPERATOR),
            department=cells.get("department", ""),
            valid_from=days["valid_from"],
            valid_until=days["valid_until"],
            source=cells.get("source", ""),
        ),
        state=State(state) if state else None,
    )


def _lines(cell: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in cell.splitlines() if line.strip())


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def write_rows(entries: Iterable[tuple[str, Content, State]]) -> Iterator[str]:
    """The lines of a CSV file, the mark that tells Excel of UTF-8 first."""
    yield _MARK + _line(COLUMNS)
    for article_id, content, state in entries:
        cells = (
            article_id, content.question, content.answer, content.spoken, content.category,
            "\n".join(content.forms), "\n".join(content.related), content.audience.value, content.department,
            content.valid_from.isoformat() if content.valid_from else "",
            content.valid_until.isoformat() if content.valid_until else "", content.source, state.value,
        )  # fmt: skip
        yield _line([_harmless(cell) for cell in cells])


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
