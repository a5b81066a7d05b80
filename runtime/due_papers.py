"""Which papers fall due in a month, by the city's profile and the Japanese calendar."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from acd.alert_inputs import ReportDue
from core.holidays import holiday_name
from core.settings import Settings
from reports.cells import short_day
from reports.delivery import State
from reports.due import papers_due
from services.city import CityProfile

OFFICE_YEAR_END = ((12, 29), (1, 3))
"""Public offices rest from 29 December to 3 January (行政機関の休日に関する法律 1条、地方自治法 4条の2)."""


def is_business_day(day: date) -> bool:
    """Whether public offices work: no weekend, no public holiday, not the turn of the year."""
    first, last = OFFICE_YEAR_END
    turn = (day.month, day.day) >= first or (day.month, day.day) <= last
    return day.weekday() < 5 and holiday_name(day) is None and not turn


def undelivered(profile: CityProfile, settings: Settings, today: date) -> list[ReportDue]:
    """Papers to be reminded of: due within `lead_days`, or late by `late_days` at most, and not delivered."""
    rules = profile.acd.alerts.report_due
    first, last = today - timedelta(days=rules.late_days), today + timedelta(days=rules.lead_days)
    contract = (profile.calendar.contract_from, profile.calendar.contract_to)
    months = dict.fromkeys(day.replace(day=1) for day in (first, today, last))
    found = []
    for month in months:
        for each in papers_due(profile.reports.papers, month, is_business_day, contract):
            single = each.first_day == each.last_day
            if each.due is None or not first <= each.due <= last or (single and not rules.daily):
                continue
            subject = f"{each.kind}-{each.first_day}_{each.last_day}"
            if not _delivered(settings.reports / subject):
                found.append(
                    ReportDue(
                        subject=subject,
                        name=each.name_ja.partition("(")[0],
                        period=_period(each.first_day, each.last_day),
                        due=short_day(each.due),
                        left_days=(each.due - today).days,
                    )
                )
    return found


def _delivered(folder: Path) -> bool:
    """Whether a version is with the city; a list that cannot be read is none."""
    try:
        rows = json.loads((folder / "versions.json").read_text(encoding="utf-8"))
        return any(step["state"] == State.DELIVERED for row in rows for step in row["steps"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _period(first: date, last: date) -> str:
    return short_day(first) if first == last else f"{short_day(first)}から{short_day(last)}まで"


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
