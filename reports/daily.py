"""The daily report (日次報告書): figures, hours, lines, long waits and the list of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from core.masking import mask_number
from ledger.calls import Call, Disposition, Gap
from ledger.reconcile import Reconciliation
from reports import metrics as m
from reports.answer_rates import AnswerRateRule, answer_rate, rule_named
from reports.definitions import DEFINITIONS
from reports.tally import tally_of

CityTimeOf = Callable[[float], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class CityFacts:
    """What a report has to know of the city; the profile's sections supply it."""

    city: str
    """e.g. 松阪市."""
    centre: str
    answer_rate_target: float | None = None
    """0 to 1; None when the specification sets none."""
    answer_rate_definition: str = "offered_v1"
    answer_rate_rules: Sequence[tuple[date, str]] = ()
    """Every definition with its first day, oldest first, where it changed; the first one counts before, too."""
    short_abandon_s: int = 0
    long_wait_s: int = 300
    service_level_s: int = 20
    line_names: Mapping[str, str] = field(default_factory=dict)
    operator_names: Mapping[str, str] = field(default_factory=dict)
    menu_names: Mapping[str, str] = field(default_factory=dict)
    """Menus in words, by id."""
    opening: str = ""
    """The day's opening hours in words; empty leaves the line out."""
    target_source: str = ""
    """Where the specification sets the target."""
    note: str = ""
    """A sentence for the head, e.g. that the city's clock runs faster in a demonstration."""

    @property
    def rule(self) -> AnswerRateRule:
        """Raises KeyError when the definition is unknown."""
        return rule_named(self.answer_rate_definition, self.short_abandon_s)

    def rule_on(self, day: date) -> AnswerRateRule:
        """The definition in force on this day. Raises KeyError when it is unknown."""
        begun = [rule for begin, rule in self.answer_rate_rules if begin <= day]
        oldest = [rule for _, rule in self.answer_rate_rules] or [self.answer_rate_definition]
        return rule_named((begun or oldest[:1])[-1], self.short_abandon_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: `value` is a count, seconds, or a share of 1, as `unit` says; None prints 「–」."""

    id: str
    name_ja: str
    value: float | None
    unit: str
    """`calls`, `seconds` or `share`."""
    definition: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Counts of one hour or one line."""

    label: str
    incoming: int
    answered: int
    abandoned_queue: int
    overflow: int
    other: int
    """Menu, self-service, after hours and the rest."""
    answer_rate: float | None
    longest_wait: float | None
    hour: int | None = None
    line: str | None = None
    """Empty for calls that chose none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call as the report lists it: the caller's number is masked."""

    call_id: str
    at: datetime
    caller: str
    line: str
    result: str
    detail: str
    operators: str
    wait_s: float | None
    talk_s: float | None
    ended_by: str
    incomplete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outreach:
    """One call of the centre to an office or a home."""

    at: datetime
    facility: str
    content: str
    result: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReport:
    """Everything the paper says; rendering adds nothing to it."""

    city: CityFacts
    day: date
    made_at: datetime
    figures: tuple[Figure, ...]
    hours: tuple[Row, ...]
    lines: tuple[Row, ...]
    long_waits: tuple[CallRow, ...]
    calls: tuple[CallRow, ...]
    tests: int
    still_open: int
    incomplete: int
    """Calls about which something is declared unknown."""
    reconciliation: Reconciliation | None
    versions: Mapping[str, str]
    outreach: tuple[Outreach, ...] | None = None
    """Calls of the centre to offices and homes; None where the contract has none."""

    def figure(self, name: str) -> Figure:
        """Raises KeyError when there is no such figure."""
        return {figure.id: figure for figure in self.figures}[name]

    @property
    def target_met(self) -> bool | None:
        """Whether 応答率 reached the target; None without a target or without calls."""
        rate, target = self.figure("answer_rate").value, self.city.answer_rate_target
        return None if rate is None or target is None else rate >= target


def daily_report(
    city: CityFacts,
    day: date,
    calls: Iterable[Call],
    city_time_of: CityTimeOf,
    *,
    made_at: datetime,
    reconciliation: Reconciliation | None = None,
    versions: Mapping[str, str] | None = None,
    outreach: Sequence[Outreach] | None = None,
) -> DailyReport:
    """The report of one day.

    Args:
        city: the city's facts.
        day: the city's calendar day; calls that arrived in `[00:00, 24:00)` of it are taken.
        calls: calls of at least that day; others are passed over.
        city_time_of: the city's wall clock (Asia/Tokyo) at an epoch moment.
        made_at: printed in the head.
        reconciliation: of the same day, when it was made.
        versions: printed in the foot, e.g. of Asterisk.
        outreach: the day's calls to offices and homes; None where the contract has none.
    """
    arrived = sorted(
        (call for call in calls if city_time_of(call.arrived_at).date() == day),
        key=lambda call: (call.arrived_at, call.call_id),
    )
    mine = m.counted(arrived)
    closed = [call for call in mine if not call.open]
    return DailyReport(
        city=city,
        day=day,
        made_at=made_at,
        figures=_figures(city, mine),
        hours=_hours(closed, city_time_of, city.rule),
        lines=_lines(closed, city),
        long_waits=tuple(
            call_row(call, city, city_time_of) for call in m.waits_of_at_least(mine, city.long_wait_s)
        ),
        calls=tuple(call_row(call, city, city_time_of) for call in arrived),
        tests=tally_of(arrived).tests,
        still_open=len(mine) - len(closed),
        incomplete=sum(_is_incomplete(call) for call in mine),
        reconciliation=reconciliation,
        versions=dict(versions or {}),
        outreach=None if outreach is None else tuple(outreach),
    )


def _figures(city: CityFacts, calls: Sequence[Call]) -> tuple[Figure, ...]:
    rule, tally = city.rule, tally_of(calls)
    values: list[tuple[str, float | None, str]] = [
        ("incoming", m.incoming(tally), "calls"),
        ("answered", m.answered(tally), "calls"),
        ("answer_rate", answer_rate(tally, rule), "share"),
        ("abandoned_queue", m.abandoned_queue(tally), "calls"),
        ("overflow", m.overflow(tally), "calls"),
        ("callbacks", m.callbacks(tally), "calls"),
        ("abandoned_menu", m.abandoned_menu(tally), "calls"),
        ("self_served", m.self_served(tally), "calls"),
        ("referred", m.referred(tally), "calls"),
        ("after_hours", m.after_hours(tally), "calls"),
        ("system_failures", m.system_failures(tally), "calls"),
        ("answer_rate_of_all", m.answer_rate_of_all(tally), "share"),
        ("service_level", m.service_level(tally, city.service_level_s, rule), "share"),
        ("longest_wait", m.longest_wait(tally), "seconds"),
        ("five_minutes", m.long_waits(tally, city.long_wait_s), "calls"),
        ("wait_told", m.wait_told_true(tally), "share"),
        ("asa", m.average_speed_of_answer(tally), "seconds"),
        ("asa_arrival", m.average_from_arrival(tally), "seconds"),
        ("att", m.average_talk(tally), "seconds"),
        ("acw", m.average_wrap_up(tally), "seconds"),
    ]
    return tuple(_figure(city, name, value, unit) for name, value, unit in values)


def _figure(city: CityFacts, name: str, value: float | None, unit: str) -> Figure:
    definition = DEFINITIONS[name]
    title, text, version = definition.name_ja, definition.text_ja, definition.key
    if name == "answer_rate":
        text, version = city.rule.text_ja, city.rule.id
    elif name == "service_level":
        title = f"{title}（{city.service_level_s:g}秒以内）"
    elif name == "five_minutes":
        title = f"{title}（{city.long_wait_s:g}秒以上）"
    return Figure(id=name, name_ja=title, value=value, unit=unit, definition=text, version=version)


def _row(
    label: str,
    calls: Sequence[Call],
    rule: AnswerRateRule,
    hour: int | None = None,
    line: str | None = None,
) -> Row:
    tally = tally_of(calls)
    parts = m.answered(tally), m.abandoned_queue(tally), m.overflow(tally)
    return Row(
        label=label,
        incoming=m.incoming(tally),
        answered=parts[0],
        abandoned_queue=parts[1],
        overflow=parts[2],
        other=m.incoming(tally) - sum(parts),
        answer_rate=answer_rate(tally, rule),
        longest_wait=m.longest_wait(tally),
        hour=hour,
        line=line,
    )


def _hours(calls: Sequence[Call], city_time_of: CityTimeOf, rule: AnswerRateRule) -> tuple[Row, ...]:
    """Every hour from the first call's to the last call's, hours without calls included."""
    by_hour: dict[int, list[Call]] = {}
    for call in calls:
        by_hour.setdefault(city_time_of(call.arrived_at).hour, []).append(call)
    if not by_hour:
        return ()
    hours = range(min(by_hour), max(by_hour) + 1)
    return tuple(_row(f"{hour}時", by_hour.get(hour, []), rule, hour) for hour in hours)


def _lines(calls: Sequence[Call], city: CityFacts) -> tuple[Row, ...]:
    by_line: dict[str, list[Call]] = {name: [] for name in city.line_names}
    for call in calls:
        if call.line is not None:
            by_line.setdefault(call.line, []).append(call)
    rows = [_row(city.line_names.get(line, line), own, city.rule, line=line) for line, own in by_line.items()]
    without = [call for call in calls if call.line is None]
    return (*rows, _row("（用件を選ぶ前）", without, city.rule, line="")) if without else tuple(rows)


def call_row(call: Call, city: CityFacts, city_time_of: CityTimeOf) -> CallRow:
    """One call as papers list it."""
    disposition = call.disposition
    detail = (
        {
            Disposition.AFTER_HOURS: _CLOSED.get(call.closed_reason or "", call.closed_reason or ""),
            Disposition.OVERFLOW: _OVERFLOW.get(call.overflow_reason or "", call.overflow_reason or ""),
        }.get(disposition, "")
        if disposition
        else ""
    )
    moved = [transfer.label or transfer.to for transfer in call.handed_on]
    if moved:
        detail = "転送 " + "、".join(name for name in moved if name) if any(moved) else "転送"
    return CallRow(
        call_id=call.call_id,
        at=city_time_of(call.arrived_at),
        caller=_caller(call),
        line=city.line_names.get(call.line, call.line) if call.line else "",
        result=disposition.label_ja if disposition else "通話中",
        detail=detail,
        operators="→".join(city.operator_names.get(each, each) for each in call.operators),
        wait_s=call.wait_s,
        talk_s=call.talk_s if call.connected else None,
        ended_by=call.ended_by.label_ja if call.ended_by else "",
        incomplete=_is_incomplete(call),
    )


def _caller(call: Call) -> str:
    if call.caller is None:
        return "不明"
    return mask_number(call.caller.number) if call.caller.number else call.caller.kind.label_ja


def _is_incomplete(call: Call) -> bool:
    return any(gap is not Gap.COARSE_WAIT for gap in call.gaps)


_CLOSED = {
    "after_hours": "受付時間外",
    "closed_day": "休業日",
    "holiday": "祝日",
    "year_end": "年末年始",
    "special_day": "特別な日",
    "emergency": "臨時休止",
}
_OVERFLOW = {"full": "満席", "nobody": "受付者なし", "wait_limit": "待ち時間の上限", "failure": "障害"}
