"""The evenness report (均等配分の報告) of one ISO week: who carried how much, for each skill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum, unique

from core.ids import OperatorId, QueueName, demand_of
from ledger.calls import Call, Disposition, OfferOutcome
from ledger.presence import Presence, available_s
from reports.opening import Opening

CityTimeOf = Callable[[float], datetime]

EVERYBODY = ""
"""In the name of a count: all operators together."""
ALL_SKILLS = ""
"""In the name of a count: every call, whatever it asked for."""
ENOUGH_OFFERS = 100
"""Below this chance alone makes differences; the figures are shown as a hint."""
ENOUGH_TIME_S = 3600.0
"""想定: who took calls for less in the week is shown and not compared."""
EVEN = 0.2
UNEVEN = 0.5
"""想定: up to EVEN the words say even, from UNEVEN on uneven; between, some difference."""


@unique
class LoadBy(StrEnum):
    """What the city spreads evenly (`acd.even_by`)."""

    MINUTES = "minutes"
    CALLS = "calls"
    BOTH = "both"

    @property
    def label_ja(self) -> str:
        return {"minutes": "対応時間", "calls": "対応件数", "both": "対応時間と対応件数"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillGroup:
    """Calls that ask for one skill: a line, a language, a topic, or everything."""

    id: str
    name_ja: str
    demands: frozenset[QueueName]

    def holds(self, call: Call) -> bool:
        """Whether a call asked for this skill."""
        return call.queue is not None and demand_of(call.queue) in self.demands


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One offer with its recorded reason, as far as the report needs it."""

    demand: QueueName
    deviation: str
    """Empty when it is what the engine wished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """One operator in one skill."""

    operator: OperatorId
    name: str
    calls: int
    """Handled calls of this skill."""
    share: float | None
    """Of the handled calls of this skill."""
    handled_s: float
    """Talk and wrap-up of this skill."""
    offers: int
    missed: int
    available_s: float
    """Taking calls while holding this skill."""
    all_calls: int
    all_handled_s: float
    """Of every skill: what the load rate is made of."""
    load: float | None
    """Load rate by the city's rule; None without available time."""
    compared: bool
    """Whether it counts for the evenness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillPart:
    """One skill of the report."""

    group: SkillGroup
    rows: tuple[OperatorRow, ...]
    """Most loaded first."""
    offers: int
    evenness: float | None
    """(max − min) ÷ mean of the load rates; None with fewer than two operators to compare, or no load."""
    explained: int
    """Offers whose reason is recorded."""
    deviations: Mapping[str, int]
    """Of those, how many were not what the engine wished, by kind."""

    @property
    def enough(self) -> bool:
        return self.offers >= ENOUGH_OFFERS


@dataclass(frozen=True, slots=True, kw_only=True)
class EvennessReport:
    """Everything the paper says."""

    city: str
    centre: str
    first_day: date
    last_day: date
    made_at: datetime
    load_by: LoadBy
    parts: tuple[SkillPart, ...]
    unknown_wrap_ups: int
    """Handled calls of the week whose after-call work is not known; it counts as nothing."""

    def opening(self, what: str, part: SkillPart | None = None, row: OperatorRow | None = None) -> Opening:
        """The calls behind a figure of one skill (of all of them without `part`), of one operator or of all."""
        return Opening(
            metric=carried_by(
                what, part.group.id if part else ALL_SKILLS, row.operator if row else EVERYBODY
            ),
            first=self.first_day,
            last=self.last_day,
        )

    @property
    def week(self) -> tuple[int, int]:
        """ISO year and week."""
        year, week, _ = self.first_day.isocalendar()
        return year, week


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the ISO week that `day` lies in."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def _counted(call: Call) -> bool:
    return call.disposition is not Disposition.TEST


def carried_by(what: str, group: str, operator: str = EVERYBODY) -> str:
    """The name of a count: what (`calls`, `offers`, `missed`) one operator carried of one skill."""
    return f"carried:{what}:{group}:{operator}"


def carried_in(metric: str, groups: Mapping[str, SkillGroup]) -> tuple[str, Callable[[Call], int]]:
    """What a count of `carried_by` is called, and how often a call stands in it.

    Raises:
        KeyError, ValueError: there is no such count.
    """
    name, what, group_id, operator = metric.split(":")
    if name != "carried":
        raise KeyError(name)
    titles = {"calls": "対応", "offers": "呼び出し", "missed": "不応答の呼び出し"}
    group = groups[group_id] if group_id != ALL_SKILLS else None
    who = f"番号 {operator} の" if operator else ""

    def times(call: Call) -> int:
        if not _counted(call) or (group is not None and not group.holds(call)):
            return 0
        found = _carried([call])
        mine = found.values() if operator == EVERYBODY else [found.get(OperatorId(operator), _Carried())]
        return sum(getattr(each, what) for each in mine)

    return f"{who}{titles[what]}（{group.name_ja if group else '全業務'}）", times


@dataclass(slots=True)
class _Carried:
    calls: int = 0
    handled_s: float = 0.0
    offers: int = 0
    missed: int = 0


def evenness_report(
    *,
    city: str,
    centre: str,
    day: date,
    groups: Sequence[SkillGroup],
    calls: Iterable[Call],
    presence: Sequence[Presence],
    since: float,
    until: float,
    city_time_of: CityTimeOf,
    names: Mapping[OperatorId, str],
    load_by: LoadBy,
    made_at: datetime,
    explained: Sequence[Explained] = (),
) -> EvennessReport:
    """The report of the ISO week that `day` lies in.

    Args:
        groups: skills in the order in which they are shown.
        calls: calls of at least that week; others and test calls are passed over.
        presence: `ledger.presence.presences` of at least that week.
        since, until: the week's bounds in real time, epoch seconds.
        names: operators' names; who has none is shown by number.
        explained: recorded reasons of the week's offers.
    """
    monday, sunday = week_of(day)
    mine = [
        call for call in calls if _counted(call) and monday <= city_time_of(call.arrived_at).date() <= sunday
    ]
    whole = _carried(mine)
    parts = tuple(
        _part(group, mine, whole, presence, since, until, names, load_by, explained) for group in groups
    )
    return EvennessReport(
        city=city,
        centre=centre,
        first_day=monday,
        last_day=sunday,
        made_at=made_at,
        load_by=load_by,
        parts=tuple(part for part in parts if part.rows),
        unknown_wrap_ups=sum(segment.wrap_up_s is None for call in mine for segment in call.segments),
    )


def _carried(calls: Iterable[Call]) -> dict[OperatorId, _Carried]:
    found: dict[OperatorId, _Carried] = {}
    for call in calls:
        for segment in call.segments:
            carried = found.setdefault(segment.operator, _Carried())
            carried.calls += 1
            if segment.ended_at is not None:
                carried.handled_s += max(0.0, segment.ended_at - segment.started_at)
            carried.handled_s += segment.wrap_up_s or 0.0
        for offer in call.offers:
            carried = found.setdefault(offer.operator, _Carried())
            carried.offers += 1
            carried.missed += offer.outcome is OfferOutcome.MISSED
    return found


def _part(
    group: SkillGroup,
    calls: Sequence[Call],
    whole: Mapping[OperatorId, _Carried],
    presence: Sequence[Presence],
    since: float,
    until: float,
    names: Mapping[OperatorId, str],
    load_by: LoadBy,
    explained: Sequence[Explained],
) -> SkillPart:
    own = _carried(call for call in calls if group.holds(call))
    queues = {queue for stretch in presence for queue in stretch.queues if demand_of(queue) in group.demands}
    holders = {stretch.operator for stretch in presence if not queues.isdisjoint(stretch.queues)}
    there = {
        operator: available_s(presence, since, until, operator=operator, queues=queues)
        for operator in sorted({*holders, *own})
    }
    everywhere = {operator: available_s(presence, since, until, operator=operator) for operator in there}
    loads = _loads({op: whole.get(op, _Carried()) for op in there}, everywhere, load_by)
    total = sum(carried.calls for carried in own.values())
    rows = []
    for operator, available in there.items():
        carried, all_of_it = own.get(operator, _Carried()), whole.get(operator, _Carried())
        if available <= 0.0 and not carried.offers and not carried.calls:
            continue
        rows.append(
            OperatorRow(
                operator=operator,
                name=names.get(operator, operator),
                calls=carried.calls,
                share=carried.calls / total if total else None,
                handled_s=carried.handled_s,
                offers=carried.offers,
                missed=carried.missed,
                available_s=available,
                all_calls=all_of_it.calls,
                all_handled_s=all_of_it.handled_s,
                load=loads[operator],
                compared=available >= ENOUGH_TIME_S,
            )
        )
    counted = [each for each in explained if each.demand in group.demands]
    kinds = sorted({each.deviation for each in counted if each.deviation})
    return SkillPart(
        group=group,
        rows=tuple(sorted(rows, key=lambda row: (not row.compared, -(row.load or 0.0), row.operator))),
        offers=sum(carried.offers for carried in own.values()),
        evenness=evenness([row.load for row in rows if row.compared and row.load is not None]),
        explained=len(counted),
        deviations={kind: sum(each.deviation == kind for each in counted) for kind in kinds},
    )


def _loads(
    carried: Mapping[OperatorId, _Carried], available: Mapping[OperatorId, float], load_by: LoadBy
) -> dict[OperatorId, float | None]:
    minutes = {op: _rate(carried[op].handled_s, available[op]) for op in carried}
    calls = {op: _rate(carried[op].calls * 3600.0, available[op]) for op in carried}
    match load_by:
        case LoadBy.MINUTES:
            return minutes
        case LoadBy.CALLS:
            return calls
        case LoadBy.BOTH:
            # Each against the team's own rate, so that both weigh alike; 1 is the team's.
            time = sum(available.values())
            team_minutes = _rate(sum(each.handled_s for each in carried.values()), time)
            team_calls = _rate(sum(each.calls for each in carried.values()) * 3600.0, time)
            return {
                op: _mean(_relative(minutes[op], team_minutes), _relative(calls[op], team_calls))
                for op in carried
            }


def _rate(amount: float, available: float) -> float | None:
    return amount / available if available > 0.0 else None


def _relative(value: float | None, team: float | None) -> float | None:
    return None if value is None else value / team if team else 0.0


def _mean(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else (one + other) / 2


def evenness(loads: Sequence[float]) -> float | None:
    """evenness v1: (max − min) ÷ mean. Source: the requirement of 松阪 2章2(6)イ; the formula is ours."""
    if len(loads) < 2 or sum(loads) <= 0.0:
        return None
    return (max(loads) - min(loads)) / (sum(loads) / len(loads))


def load_text(load: float | None, load_by: LoadBy) -> str:
    """A load rate as it is printed."""
    if load is None:
        return "–"
    match load_by:
        case LoadBy.MINUTES:
            return f"{100 * load:.1f}%"
        case LoadBy.CALLS:
            return f"1時間に{load:.1f}件"
        case LoadBy.BOTH:
            return f"平均の{100 * load:.0f}%"


def sentence(part: SkillPart, load_by: LoadBy) -> str:
    """What a clerk needs to know about one skill, in one or two sentences."""
    compared = [row for row in part.rows if row.compared and row.load is not None]
    if part.evenness is None:
        why = "比べられる人が1人以下の" if len(compared) < 2 else "対応がなかった"
        return f"{why}ため、ばらつきは計算しません。"
    most, least = compared[0], compared[-1]
    if part.evenness <= EVEN:
        verdict = "ほぼ均等です"
    elif part.evenness < UNEVEN:
        verdict = "いくらか差があります"
    else:
        verdict = "偏りがあります"
    text = (
        f"受付可能だった{len(compared)}人の負荷は{verdict}。最も多い{most.name}さんは{load_text(most.load, load_by)}、"
        f"最も少ない{least.name}さんは{load_text(least.load, load_by)}で、差は平均の{100 * part.evenness:.0f}%です。"
    )
    if not part.enough:
        text += f"呼び出しが{part.offers}件（{ENOUGH_OFFERS}件未満）と少ないため参考値です。"
    return text
