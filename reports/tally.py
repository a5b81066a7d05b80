"""A tally: everything that a metric needs of any number of calls, in bounded memory, and addable.

A month is added up call by call from the database, so a report of it never holds the month's calls. Times are whole
milliseconds and counts whole numbers: sums come out the same in any order, and a total is exactly the sum of its parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.calls import Call, Disposition, TransferKind


def milliseconds(seconds: float) -> int:
    """Rounded to the nearest millisecond, never below 0."""
    return max(0, round(seconds * 1000))


@dataclass(slots=True)
class Times:
    """Lengths of time, and how many lie below or within any whole number of seconds."""

    total_ms: int = 0
    longest_ms: int | None = None
    steps: Counter[int] = field(default_factory=Counter)
    """How many fall on each half step: 2n for exactly n seconds, 2n + 1 for more than n and less than n + 1."""

    def add(self, seconds: float) -> None:
        length = milliseconds(seconds)
        self.total_ms += length
        self.longest_ms = length if self.longest_ms is None else max(self.longest_ms, length)
        whole, rest = divmod(length, 1000)
        self.steps[2 * whole + (rest > 0)] += 1

    def merge(self, other: Times) -> None:
        self.total_ms += other.total_ms
        known = [each for each in (self.longest_ms, other.longest_ms) if each is not None]
        self.longest_ms = max(known, default=None)
        self.steps.update(other.steps)

    @property
    def count(self) -> int:
        return self.steps.total()

    @property
    def mean_s(self) -> float | None:
        """None when there are none."""
        return self.total_ms / self.count / 1000.0 if self.count else None

    @property
    def longest_s(self) -> float | None:
        return None if self.longest_ms is None else self.longest_ms / 1000.0

    def below(self, seconds: int) -> int:
        """How many are shorter than `seconds`."""
        return sum(number for step, number in self.steps.items() if step < 2 * seconds)

    def within(self, seconds: int) -> int:
        """How many are `seconds` or shorter."""
        return sum(number for step, number in self.steps.items() if step <= 2 * seconds)

    def at_least(self, seconds: int) -> int:
        return self.count - self.below(seconds)


@dataclass(slots=True)
class Tally:
    """Calls of one interval. Test calls stand in `tests` only, calls that still last in `open` only."""

    tests: int = 0
    open: int = 0
    ends: Counter[Disposition] = field(default_factory=Counter)
    answered: Times = field(default_factory=Times)
    """Waits of answered calls, from queue entry."""
    given_up: Times = field(default_factory=Times)
    """Waits of calls abandoned in the queue."""
    waits: Times = field(default_factory=Times)
    """Waits of every call that was in a queue, whatever became of it; of open calls so far."""
    from_arrival: Times = field(default_factory=Times)
    """From the trunk to the operator, answered calls."""
    talk: Times = field(default_factory=Times)
    wrap_up: Times = field(default_factory=Times)
    """Known after-call work of answered calls."""
    told: int = 0
    told_true: int = 0
    transferred: int = 0
    """Answered calls with at least one transfer that was answered."""
    transferred_by: Counter[TransferKind] = field(default_factory=Counter)
    """Answered calls with such a transfer of this kind."""
    handed_over: int = 0
    """Answered calls that an operator tried to hand to somebody of the city's directory."""
    reached: int = 0
    """Of those, calls in which somebody of the directory talked with the caller."""
    anonymous: int = 0
    """Calls without a caller's number."""
    lost_in: Counter[str] = field(default_factory=Counter)
    """Menu to calls that were given up in it; "" for before the first one."""

    def add(self, call: Call) -> None:
        """Count one call in."""
        if call.disposition is Disposition.TEST:
            self.tests += 1
            return
        if call.disposition is None:
            self.open += 1
        else:
            self.ends[call.disposition] += 1
        if call.caller is None or call.caller.number is None:
            self.anonymous += 1
        if call.wait_s is not None:
            self.waits.add(call.wait_s)
        if call.disposition is Disposition.ABANDONED_QUEUE:
            self.given_up.add(call.wait_s or 0.0)
        elif call.disposition is Disposition.ABANDONED_MENU:
            self.lost_in[call.steps[-1].node if call.steps else ""] += 1
        elif call.disposition is Disposition.ANSWERED:
            self._add_answered(call)

    def _add_answered(self, call: Call) -> None:
        self.answered.add(call.wait_s or 0.0)
        if call.wait_from_arrival_s is not None:
            self.from_arrival.add(call.wait_from_arrival_s)
        self.talk.add(call.talk_s)
        if call.wrap_up_s is not None:
            self.wrap_up.add(call.wrap_up_s)
        word = next((each for each in call.wait_words if each.most_min is not None), None)
        if word is not None and call.segments:
            self.told += 1
            until = call.segments[0].started_at - word.at
            self.told_true += 60.0 * (word.least_min or 0) <= until <= 60.0 * (word.most_min or 0)
        done = {each.kind for each in call.handed_on if each.result == "ANSWER"}
        self.transferred += bool(done)
        self.transferred_by.update(done)
        if any(each.to for each in call.handed_on):
            self.handed_over += 1
            self.reached += bool(call.staff)

    def merge(self, other: Tally) -> None:
        """Count everything in that `other` holds."""
        for name in (
            "tests",
            "open",
            "told",
            "told_true",
            "transferred",
            "handed_over",
            "reached",
            "anonymous",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.ends.update(other.ends)
        self.transferred_by.update(other.transferred_by)
        self.lost_in.update(other.lost_in)
        for name in ("answered", "given_up", "waits", "from_arrival", "talk", "wrap_up"):
            getattr(self, name).merge(getattr(other, name))

    def ended(self, *dispositions: Disposition) -> int:
        """How many ended in one of these ways."""
        return sum(self.ends[each] for each in dispositions)


def tally_of(calls: Iterable[Call]) -> Tally:
    """All of these calls."""
    found = Tally()
    for call in calls:
        found.add(call)
    return found


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """One tally of many; they are left as they are."""
    found = Tally()
    for each in tallies:
        found.merge(each)
    return found
