"""A planned roster (シフト表) as CSV, read, and checked against the seats that each half-hour needs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time

from acd.staffing.days import SLOT_MIN
from core.errors import ToritsugiError
from core.ids import OperatorId

COLUMNS = ("日付", "番号", "開始", "終了", "休憩開始", "休憩終了")
"""The last two may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One operator's day: minutes since midnight, half-open."""

    day: date
    operator: OperatorId
    begins: int
    ends: int
    pause: tuple[int, int] | None = None

    def covers(self, begin: int) -> bool:
        """Whether they are at the telephone during the whole half-hour."""
        end = begin + SLOT_MIN
        away = self.pause is not None and self.pause[0] < end and begin < self.pause[1]
        return self.begins <= begin and end <= self.ends and not away


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A half-hour with too few people."""

    day: date
    begins_min: int
    needed: int
    planned: int


def read_roster(text: str, name: str) -> list[Shift]:
    """The shifts of a roster, in the file's order.

    Args:
        name: of the file, for errors.

    Raises:
        ToritsugiError: a missing column, an unreadable date or time, a shift or break the wrong way round, or one
            operator twice at once; with the line.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    head = [cell.strip() for cell in next(rows, [])]
    missing = [column for column in COLUMNS[:4] if column not in head]
    if missing:
        raise ToritsugiError(
            f"列がありません: {'、'.join(missing)}",
            where=f"{name} 1行目",
            cure=f"見出しを {','.join(COLUMNS)} にする",
        )
    shifts: list[Shift] = []
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        where = f"{name} {rows.line_num}行目"
        cells = dict(zip(head, [cell.strip() for cell in row], strict=False))
        shift = _shift(cells, where)
        for other in shifts:
            if (other.day, other.operator) == (shift.day, shift.operator) and (
                other.begins < shift.ends and shift.begins < other.ends
            ):
                raise ToritsugiError(
                    f"{shift.operator} のシフトが重なっています", where=where, cure="どちらかの時刻を直す"
                )
        shifts.append(shift)
    return shifts


def _shift(cells: Mapping[str, str], where: str) -> Shift:
    try:
        day = date.fromisoformat(cells.get("日付", "").replace("/", "-"))
    except ValueError as problem:
        raise ToritsugiError(
            f"日付が読めません: {cells.get('日付', '')!r}", where=where, cure="例: 2026-11-24"
        ) from problem
    operator = cells.get("番号", "")
    if not operator:
        raise ToritsugiError("番号がありません", where=where, cure="オペレーターの番号を書く")
    begins, ends = minute_of(cells.get("開始", ""), where), minute_of(cells.get("終了", ""), where)
    pause = None
    if cells.get("休憩開始") or cells.get("休憩終了"):
        pause = (minute_of(cells.get("休憩開始", ""), where), minute_of(cells.get("休憩終了", ""), where))
    if begins >= ends or (pause is not None and not begins <= pause[0] < pause[1] <= ends):
        raise ToritsugiError(
            "時刻の順が合いません", where=where, cure="開始、休憩開始、休憩終了、終了の順にする"
        )
    return Shift(day=day, operator=OperatorId(operator), begins=begins, ends=ends, pause=pause)


def minute_of(text: str, where: str) -> int:
    """`9:00` to minutes since midnight; 24:00 is 1440.

    Raises:
        ToritsugiError: it is no time; with `where`.
    """
    try:
        if text == "24:00":
            return 1440
        clock = time.fromisoformat(text.zfill(5))
    except ValueError as problem:
        raise ToritsugiError(f"時刻が読めません: {text!r}", where=where, cure="例: 09:00") from problem
    return 60 * clock.hour + clock.minute


def seats_of(shifts: Iterable[Shift], day: date, begins: Sequence[int]) -> tuple[int, ...]:
    """How many people sit at the telephone in each half-hour of a day."""
    mine = [shift for shift in shifts if shift.day == day]
    return tuple(len({shift.operator for shift in mine if shift.covers(begin)}) for begin in begins)


def shortages(shifts: Sequence[Shift], needed: Mapping[date, Sequence[tuple[int, int]]]) -> list[Shortage]:
    """Half-hours in which the roster has fewer people than needed.

    Args:
        needed: for each day its half-hours as (begin, seats).
    """
    return [
        Shortage(day=day, begins_min=begin, needed=want, planned=have)
        for day, wanted in sorted(needed.items())
        for (begin, want), have in zip(
            wanted, seats_of(shifts, day, [begin for begin, _ in wanted]), strict=True
        )
        if have < want
    ]
