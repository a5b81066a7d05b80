"""Erlang A's forecast of a day against 200 days played with the production routing: Ageo with six seats, Matsusaka with
three.

The reference is the formula's answer rate. It passes when the band that holds 95 of 100 played days contains it, and
tells how far the mean of the days lies from it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from acd.staffing.seats import outcome_of
from acd.staffing.what_if import Person, play_days
from core.ids import OperatorId
from runtime.staffing import assumed, demand_rules, mix_of, month_from_volume, open_times, planned
from services.city import load_city

CASES = (("ageo", date(2026, 6, 1), 6), ("matsusaka", date(2024, 12, 2), 3))


def run(_results: Path, quick: bool) -> dict[str, Any]:
    """The figures of both cities."""
    found = {}
    for city, day, seats in CASES:
        profile = load_city(city)
        plan = planned(profile)
        calls = float(plan.busiest_month or plan.usual_month)
        expected = next(each for each in month_from_volume(profile, day, calls) if each.day == day)
        opens, closes = open_times(profile.hours, day)[0]
        skills = {
            **{line.id: 3 for line in profile.acd.lines},
            **{skill.id: 3 for skill in profile.acd.skills},
            **{language: 5 for line in profile.acd.lines for language in line.languages},
        }
        people = [
            Person(operator=OperatorId(str(901 + number)), skills=skills, begins=opens, ends=closes)
            for number in range(seats)
        ]
        played = play_days(
            expected,
            assumed(plan),
            demand_rules(profile),
            mix_of(profile),
            people,
            days=20 if quick else 200,
            seed=1,
        )
        forecast = outcome_of(expected, assumed(plan), seats).answer_rate or 0.0
        if not played.low <= forecast <= played.high:
            raise RuntimeError(f"{city}: the band {played.low}-{played.high} does not hold {forecast}")
        found[city] = {
            "seats": seats,
            "calls": round(expected.calls, 1),
            "days": played.days,
            "formula_answer_rate": round(forecast, 4),
            "played_answer_rate": round(played.answer_rate.mean, 4),
            "mean_95": [round(played.answer_rate.low, 4), round(played.answer_rate.high, 4)],
            "days_95": [round(played.low, 4), round(played.high, 4)],
            "ratio": round(played.answer_rate.mean / forecast, 4),
        }
    return {"cities": found}
