"""What came of a played day, per caller and per operator. Seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique

from acd.demand import Skills
from acd.simulation.log import Happening, What
from core.ids import OperatorId, QueueName


@unique
class End(StrEnum):
    """How a caller's wait ended."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    OVERFLOW = "overflow"
    REFUSED = "refused"


@dataclass(slots=True)
class Caller:
    """One caller of a played day."""

    number: int
    demand: QueueName
    at: float
    end: End | None = None
    """None while neither is known: the day is not over."""
    wait_s: float = 0.0
    """Until the conversation, or until leaving."""
    operator: OperatorId | None = None
    talk_s: float = 0.0
    offers: int = 0


@dataclass(slots=True)
class Worker:
    """One operator of a played day."""

    operator: OperatorId
    skills: Skills
    signed_in_s: float = 0.0
    """Breaks left out."""
    handled_s: float = 0.0
    """Talk, and the wrap-up that the line allows for it."""
    calls: int = 0
    offers: int = 0
    talk_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A played day."""

    callers: dict[int, Caller]
    workers: dict[OperatorId, Worker]
    offers: int

    @property
    def answered(self) -> int:
        return self.count(End.ANSWERED)

    def count(self, end: End) -> int:
        return sum(1 for caller in self.callers.values() if caller.end is end)

    def waits(self) -> list[float]:
        """Of all callers but the refused ones, ascending."""
        return sorted(caller.wait_s for caller in self.callers.values() if caller.end is not End.REFUSED)


class Recorder:
    """Folds the switch's log into a day."""

    def __init__(self, demands: dict[QueueName, QueueName], wrap_up_s: dict[QueueName, float]) -> None:
        self._demands = demands
        self._wrap_up_s = wrap_up_s
        self._since: dict[OperatorId, float] = {}
        self._talking_since: dict[OperatorId, float] = {}
        self.callers: dict[int, Caller] = {}
        self.workers: dict[OperatorId, Worker] = {}
        self.offers = 0

    def __call__(self, happening: Happening, /) -> None:
        at, what, number, operator, queue = happening
        if operator is not None:
            self._of_operator(at, what, operator, queue)
        if number is not None and queue is not None:
            self._of_caller(at, what, number, operator, queue)

    def _of_operator(self, at: float, what: What, operator: OperatorId, queue: QueueName | None) -> None:
        worker = self.workers[operator]
        if what in (What.SIGNED_IN, What.BACK):
            self._since.setdefault(operator, at)
        elif what in (What.SIGNED_OUT, What.BREAK):
            worker.signed_in_s += at - self._since.pop(operator, at)
        elif what is What.OFFERED:
            worker.offers += 1
            self.offers += 1
        elif what is What.ANSWERED:
            worker.calls += 1
            self._talking_since[operator] = at
        elif what is What.ENDED and queue is not None:
            talk_s = at - self._talking_since.pop(operator)
            worker.talk_s += talk_s
            worker.handled_s += talk_s + self._wrap_up_s[self._demands[queue]]

    def _of_caller(
        self, at: float, what: What, number: int, operator: OperatorId | None, queue: QueueName
    ) -> None:
        caller = self.callers.get(number)
        if caller is None:
            caller = self.callers[number] = Caller(number, self._demands[queue], at)
        match what:
            case What.OFFERED:
                caller.offers += 1
            case What.ANSWERED:
                caller.end, caller.wait_s, caller.operator = End.ANSWERED, at - caller.at, operator
            case What.ENDED:
                caller.talk_s = at - caller.at - caller.wait_s
            case What.HUNG_UP:
                caller.end, caller.wait_s = End.ABANDONED, at - caller.at
            case What.OVERFLOW:
                caller.end, caller.wait_s = End.OVERFLOW, at - caller.at
            case What.REFUSED:
                caller.end = End.REFUSED
            case _:
                pass

    def day(self) -> Day:
        """What stands so far."""
        return Day(callers=self.callers, workers=self.workers, offers=self.offers)
