"""The floor at one moment as screens show it: the engine's word joined with the calls, the people and the alerts.

Every value compares by what it holds, so that only what changed is drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import fmean
from typing import Any

from acd.alert_inputs import AnsweredSoFar
from acd.alert_words import title_of
from acd.alerts import Alert
from core.facts.dialplan import StepResult
from core.ids import CallId, OperatorId, QueueName, language_of
from core.phone import Caller
from ledger.calls import Call
from reports.answer_rates import AnswerRateRule, answer_rate, offered
from reports.metrics import answered, incoming, longest_wait
from reports.tally import Tally, tally_of
from services.city import CityProfile
from services.ports import OperatorAccount
from services.proofs import Proven

STATES = {
    "ready": "受付可",
    "ringing": "呼び出し中",
    "talking": "応対中",
    "wrapup": "後処理",
    "paused:reserve": "待機",
    "paused:Auto-Pause": "不応答で停止",
    "out": "サインアウト",
}
CALM = 0.9
"""Share of the limit below which an expected wait takes a mark away."""
ORDER = ("ringing", "talking", "wrapup", "ready", "paused", "out")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNow:
    """What is known of a call while it lasts."""

    call: CallId
    caller: Caller | None
    line: str
    """As people call it."""
    language: str
    path: tuple[str, ...]
    """What the caller chose in the menu, in words."""
    arrived_at: float
    wait_s: float | None
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatNow:
    """One operator."""

    operator: OperatorId
    name: str
    state: str
    label: str
    since: float | None
    line: str
    """Of the call in hand; empty without one."""
    call: CallNow | None
    calls: int
    load: float | None
    """Handled ÷ available time of this shift."""
    wrap_up_until: float | None = None

    @property
    def kind(self) -> str:
        """`ready`, `ringing`, `talking`, `wrapup`, `paused` or `out`."""
        return self.state.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNow:
    """One caller in a queue."""

    call: CallId | None
    line: str
    language: str
    since: float
    caller: Caller | None
    limit_at: float | None
    """When the wait passes what the contract allows."""
    predicted: bool
    """Whether the guard expects that it will."""
    ringing_at: str
    """Whose telephone rings, by name; empty for nobody's."""
    rings: OperatorId | None
    """The same by number: two people may have one name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuNow:
    """One caller who hears the greeting or the menu."""

    call: CallId
    since: float
    caller: Caller | None
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateNow:
    """応答率 of a stretch, against the target."""

    name_ja: str
    answered: int
    offered: int
    rate: float | None
    target: float | None
    month: bool
    """Whether it is of the month so far; else of today."""
    first: date
    """The first day; today is the last one."""
    at: float
    """When it was counted."""
    needed: int | None
    """So many calls must be answered without losing one until the target is reached; None when it is, or cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNow:
    """One service line, today."""

    id: str
    name_ja: str
    waiting: int
    talking: int
    answered: int
    offered: int
    rate: float | None
    longest_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HourNow:
    """One hour of today."""

    hour: int
    incoming: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNow:
    """One open alert."""

    id: str
    title: str
    label: str
    text: str
    since: float
    taken_by: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Figures from the calls of the day."""

    day: date
    at: float | None
    """When they were counted; None before the first time."""
    rates: tuple[RateNow, ...]
    incoming: int
    open: int
    """Calls among them whose end is not known yet."""
    longest_s: float | None
    lines: tuple[LineNow, ...]
    hours: tuple[HourNow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorNow:
    """Everything that a board shows."""

    live_at: float | None
    """When the engine last said how the floor is; None while it says nothing."""
    ledger_at: float | None
    """When the calls were last read."""
    heard: bool
    """Whether the engine hears the switch."""
    seats: tuple[SeatNow, ...]
    waiting: tuple[WaitingNow, ...]
    menu: tuple[MenuNow, ...]
    called_in: tuple[str, ...]
    callbacks: int
    today: Today
    month: Proven
    """How far the days of the month are reconciled."""
    alerts: tuple[AlertNow, ...]

    def proven(self, rate: RateNow) -> Proven:
        """How far the days of a rate are reconciled."""
        return self.month if rate.month else Proven(running=True)

    def by_operator(self) -> dict[OperatorId, SeatNow]:
        return {seat.operator: seat for seat in self.seats}

    def team_load(self) -> float | None:
        """Mean load of all who are signed in, in whole per cent."""
        loads = [seat.load for seat in self.seats if seat.load is not None]
        return round(fmean(loads), 2) if loads else None


class Words:
    """A city's own words for lines, languages, menu choices and breaks."""

    def __init__(self, profile: CityProfile) -> None:
        self.lines = {str(line.id): line.name_ja for line in profile.acd.lines}
        self.line_of = {demand.name: str(line.id) for demand, line in profile.acd.demands()}
        self.wrap_up_s = {str(line.id): float(line.wrap_up_s) for line in profile.acd.lines}
        self.breaks: Mapping[str, str] = profile.acd.pause_reasons
        self._topics = {
            (menu.id, key): choice.topic or "もう一度"
            for menu in profile.ivr.menus
            for key, choice in menu.choices.items()
        }

    def state(self, state: str) -> str:
        reason = state.removeprefix("paused:")
        if state in STATES:
            return STATES[state]
        return self.breaks.get(reason, "離席") if state.startswith("paused:") else state

    def path(self, call: Call) -> tuple[str, ...]:
        return tuple(
            self._topics.get((step.node, step.key), f"{step.key} 番")
            for step in call.steps
            if step.result is StepResult.CHOICE
        )

    def path_of(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The same from `node:key`, as cases keep it."""
        parts = (key.partition(":") for key in keys)
        return tuple(self._topics.get((node, key), f"{key} 番") for node, _, key in parts)

    def line(self, line: str | None) -> str:
        return self.lines.get(line or "", line or "")

    def call(self, call: Call) -> CallNow:
        return CallNow(
            call=call.call_id,
            caller=call.caller,
            line=self.line(call.line),
            language=call.language or "",
            path=self.path(call),
            arrived_at=call.arrived_at,
            wait_s=call.wait_s,
            recorded=bool(call.recordings),
        )


def seats_now(
    live: Mapping[str, Any],
    accounts: Sequence[OperatorAccount],
    calls: Mapping[CallId, Call],
    lasts: Mapping[OperatorId, Call],
    words: Words,
) -> tuple[SeatNow, ...]:
    """Every operator, those who work first.

    Args:
        calls: of today.
        lasts: the call each operator talked in last; theirs when the engine has not seen which one they took.
    """
    told = {seat["operator"]: seat for seat in live.get("seats", ())}

    def in_hand(operator: OperatorId) -> Call | None:
        named = told.get(operator, {}).get("call")
        return calls.get(CallId(named)) if named else lasts.get(operator)

    found = [_seat(account, told.get(account.id), in_hand(account.id), words) for account in accounts]
    return tuple(sorted(found, key=lambda seat: (ORDER.index(seat.kind), seat.since or 0.0, seat.operator)))


def _seat(
    account: OperatorAccount, told: Mapping[str, Any] | None, call: Call | None, words: Words
) -> SeatNow:
    if told is None:
        return SeatNow(
            operator=account.id, name=account.name, state="out", label=STATES["out"], since=None, line="",
            call=None, calls=0, load=None,
        )  # fmt: skip
    state, since = str(told["state"]), float(told["since"])
    kind = state.partition(":")[0]
    busy = kind in ("talking", "wrapup")
    line = words.line_of.get(QueueName(told["talking_in"] or ""), "") if busy else ""
    available = float(told["available_s"])
    return SeatNow(
        operator=account.id,
        name=account.name,
        state=state,
        label=words.state(state),
        since=since,
        line=words.line(line),
        call=words.call(call) if busy and call is not None else None,
        calls=int(told["calls"]),
        # In whole per cent, or a talk would change it with every look.
        load=round(float(told["handled_s"]) / available, 2) if available >= 60.0 else None,
        wrap_up_until=since + words.wrap_up_s[line] if kind == "wrapup" and line else None,
    )


def waiting_now(
    live: Mapping[str, Any],
    calls: Mapping[CallId, Call],
    names: Mapping[str, str],
    words: Words,
    limit_s: float | None,
    marked: Collection[CallId] = (),
) -> tuple[WaitingNow, ...]:
    """Who waits, longest first; `marked` are those of whom it was expected before that they will wait too long."""
    found = []
    for told in live.get("callers", ()):
        call = calls.get(CallId(told["call"])) if told["call"] else None
        demand, since = QueueName(told["demand"]), float(told["since"])
        found.append(
            WaitingNow(
                call=call.call_id if call else None,
                line=words.line(words.line_of.get(demand)),
                language=language_of(demand),
                since=since,
                caller=call.caller if call else None,
                limit_at=since + limit_s if limit_s is not None else None,
                predicted=_passes(told.get("expected_s"), limit_s, told["call"] in marked),
                ringing_at=names.get(told["ringing_at"] or "", ""),
                rings=OperatorId(told["ringing_at"]) if told["ringing_at"] else None,
            )
        )
    return tuple(sorted(found, key=lambda each: each.since))


def _passes(expected_s: float | None, limit_s: float | None, marked: bool) -> bool:
    """Whether somebody is expected to wait too long. An estimate moves with every look: a mark stays until it is clear
    that it was wrong."""
    if expected_s is None or limit_s is None:
        return False
    return expected_s >= limit_s * (CALM if marked else 1.0)


def menu_now(calls: Iterable[Call], waiting: Iterable[WaitingNow], words: Words) -> tuple[MenuNow, ...]:
    """Callers who are in no queue yet."""
    queued = {each.call for each in waiting}
    return tuple(
        MenuNow(call=call.call_id, since=call.arrived_at, caller=call.caller, path=words.path(call))
        for call in sorted(calls, key=lambda each: each.arrived_at)
        if call.queue is None and not call.segments and call.call_id not in queued
    )


def calls_in_hand(calls: Iterable[Call]) -> dict[OperatorId, Call]:
    """The call that each operator talked in last."""
    latest: dict[OperatorId, tuple[float, Call]] = {}
    for call in calls:
        talks = [(segment.operator, segment.started_at) for segment in call.segments]
        if call.callback is not None:
            talks += [(each.operator, each.at) for each in call.callback.tries]
        for operator, at in talks:
            if operator not in latest or at > latest[operator][0]:
                latest[operator] = (at, call)
    return {operator: call for operator, (_, call) in latest.items()}


def rate_now(
    name_ja: str, taken: int, asked: int, target: float | None, *, first: date, at: float, month: bool = False
) -> RateNow:
    rate = taken / asked if asked else None
    needed = None
    if target is not None and rate is not None and rate < target < 1.0:
        # Each further call that is answered counts on both sides.
        needed = max(1, math.ceil((target * asked - taken) / (1.0 - target) - 1e-9))
    return RateNow(
        name_ja=name_ja, answered=taken, offered=asked, rate=rate, target=target, month=month, first=first, at=at,
        needed=needed,
    )  # fmt: skip


def today_now(
    calls: Sequence[Call],
    *,
    words: Words,
    rule: AnswerRateRule,
    target: float | None,
    so_far: Sequence[AnsweredSoFar],
    hour_of: Any,
    day: date,
    at: float,
) -> Today:
    """Figures of the day, by the definitions of the reports; `calls` are the day's, closed and open.

    Args:
        hour_of: the city's hour of a moment.
        at: when the calls were read, epoch seconds.
    """
    whole = tally_of(calls)
    rates = [rate_now("今日", answered(whole), offered(whole, rule), target, first=day, at=at)]
    rates += [
        rate_now("今月", each.answered, each.offered, target, first=each.first_day, at=each.at, month=True)
        for each in so_far
        if each.month
    ]
    hours: dict[int, Tally] = {}
    for call in calls:
        hours.setdefault(hour_of(call.arrived_at), Tally()).add(call)
    span = range(min(hours), max(hours) + 1) if hours else range(0)
    return Today(
        day=day,
        at=at,
        rates=tuple(rates),
        incoming=incoming(whole),
        open=whole.open,
        longest_s=longest_wait(whole),
        lines=tuple(_line(line, name, calls, rule) for line, name in words.lines.items()),
        hours=tuple(
            HourNow(
                hour=hour,
                incoming=incoming(hours.get(hour, Tally())),
                answered=answered(hours.get(hour, Tally())),
            )
            for hour in span
        ),
    )


def _line(line: str, name: str, calls: Sequence[Call], rule: AnswerRateRule) -> LineNow:
    tally = tally_of(call for call in calls if call.line == line)
    return LineNow(
        id=line,
        name_ja=name,
        waiting=0,
        talking=0,
        answered=answered(tally),
        offered=offered(tally, rule),
        rate=answer_rate(tally, rule),
        longest_s=longest_wait(tally),
    )


def lines_now(
    lines: Iterable[LineNow], waiting: Sequence[WaitingNow], seats: Sequence[SeatNow]
) -> tuple[LineNow, ...]:
    """The lines with who waits and who talks at this moment."""
    return tuple(
        replace(
            line,
            waiting=sum(each.line == line.name_ja for each in waiting),
            talking=sum(seat.kind == "talking" and seat.line == line.name_ja for seat in seats),
        )
        for line in lines
    )


def alert_now(alert: Alert) -> AlertNow:
    taken = alert.acknowledged
    return AlertNow(
        id=alert.id,
        title=title_of(alert),
        label=alert.label,
        text=alert.text,
        since=alert.since,
        taken_by=taken.by if taken else "",
        note=taken.note if taken else "",
    )
