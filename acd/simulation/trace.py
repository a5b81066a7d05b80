"""The callers and operators of one day, drawn before anything is played.

Everything random about a caller stands here: when they call, how long they would wait, how long the conversation
takes and how soon each operator would pick up. So two policies that play the same trace meet the same people, and the
difference of their results is the policy's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acd.demand import Skills
from core.ids import OperatorId, QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCall:
    """One caller. Seconds count from the trace's beginning."""

    number: int
    at_s: float
    """When they enter the queue."""
    demand: QueueName
    """Queue of the demand's first stage."""
    service_s: float
    """How long the conversation takes, whoever answers."""
    patience_s: float = math.inf
    """How long they wait before they hang up, counted from `at_s`."""
    answer_s: Mapping[OperatorId, float] = field(default_factory=dict)
    """How long the telephone rings until each operator picks up; infinity for an offer that is missed. Who is not
    named picks up at once."""
    missed: int = 0
    """How many offers of this caller are missed, whoever gets them, before somebody picks up."""
    keys: str = ""
    """What the caller presses in the menu, for playing the same day on a real switch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceOperator:
    """One operator's day. Spans are (from, to) in seconds from the trace's beginning."""

    operator: OperatorId
    skills: Skills
    """All of them, languages too (`acd.demand.skills_of`)."""
    shifts: tuple[tuple[float, float], ...]
    breaks: tuple[tuple[float, float], ...] = ()
    """A break that falls into a conversation begins when it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One day. `calls` are in order of `at_s`."""

    calls: tuple[TraceCall, ...]
    operators: tuple[TraceOperator, ...]

    def to_json(self) -> str:
        """One JSON object; infinity is written as null."""
        return json.dumps(
            {
                "calls": [
                    {
                        "number": call.number,
                        "at_s": call.at_s,
                        "demand": call.demand,
                        "keys": call.keys,
                        "service_s": call.service_s,
                        "patience_s": _written(call.patience_s),
                        "missed": call.missed,
                        "answer_s": {op: _written(value) for op, value in call.answer_s.items()},
                    }
                    for call in self.calls
                ],
                "operators": [
                    {
                        "operator": person.operator,
                        "skills": dict(person.skills),
                        "shifts": person.shifts,
                        "breaks": person.breaks,
                    }
                    for person in self.operators
                ],
            }
        )

    @staticmethod
    def from_json(text: str) -> Trace:
        """What `to_json` wrote.

        Raises:
            KeyError, ValueError: it is no trace.
        """
        read = json.loads(text)
        return Trace(
            calls=tuple(
                TraceCall(
                    number=int(call["number"]),
                    at_s=float(call["at_s"]),
                    demand=QueueName(call["demand"]),
                    keys=str(call["keys"]),
                    service_s=float(call["service_s"]),
                    patience_s=_read(call["patience_s"]),
                    missed=int(call["missed"]),
                    answer_s={OperatorId(op): _read(value) for op, value in call["answer_s"].items()},
                )
                for call in read["calls"]
            ),
            operators=tuple(
                TraceOperator(
                    operator=OperatorId(person["operator"]),
                    skills={str(skill): int(level) for skill, level in person["skills"].items()},
                    shifts=_spans(person["shifts"]),
                    breaks=_spans(person["breaks"]),
                )
                for person in read["operators"]
            ),
        )


def _written(seconds: float) -> float | None:
    return None if math.isinf(seconds) else seconds


def _read(seconds: Any) -> float:
    return math.inf if seconds is None else float(seconds)


def _spans(rows: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(begin), float(end)) for begin, end in rows)
