"""Figures that know the calls behind them, and tables made of such figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reports.behind import count_of
from reports.daily import CityFacts
from reports.opening import Opening
from reports.paper import Column, Rows, Table, Value
from reports.period import Period
from reports.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A figure with what it opens to."""

    value: Value
    opens: Opening


Cell = Value | Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The calls of one part of a period: their tally, and where they lie."""

    city: CityFacts
    tally: Tally
    first: date
    last: date
    hour: int | None = None
    line: str | None = None

    def opening(self, metric: str) -> Opening:
        """What a figure of this part opens to."""
        return Opening(metric=metric, first=self.first, last=self.last, hour=self.hour, line=self.line)

    def count(self, metric: str) -> int:
        """A count of `reports.behind`."""
        return count_of(metric, self.city)(self.tally)

    def shown(self, metric: str) -> Shown:
        """The count as a figure that opens."""
        return Shown(value=self.count(metric), opens=self.opening(metric))

    def valued(self, value: float | None, metric: str) -> Shown:
        """A figure made of the calls of a count: their mean, their longest."""
        return Shown(value=value, opens=self.opening(metric))


def part_of(period: Period) -> Part:
    """All of a period."""
    return Part(city=period.city, tally=period.whole, first=period.first_day, last=period.last_day)


def drawn(
    *,
    id: str,  # noqa: A002 - the name of the table, as in `Table`
    title: str,
    columns: tuple[Column, ...],
    rows: Iterable[Sequence[Cell]],
    total: str = "",
    foot: Mapping[str, Opening] | None = None,
    note: str = "",
) -> Table:
    """A table whose figures open.

    Args:
        foot: by column, what the sums open to.
    """
    values, opens = Rows(columns), dict[tuple[int, str], Opening]()
    for number, row in enumerate(rows):
        for column, cell in zip(columns, row, strict=True):
            if isinstance(cell, Shown):
                opens[number, column.id] = cell.opens
        values.append(tuple(cell.value if isinstance(cell, Shown) else cell for cell in row))
    return Table(
        id=id, title=title, columns=columns, rows=values, total=total, note=note, opens=opens, foot_opens=foot or {}
    )  # fmt: skip
