"""The fallback script's plan: complete, and cheap to read."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta

import pytest

from core.clock import TOKYO
from core.settings import PROJECT_ROOT
from ivr.compiled import load_plan
from services.city import list_cities, load_city

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", list_cities())
def test_the_compiled_plan_equals_the_profile(name: str) -> None:
    profile = load_city(name)
    plan = load_plan(profile.compiled_plan(date(2026, 1, 1)))
    assert plan.flow == profile.plan.flow
    assert plan.templates == profile.plan.templates
    start = datetime(2025, 1, 1, 12, tzinfo=TOKYO)
    for day in range(0, 1400):
        moment = start + timedelta(days=day)
        assert plan.hours.state_at(moment) == profile.hours.state_at(moment)


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="plan format"):
        load_plan('{"format": 0}')


def test_the_fallbacks_imports_stay_light() -> None:
    # pydantic and the holiday library alone cost more than the script's whole start may take.
    code = "import sys, ivr.session, ivr.compiled, core.emergency; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert not {"pydantic", "jpholiday", "tomllib", "phonenumbers"} & set(done.stdout.split())
