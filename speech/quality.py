"""How a call was handled (応対品質): a checklist with the sentences that show it, measures of the talk, one score.

A machine's word is a proposal: a supervisor's overrules it, item by item, and the score follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from speech.conversation import CITIZEN, LINE, Sentence
from speech.quality_profile import ChecklistItem, Limits, QualitySection, Where

_FIRST, _LAST = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Of the talk between citizen and operator; seconds."""

    citizen_s: float
    operator_s: float
    silence_s: float
    """The longest stretch in which nobody spoke, holds left out."""
    silences_s: float
    """All of them that were longer than three seconds."""
    overlap_s: float
    hold_s: float
    """The longest hold."""

    @property
    def operator_share(self) -> float:
        """The operator's part of all talk; 0.5 for none."""
        talk = self.citizen_s + self.operator_s
        return self.operator_s / talk if talk else 0.5

    @property
    def overlap_share(self) -> float:
        talk = self.citizen_s + self.operator_s
        return self.overlap_s / talk if talk else 0.0


def measures(conversation: Sequence[Sentence], holds: Iterable[tuple[float, float]] = ()) -> Measures:
    """The measures of a conversation.

    Args:
        holds: from when to when the citizen was on hold, seconds from the recording's start.
    """
    held = sorted(holds)
    own = {
        side: _joined((s.start_s, s.end_s) for s in conversation if s.side == side)
        for side in (CITIZEN, LINE)
    }
    spoken = _joined([*own[CITIZEN], *own[LINE], *held])
    gaps = [after[0] - before[1] for before, after in pairwise(spoken)]
    return Measures(
        citizen_s=round(sum(end - start for start, end in own[CITIZEN]), 2),
        operator_s=round(sum(end - start for start, end in own[LINE]), 2),
        silence_s=round(max(gaps, default=0.0), 2),
        silences_s=round(sum(gap for gap in gaps if gap > 3.0), 2),
        overlap_s=round(sum(_shared(a, b) for a in own[CITIZEN] for b in own[LINE]), 2),
        hold_s=round(max((end - start for start, end in held), default=0.0), 2),
    )


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    result: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def _shared(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def checked(
    conversation: Sequence[Sentence], tags: Iterable[str], measured: Measures, rules: QualitySection
) -> dict[str, Any]:
    """The record of a call as JSON values: `items` (id, name, weight, applies, passed, evidence) and `measures`."""
    known = frozenset(tags)
    items = [_item(item, conversation, known) for item in rules.items]
    items += _measure_items(measured, rules.limits)
    return {
        "items": items,
        "measures": {
            "citizen_s": measured.citizen_s,
            "operator_s": measured.operator_s,
            "operator_share": round(measured.operator_share, 3),
            "silence_s": measured.silence_s,
            "silences_s": measured.silences_s,
            "overlap_s": measured.overlap_s,
            "hold_s": measured.hold_s,
        },
    }


def _item(item: ChecklistItem, conversation: Sequence[Sentence], tags: frozenset[str]) -> dict[str, Any]:
    said = [sentence for sentence in conversation if sentence.side == LINE]
    if item.where is Where.START:
        said = said[:_FIRST]
    elif item.where is Where.END:
        said = said[max(1, len(said) - _LAST) :]
    found = [sentence for sentence in said if _any(item.words, sentence.text)]
    asked = any(s.side == CITIZEN and _any(item.when, s.text) for s in conversation)
    applies = bool(said) and (not item.tags or bool(tags & set(item.tags))) and (not item.when or asked)
    return {
        "id": item.id,
        "name": item.name_ja,
        "theme": item.theme_ja or item.name_ja,
        "weight": item.weight,
        "applies": applies,
        "passed": (not found if item.never else bool(found)) if applies else None,
        "evidence": [
            {"side": sentence.side, "start_s": sentence.start_s, "text": sentence.text} for sentence in found
        ]
        if applies
        else [],
    }


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(re.search(pattern, text) for pattern in patterns)


def _measure_items(measured: Measures, limits: Limits) -> list[dict[str, Any]]:
    rows = (
        ("silence", "長い沈黙がない", measured.silence_s, limits.silence_s),
        ("hold", "長い保留がない", measured.hold_s, limits.hold_s),
        ("overlap", "言葉を遮らない", measured.overlap_share, limits.overlap_share),
        ("listening", "相手の話を聞く", measured.operator_share, limits.operator_share),
    )
    return [
        {
            "id": name,
            "name": name_ja,
            "theme": name_ja,
            "weight": limits.weight,
            "applies": True,
            "passed": value <= limit,
            "evidence": [],
            "value": round(value, 3),
            "limit": limit,
        }
        for name, name_ja, value, limit in rows
    ]


def score(record: Mapping[str, Any], overruled: Mapping[str, Any]) -> float | None:
    """0…100: the weight of what passed against all that applied, a supervisor's word first; None for nothing."""
    whole = passed = 0
    for item in record.get("items", ()):
        word = overruled.get(item["id"])
        outcome = word["passed"] if word else item["passed"]
        if outcome is not None:
            whole += item["weight"]
            passed += item["weight"] * bool(outcome)
    return round(100 * passed / whole, 1) if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What to train: an item that was missing, how often, with whom, and where it can be heard."""

    item: str
    theme: str
    applied: int
    missed: int
    operators: Mapping[str, tuple[int, int]]
    """By operator: missed, applied; those who missed it most often first."""
    calls: tuple[str, ...]
    """Up to five calls to listen to."""

    @property
    def share(self) -> float:
        return self.missed / self.applied if self.applied else 0.0


def outcomes(
    record: Mapping[str, Any], overruled: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The items that applied to a call, and whether each was done: a supervisor's word before the machine's."""
    for item in record.get("items", ()):
        word = overruled.get(item["id"])
        outcome = word["passed"] if word else item["passed"]
        if outcome is not None:
            yield item, bool(outcome)


def themes(checks: Iterable[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]) -> list[Theme]:
    """Training themes from calls (call id, operator, record, overruled), the most pressing first: weight by share."""
    applied: dict[str, dict[str, list[bool]]] = {}
    names: dict[str, tuple[str, int]] = {}
    calls: dict[str, list[str]] = {}
    for call, operator, record, overruled in checks:
        for item, outcome in outcomes(record, overruled):
            names[item["id"]] = (item["theme"], item["weight"])
            applied.setdefault(item["id"], {}).setdefault(operator, []).append(outcome)
            if not outcome:
                calls.setdefault(item["id"], []).append(call)
    found = []
    for name, by_operator in applied.items():
        counted = {who: (outcomes.count(False), len(outcomes)) for who, outcomes in by_operator.items()}
        ordered = dict(sorted(counted.items(), key=lambda each: (-each[1][0] / each[1][1], each[0])))
        missed = sum(each[0] for each in counted.values())
        if missed:
            found.append(
                Theme(
                    item=name, theme=names[name][0], applied=sum(each[1] for each in counted.values()),
                    missed=missed, operators=ordered, calls=tuple(calls[name][:5]),
                )
            )  # fmt: skip
    return sorted(found, key=lambda theme: (-names[theme.item][1] * theme.share, theme.item))
