"""What `toritsugi demo` says when its day is over, in the words of the reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ledger.calls import Disposition
from services.ports import JobState


def conclusion(summary: Mapping[str, Any], out: Path, took_s: float) -> Iterator[str]:
    """The last lines of a run; `summary` as it stands in `summary.json`."""
    ends = summary["dispositions"]
    told = {each.label_ja: ends.get(each.value, 0) for each in Disposition}
    told["通話中"] = summary["calls"] - sum(told.values())
    yield f"電話 {summary['calls']} 本: {_counts(told)}"
    yield f"電話機の見た事実と台帳の一致: {summary['agree']}/{summary['calls']}"
    proof = summary["reconciliation"]
    yield f"SIP の記録との照合: {'違いなし' if proof['agrees'] else '違いあり'}(着信 {proof['invites']})"
    texts = summary["transcripts"]
    yield f"文字起こし: {_counts({each.label_ja: texts.get(each.value, 0) for each in JobState})}"
    found = summary["understood"]
    entries, gaps = found["suggestions"], found["gaps"]
    yield f"FAQ の候補3件に合う項目: {entries['top_3']}/{entries['asked']}、不足 {len(gaps['gaps'])} 件"
    yield f"通話中に言われた番号 {found['numbers']} 個: 残っていた所 {len(found['left']['traces'])}"
    yield f"結果: {out} ({took_s:.0f} 秒)"


def _counts(numbers: Mapping[str, int]) -> str:
    return "、".join(f"{name} {number}" for name, number in numbers.items() if number > 0) or "なし"
