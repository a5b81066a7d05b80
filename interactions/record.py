"""A case as JSON values, for people's programs and for other systems; described in docs/interaction-record.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.masking import mask_number, mask_text
from interactions.case import CallSummary, Case
from interactions.case_edit import FaqUse, Note

SCHEMA = "toritsugi.case/1"
"""Changes its number when a field changes its meaning or goes; fields may be added without."""


def case_record(
    case: Case, notes: Sequence[Note] = (), faqs: Sequence[FaqUse] = (), *, numbers: bool
) -> dict[str, Any]:
    """All of a case. Times are epoch seconds.

    Args:
        numbers: whether telephone numbers are shown; if not, they are masked, in what people wrote too.
    """

    def said(text: str) -> str:
        return text if numbers else mask_text(text)

    return {
        **bare_record(case),
        "question": said(case.question),
        "answer": said(case.answer),
        "edited_by": case.edited_by,
        "calls": [_call(call, numbers=numbers) for call in case.calls],
        "notes": [
            {
                "note_id": note.note_id,
                "at": note.at,
                "by": note.by,
                "side": note.side,
                "text": said(note.text),
            }
            for note in notes
        ],
        "faqs": [
            {
                "article": use.article,
                "version": use.version,
                "shown_at": use.shown_at,
                "used_at": use.used_at,
                "by": use.by,
            }
            for use in faqs
        ],
    }


def bare_record(case: Case) -> dict[str, Any]:
    """What names no citizen: no number, and nothing that people wrote but tags."""
    return {
        "schema": SCHEMA,
        "case_id": case.case_id,
        "version": case.version,
        "status": case.status.value,
        "category": case.category,
        "tags": list(case.tags),
        "line": case.calls[0].line if case.calls else None,
        "language": case.calls[0].language if case.calls else None,
        "started_at": case.started_at,
        "ended_at": case.calls[-1].ended_at if case.calls else None,
        "operators": list(case.operators),
        "departments": list(case.departments),
        "department": case.department,
        "complaint": case.complaint,
        "mistaken_guidance": case.mistaken_guidance,
        "confidential": case.confidential,
        "satisfaction": case.satisfaction,
        "unwritten": case.unwritten,
        "transcript": case.transcript.value,
        "edited_at": case.edited_at,
        "joined_into": case.joined_into,
    }


def _call(call: CallSummary, *, numbers: bool) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "caller": (call.caller if numbers else mask_number(call.caller)) if call.caller else None,
        "line": call.line,
        "language": call.language,
        "menu_path": list(call.menu_path),
        "operators": list(call.operators),
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "transfers": [
            {"at": each.at, "to": each.to, "label": each.label, "result": each.result}
            for each in call.transfers
        ],
        "recordings": list(call.recordings),
    }
