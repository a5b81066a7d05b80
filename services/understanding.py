"""From a transcript to what it says and how the call was handled, in the transcript's own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core.errors import ToritsugiError
from core.ids import CallId
from services.ports import AuditEntry, UnitOfWork
from services.speech_ports import CallInsight, QualityCheck
from speech.conversation import sentences
from speech.insight import LANGUAGES, METHOD, understood
from speech.jobs import JobState
from speech.quality import checked, measures, score
from speech.quality_profile import QualitySection
from speech.transcript import Transcript

MACHINE = "machine"


async def keep_understanding(
    unit: UnitOfWork, call: CallId, heard: Transcript, rules: QualitySection, now: float
) -> None:
    """Store summary, tags, questions, complaint signs and the quality check of a transcribed call.

    Made again from a new transcript they replace the old ones; a supervisor's word stays.
    """
    if heard.state is not JobState.DONE or heard.language not in LANGUAGES:
        return
    said = list(sentences((s.side, s.text, s.start_s, s.end_s) for s in heard.segments if s.text))
    if not said:
        return
    record = understood(said)
    await unit.insights.put(CallInsight(call_id=call, made_at=now, method=METHOD, record=record))
    known = (await unit.calls.get([call])).get(call)
    before = await unit.quality.get(call)
    overruled = before.overruled if before else {}
    check = checked(said, [tag["tag"] for tag in record["tags"]], measures(said, heard.holds), rules)
    check["complaint"] = record["complaint"]["complaint"]
    operators = known.operators if known else ()
    await unit.quality.put(
        QualityCheck(
            call_id=call,
            at=known.arrived_at if known else now,
            operator=operators[0] if operators else "",
            line=(known.line or "") if known else "",
            score=score(check, overruled),
            record=check,
            overruled=overruled,
        )
    )


async def overrule(
    unit: UnitOfWork, call: CallId, item: str, passed: bool, *, by: str, reason: str, now: float
) -> QualityCheck:
    """A supervisor's word on one item; the score follows, and the audit keeps what stood before.

    Raises:
        ToritsugiError: no such check or item, or no reason.
    """
    check = await unit.quality.get(call)
    if check is None:
        raise ToritsugiError(
            f"品質分析のない通話です: {call}", where="通話", cure="toritsugi quality list で確かめる"
        )
    items = {each["id"]: each for each in check.record["items"]}
    if item not in items:
        raise ToritsugiError(f"ない項目です: {item}", where="項目", cure=f"次のどれか: {', '.join(items)}")
    if not reason.strip():
        raise ToritsugiError("理由がありません", where="--reason", cure="なぜ改めるのかを書く")
    word = {"passed": passed, "by": by, "at": now, "reason": reason.strip()}
    overruled = {**check.overruled, item: word}
    after = replace(check, overruled=overruled, score=score(check.record, overruled))
    await unit.quality.put(after)
    await unit.audit.add(
        AuditEntry(
            at=now,
            actor=by,
            action="quality.overrule",
            subject=call,
            detail={
                "item": item,
                "passed": passed,
                "reason": reason.strip(),
                "before": check.overruled.get(item, {}).get("passed", items[item]["passed"]),
                "by_before": check.overruled.get(item, {}).get("by", MACHINE),
                "score": [check.score, after.score],
            },
        )
    )
    return after


def check_row(check: QualityCheck, items: bool) -> dict[str, Any]:
    """A check as JSON values; with `items` all of it."""
    row: dict[str, Any] = {
        "call_id": check.call_id,
        "operator": check.operator,
        "line": check.line,
        "score": check.score,
        "complaint": bool(check.record.get("complaint")),
        "missed": list(_missed(check)),
        "overruled": sorted(check.overruled),
    }
    if items:
        row |= {
            "items": [
                {
                    **item,
                    **({"overruled": check.overruled[item["id"]]} if item["id"] in check.overruled else {}),
                }
                for item in check.record["items"]
            ],
            "measures": check.record["measures"],
        }
    return row


def _missed(check: QualityCheck) -> Iterable[str]:
    for item in check.record["items"]:
        word = check.overruled.get(item["id"])
        if (word["passed"] if word else item["passed"]) is False:
            yield item["id"]
