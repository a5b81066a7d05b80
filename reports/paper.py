"""A paper as data: tables of typed cells, charts, words. Every format prints this and adds no figure of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum, unique

from reports.definitions import Definition
from reports.opening import Opening

Value = str | int | float | date | datetime | None
Row = tuple[Value, ...]
PIECE = 1 << 18
HELD_ROWS = 500
"""A list of more rows than this goes to a temporary file."""


@unique
class Kind(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    CALLS = "calls"
    SECONDS = "seconds"
    SHARE = "share"
    FINE_SHARE = "fine_share"
    """A share that is told to a thousandth of a per cent."""
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. A ratio's cells are made of two others of the same row."""

    id: str
    title: str
    kind: Kind = Kind.TEXT
    ratio: tuple[str, str] | None = None
    """Ids of the columns that it divides; a spreadsheet gets the formula, everything else the value."""
    total: bool = False
    """Whether the table's foot is the sum of the column (or, for a ratio, the ratio of the sums)."""
    wide: bool = False


class Rows:
    """Rows that can be read any number of times; long lists lie in a temporary file."""

    def __init__(self, columns: Sequence[Column], rows: Iterable[Row] = ()) -> None:
        self._kinds = [column.kind for column in columns]
        self._held: list[Row] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the rows
        self._spilled = 0
        for row in rows:
            self.append(row)

    def append(self, row: Row) -> None:
        """Add one row.

        Raises:
            ValueError: it has not one cell for each column.
        """
        if len(row) != len(self._kinds):
            raise ValueError(f"{len(row)} cells for {len(self._kinds)} columns")
        if len(self._held) < HELD_ROWS:
            self._held.append(row)
            return
        self._file.seek(0, 2)
        text = json.dumps(row, ensure_ascii=False, default=lambda each: each.isoformat())
        self._file.write(text.encode("utf-8") + b"\n")
        self._spilled += 1

    def __len__(self) -> int:
        return len(self._held) + self._spilled

    def __iter__(self) -> Iterator[Row]:
        yield from self._held
        at = 0
        while self._spilled:
            # Somebody else may read or add between two pieces.
            self._file.seek(at)
            lines = self._file.readlines(PIECE)
            at = self._file.tell()
            for line in lines:
                yield tuple(
                    _read(value, kind) for value, kind in zip(json.loads(line), self._kinds, strict=True)
                )
            if not lines:
                return


def _read(value: Value, kind: Kind) -> Value:
    if isinstance(value, str) and kind is Kind.DATE:
        return date.fromisoformat(value)
    if isinstance(value, str) and kind is Kind.MOMENT:
        return datetime.fromisoformat(value)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table; the first column names the row."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: Rows
    note: str = ""
    total: str = ""
    """Name of the foot that adds up; empty: none."""
    listing: bool = False
    """A list of single calls or cases; in print only as long as it stays readable."""
    opens: Mapping[tuple[int, str], Opening] = field(default_factory=dict)
    """By row (from 0) and column: the calls behind a figure."""
    foot_opens: Mapping[str, Opening] = field(default_factory=dict)
    """By column: the calls behind a sum."""

    def foot(self) -> Row | None:
        """The sums, counted from the rows; None without a foot."""
        if not self.total:
            return None
        sums: dict[str, float] = {}
        for row in self.rows:
            for column, value in zip(self.columns, row, strict=True):
                if column.total and column.ratio is None and isinstance(value, int | float):
                    sums[column.id] = sums.get(column.id, 0) + value
        cells: list[Value] = [self.total]
        for column in self.columns[1:]:
            if not column.total:
                cells.append(None)
            elif column.ratio is not None:
                part, whole = (sums.get(name, 0) for name in column.ratio)
                cells.append(part / whole if whole else None)
            else:
                cells.append(sums.get(column.id, 0))
        return tuple(cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One kind of thing in a bar chart."""

    name: str
    style: str
    """`answered`, `abandoned_queue`, `overflow` or `other`: a fill that can be told apart in print."""
    values: tuple[float, ...]
    opens: tuple[Opening, ...] = ()
    """By label: the calls behind each value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Stacked bars."""

    id: str
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = "件"
    opens: tuple[Opening, ...] = ()
    """By label: the calls behind the whole bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Sentences, or room for a person to write."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    room: int = 0
    """Empty lines to write on."""


Block = Table | Chart | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Everything that a paper says."""

    kind: str
    title: str
    """e.g. 月次報告書."""
    city: str
    centre: str
    period: str
    """In words."""
    made_at: datetime
    blocks: tuple[Block, ...]
    definitions: tuple[Definition, ...]
    """Of the figures used, printed at the foot."""
    answer_rate_rule: str
    """Name and formula of the contract's 応答率; empty for a paper without calls."""
    data_version: str
    """Of the calls counted; two papers of the same version rest on the same calls."""
    notes: tuple[str, ...] = ()
    desk: str = ""
    """How browsers name the desk that lists the calls behind a figure; empty: the page has no links."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Block to where the specification asks for it."""

    def tables(self) -> Iterator[Table]:
        yield from (block for block in self.blocks if isinstance(block, Table))

    def table(self, name: str) -> Table:
        """Raises KeyError when there is no such table."""
        return {table.id: table for table in self.tables()}[name]
