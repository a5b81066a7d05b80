"""What the guard goes by, what it asks for, and the record that each of its steps leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique

from acd.demand import Demand
from acd.guard_profile import GuardAct, GuardStepSection
from acd.profile import AcdSection
from core.ids import CallId, OperatorId, QueueName


@unique
class GuardWhy(StrEnum):
    """What made the guard take a step."""

    PREDICTED = "predicted"
    """By the forecast the caller will pass the limit."""
    WAITED = "waited"
    WAITING = "waiting"
    """Too many callers wait."""
    WITH = "with"
    """Stands before a caller for whom the step was taken, and must not be passed over."""
    BY_HAND = "by_hand"
    CALM = "calm"
    """The group is not needed any longer."""


SEND_BACK = "send_back"
"""The act of a record that ends a call-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRules:
    """What the profile and the operators' accounts say."""

    demands: tuple[Demand, ...] = ()
    limits_s: Mapping[QueueName, float] = field(default_factory=dict)
    """The wait that must not be passed, by demand; a demand without one has its wait limit."""
    steps: tuple[GuardStepSection, ...] = ()
    groups: Mapping[OperatorId, str] = field(default_factory=dict)
    """Who stands by, and in which group."""
    calm_s: float = 120.0
    calm_waiting: int | None = None
    settle_s: float = 5.0

    def limit_s(self, demand: QueueName) -> float:
        """Seconds."""
        named = self.limits_s.get(demand)
        if named is not None:
            return named
        return next((each.wait_limit_s for each in self.demands if each.name == demand), 300.0)

    def calm_below(self, step: GuardStepSection) -> int:
        """With so many waiting callers or fewer, a step with `waiting` is not needed any longer."""
        most = step.waiting or 0
        return most // 2 if self.calm_waiting is None else min(self.calm_waiting, most)


def guard_rules(acd: AcdSection, groups: Mapping[OperatorId, str]) -> GuardRules:
    """The guard's rules from the profile and the groups of this instance's operators."""
    section = acd.guard
    limit = section.limit_s or acd.targets.wait_alert_s
    demands = tuple(demand for demand, _line in acd.demands())
    return GuardRules(
        demands=demands,
        limits_s={demand.name: min(float(limit), demand.wait_limit_s) for demand in demands}
        if limit is not None
        else {},
        steps=section.steps,
        groups={operator: group for operator, group in groups.items() if group},
        calm_s=float(section.calm_s),
        calm_waiting=section.calm_waiting,
        settle_s=float(section.settle_s),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardStep:
    """One step that was taken, with the figures of that moment. Times in seconds."""

    at: float
    act: str
    """A `GuardAct`, or `send_back`."""
    rung: int
    """Place in the profile's ladder, from 1; 0 by hand."""
    why: GuardWhy
    demand: QueueName | None = None
    """Of the caller; None when the step was not taken for one caller."""
    caller: str | None = None
    """Channel."""
    call: CallId | None = None
    waited_s: float | None = None
    remaining_s: float | None = None
    """Still to wait by the forecast; None when nobody may serve the caller."""
    limit_s: float | None = None
    waiting: int = 0
    """Callers waiting in the whole centre."""
    on_duty: int = 0
    """Operators who take calls and may serve the caller (any caller, when there is none)."""
    group: str | None = None
    operators: tuple[OperatorId, ...] = ()
    """Who was called in or goes back; empty when nobody of the group stands by."""

    @property
    def subject(self) -> str:
        """What the step was taken on: the group, or the caller's call."""
        return self.group or self.call or self.caller or "centre"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaxCaller:
    """Let the caller go on to the next stage of the demand before its time."""

    caller: str
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowCaller:
    """Take the caller out of the queue, to the overflow message."""

    caller: str
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCallback:
    """Ask the waiting caller whether the centre may call back."""

    caller: str
    call: CallId | None
    queue: QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class BringIn:
    """Offer calls to these operators, who stand by."""

    operators: tuple[OperatorId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBack:
    """These operators stand by again."""

    operators: tuple[OperatorId, ...]


GuardCommand = GuardStep | RelaxCaller | OverflowCaller | OfferCallback | BringIn | SendBack

_WHY_JA = {
    GuardWhy.PREDICTED: "このままでは待ち時間の上限を超えます",
    GuardWhy.WAITED: "長くお待ちです",
    GuardWhy.WAITING: "待ち人数が多くなりました",
    GuardWhy.WITH: "後ろの方より先におつなぎするためです",
    GuardWhy.BY_HAND: "手で指示されました",
    GuardWhy.CALM: "落ち着きました",
}


def step_text(step: GuardStep, groups: Mapping[str, str]) -> str:
    """A step in one sentence for people; no numbers of citizens. `groups` is what people call them."""
    group = groups.get(step.group or "", step.group or "")
    people = "、".join(step.operators)
    match step.act:
        case GuardAct.CALL_IN:
            who = f"{people}を呼び込みました" if people else "待機している人がいません"
            done = f"応援（{group}）: {who}。"
        case _ if step.act == SEND_BACK:
            done = f"応援（{group}）: {f'{people}が' if people else ''}待機に戻ります。"
        case _:
            done = f"{GuardAct(step.act).label_ja}。"
    waited = f"{step.waited_s:.0f}秒お待ちの方。" if step.waited_s is not None else ""
    expected = f"見込みはあと{step.remaining_s:.0f}秒。" if step.remaining_s is not None else ""
    return f"{done}{_WHY_JA[step.why]}。{waited}{expected}待ち{step.waiting}人、受け手{step.on_duty}人。"
