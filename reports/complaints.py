"""Complaints and wrong guidance of a month (松阪市 仕様書 2章2(4)ケ): when the city was told, what became of each, and
which are open. It shows no citizen's name and no number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintStep:
    at: datetime
    by: str
    state_ja: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One of them, as it stands."""

    ticket: str
    kind_ja: str
    opened: datetime
    told: datetime | None
    """When the city was first told by an alert; None when no record says so."""
    due: datetime
    ended: datetime | None
    department: str
    """In words; empty while nobody knows who should see to it."""
    content: str
    """Numbers masked."""
    state_ja: str
    cancelled: bool
    owner: str
    result: str
    """Numbers masked."""
    call: str
    steps: tuple[ComplaintStep, ...]

    @property
    def open(self) -> bool:
        return self.ended is None

    def late(self, now: datetime) -> bool:
        """Whether it was, or is, not seen to by its deadline."""
        return (self.ended or now) > self.due and not self.cancelled

    @property
    def told_within_s(self) -> float | None:
        return None if self.told is None else max(0.0, (self.told - self.opened).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintReport:
    city: str
    centre: str
    first_day: date
    last_day: date
    made_at: datetime
    opened: tuple[Complaint, ...]
    """In the period, by the moment."""
    carried: tuple[Complaint, ...]
    """Opened before it, and still open when it began."""

    @property
    def open(self) -> tuple[Complaint, ...]:
        return tuple(each for each in (*self.carried, *self.opened) if each.open)

    @property
    def late(self) -> tuple[Complaint, ...]:
        return tuple(each for each in (*self.carried, *self.opened) if each.late(self.made_at))

    @property
    def untold(self) -> tuple[Complaint, ...]:
        return tuple(each for each in self.opened if each.told is None)

    @property
    def slowest_told_s(self) -> float | None:
        """The longest time from opening to telling the city; None when none was told."""
        return max(
            (each.told_within_s for each in self.opened if each.told_within_s is not None), default=None
        )

    def count(self, kind_ja: str) -> int:
        return sum(each.kind_ja == kind_ja for each in self.opened)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({each.kind_ja for each in self.opened}))


def complaint_report(
    complaints: Iterable[Complaint],
    *,
    city: str,
    centre: str,
    first_day: date,
    last_day: date,
    made_at: datetime,
) -> ComplaintReport:
    """Those of the period, and those that were open when it began."""
    every = sorted(complaints, key=lambda each: (each.opened, each.ticket))
    return ComplaintReport(
        city=city,
        centre=centre,
        first_day=first_day,
        last_day=last_day,
        made_at=made_at,
        opened=tuple(each for each in every if first_day <= each.opened.date() <= last_day),
        carried=tuple(
            each
            for each in every
            if each.opened.date() < first_day and (each.ended is None or each.ended.date() >= first_day)
        ),
    )
