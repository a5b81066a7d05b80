"""What a caller asks for: skills with a least level that is relaxed, stage by stage, while they wait.

Each stage is a queue of its own, and a caller moves from one to the next by the dialplan's own timer. So who may
serve a caller is membership in the switch, exact at every moment, whatever AMI does (docs/adr/0009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.ids import LineId, QueueName

LEVEL_MOST = 5
Skills = Mapping[str, int]
"""Level 1-5 by skill: a line, a topic of `[[acd.skills]]`, or a language code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What an operator must bring to serve a caller who has waited `after_s` seconds or more."""

    queue: QueueName
    after_s: float
    least: Skills

    def served_by(self, skills: Skills) -> bool:
        """Whether someone with these skills may serve callers of this stage."""
        return all(skills.get(skill, 0) >= level for skill, level in self.least.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One line in one language."""

    line: LineId
    language: str
    priority: int
    """Of the line among all lines; higher comes first."""
    wait_limit_s: float
    stages: tuple[Stage, ...]
    """At least one; `after_s` rises from 0."""

    @property
    def name(self) -> QueueName:
        """The demand is named by the queue of its first stage."""
        return self.stages[0].queue

    def stage_of(self, queue: QueueName) -> int:
        """Place of the stage whose queue this is, from 0.

        Raises:
            ValueError: it is no queue of this demand.
        """
        return [stage.queue for stage in self.stages].index(queue)

    def step_s(self, place: int) -> float:
        """Seconds that a caller may stay in the queue of stage `place` before the next stage or the limit."""
        until = self.stages[place + 1].after_s if place + 1 < len(self.stages) else self.wait_limit_s
        return until - self.stages[place].after_s


def skills_of(skills: Skills, languages: Iterable[str]) -> dict[str, int]:
    """All skills of an operator; a language without a level of its own counts as spoken fluently."""
    return {**dict.fromkeys(languages, LEVEL_MOST), **skills}


def queues_for(demands: Iterable[Demand], skills: Skills) -> tuple[QueueName, ...]:
    """Every queue in which someone with these skills may be offered calls."""
    return tuple(stage.queue for demand in demands for stage in demand.stages if stage.served_by(skills))
