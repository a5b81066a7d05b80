"""How long a change took from an event of the switch to a screen."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

BURST_S = 1.0
SETTLE_S = 3.0
CLOCKS_S = 0.005
"""Clocks of one machine, read in two programs, and the browser's in whole milliseconds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A state that a page began to show; epoch seconds."""

    operator: str
    label: str
    at: float


@dataclass(frozen=True, slots=True)
class Due:
    """What a screen has to show from an event on."""

    operator: str
    label: str
    at: float


@dataclass(slots=True)
class Matched:
    """How long changes took to the screen, in milliseconds."""

    steady: list[float] = field(default_factory=list)
    burst: list[float] = field(default_factory=list)
    overtaken: int = 0
    """States that were over before a screen had shown them; counted until the screen showed a later one."""
    never: list[Due] = field(default_factory=list)


def match(due: Sequence[Due], shown: Sequence[Shown], bursts: Sequence[float]) -> Matched:
    """How long after each event the screen was as new as the event: it showed that state, or a later one."""
    by_operator: defaultdict[str, list[Shown]] = defaultdict(list)
    for state in sorted(shown, key=lambda one: one.at):
        by_operator[state.operator].append(state)
    later: defaultdict[str, list[Due]] = defaultdict(list)
    for each in due:
        later[each.operator].append(each)
    found = Matched()
    for each in due:
        mine = by_operator[each.operator]
        begin = bisect_left(mine, each.at - CLOCKS_S, key=lambda one: one.at)
        rest = later[each.operator]
        rest.pop(0)
        first = next((one for one in mine[begin:] if one.label == each.label), None)
        newer = next(
            (
                one
                for one in mine[begin:]
                if any(one.label == d.label and one.at >= d.at - CLOCKS_S for d in rest[:3])
            ),
            None,
        )
        if newer is not None and (first is None or newer.at < first.at):
            first, found.overtaken = newer, found.overtaken + 1
        if first is None or first.at > each.at + SETTLE_S:
            if _label_at(mine, each.at) == each.label:
                # The screen never showed what had been in between: there is nothing to change.
                found.overtaken += 1
                continue
            # It was over before the screen had shown it, and the screen still showed what became true again.
            again = next((d for d in rest[:3] if _label_at(mine, d.at) == d.label), None)
            if again is None or again.at > each.at + SETTLE_S:
                found.never.append(each)
                continue
            first, found.overtaken = Shown(each.operator, again.label, again.at), found.overtaken + 1
        burst = any(at <= each.at <= at + 2 * BURST_S for at in bursts)
        (found.burst if burst else found.steady).append(max(0.0, (first.at - each.at) * 1000))
    return found


def _label_at(shown: Sequence[Shown], at: float) -> str:
    """What a screen showed of an operator at a moment; empty when it had not changed yet."""
    place = bisect_left(shown, at, key=lambda one: one.at)
    return shown[place - 1].label if place else ""


def spread(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and the most, in whole milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return {"changes": 0}
    return {
        "changes": len(ordered),
        "p50_ms": round(ordered[len(ordered) // 2]),
        "p95_ms": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]),
        "most_ms": round(ordered[-1]),
    }
