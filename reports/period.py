"""The calls of a period, added up one by one: by day, hour and line, the funnel, the long waits, the repeats.

One pass over the calls feeds every table of every paper and every format. Only sums are held; lists lie in files.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from core.facts.dialplan import StepResult
from ledger.calls import Call, Disposition
from reports.answer_rates import AnswerRateRule
from reports.daily import CityFacts, call_row
from reports.paper import Column, Kind, Row, Rows
from reports.tally import Tally, milliseconds, sum_of

CityTimeOf = Callable[[float], datetime]

CALL_COLUMNS = (
    Column(id="at", title="着信", kind=Kind.MOMENT),
    Column(id="call", title="通話番号"),
    Column(id="caller", title="発信者"),
    Column(id="line", title="用件"),
    Column(id="result", title="結果"),
    Column(id="detail", title="詳細"),
    Column(id="operators", title="担当"),
    Column(id="wait", title="待ち", kind=Kind.SECONDS),
    Column(id="talk", title="通話", kind=Kind.SECONDS),
    Column(id="ended_by", title="切った側"),
)


def call_cells(call: Call, city: CityFacts, city_time_of: CityTimeOf) -> Row:
    """A call as a row of `CALL_COLUMNS`."""
    row = call_row(call, city, city_time_of)
    return (
        row.at.replace(tzinfo=None, microsecond=0), row.call_id, row.caller, row.line, row.result,
        row.detail, row.operators, row.wait_s, row.talk_s, row.ended_by,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class CellKey:
    """Where a call is counted: the city's day and hour of its arrival, and its line ("" before it chose one)."""

    day: date
    hour: int
    line: str


@dataclass(slots=True, kw_only=True)
class Period:
    """Everything counted from `first_day` to `last_day`, both included."""

    city: CityFacts
    first_day: date
    last_day: date
    city_time_of: CityTimeOf
    cells: dict[CellKey, Tally] = field(default_factory=dict)
    steps: dict[str, Counter[StepResult]] = field(default_factory=dict)
    """Menu to what its steps came to."""
    long_waits: Rows = field(default_factory=lambda: Rows(CALL_COLUMNS))
    calls: Rows = field(default_factory=lambda: Rows(CALL_COLUMNS))
    """Every call, tests left out."""
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, call: Call) -> None:
        """Count one call in; a call of another day is passed over. Calls come by arrival."""
        local = self.city_time_of(call.arrived_at)
        if not self.first_day <= local.date() <= self.last_day:
            return
        self._digest.update(_trace(call).encode("utf-8"))
        key = CellKey(local.date(), local.hour, call.line or "")
        self.cells.setdefault(key, Tally()).add(call)
        if call.disposition is Disposition.TEST:
            return
        for step in call.steps:
            self.steps.setdefault(step.node, Counter())[step.result] += 1
        cells = call_cells(call, self.city, self.city_time_of)
        self.calls.append(cells)
        if call.wait_s is not None and milliseconds(call.wait_s) >= 1000 * self.city.long_wait_s:
            self.long_waits.append(cells)

    @property
    def data_version(self) -> str:
        """A name for exactly these calls as they are known now."""
        return self._digest.hexdigest()[:12]

    @property
    def whole(self) -> Tally:
        return sum_of(self.cells.values())

    def by(self, part: Callable[[CellKey], str | int | date]) -> dict[str | int | date, Tally]:
        """Tallies by a part of the key, ordered by it."""
        found: dict[str | int | date, Tally] = {}
        for key, tally in sorted(self.cells.items()):
            found.setdefault(part(key), Tally()).merge(tally)
        return found

    def days(self) -> list[date]:
        """Every day from the first one of the period to the last one with a call, days without calls included."""
        last = max((key.day for key in self.cells), default=None)
        number = 0 if last is None else (last - self.first_day).days + 1
        return [self.first_day + timedelta(days=each) for each in range(number)]

    def by_day(self) -> dict[date, Tally]:
        found = self.by(lambda key: key.day)
        return {day: found.get(day, Tally()) for day in self.days()}

    def stretches(self) -> list[tuple[date, date, AnswerRateRule]]:
        """The period by the contract's definition of 応答率: first and last day of each, both included."""
        begins = [
            begin for begin, _ in self.city.answer_rate_rules if self.first_day < begin <= self.last_day
        ]
        found = []
        for first, following in pairwise((self.first_day, *begins, self.last_day + timedelta(days=1))):
            found.append((first, following - timedelta(days=1), self.city.rule_on(first)))
        return found

    def by_hour(self) -> dict[int, Tally]:
        found = self.by(lambda key: key.hour)
        return {hour: found[hour] for hour in sorted(hour for hour in found if isinstance(hour, int))}

    def by_line(self) -> dict[str, Tally]:
        """The profile's lines in their order, with the calls that chose none last."""
        found = {str(line): tally for line, tally in self.by(lambda key: key.line).items()}
        names = [
            *self.city.line_names,
            *(line for line in found if line and line not in self.city.line_names),
        ]
        ordered = {line: found.get(line, Tally()) for line in names}
        return {**ordered, "": found[""]} if "" in found else ordered

    def grid(self) -> Mapping[tuple[date, int], Tally]:
        """By day and hour."""
        found: dict[tuple[date, int], Tally] = {}
        for key, tally in self.cells.items():
            found.setdefault((key.day, key.hour), Tally()).merge(tally)
        return found


def _trace(call: Call) -> str:
    """What a figure could rest on; it changes when the call is known differently."""
    parts = [
        f"{each.operator}@{milliseconds(each.started_at)}-{milliseconds(each.ended_at or 0)}+{each.wrap_up_s}"
        for each in call.segments
    ]
    moved = [f"{each.kind}:{each.to}:{each.result}" for each in call.transfers]
    return "|".join(
        map(
            str,
            (
                call.call_id, call.disposition, call.line, call.wait_s, call.wait_from_arrival_s, call.talk_s,
                call.overflow_reason, call.closed_reason, len(call.offers), len(call.staff),
                len(call.wait_words), *parts, *moved, "\n",
            ),
        )
    )  # fmt: skip


def period_of(
    city: CityFacts, first_day: date, last_day: date, city_time_of: CityTimeOf, calls: Iterable[Call] = ()
) -> Period:
    """A period with these calls counted in."""
    found = Period(city=city, first_day=first_day, last_day=last_day, city_time_of=city_time_of)
    for call in calls:
        found.add(call)
    return found
