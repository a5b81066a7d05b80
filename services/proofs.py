"""What the proof of each day said, kept so that a screen can tell whether its figures are reconciled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.clock import TOKYO, Clock
from ledger.reconcile import DayProof, Reconciliation, together
from services.ports import UnitOfWork

DAY = timedelta(days=1)
NAMED = 3
"""So many stretches of days are named; of the rest it is said how many days they are."""


def city_moment(clock: Clock, day: date) -> float:
    """The real moment at which a day of the city's clock begins."""
    return clock.epoch_of(datetime(day.year, day.month, day.day, tzinfo=TOKYO))


def _key(day: date) -> str:
    """The setting that holds the proofs of a day's month."""
    return f"ledger.proofs.{day:%Y-%m}"


async def keep_proof(
    unit: UnitOfWork, node: str, day: date, found: Reconciliation, *, made_at: float, over: bool
) -> None:
    """Keep what the proof of a whole day said; the last one of each node counts.

    Args:
        node: whose wire was compared.
        over: whether the day was over when it was made.
    """
    kept = json.loads(await unit.settings.get(_key(day)) or "{}")
    kept.setdefault(day.isoformat(), {})[node] = {
        "made_at": made_at, "over": over, "calls": found.calls, "differences": len(found.differences),
    }  # fmt: skip
    await unit.settings.put(_key(day), json.dumps(kept))


async def kept_proofs(unit: UnitOfWork, first: date, last: date) -> dict[date, DayProof]:
    """The proofs of the days from `first` to `last` that were made, those of all nodes together."""
    found: dict[date, DayProof] = {}
    month = first.replace(day=1)
    while month <= last:
        for text, nodes in json.loads(await unit.settings.get(_key(month)) or "{}").items():
            day = date.fromisoformat(text)
            if first <= day <= last:
                found[day] = together([DayProof(**values) for values in nodes.values()])
        month = (month + 31 * DAY).replace(day=1)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """How far the days of a stretch are reconciled."""

    past: int = 0
    """Days of it that are over and of which the ledger could know."""
    last_past: date | None = None
    unproven: tuple[date, ...] = ()
    """Days of which no proof was made after they were over."""
    changed: tuple[date, ...] = ()
    """Days of which the ledger holds other calls now than when they were proved."""
    differing: tuple[tuple[date, int], ...] = ()
    """Days whose proof found differences, and how many."""
    running: bool = False
    """Whether today is one of the days."""

    @property
    def settled(self) -> bool:
        """Whether there are days, and nothing of them is left to prove."""
        return self.past > 0 and not (self.unproven or self.changed or self.differing or self.running)

    @property
    def text_ja(self) -> str:
        """In words, as short as it can be told."""
        if not self.past or self.last_past is None:
            return "速報（照合前）" if self.running else "通話台帳にない期間"
        parts = []
        if self.differing:
            days = [f"{_day(day)}（{number} 件）" for day, number in self.differing[:NAMED]]
            parts.append(f"照合で違い {_listed(days, len(self.differing) - NAMED)}")
        if self.changed:
            parts.append(f"照合のあとに変わった日 {_stretches(self.changed)}")
        if self.unproven:
            parts.append(f"照合前の日 {_stretches(self.unproven)}")
        if not self.running:
            return "、".join(parts) or "照合済み"
        if not parts:
            return f"速報（{_day(self.last_past)} まで照合済み、今日は照合前）"
        return f"速報（{'、'.join(parts)}、今日は照合前）"


def _day(day: date) -> str:
    return f"{day.month}/{day.day}"


def _listed(shown: Sequence[str], more: int) -> str:
    return "、".join(shown) + (f" ほか {more} 日" if more > 0 else "")


def _stretches(days: Iterable[date]) -> str:
    """`11/1〜11/3、11/5`"""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    shown = [_day(run[0]) if len(run) == 1 else f"{_day(run[0])}〜{_day(run[-1])}" for run in runs[:NAMED]]
    return _listed(shown, sum(map(len, runs[NAMED:])))


async def proven(unit: UnitOfWork, clock: Clock, first: date, last: date) -> Proven:
    """How far the days from `first` to `last` are reconciled; days before the ledger's first call are left out."""
    today = clock.city_now().date()
    begun, _ = await unit.calls.span()
    if begun is None:
        return Proven(running=first <= today <= last)
    day, end = max(first, clock.city_time_of(begun).date()), min(last, today - DAY)
    known = await kept_proofs(unit, day, end)
    past = 0
    unproven, changed, differing = list[date](), list[date](), list[tuple[date, int]]()
    while day <= end:
        past += 1
        proof = known.get(day)
        if proof is None or not proof.over:
            unproven.append(day)
        elif proof.differences:
            differing.append((day, proof.differences))
        elif not proof.holds(await unit.calls.number(city_moment(clock, day), city_moment(clock, day + DAY))):
            changed.append(day)
        day += DAY
    return Proven(
        past=past, last_past=end if past else None, unproven=tuple(unproven), changed=tuple(changed),
        differing=tuple(differing), running=first <= today <= last,
    )  # fmt: skip
