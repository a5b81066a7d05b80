"""What alerts look at, at one moment, and how people call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from acd.profile import AcdSection
from acd.repeat_callers import RepeatCaller
from acd.view import FloorView
from core.ids import CallId, OperatorId, QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredSoFar:
    """応答率 of a day or a month up to now, by the contract's definition."""

    first_day: date
    month: bool
    answered: int
    offered: int
    at: float
    """When it was counted, epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """A process of ours that was started again."""

    process: str
    at: float
    count: int
    """Since the service was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCallback:
    """A promised callback that was given up."""

    call: CallId
    at: float
    line: str
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentTicket:
    """A request to the city of which somebody must know now. No citizen's name or number is in it."""

    ticket: str
    kind: str
    """How people call it, e.g. 折り返し依頼."""
    since: float
    late: bool
    """Whether it is its deadline that presses."""
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDue:
    """A paper that is not delivered yet."""

    subject: str
    """Kind and period: one reminder each."""
    name: str
    period: str
    """In words."""
    due: str
    """In words."""
    left_days: int
    """Days until it is due, 0 on the day itself; negative when it is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInForce:
    """One act of the guard on a group, a demand, or the centre, for however many callers."""

    subject: str
    label: str
    at: float
    """Of the first of its steps."""
    steps: int
    demand: QueueName | None
    """Of the callers; None for a group or the centre."""
    text: str
    """In one sentence for people, without a citizen's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertInputs:
    """Everything that alerts look at, at one moment."""

    at: float
    open: bool
    """Whether the city's telephone is staffed now."""
    view: FloorView | None
    """None when nobody knows the floor, because the switch cannot be heard."""
    answers: Sequence[AnsweredSoFar] | None = ()
    """None while they have not been counted."""
    expected_wait_s: Mapping[str, float] = field(default_factory=dict)
    """Whole wait by the estimate, by the caller's channel."""
    holds: Mapping[OperatorId, float] = field(default_factory=dict)
    """Since when an operator has had a citizen on hold."""
    missed: Mapping[OperatorId, Sequence[float]] = field(default_factory=dict)
    """Moments of the offers that an operator missed since the last call they took."""
    restarts: Sequence[Restarted] = ()
    """The last one of each process."""
    switch_lost_since: float | None = None
    engine_silent_s: float | None = None
    """Age of the engine's last sign of life; None where that is not looked at."""
    unreachable_trunks: Mapping[str, float] = field(default_factory=dict)
    """Since when a peer gives no answer, by the trunk's name."""
    refused: Sequence[float] | None = ()
    """Moments of calls to the city's own numbers that were turned away at the door; None when nobody knows."""
    failed_callbacks: Sequence[FailedCallback] = ()
    guard: Sequence[StepInForce] = ()
    tickets: Sequence[UrgentTicket] = ()
    reports_due: Sequence[ReportDue] = ()
    repeat_callers: Sequence[RepeatCaller] = ()
    relay: frozenset[OperatorId] = frozenset()
    """Whose call in hand comes through a relay service, where long calls are the rule."""
    help_asked: Mapping[OperatorId, float] = field(default_factory=dict)
    """When an operator last raised a hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNames:
    """How people call what alerts are about."""

    operators: Mapping[OperatorId, str]
    demands: Mapping[QueueName, str]
    """Every demand of the city; the first language of a line stands first."""
    main: frozenset[QueueName]
    """Demands in the first language of their line."""

    def operator(self, operator: OperatorId) -> str:
        name = self.operators.get(operator)
        return f"{name}さん（{operator}）" if name else f"オペレーター{operator}"

    def demand(self, demand: QueueName) -> str:
        return f"「{self.demands.get(demand, demand)}」"


_LANGUAGES = {"ja": "日本語", "en": "英語"}


def names_of(acd: AcdSection, operators: Mapping[OperatorId, str]) -> AlertNames:
    """Names from the profile; a line with one language is called by its name alone."""
    demands = acd.demands()
    return AlertNames(
        operators=operators,
        demands={
            demand.name: line.name_ja
            if len(line.languages) == 1
            else f"{line.name_ja}・{_LANGUAGES.get(demand.language, demand.language)}"
            for demand, line in demands
        },
        main=frozenset(demand.name for demand, line in demands if demand.language == line.languages[0]),
    )


def span_text(seconds: float) -> str:
    """`312` → `5分12秒`, cut off."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}秒"
    if whole < 3600:
        return f"{whole // 60}分{whole % 60}秒" if whole % 60 else f"{whole // 60}分"
    return f"{whole // 3600}時間{whole % 3600 // 60}分"


def percent_text(share: float) -> str:
    """Cut off rather than rounded up, as the reports do."""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths // 10}.{tenths % 10}%"
