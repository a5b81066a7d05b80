"""The facts of one call in order, with the questions that every part of the fold asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from core.ids import CallId, Uniqueid
from ledger import facts as f

_F = TypeVar("_F", bound=f.Fact)


def is_exact(fact: f.Fact) -> bool:
    """Whether the moment is CEL's (microseconds) rather than queue_log's (whole seconds, cut off)."""
    return not fact.source.file.startswith("queue_log")


@dataclass(slots=True, kw_only=True)
class Story:
    """One call's facts, sorted and without repetitions; `shared` are the facts of no call."""

    call: CallId
    citizen: Uniqueid
    facts: Sequence[f.Fact]
    shared: Sequence[f.Fact]
    arrived_at: float = field(init=False)
    ended_at: float | None = field(init=False)
    """When the citizen's leg ended, or the switch restarted after it died; None while the call lasts."""
    last_known_at: float = field(init=False)
    died_with_switch: bool = field(init=False, default=False)
    restart_overruled: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        head = self.first(f.Arrived)
        self.arrived_at = head.at if head else self.facts[0].at
        self.last_known_at = max(self.arrived_at, self.facts[-1].at)
        release = self.release
        if release is not None:
            self.ended_at = max(release.at, self.arrived_at)
            return
        self.ended_at = None
        node = (head or self.facts[0]).source.node
        for fact in self.shared:
            if isinstance(fact, f.SwitchStarted) and fact.source.node == node and fact.at > self.arrived_at:
                if self.last_known_at > fact.at + 1:
                    self.restart_overruled = True
                else:
                    self.ended_at, self.died_with_switch = max(fact.at, self.last_known_at), True
                    break

    @property
    def release(self) -> f.HungUp | None:
        """The end of the citizen's own leg."""
        return next((fact for fact in self.all(f.HungUp) if fact.uniqueid == self.citizen), None)

    def all(self, kind: type[_F]) -> list[_F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def first(self, kind: type[_F]) -> _F | None:
        return next(iter(self.all(kind)), None)

    def last(self, kind: type[_F]) -> _F | None:
        return next(reversed(self.all(kind)), None)

    def exact_near(self, fact: f.Fact, *candidates: float) -> float:
        """The moment of `fact`; for a whole second, the first exact candidate that falls into it."""
        if is_exact(fact):
            return fact.at
        inside = [moment for moment in candidates if fact.at <= moment < fact.at + 1.5]
        return min(inside, default=fact.at)
