"""The truth of a demonstration (what the telephones saw) beside the ledger (what the disk says)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

WAIT_TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One call from both sides; a missing side is None."""

    sip_call_id: str
    truth: Mapping[str, Any] | None
    ledger: Mapping[str, Any] | None
    differences: tuple[str, ...]
    """Names of the fields that disagree; `truth` or `ledger` when that side has no such call."""

    @property
    def agrees(self) -> bool:
        return not self.differences


def compare(truth: Iterable[Mapping[str, Any]], ledger: Iterable[Mapping[str, Any]]) -> list[Comparison]:
    """Records of `truth.jsonl` and `ledger.jsonl` (design §10), joined by SIP Call-ID, by the caller's start.

    Compared are the disposition, the operators in their order, and the wait within 1 s. A caller of the
    demonstration who never got as far as a call of ours (refused at the door) has the disposition None on the
    true side and is expected to be absent from the ledger.
    """
    by_sip: dict[str, list[Mapping[str, Any]]] = {}
    for row in ledger:
        by_sip.setdefault(str(row["sip_call_id"]), []).append(row)
    found = []
    for record in truth:
        name = str(record["sip_call_id"])
        rows = by_sip.pop(name, [])
        found.append(
            Comparison(
                sip_call_id=name,
                truth=record,
                ledger=rows[0] if rows else None,
                differences=_differences(record, rows),
            )
        )
    for name, rows in by_sip.items():
        found += [
            Comparison(sip_call_id=name, truth=None, ledger=row, differences=("truth",)) for row in rows
        ]
    return sorted(found, key=_start)


def _differences(truth: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> tuple[str, ...]:
    if not rows:
        return () if truth.get("disposition") is None else ("ledger",)
    if len(rows) > 1:
        return ("twice",)
    row, names = rows[0], []
    if truth.get("disposition") != row.get("disposition"):
        names.append("disposition")
    if list(truth.get("operators") or []) != list(row.get("operators") or []):
        names.append("operators")
    least, wait = truth.get("wait_s") or 0.0, row.get("wait_s") or 0.0
    most = max(least, truth.get("wait_most_s") or 0.0)
    if not least - WAIT_TOLERANCE_S <= wait <= most + WAIT_TOLERANCE_S:
        names.append("wait_s")
    return tuple(names)


def _start(comparison: Comparison) -> tuple[float, str]:
    truth, ledger = comparison.truth or {}, comparison.ledger or {}
    return (float(truth.get("started_at") or ledger.get("arrived_at") or 0.0), comparison.sip_call_id)
