"""The steps of the guard of waits as alerts see them: ten callers who are relaxed at once are one piece of news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acd.alert_inputs import StepInForce
from acd.guard_profile import GuardAct
from acd.guard_steps import SEND_BACK, GuardStep, step_text


def steps_in_force(steps: Iterable[GuardStep], groups: Mapping[str, str]) -> tuple[StepInForce, ...]:
    """What is in force or was done lately, by act and by what it was done to. The same step may come twice.

    Args:
        groups: what people call them.
    """
    taken: dict[str, dict[str, GuardStep]] = {}
    for step in sorted(steps, key=lambda each: each.at):
        if step.act != SEND_BACK:
            about = step.group or step.demand or "centre"
            taken.setdefault(f"{step.act}:{about}", {})[step.subject] = step
    return tuple(_joined(subject, tuple(mine.values()), groups) for subject, mine in sorted(taken.items()))


def _joined(subject: str, steps: tuple[GuardStep, ...], groups: Mapping[str, str]) -> StepInForce:
    last = steps[-1]
    many = f"（{len(steps)}人の方に）" if len(steps) > 1 else ""
    return StepInForce(
        subject=subject,
        label=GuardAct(last.act).label_ja,
        at=steps[0].at,
        steps=len(steps),
        demand=None if last.group else last.demand,
        text=f"{step_text(last, groups)}{many}",
    )
