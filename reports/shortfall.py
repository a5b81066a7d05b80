"""The shortfall report (応答率未達の報告): where calls were lost, what the records say of it, and room for the cure.

松阪市 仕様書 2章2(3)イ: when the answer rate is under its target the city is told at once, and the improvement is
reported in writing. A cause is named only with the figures it rests on and the calls behind it; an hour without any
such sign says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.ids import CallId
from ledger.calls import Call, Disposition
from ledger.facts import Fact
from ledger.presence import Presence
from reports import metrics as m
from reports.answer_rates import answer_rate, offered, short_by
from reports.behind import lost_by, offered_by
from reports.daily import CityFacts
from reports.opening import Opening
from reports.shortfall_causes import Cause, CauseKind, Hour, HourKey, causes_of, hours_of
from reports.tally import tally_of

CityTimeOf = Callable[[float], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostCall:
    """One call that was not answered, as the report lists it: no caller's number."""

    call_id: CallId
    at: datetime
    line: str
    result: str
    wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LostHour:
    """One hour of one day in which calls were lost."""

    hour: Hour
    calls: tuple[LostCall, ...]
    causes: tuple[Cause, ...]
    """Strongest first; empty when no record points to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSum:
    """How many lost calls lie in hours that show this cause; an hour may show several."""

    kind: CauseKind
    hours: tuple[HourKey, ...]
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortfallReport:
    """Everything the paper says; the improvement is for the person in charge to write."""

    city: CityFacts
    first_day: date
    last_day: date
    made_at: datetime
    answered: int
    offered: int
    rate: float | None
    hours: tuple[LostHour, ...]
    """By day and hour."""
    causes: tuple[CauseSum, ...]
    """Most lost calls first."""
    unexplained: int
    """Lost calls in hours that show no cause."""
    days: int
    """Days of the period with offered calls."""

    @property
    def target(self) -> float | None:
        return self.city.answer_rate_target

    @property
    def missed(self) -> bool | None:
        """Whether the target was missed; None without a target or without calls."""
        return None if self.rate is None or self.target is None else self.rate < self.target

    @property
    def lost(self) -> int:
        return self.offered - self.answered

    def opening(self, what: str, hour: LostHour | None = None) -> Opening:
        """The calls behind `offered`, `answered` or `lost`, of the period or of one hour."""
        rules = {"offered": offered_by, "lost": lost_by}
        metric = rules[what](self.city.rule) if what in rules else what
        key = hour.hour.key if hour else None
        return Opening(
            metric=metric,
            first=key.day if key else self.first_day,
            last=key.day if key else self.last_day,
            hour=key.hour if key else None,
        )

    @property
    def short_by(self) -> int:
        """How many more calls would have had to be answered."""
        if self.target is None:
            return 0
        return short_by(self.answered, self.offered, self.target)


def shortfall_report(
    city: CityFacts,
    first_day: date,
    last_day: date,
    *,
    calls: Iterable[Call],
    presence: Sequence[Presence],
    shared: Collection[Fact],
    opening_s: Callable[[date, int], float],
    city_time_of: CityTimeOf,
    epoch_of: Callable[[date, int], float],
    made_at: datetime,
) -> ShortfallReport:
    """The report of the days from `first_day` to `last_day`, both included.

    Args:
        calls: calls of the period, and of the weeks before, which tell what is usual at an hour of a weekday.
        presence: of the period and of the weeks before.
        shared: facts of no call, of the period: restarts of the switch.
        opening_s: seconds of an hour of a day in which the telephone was to be staffed.
        epoch_of: real time at which an hour of a day began.
        made_at: printed in the head.
    """
    rule = city.rule
    known = sorted(m.counted(calls), key=lambda call: (call.arrived_at, call.call_id))
    hours = hours_of(
        known,
        presence,
        rule=rule,
        opening_s=opening_s,
        city_time_of=city_time_of,
        epoch_of=epoch_of,
    )
    mine = [
        call
        for call in known
        if first_day <= city_time_of(call.arrived_at).date() <= last_day and not call.open
    ]
    tally = tally_of(mine)
    by_hour: dict[HourKey, list[Call]] = {}
    for call in mine:
        if rule.offers(call) and call.disposition is not Disposition.ANSWERED:
            local = city_time_of(call.arrived_at)
            by_hour.setdefault(HourKey(local.date(), local.hour), []).append(call)
    lost = tuple(
        LostHour(
            hour=hours[key],
            calls=tuple(_lost(call, city, city_time_of) for call in gone),
            causes=causes_of(key, hours, gone, shared, epoch_of),
        )
        for key, gone in sorted(by_hour.items())
    )
    return ShortfallReport(
        city=city,
        first_day=first_day,
        last_day=last_day,
        made_at=made_at,
        answered=m.answered(tally),
        offered=offered(tally, rule),
        rate=answer_rate(tally, rule),
        hours=lost,
        causes=_sums(lost),
        unexplained=sum(len(each.calls) for each in lost if not each.causes),
        days=len({city_time_of(call.arrived_at).date() for call in mine if rule.offers(call)}),
    )


def _lost(call: Call, city: CityFacts, city_time_of: CityTimeOf) -> LostCall:
    return LostCall(
        call_id=call.call_id,
        at=city_time_of(call.arrived_at),
        line=city.line_names.get(call.line, call.line) if call.line else "（用件を選ぶ前）",
        result=call.disposition.label_ja if call.disposition else "",
        wait_s=call.wait_s,
    )


def _sums(lost: Sequence[LostHour]) -> tuple[CauseSum, ...]:
    hours: dict[CauseKind, list[HourKey]] = {}
    calls: dict[CauseKind, int] = {}
    for each in lost:
        for cause in each.causes:
            hours.setdefault(cause.kind, []).append(each.hour.key)
            calls[cause.kind] = calls.get(cause.kind, 0) + len(each.calls)
    sums = [CauseSum(kind=kind, hours=tuple(hours[kind]), lost=calls[kind]) for kind in hours]
    return tuple(sorted(sums, key=lambda each: (-each.lost, -len(each.hours), each.kind.value)))


def by_day_and_hour(report: ShortfallReport) -> tuple[list[int], list[tuple[date, Mapping[int, LostHour]]]]:
    """The hours that occur, and each day with its lost hours: the grid at the head of the paper."""
    columns = sorted({each.hour.key.hour for each in report.hours})
    days = sorted({each.hour.key.day for each in report.hours})
    return columns, [
        (day, {each.hour.key.hour: each for each in report.hours if each.hour.key.day == day}) for day in days
    ]
