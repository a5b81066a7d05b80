"""Japanese public holidays. The only importer of the library that knows them."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import jpholiday


@lru_cache(maxsize=4096)
def holiday_name(day: date) -> str | None:
    """The holiday's Japanese name on `day`, substitute and citizens' holidays included, or None."""
    name: str | None = jpholiday.is_holiday_name(day)
    return name


def holidays_between(first: date, last: date) -> dict[date, str]:
    """Every public holiday from `first` to `last`, both included, in order."""
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return {day: name for day in days if (name := holiday_name(day))}
