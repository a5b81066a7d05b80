"""Which sections make a paper, and the paper put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from reports import sections as s
from reports.definitions import DEFINITIONS
from reports.paper import Block, Paper
from reports.sections import Material

Section = Callable[[Material], Block | tuple[Block, ...]]

SECTIONS: dict[str, Section] = {
    "standing_out": s.standing_out,
    "counts": s.counts,
    "rates": s.rates,
    "times": s.times,
    "meter": s.meter,
    "day_chart": s.day_chart,
    "days": s.days,
    "months": s.months,
    "hour_chart": s.hour_chart,
    "hours": s.hours,
    "lines": s.lines,
    "grid": s.grid,
    "topics": s.topics,
    "places": s.places,
    "handover": s.handover,
    "funnel": s.funnel,
    "long_waits": s.long_waits,
    "complaints": s.complaints,
    "cases": s.cases,
    "calls": s.calls,
    "remarks": s.remarks,
    "incident": s.incident,
}
"""By the name that `[[reports.papers]] sections` uses."""

METER = (
    "standing_out",
    "meter",
    "day_chart",
    "days",
    "hour_chart",
    "hours",
    "lines",
    "funnel",
    "long_waits",
    "calls",
)
DEFAULT = (
    "standing_out",
    "counts",
    "rates",
    "times",
    "meter",
    "day_chart",
    "days",
    "hours",
    "lines",
    "topics",
    "remarks",
)
"""For a paper whose profile names none."""
DAILY = (
    "standing_out",
    "counts",
    "rates",
    "times",
    "meter",
    "hour_chart",
    "hours",
    "lines",
    "long_waits",
    "complaints",
    "cases",
    "calls",
)
PRINTED = (
    "incoming", "answered", "offered", "answer_rate", "abandoned_queue", "overflow", "service_level", "abandon_rate",
    "menu_abandon_rate", "five_minutes", "longest_wait", "asa", "asa_arrival", "att", "acw", "aht", "transfer_rate",
    "second_line_rate", "second_line_reached", "wait_told", "first_contact", "repeat_callers",
)  # fmt: skip


def build_paper(
    *,
    kind: str,
    title: str,
    period_text: str,
    material: Material,
    sections: Sequence[str],
    made_at: datetime,
    notes: Sequence[str] = (),
) -> Paper:
    """The paper with these sections in this order.

    Raises:
        KeyError: there is no such section.
    """
    blocks: list[Block] = [*s.definitions_in_force(material)]
    for name in sections:
        made = SECTIONS[name](material)
        blocks += made if isinstance(made, tuple) else (made,)
    city = material.period.city
    return Paper(
        kind=kind,
        title=title,
        city=city.city,
        centre=city.centre,
        period=period_text,
        made_at=made_at,
        blocks=tuple(blocks),
        definitions=tuple(DEFINITIONS[name] for name in PRINTED),
        answer_rate_rule=f"{city.rule.id}（{city.rule.name_ja}）：{city.rule.text_ja}",
        data_version=material.period.data_version,
        notes=tuple(notes),
    )
