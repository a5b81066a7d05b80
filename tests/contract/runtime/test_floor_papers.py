"""Papers from a real ledger: the evenness of a week, the shortfall of a month, and drafts that nobody overwrites."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "reports"))

from report_weeks import MONDAY, Centre, even_week, moment, short_month

from core.clock import TOKYO, ManualClock
from core.ids import OperatorId
from core.settings import Settings, settings_from
from runtime.floor_papers import (
    draft_last_month,
    draft_path,
    evenness_of,
    keep_draft,
    month_of,
    opening_s,
    shortfall_of,
)
from services.city import CityProfile, load_city
from services.city_facts import skill_groups
from services.ports import OperatorAccount
from storage.database import Database

pytestmark = pytest.mark.contract

BAD = date(2026, 11, 24)
DECEMBER = datetime(2026, 12, 1, 3, 10, tzinfo=TOKYO).timestamp()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'db.sqlite'}")
    await made.migrate()
    yield made
    await made.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_from({"TORITSUGI_HOME": str(tmp_path / "home")})


@pytest.fixture(scope="module")
def matsusaka() -> CityProfile:
    return load_city("matsusaka")


async def fill(database: Database, centre: Centre) -> None:
    async with database.uow() as unit:
        await unit.facts.add(centre.facts)
        await unit.calls.put(centre.folded())
        await unit.operators.put(OperatorAccount(id=OperatorId("101"), name="青木", sip_secret="x"))


async def test_the_evenness_of_a_week_from_the_database(database: Database, matsusaka: CityProfile) -> None:
    await fill(database, even_week())
    report = await evenness_of(matsusaka, database, ManualClock(moment(MONDAY, 24 * 7)), BAD)
    whole = report.parts[0]
    assert (whole.group.name_ja, whole.offers) == ("すべての業務", 138)
    assert {row.operator: row.available_s for row in whole.rows}["101"] == 3 * 7 * 3600
    assert {row.name for row in whole.rows} >= {"青木", "102"}
    # In the middle of the week only what has been counts.
    half = await evenness_of(matsusaka, database, ManualClock(moment(BAD, 12)), BAD)
    assert {row.operator: row.available_s for row in half.parts[0].rows}["101"] == 3 * 3600


async def test_the_shortfall_of_a_month_from_the_database(database: Database, matsusaka: CityProfile) -> None:
    await fill(database, short_month())
    report = await shortfall_of(matsusaka, database, ManualClock(DECEMBER), *month_of(BAD))
    assert (report.offered, report.lost, report.missed) == (137, 17, True)
    assert {cause.kind.value for cause in report.causes} >= {"arrivals", "few_staff", "system", "nobody"}
    october = await shortfall_of(matsusaka, database, ManualClock(DECEMBER), *month_of(date(2026, 10, 5)))
    assert (october.offered, october.lost) == (32, 0)


async def test_after_a_months_end_a_draft_is_made_once(
    database: Database, matsusaka: CityProfile, settings: Settings
) -> None:
    await fill(database, short_month())
    clock = ManualClock(moment(date(2026, 11, 28), 3))
    assert await draft_last_month(settings, matsusaka, database, clock) is None  # October met its target
    clock.now = DECEMBER
    path = await draft_last_month(settings, matsusaka, database, clock)
    assert path == settings.reports / "shortfall-2026-11.html"
    assert "応答率が目標に届かなかったことの報告" in path.read_text(encoding="utf-8")
    path.unlink()
    clock.advance(86_400)
    assert await draft_last_month(settings, matsusaka, database, clock) is None
    assert not path.exists()


async def test_what_somebody_wrote_is_never_overwritten(
    database: Database, matsusaka: CityProfile, settings: Settings
) -> None:
    await fill(database, short_month())
    path = draft_path(settings, *month_of(BAD))
    assert keep_draft(path, "案")
    assert keep_draft(path, "新しい案")
    path.write_text("新しい案と改善策", encoding="utf-8")
    assert not keep_draft(path, "もっと新しい案")
    await draft_last_month(settings, matsusaka, database, ManualClock(DECEMBER))
    assert path.read_text(encoding="utf-8") == "新しい案と改善策"
    by_hand = draft_path(settings, BAD, BAD)
    by_hand.write_text("手で置いたもの", encoding="utf-8")
    assert not keep_draft(by_hand, "案")


def test_names_of_drafts(settings: Settings) -> None:
    assert draft_path(settings, *month_of(BAD)).name == "shortfall-2026-11.html"
    assert draft_path(settings, BAD, BAD).name == "shortfall-2026-11-24.html"
    assert month_of(date(2027, 2, 9)) == (date(2027, 2, 1), date(2027, 2, 28))
    assert month_of(date(2026, 12, 31)) == (date(2026, 12, 1), date(2026, 12, 31))


def test_an_hour_counts_as_open_by_the_citys_calendar(matsusaka: CityProfile) -> None:
    hours = matsusaka.hours
    assert [opening_s(hours, BAD, hour) for hour in (8, 9, 16, 17, 18)] == [0, 3600, 3600, 900, 0]
    assert opening_s(hours, date(2026, 11, 23), 10) == 0  # 勤労感謝の日


@pytest.mark.parametrize("city", ["inzai", "matsusaka", "ageo", "ube", "chiba"])
def test_every_city_has_its_skills(city: str) -> None:
    profile = load_city(city)
    groups = skill_groups(profile)
    assert groups[0].demands == {demand.name for demand, _ in profile.acd.demands()}
    assert all(group.demands for group in groups)
    assert len({group.id for group in groups}) == len(groups)
