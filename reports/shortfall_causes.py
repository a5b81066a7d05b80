"""What the records say about an hour in which calls were lost. Evidence only: each cause has its figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum, unique
from typing import NamedTuple

from core.ids import CallId
from ledger.calls import Call, Disposition, OfferOutcome
from ledger.facts import Fact, SwitchStarted
from ledger.presence import Presence, available_s, unattended_s
from reports.answer_rates import AnswerRateRule

ENOUGH_SAMPLES = 3
"""So many earlier hours of the same weekday and time are needed to say what is usual."""
MORE_ARRIVALS = 1.2
FEWER_ON_DUTY = 0.8
LONGER = 1.5
"""想定: from these ratios on a difference is named; arrivals must also pass what chance brings (`_beyond_chance`)."""
NOBODY_S = 60.0
MISSED_SHARE = 0.2
MISSED_LEAST = 3
ENOUGH_TALKS = 3
SWITCH_S = 3600.0


class HourKey(NamedTuple):
    day: date
    hour: int


@unique
class CauseKind(StrEnum):
    """In the order in which they are told."""

    SYSTEM = "system"
    NOBODY = "nobody"
    FULL = "full"
    FEW_STAFF = "few_staff"
    ARRIVALS = "arrivals"
    MISSED_OFFERS = "missed_offers"
    WRAP_UP = "wrap_up"
    LONG_TALK = "long_talk"
    WAIT_LIMIT = "wait_limit"

    @property
    def label_ja(self) -> str:
        return _LABELS[self]


_LABELS = {
    CauseKind.SYSTEM: "システム障害",
    CauseKind.NOBODY: "受付者の不在",
    CauseKind.FULL: "待ち列の満杯",
    CauseKind.FEW_STAFF: "受付人数の不足",
    CauseKind.ARRIVALS: "入電の集中",
    CauseKind.MISSED_OFFERS: "呼び出しへの不応答",
    CauseKind.WRAP_UP: "後処理の長さ",
    CauseKind.LONG_TALK: "通話の長さ",
    CauseKind.WAIT_LIMIT: "待ち時間の上限",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One likely cause with what it rests on."""

    kind: CauseKind
    text: str
    calls: tuple[CallId, ...]
    """Calls that show it; empty when it is a figure of the whole hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of one day."""

    key: HourKey
    offered: int
    answered: int
    open_s: float
    """Seconds in which the telephone was to be staffed."""
    on_duty: float | None
    """Mean number of operators who took calls; None in an hour that is closed."""
    nobody_s: float
    offers: int
    missed: int
    talk_s: float | None
    """Mean talk of the answered calls."""
    wrap_up_s: float | None
    answered_with_wrap_up: int
    longest_wait_s: float | None


def hours_of(
    calls: Sequence[Call],
    presence: Sequence[Presence],
    *,
    rule: AnswerRateRule,
    opening_s: Callable[[date, int], float],
    city_time_of: Callable[[float], datetime],
    epoch_of: Callable[[date, int], float],
) -> dict[HourKey, Hour]:
    """Every open hour between the first and the last call, and every hour that had a call."""
    by_hour: dict[HourKey, list[Call]] = {}
    for call in calls:
        local = city_time_of(call.arrived_at)
        by_hour.setdefault(HourKey(local.date(), local.hour), []).append(call)
    if not by_hour:
        return {}
    day, last = min(by_hour).day, max(by_hour).day
    while day <= last:
        for hour in range(24):
            if opening_s(day, hour) > 0:
                by_hour.setdefault(HourKey(day, hour), [])
        day += timedelta(days=1)
    there = _by_clock_hour(presence)
    hours = {}
    for key, mine in sorted(by_hour.items()):
        begun = epoch_of(key.day, key.hour)
        clocks = (int(begun // 3600), int((begun + 3600.0 - 1e-6) // 3600))
        near = dict.fromkeys(each for clock in clocks for each in there.get(clock, ()))
        hours[key] = _hour(key, mine, list(near), rule, opening_s(key.day, key.hour), begun)
    return hours


def _by_clock_hour(presence: Sequence[Presence]) -> dict[int, list[Presence]]:
    """Stretches by the hours since the epoch that they touch: months of them are looked through for each hour."""
    found: dict[int, list[Presence]] = {}
    for stretch in presence:
        for hour in range(int(stretch.started_at // 3600), int(stretch.ended_at // 3600) + 1):
            found.setdefault(hour, []).append(stretch)
    return found


def _hour(
    key: HourKey,
    calls: Sequence[Call],
    there: Sequence[Presence],
    rule: AnswerRateRule,
    open_s: float,
    begun: float,
) -> Hour:
    answered = [call for call in calls if call.disposition is Disposition.ANSWERED]
    wraps = [call.wrap_up_s for call in answered if call.wrap_up_s is not None]
    offers = [offer for call in calls for offer in call.offers]
    waits = [call.wait_s for call in calls if call.wait_s is not None]
    staffed = available_s(there, begun, begun + 3600.0)
    return Hour(
        key=key,
        offered=sum(rule.offers(call) for call in calls),
        answered=len(answered),
        open_s=open_s,
        on_duty=staffed / open_s if open_s > 0 else None,
        # Where the hour is only partly open, nobody is missed in the closed part.
        nobody_s=max(0.0, unattended_s(there, begun, begun + 3600.0) - (3600.0 - open_s)) if open_s else 0.0,
        offers=len(offers),
        missed=sum(offer.outcome is OfferOutcome.MISSED for offer in offers),
        talk_s=_mean([call.talk_s for call in answered]),
        wrap_up_s=_mean(wraps),
        answered_with_wrap_up=len(wraps),
        longest_wait_s=max(waits, default=None),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def causes_of(
    key: HourKey,
    hours: Mapping[HourKey, Hour],
    lost: Sequence[Call],
    shared: Collection[Fact],
    epoch_of: Callable[[date, int], float],
) -> tuple[Cause, ...]:
    """The causes that the records show for one hour.

    Args:
        hours: of the period and of the weeks before.
        lost: the hour's lost calls.
        shared: facts of no call.
    """
    hour = hours[key]
    usual = [
        other
        for other in hours.values()
        if other.key.hour == key.hour
        and other.key.day.weekday() == key.day.weekday()
        and other.key.day < key.day
        and other.open_s > 0
    ]
    found = [
        _system(key, lost, shared, epoch_of),
        _nobody(hour, lost),
        _overflow(lost, "full", CauseKind.FULL, "待ち列がいっぱいで、{n}件が混雑の案内になった。"),
        _few_staff(hour, usual),
        _arrivals(hour, usual),
        _missed(hour, lost),
        _longer(hour, hours, CauseKind.WRAP_UP),
        _longer(hour, hours, CauseKind.LONG_TALK),
        _overflow(
            lost, "wait_limit", CauseKind.WAIT_LIMIT, "待ち時間の上限に達し、{n}件が混雑の案内になった。"
        ),
    ]
    return tuple(cause for cause in found if cause is not None)


def _ids(calls: Sequence[Call]) -> tuple[CallId, ...]:
    return tuple(call.call_id for call in calls)


def _system(
    key: HourKey, lost: Sequence[Call], shared: Collection[Fact], epoch_of: Callable[[date, int], float]
) -> Cause | None:
    failed = [
        call
        for call in lost
        if call.disposition is Disposition.SYSTEM_FAILURE or call.overflow_reason == "failure"
    ]
    begun = epoch_of(key.day, key.hour)
    restarts = [
        fact for fact in shared if isinstance(fact, SwitchStarted) and begun <= fact.at < begun + SWITCH_S
    ]
    if not failed and not restarts:
        return None
    parts = []
    if failed:
        parts.append(f"当方の都合で{len(failed)}件が切れた。")
    if restarts:
        parts.append(f"この時間に交換機が{len(restarts)}回始め直された。")
    return Cause(kind=CauseKind.SYSTEM, text="".join(parts), calls=_ids(failed))


def _nobody(hour: Hour, lost: Sequence[Call]) -> Cause | None:
    found = [call for call in lost if call.overflow_reason == "nobody"]
    if not found and hour.nobody_s < NOBODY_S:
        return None
    parts = []
    if hour.nobody_s >= NOBODY_S:
        parts.append(f"受付時間のうち{_minutes(hour.nobody_s)}、電話を受けられる人がいなかった。")
    if found:
        parts.append(f"{len(found)}件が受付者なしの案内になった。")
    return Cause(kind=CauseKind.NOBODY, text="".join(parts), calls=_ids(found))


def _overflow(lost: Sequence[Call], reason: str, kind: CauseKind, text: str) -> Cause | None:
    found = [call for call in lost if call.overflow_reason == reason]
    return Cause(kind=kind, text=text.format(n=len(found)), calls=_ids(found)) if found else None


def _few_staff(hour: Hour, usual: Sequence[Hour]) -> Cause | None:
    known = [other.on_duty for other in usual if other.on_duty is not None]
    mean = _mean(known)
    if hour.on_duty is None or mean is None or len(known) < ENOUGH_SAMPLES:
        return None
    if hour.on_duty > FEWER_ON_DUTY * mean or mean - hour.on_duty < 0.5:
        return None
    return Cause(
        kind=CauseKind.FEW_STAFF,
        text=f"受付人数は平均{hour.on_duty:.1f}人で、同じ曜日・時刻のふだん（{len(known)}回の平均{mean:.1f}人）より少なかった。",
        calls=(),
    )


def _arrivals(hour: Hour, usual: Sequence[Hour]) -> Cause | None:
    mean = _mean([float(other.offered) for other in usual])
    if mean is None or len(usual) < ENOUGH_SAMPLES:
        return None
    if hour.offered < MORE_ARRIVALS * mean or not _beyond_chance(hour.offered, mean):
        return None
    return Cause(
        kind=CauseKind.ARRIVALS,
        text=f"オペレーターを求める入電が{hour.offered}件あり、同じ曜日・時刻のふだん（{len(usual)}回の平均{mean:.1f}件）より多かった。",
        calls=(),
    )


def _beyond_chance(count: int, mean: float) -> bool:
    """Whether so many or more would come in fewer than one of twenty such hours (Poisson)."""
    term, below = math.exp(-mean), 0.0
    for number in range(count):
        below += term
        term *= mean / (number + 1)
    return 1.0 - below < 0.05


def _missed(hour: Hour, lost: Sequence[Call]) -> Cause | None:
    if hour.missed < MISSED_LEAST or hour.missed < MISSED_SHARE * hour.offers:
        return None
    touched = [call for call in lost if any(offer.outcome is OfferOutcome.MISSED for offer in call.offers)]
    return Cause(
        kind=CauseKind.MISSED_OFFERS,
        text=f"呼び出し{hour.offers}回のうち{hour.missed}回に応答がなかった。",
        calls=_ids(touched),
    )


def _longer(hour: Hour, hours: Mapping[HourKey, Hour], kind: CauseKind) -> Cause | None:
    """Wrap-up or talk longer than in the other hours of the same record."""
    what, value, count = (
        ("後処理", hour.wrap_up_s, hour.answered_with_wrap_up)
        if kind is CauseKind.WRAP_UP
        else ("通話", hour.talk_s, hour.answered)
    )
    others = [
        (other.wrap_up_s, other.answered_with_wrap_up)
        if kind is CauseKind.WRAP_UP
        else (other.talk_s, other.answered)
        for other in hours.values()
        if other.key != hour.key
    ]
    known = [(each, number) for each, number in others if each is not None]
    total = sum(number for _, number in known)
    if value is None or count < ENOUGH_TALKS or total < 10 * ENOUGH_TALKS:
        return None
    mean = sum(each * number for each, number in known) / total
    if value < LONGER * mean:
        return None
    return Cause(
        kind=kind,
        text=f"{what}は平均{_minutes(value)}（{count}件）で、ほかの時間の平均{_minutes(mean)}（{total}件）より長かった。",
        calls=(),
    )


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}分{whole % 60:02d}秒" if whole >= 60 else f"{whole}秒"
