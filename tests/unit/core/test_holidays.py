"""The holiday library against another one."""

from __future__ import annotations

from datetime import date

import holidays
import pytest

from core.holidays import holiday_name, holidays_between

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("year", range(2024, 2032))
def test_agrees_with_another_library(year: int) -> None:
    ours = set(holidays_between(date(year, 1, 1), date(year, 12, 31)))
    assert ours == set(holidays.country_holidays("JP", years=year))


def test_substitute_and_sandwiched_days_are_known() -> None:
    assert holiday_name(date(2026, 5, 6)) is not None  # after Constitution Day on a Sunday
    assert holiday_name(date(2026, 9, 22)) is not None  # between two holidays
    assert holiday_name(date(2026, 9, 24)) is None
