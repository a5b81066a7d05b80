"""Due dates by the cities' own rules and the Japanese calendar."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.alert_inputs import AlertInputs, names_of
from acd.alert_profile import ReportDueAlert
from acd.alert_readings import readings_of
from core.settings import settings_from
from reports.due import business_day_after, last_business_day
from runtime.due_papers import due_rows, is_business_day, undelivered
from services.city import load_city

pytestmark = pytest.mark.unit


def due(city: str, month: date, kind: str) -> list[tuple[str | None, str, str]]:
    rows = due_rows(load_city(city), month)
    return [(row["due"], row["from"], row["to"]) for row in rows if row["kind"] == kind]


def test_business_days_know_holidays_and_the_turn_of_the_year() -> None:
    assert not is_business_day(date(2024, 11, 4))  # substitute holiday
    assert not is_business_day(date(2024, 12, 29))
    assert not is_business_day(date(2024, 12, 30))
    assert not is_business_day(date(2025, 1, 3))
    assert is_business_day(date(2025, 1, 6))
    assert business_day_after(date(2024, 12, 27), 1, is_business_day) == date(2025, 1, 6)
    assert business_day_after(date(2024, 4, 26), 5, is_business_day) == date(2024, 5, 8)
    assert last_business_day(date(2024, 4, 29), date(2024, 5, 5), is_business_day) == date(2024, 5, 2)
    # A week without one: what is due then is due on the next one.
    assert last_business_day(date(2024, 12, 30), date(2025, 1, 5), is_business_day) == date(2025, 1, 6)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(1, 20))
def test_the_nth_business_day_has_n_behind_it(day: date, number: int) -> None:
    found = business_day_after(day, number, is_business_day)
    assert is_business_day(found)
    between = [day + timedelta(days=n) for n in range(1, (found - day).days + 1)]
    assert sum(map(is_business_day, between)) == number


def test_matsusaka_by_day_and_on_the_tenth() -> None:
    daily = due("matsusaka", date(2025, 1, 1), "daily")
    assert daily[0] == ("2025-01-06", "2024-12-27", "2024-12-27")
    assert ("2025-01-14", "2025-01-10", "2025-01-10") in daily  # over a long weekend
    assert due("matsusaka", date(2025, 1, 1), "completion") == [("2025-01-10", "2024-12-01", "2024-12-31")]
    assert due("matsusaka", date(2025, 1, 1), "monthly") == [("2025-01-10", "2024-12-01", "2024-12-31")]


def test_chiba_by_week_and_five_business_days() -> None:
    weekly = due("chiba", date(2023, 11, 1), "weekly")
    assert ("2023-11-10", "2023-10-30", "2023-11-05") in weekly
    assert ("2023-11-24", "2023-11-13", "2023-11-19") in weekly
    assert len(weekly) == 4
    assert due("chiba", date(2023, 11, 1), "monthly") == [
        ("2023-11-08", "2023-10-02", "2023-10-31")
    ]  # from the contract's first day
    assert [each[0] for each in due("chiba", date(2024, 3, 1), "completion")] == ["2024-03-29"]


def test_ube_on_the_fifth_and_twice_a_year() -> None:
    profile = load_city("ube")
    year = profile.calendar.contract_from.year
    assert due("ube", date(year, 12, 1), "interim")[0][0] == f"{year}-12-10"
    assert [each[0] for each in due("ube", date(year, 11, 1), "monthly")] == [f"{year}-11-05"]
    assert due("ube", date(year, 11, 1), "interim") == []
    assert due("ube", date(year + 1, 3, 1), "final")[0][0] == f"{year + 1}-03-10"


def test_what_is_agreed_comes_last_and_without_a_date() -> None:
    rows = due_rows(load_city("ageo"), date(2026, 11, 1))
    assert {row["due"] for row in rows if row["kind"] == "monthly"} == {None}
    dates = [row["due"] for row in rows]
    assert dates == sorted(dates, key=lambda each: each or "9")


def test_reminders_begin_before_the_day_and_end_with_the_delivery(tmp_path: Path) -> None:
    """千葉's monthly paper of October 2023 is due on 8 November, a Wednesday, by its fifth business day."""
    profile = load_city("chiba")
    settings = settings_from({"TORITSUGI_HOME": str(tmp_path)})

    def told(day: int) -> dict[str, int]:
        return {
            each.subject: each.left_days
            for each in undelivered(profile, settings, date(2023, 11, day))
            if each.subject.startswith("monthly")
        }

    paper = "monthly-2023-10-02_2023-10-31"
    assert [told(day) for day in (4, 5, 8, 15, 16)] == [{}, {paper: 3}, {paper: 0}, {paper: -7}, {}]
    folder = tmp_path / "reports" / paper
    folder.mkdir(parents=True)
    kept = folder / "versions.json"
    for state, reminded in (("draft", True), ("checked", True), ("delivered", False)):
        kept.write_text(json.dumps([{"number": 1, "steps": [{"state": state}]}]), encoding="utf-8")
        assert bool(told(8)) is reminded, state
    kept.write_text("[", encoding="utf-8")
    (reading,) = [
        each
        for each in readings_of(
            AlertInputs(at=0.0, open=True, view=None, reports_due=undelivered(profile, settings, date(2023, 11, 9))),
            profile.acd.alerts, profile.acd.targets, names_of(profile.acd, {}),
        )
        if each.subject == paper
    ]  # fmt: skip
    assert "11/8（水）" in reading.text
    assert "1日過ぎ" in reading.text


def test_papers_of_single_days_are_asked_for_only_where_wished(tmp_path: Path) -> None:
    profile, settings = load_city("matsusaka"), settings_from({"TORITSUGI_HOME": str(tmp_path)})
    day = date(2025, 1, 14)
    assert all("daily" not in each.subject for each in undelivered(profile, settings, day))
    wished = profile.acd.alerts.model_copy(update={"report_due": ReportDueAlert(daily=True)})
    profile = replace(profile, acd=profile.acd.model_copy(update={"alerts": wished}))
    assert any("daily-2025-01-10" in each.subject for each in undelivered(profile, settings, day))


def test_nothing_is_due_before_the_contract() -> None:
    assert [row for row in due_rows(load_city("matsusaka"), date(2020, 1, 1)) if row["due"]] == []
