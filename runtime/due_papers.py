"""Which papers fall due in a month, by the city's profile and the Japanese calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from core.holidays import holiday_name
from reports.due import papers_due
from services.city import CityProfile

OFFICE_YEAR_END = ((12, 29), (1, 3))
"""Public offices rest from 29 December to 3 January (行政機関の休日に関する法律 1条、地方自治法 4条の2)."""


def is_business_day(day: date) -> bool:
    """Whether public offices work: no weekend, no public holiday, not the turn of the year."""
    first, last = OFFICE_YEAR_END
    turn = (day.month, day.day) >= first or (day.month, day.day) <= last
    return day.weekday() < 5 and holiday_name(day) is None and not turn


def due_rows(
    profile: CityProfile, month: date, working: Callable[[date], bool] = is_business_day
) -> list[dict[str, Any]]:
    """Every paper that falls due, by date; those by agreement come last, without one."""
    contract = (profile.calendar.contract_from, profile.calendar.contract_to)
    return [
        {
            "due": each.due.isoformat() if each.due else None,
            "kind": each.kind,
            "name": each.name_ja,
            "from": each.first_day.isoformat(),
            "to": each.last_day.isoformat(),
            "rule": each.rule,
        }
        for each in papers_due(profile.reports.papers, month, working, contract)
    ]
