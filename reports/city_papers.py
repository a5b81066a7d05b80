"""Which sections make a paper, and the paper put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from reports.definitions import DEFINITIONS
from reports.paper import Block, Paper
from reports.sections import contents, faq, figures, service, spread, uptime, way
from reports.sections.material import Material

Section = Callable[[Material], Block | tuple[Block, ...]]

SECTIONS: dict[str, Section] = {
    "standing_out": contents.standing_out,
    "counts": figures.counts,
    "rates": figures.rates,
    "times": figures.times,
    "meter": figures.meter,
    "day_chart": spread.day_chart,
    "days": spread.days,
    "months": spread.months,
    "hour_chart": spread.hour_chart,
    "hours": spread.hours,
    "lines": spread.lines,
    "grid": spread.grid,
    "topics": contents.topics,
    "places": contents.places,
    "handover": way.handover,
    "funnel": way.funnel,
    "long_waits": way.long_waits,
    "complaints": contents.complaints,
    "cases": contents.cases,
    "outreach": contents.outreach,
    "calls": way.calls,
    "remarks": contents.remarks,
    "incident": contents.incident,
    "faq": faq.faq,
    "faq_words": faq.standing_out,
    "faq_searches": faq.searches,
    "faq_in_vain": faq.in_vain,
    "faq_entries": faq.entries,
    "faq_gaps": faq.gaps,
    "faq_due": faq.due,
    "faq_changes": faq.changes,
    "service_words": service.standing_out,
    "themes": service.themes,
    "evenness": service.evenness,
    "uptime": uptime.uptime,
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
FAQ = ("faq", "remarks")
AVAILABILITY = ("uptime", "remarks")
SERVICE = ("service_words", "rates", "handover", "times", "themes", "evenness", "complaints", "remarks")
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
    desk: str = "",
) -> Paper:
    """The paper with these sections in this order; `desk` is where its figures open.

    Raises:
        KeyError: there is no such section.
    """
    blocks: list[Block] = [*figures.definitions_in_force(material)]
    for name in sections:
        made = SECTIONS[name](material)
        blocks += made if isinstance(made, tuple) else (made,)
    city = material.period.city
    tells_of_calls = any(
        name not in (*FAQ, *AVAILABILITY) and not name.startswith("faq_") for name in sections
    )
    calls = PRINTED if tells_of_calls else ()
    minutes = ("availability",) if "uptime" in sections else ()
    return Paper(
        kind=kind,
        title=title,
        city=city.city,
        centre=city.centre,
        period=period_text,
        made_at=made_at,
        blocks=tuple(blocks),
        definitions=tuple(DEFINITIONS[name] for name in (*calls, *minutes)),
        answer_rate_rule=f"{city.rule.id}（{city.rule.name_ja}）：{city.rule.text_ja}"
        if tells_of_calls
        else "",
        data_version=material.period.data_version,
        notes=tuple(notes),
        desk=desk,
    )
