"""Calls as records for others: JSON Lines and CSV (design §10 names the fields)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ledger.calls import Call, Callback

FIELDS = (
    "call_id",
    "sip_call_id",
    "caller",
    "dialled",
    "arrived_at",
    "ended_at",
    "line",
    "language",
    "menu_path",
    "disposition",
    "operators",
    "wait_s",
    "talk_s",
    "wrap_up_s",
    "transfers",
    "ended_by",
    "recordings",
    "transcript_state",
)
"""Fields with agreed names, in this order; more follow them."""

BOM = "\ufeff"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def call_record(
    call: Call,
    transcript_state: str | None = None,
    city_time_of: Callable[[float], datetime] | None = None,
) -> dict[str, Any]:
    """One call as JSON values; times are epoch seconds with milliseconds, lengths seconds.

    `caller` is the number as the network told it, or the reason why there is none. The record holds personal
    data. `city_time` is the arrival by the city's clock, which runs faster than real time in a demonstration.
    """
    caller = call.caller
    return {
        "call_id": call.call_id,
        "sip_call_id": call.sip_call_id,
        "caller": (caller.number or caller.kind.value) if caller else None,
        "dialled": call.dialled,
        "arrived_at": _ms(call.arrived_at),
        "ended_at": _ms(call.ended_at),
        "line": call.line,
        "language": call.language,
        "menu_path": list(call.menu_path),
        "disposition": call.disposition.value if call.disposition else None,
        "operators": list(call.operators),
        "wait_s": _ms(call.wait_s),
        "talk_s": _ms(call.talk_s),
        "wrap_up_s": _ms(call.wrap_up_s),
        "transfers": [asdict(transfer) for transfer in call.transfers],
        "ended_by": call.ended_by.value if call.ended_by else None,
        "recordings": list(call.recordings),
        "transcript_state": transcript_state,
        "city_time": city_time_of(call.arrived_at).isoformat() if city_time_of else None,
        "wait_from_arrival_s": _ms(call.wait_from_arrival_s),
        "wait_words": [{**asdict(word), "at": _ms(word.at)} for word in call.wait_words],
        "answered_at": _ms(call.answered_at),
        "diverted_from": call.diverted_from,
        "offers": [
            {"operator": offer.operator, "at": _ms(offer.at), "outcome": offer.outcome.value}
            for offer in call.offers
        ],
        "segments": [
            {
                "operator": segment.operator,
                "started_at": _ms(segment.started_at),
                "ended_at": _ms(segment.ended_at),
            }
            for segment in call.segments
        ],
        "staff": [
            {"to": each.to, "started_at": _ms(each.started_at), "ended_at": _ms(each.ended_at)}
            for each in call.staff
        ],
        "supervision": [
            {**asdict(each), "at": _ms(each.at), "ended_at": _ms(each.ended_at)} for each in call.supervisions
        ],
        "silences": [{"from": _ms(begin), "to": _ms(end)} for begin, end in call.silences],
        "long_call_words": [{**asdict(each), "at": _ms(each.at)} for each in call.long_call_words],
        "relay": call.relay,
        "help_asked": [_ms(at) for at in call.help_asked],
        "closed_reason": call.closed_reason,
        "overflow_reason": call.overflow_reason,
        "callback": _callback(call.callback),
        "fallbacks": [asdict(fallback) for fallback in call.fallbacks],
        "quality": [asdict(quality) for quality in call.qualities],
        "gaps": [gap.value for gap in call.gaps],
    }


def _callback(callback: Callback | None) -> dict[str, Any] | None:
    if callback is None:
        return None
    return {
        "booked_at": _ms(callback.booked_at),
        "to": callback.to,
        "queue": callback.queue,
        "entered_at": _ms(callback.entered_at),
        "tries": [
            {
                "try": each.attempt,
                "operator": each.operator,
                "at": _ms(each.at),
                "result": each.result,
                "talk_s": _ms(each.talk_s),
            }
            for each in callback.tries
        ],
    }


def to_jsonl(records: Iterable[dict[str, Any]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def to_csv(records: Iterable[dict[str, Any]], fields: Iterable[str] = FIELDS) -> str:
    """A table for spreadsheets: UTF-8 with a byte order mark, lists joined by spaces, no cell that is a
    formula.
    """
    names = list(fields)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(names)
    for record in records:
        writer.writerow([safe_cell(_flat(record.get(name))) for name in names])
    return BOM + buffer.getvalue()


def safe_cell(value: object) -> object:
    """A cell that a spreadsheet takes as text: a text that would start a formula gets an apostrophe before
    it.

    Numbers stay numbers, so a negative figure is no formula; a text such as a number from abroad (`+…`) is
    one.
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def _flat(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(
            each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in value
        )
    return value


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
