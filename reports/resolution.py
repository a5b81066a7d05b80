"""Whether one call was enough: first-contact resolution, repeated calls, self-service. Estimates, and labelled so."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.calls import Call, Disposition
from reports.metrics import share

AGAIN_DAYS = 7
"""想定: a call about the same matter within so many days is a repeat; no specification names a number."""
SELF_SERVED_HOURS = 24
"""想定: who calls again within so many hours was not served by the announcement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Counts of one period; callers without a number can not be recognised again and stand in no denominator."""

    answered: int
    """Answered calls with a known number."""
    resolved: int
    self_served: int
    stayed_away: int
    callers: int
    repeaters: int


def resolution_of(calls: Iterable[Call], since: float, until: float) -> Resolution:
    """Counts over the calls that arrived in `[since, until)`.

    Args:
        calls: by arrival, of `[since, until + AGAIN_DAYS)`; later ones tell who called again. Only a window of
            AGAIN_DAYS is held.

    Resolved is an answered call with one operator, no answered transfer, no call-back, nobody of the directory, and no
    later call from the same number on the same line within AGAIN_DAYS. Stayed away has a self-served caller without a
    later call from that number at all within SELF_SERVED_HOURS.
    """
    held: deque[tuple[Call, str]] = deque()
    unsettled: set[str] = set()
    counts = {"answered": 0, "resolved": 0, "self_served": 0, "stayed_away": 0}
    seen: dict[str, int] = {}

    def settle(before: float) -> None:
        while held and held[0][0].arrived_at <= before:
            call, _number = held.popleft()
            answered = call.disposition is Disposition.ANSWERED
            counts["answered" if answered else "self_served"] += 1
            if call.call_id not in unsettled:
                counts["resolved" if answered else "stayed_away"] += 1
            unsettled.discard(call.call_id)

    for call in calls:
        number = call.caller.number if call.caller else None
        if call.disposition is Disposition.TEST or not number:
            continue
        settle(call.arrived_at - AGAIN_DAYS * 86_400.0)
        for earlier, its_number in held:
            if its_number == number and _again(earlier, call):
                unsettled.add(earlier.call_id)
        if not since <= call.arrived_at < until:
            continue
        seen[number] = seen.get(number, 0) + 1
        if call.disposition in (Disposition.ANSWERED, Disposition.SELF_SERVED):
            held.append((call, number))
            if call.disposition is Disposition.ANSWERED and not _alone(call):
                unsettled.add(call.call_id)
    settle(float("inf"))
    return Resolution(
        **counts, callers=len(seen), repeaters=sum(1 for number in seen.values() if number >= 2)
    )


def _alone(call: Call) -> bool:
    moved = any(each.result == "ANSWER" for each in call.handed_on)
    return len(set(call.operators)) == 1 and not moved and not call.staff and call.callback is None


def _again(earlier: Call, later: Call) -> bool:
    apart = later.arrived_at - earlier.arrived_at
    if earlier.disposition is Disposition.SELF_SERVED:
        return apart < SELF_SERVED_HOURS * 3600.0
    return later.line == earlier.line


def first_contact(found: Resolution) -> float | None:
    """first_contact v1 (一次完了率): resolved ÷ answered calls with a known number. Wanted by 000 §5④."""
    return share(found.resolved, found.answered)


def self_resolved(found: Resolution) -> float | None:
    """self_resolved v1 (自己解決率): self-served callers who stayed away ÷ self-served with a number. 000 §2③."""
    return share(found.stayed_away, found.self_served)


def repeat_callers(found: Resolution) -> float | None:
    """repeat_callers v1 (再入電発生率): numbers that called twice or more ÷ numbers that called. Source: MiiTel."""
    return share(found.repeaters, found.callers)
