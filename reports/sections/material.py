"""What the parts of a paper draw on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reports.daily import Outreach
from reports.paper import Column, Kind, Rows
from reports.paper import Row as CellRow
from reports.period import Period
from reports.resolution import Resolution
from reports.sections.faq import FaqUse
from reports.sections.service import ServiceMaterial
from reports.sections.uptime import Uptime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandledCase:
    """One case as a paper lists it."""

    at: datetime
    case_id: str
    caller: str
    """Masked."""
    topic: str
    operator: str
    status: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One complaint or case of wrong guidance."""

    at: datetime
    kind: str
    content: str
    department: str
    state: str
    handling: str


@dataclass(slots=True, kw_only=True)
class Material:
    """What the sections draw on."""

    period: Period
    topics: Mapping[str, str] = field(default_factory=dict)
    """Categories of the profile by id."""
    cases: Rows | None = None
    topic_counts: Mapping[str, int] = field(default_factory=dict)
    complaints: Sequence[Complaint] = ()
    outreach: Sequence[Outreach] = ()
    resolution: Resolution | None = None
    faq: FaqUse | None = None
    service: ServiceMaterial | None = None
    uptime: Uptime | None = None
    places: Sequence[str] = ()
    """Where the contract receives citizens, the telephone first; only the telephone is counted here."""
    handled_s: float | None = None
    available_s: float | None = None


CASE_COLUMNS = (
    Column(id="at", title="応対の開始", kind=Kind.MOMENT),
    Column(id="case", title="番号"),
    Column(id="caller", title="発信者"),
    Column(id="topic", title="内容"),
    Column(id="operator", title="担当"),
    Column(id="status", title="状況"),
    Column(id="question", title="用件", wide=True),
    Column(id="answer", title="対応", wide=True),
)


def case_cells(case: HandledCase) -> CellRow:
    """A case as a row of `CASE_COLUMNS`."""
    return (
        case.at.replace(tzinfo=None, microsecond=0), case.case_id, case.caller, case.topic, case.operator,
        case.status, case.question, case.answer,
    )  # fmt: skip
