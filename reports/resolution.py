"""Whether one call was enough: first-contact resolution, repeated calls, self-service. Estimates, and labelled so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
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


class Following:
    """Follows callers through the calls of a period and of the days after it, which tell who called again.

    Only a window of AGAIN_DAYS is held. Resolved is an answered call with one operator, no answered transfer, no
    call-back, nobody of the directory, and no later call from that number on that line within AGAIN_DAYS. Stayed
    away has a self-served caller without a later call from that number at all within SELF_SERVED_HOURS.

    Args:
        since, until: the period, half-open; calls after it only tell.
        settled: gets every answered or self-served call as it is counted, and whether it stands.
    """

    def __init__(
        self, since: float, until: float, settled: Callable[[Call, bool], None] = lambda _call, _stands: None
    ) -> None:
        self._since, self._until, self._tell = since, until, settled
        self._held: deque[Call] = deque()
        self._by_number: dict[str, list[Call]] = {}
        self._unsettled: set[str] = set()
        self._answered = self._resolved = self._served = self._away = 0
        self._seen: dict[str, int] = {}

    def add(self, call: Call) -> None:
        """The next call, by arrival."""
        number = call.caller.number if call.caller else None
        if call.disposition is Disposition.TEST or not number:
            return
        self._settle(call.arrived_at - AGAIN_DAYS * 86_400.0)
        for earlier in self._by_number.get(number, ()):
            if _again(earlier, call):
                self._unsettled.add(earlier.call_id)
        if not self._since <= call.arrived_at < self._until:
            return
        self._seen[number] = self._seen.get(number, 0) + 1
        if call.disposition in (Disposition.ANSWERED, Disposition.SELF_SERVED):
            self._held.append(call)
            self._by_number.setdefault(number, []).append(call)
            if call.disposition is Disposition.ANSWERED and not _alone(call):
                self._unsettled.add(call.call_id)

    def result(self) -> Resolution:
        """What stands when no more calls come."""
        self._settle(float("inf"))
        return Resolution(
            answered=self._answered,
            resolved=self._resolved,
            self_served=self._served,
            stayed_away=self._away,
            callers=len(self._seen),
            repeaters=len(self.numbers(2)),
        )

    def numbers(self, least: int) -> set[str]:
        """Numbers that called at least so many times in the period."""
        return {number for number, times in self._seen.items() if times >= least}

    def _settle(self, before: float) -> None:
        while self._held and self._held[0].arrived_at <= before:
            call = self._held.popleft()
            number = call.caller.number if call.caller else None
            if number and self._by_number[number].pop(0) and not self._by_number[number]:
                del self._by_number[number]
            stands = call.call_id not in self._unsettled
            self._unsettled.discard(call.call_id)
            self._tell(call, stands)
            if call.disposition is Disposition.ANSWERED:
                self._answered += 1
                self._resolved += stands
            else:
                self._served += 1
                self._away += stands


def resolution_of(calls: Iterable[Call], since: float, until: float) -> Resolution:
    """Counts over the calls that arrived in `[since, until)`; `calls` by arrival, AGAIN_DAYS beyond it."""
    following = Following(since, until)
    for call in calls:
        following.add(call)
    return following.result()


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
