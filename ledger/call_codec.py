"""A call as JSON values and back, for whoever stores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from core.facts.dialplan import StepResult
from core.ids import CallId
from core.phone import Caller, CallerKind
from ledger.calls import (
    Call,
    Callback,
    CallbackNotTaken,
    CallbackTry,
    Disposition,
    EndedBy,
    Fallback,
    Gap,
    LongCallWord,
    Offer,
    OfferOutcome,
    Quality,
    Segment,
    StaffSegment,
    Step,
    Supervision,
    Transfer,
    TransferKind,
    WaitWord,
)


def encode_call(call: Call) -> dict[str, Any]:
    """Everything about the call, as JSON values. It holds personal data."""
    values = asdict(call)
    if call.caller is not None:
        values["caller"] = {"kind": call.caller.kind.value, "number": call.caller.number}
    return values


def decode_call(values: Mapping[str, Any]) -> Call:
    """The call that was stored; fields of a later version are left out."""
    known = {field.name for field in fields(Call)}
    row = {name: value for name, value in values.items() if name in known}
    caller = row["caller"]
    row |= {
        "call_id": CallId(row["call_id"]),
        "caller": Caller(CallerKind(caller["kind"]), caller["number"]) if caller else None,
        "disposition": Disposition(row["disposition"]) if row["disposition"] else None,
        "ended_by": EndedBy(row["ended_by"]) if row["ended_by"] else None,
        "steps": tuple(Step(**{**step, "result": StepResult(step["result"])}) for step in row["steps"]),
        "offers": tuple(
            Offer(**{**offer, "outcome": OfferOutcome(offer["outcome"])}) for offer in row["offers"]
        ),
        "segments": tuple(Segment(**segment) for segment in row["segments"]),
        "wait_words": tuple(WaitWord(**word) for word in row.get("wait_words", ())),
        "transfers": tuple(
            Transfer(**{**transfer, "kind": TransferKind(transfer.get("kind", TransferKind.BLIND))})
            for transfer in row["transfers"]
        ),
        "silences": tuple((begin, end) for begin, end in row.get("silences", ())),
        "supervisions": tuple(Supervision(**each) for each in row.get("supervisions", ())),
        "long_call_words": tuple(LongCallWord(**each) for each in row.get("long_call_words", ())),
        "help_asked": tuple(row.get("help_asked", ())),
        "staff": tuple(StaffSegment(**segment) for segment in row.get("staff", ())),
        "recordings": tuple(row["recordings"]),
        "qualities": tuple(Quality(**quality) for quality in row["qualities"]),
        "fallbacks": tuple(Fallback(**fallback) for fallback in row["fallbacks"]),
        "gaps": tuple(Gap(gap) for gap in row["gaps"]),
        "callback": _callback(row.get("callback")),
    }
    return Call(**row)


def _callback(values: Mapping[str, Any] | None) -> Callback | None:
    if values is None:
        return None
    tries = tuple(CallbackTry(**each) for each in values["tries"])
    gone = tuple(CallbackNotTaken(**each) for each in values["not_taken"])
    return Callback(**{**values, "tries": tries, "not_taken": gone})
