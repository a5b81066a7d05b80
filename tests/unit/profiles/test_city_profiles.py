"""The five cities against the figures of their specifications."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from core.clock import TOKYO
from core.hours import Emergency
from core.profile_file import PROFILES
from services.city import CityProfile, check_city, list_cities, load_city
from services.city_text import describe_hours, show_city

pytestmark = pytest.mark.unit

CITIES = ("ageo", "chiba", "inzai", "matsusaka", "ube")


@pytest.fixture(scope="module")
def profiles() -> dict[str, CityProfile]:
    return {name: load_city(name) for name in CITIES}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def test_the_cities_are_these() -> None:
    assert tuple(list_cities()) == CITIES


@pytest.mark.parametrize("name", CITIES)
def test_nothing_is_wrong(name: str) -> None:
    assert check_city(name) == []


@pytest.mark.parametrize("name", CITIES)
def test_every_value_cites_the_specification_or_is_marked(name: str) -> None:
    """Outside texts, names and the played day, each value has 仕様書, 同上 or 想定 on its line."""
    free = ("prompts", "readings", "demo", "city")
    section = ""
    for number, line in enumerate((PROFILES / f"{name}.toml").read_text("utf-8").splitlines(), start=1):
        if line.startswith("["):
            section = line.strip("[]").split(".")[0]
        elif "=" in line and section not in free:
            key = line.split("=")[0].strip()
            if key in {"id", "name_ja", "name_en", "prompt", "kind", "line", "start", "extension", "note"}:
                continue
            assert any(word in line for word in ("仕様書", "想定", "同上")), f"{name}.toml:{number}: {line}"


@pytest.mark.parametrize(
    ("name", "open_moments", "closed_moments"),
    [
        (
            "inzai",
            ["2026-10-12 08:30", "2026-10-11 19:59", "2026-12-28 12:00"],
            ["2026-10-12 20:00", "2026-12-29 12:00", "2027-01-03 12:00"],
        ),
        (
            "matsusaka",
            ["2024-11-26 09:00", "2024-11-26 17:14"],
            ["2024-11-26 17:15", "2024-11-04 12:00", "2024-11-24 12:00", "2024-12-30 12:00"],
        ),
        ("ageo", ["2026-05-04 08:30", "2026-05-03 19:59"], ["2026-05-04 20:00", "2026-05-04 08:29"]),
        ("ube", ["2025-09-01 17:14", "2025-10-01 17:14"], ["2025-10-01 17:15", "2025-10-13 12:00"]),
        ("chiba", ["2023-11-21 08:30", "2023-11-21 17:29"], ["2023-11-21 17:30", "2023-11-23 12:00"]),
    ],
)
def test_telephone_hours(
    profiles: dict[str, CityProfile], name: str, open_moments: list[str], closed_moments: list[str]
) -> None:
    hours = profiles[name].hours
    for moment in open_moments:
        assert hours.state_at(at(moment)).open, moment
    for moment in closed_moments:
        assert not hours.state_at(at(moment)).open, moment


@pytest.mark.parametrize(
    ("name", "moment", "is_open"),
    [
        ("ube", "2025-09-30 17:00", True),
        ("ube", "2025-10-01 17:00", False),
        ("ube", "2025-10-01 16:29", True),
        ("inzai", "2026-10-14 16:29", True),
        ("inzai", "2026-10-14 16:30", False),
        ("ageo", "2026-10-14 17:14", True),
        ("ageo", "2026-12-29 10:00", False),
        ("ageo", "2026-10-12 10:00", False),
    ],
)
def test_desk_hours(profiles: dict[str, CityProfile], name: str, moment: str, is_open: bool) -> None:
    desk = profiles[name].desk
    assert desk is not None
    assert desk.state_at(at(moment)).open is is_open


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("inzai", {"answer_rate": None, "contract": (date(2026, 7, 1), date(2027, 3, 31))}),
        ("matsusaka", {"answer_rate": 0.9, "contract": (date(2024, 4, 1), date(2025, 3, 31))}),
        (
            "ageo",
            {
                "answer_rate": 0.9,
                "seats": 6,
                "waiting_alert": 4,
                "contract": (date(2026, 4, 1), date(2027, 3, 31)),
            },
        ),
        ("ube", {"answer_rate": None, "max_calls": 7, "contract": (date(2025, 8, 1), date(2026, 3, 31))}),
        ("chiba", {"answer_rate": 0.85, "wait_alert_s": 300, "contract": (date(2023, 10, 2), date(2024, 3, 29))}),
    ],
)  # fmt: skip
def test_figures(profiles: dict[str, CityProfile], name: str, figures: dict[str, Any]) -> None:
    profile = profiles[name]
    found = {
        "answer_rate": profile.acd.targets.answer_rate,
        "wait_alert_s": profile.acd.targets.wait_alert_s,
        "waiting_alert": profile.acd.targets.waiting_alert,
        "seats": profile.acd.seats,
        "max_calls": profile.acd.max_calls,
        "contract": (profile.calendar.contract_from, profile.calendar.contract_to),
    }
    assert {key: found[key] for key in figures} == figures


@pytest.mark.parametrize(("name", "month"), [("matsusaka", 700), ("ageo", 3300)])
def test_volumes(profiles: dict[str, CityProfile], name: str, month: int) -> None:
    assert sum(intent.per_month for intent in profiles[name].demo.intents) == month


def test_ageo_splits_bookings_and_enquiries_as_its_table_does(profiles: dict[str, CityProfile]) -> None:
    intents = profiles["ageo"].demo.intents
    assert sum(intent.per_month for intent in intents if intent.keys.startswith("1")) == 2000
    weights = profiles["ageo"].demo.hour_weights
    assert min(weights[hour] for hour in ("9", "10", "11")) > max(
        weight for hour, weight in weights.items() if int(hour) >= 12
    )


@pytest.mark.parametrize(
    ("name", "papers"),
    [
        ("inzai", {"monthly": "市との協議による", "incident": "7日以内（復旧から）"}),
        ("matsusaka", {"daily": "翌営業日まで", "completion": "翌月10日まで"}),
        ("ageo", {"monthly": "市との協議による"}),
        (
            "ube",
            {"monthly": "翌月5日まで", "interim": "定めた時期（12月上旬）", "final": "定めた時期（3月上旬）"},
        ),
        (
            "chiba",
            {
                "weekly": "翌週の最終営業日まで",
                "monthly": "翌月の5営業日以内",
                "minutes": "7日以内（開催後）",
            },
        ),
    ],
)
def test_papers(profiles: dict[str, CityProfile], name: str, papers: dict[str, str]) -> None:
    found = {paper.kind: paper.due_ja() for paper in profiles[name].reports.papers}
    assert {kind: found.get(kind) for kind in papers} == papers


@pytest.mark.parametrize("name", CITIES)
def test_the_greeting_tells_of_the_recording(profiles: dict[str, CityProfile], name: str) -> None:
    book = profiles[name].prompts
    assert "録音" in book.texts["ja"]["greeting"]
    assert "recorded" in book.texts["en"]["greeting"]
    assert all("{" not in text for language in ("ja", "en") for text in book.static(language).values())


@pytest.mark.parametrize("name", CITIES)
def test_a_clerk_can_read_all_of_it(profiles: dict[str, CityProfile], name: str) -> None:
    profile = profiles[name]
    text = show_city(profile)
    for line in profile.acd.lines:
        assert line.name_ja in text
    for entry in profile.acd.directory:
        assert entry.note in text
    for menu in profile.ivr.menus:
        for choice in menu.choices.values():
            assert choice.topic in text
    for paper in profile.reports.papers:
        assert f"{paper.name_ja}: {paper.due_ja()}" in text


@pytest.mark.parametrize(
    ("name", "moment", "words"),
    [
        ("matsusaka", "2024-12-30 16:31", ["年末年始", "次の受付は、1月6日、月曜日、午前9時からです"]),
        (
            "matsusaka",
            "2024-11-04 10:00",
            ["祝日(文化の日 振替休日)", "本日は祝日のため", "明日、午前9時から"],
        ),
        ("ageo", "2026-05-04 10:00", ["受付時間内(20:00まで)", "予約については1"]),
        ("chiba", "2025-01-08 10:00", ["契約期間", "の外の日です"]),
    ],
)
def test_hours_in_words(profiles: dict[str, CityProfile], name: str, moment: str, words: list[str]) -> None:
    told = describe_hours(profiles[name], at(moment))
    for word in words:
        assert word in told


def test_an_emergency_in_words(profiles: dict[str, CityProfile]) -> None:
    emergency = Emergency(message="emergency_closed", until=at("2024-11-26 13:00"), reason="停電")
    told = describe_hours(profiles["matsusaka"], at("2024-11-26 10:00"), "en", emergency)
    assert "緊急閉鎖(停電、2024-11-26(火)13:00まで)" in told
    assert "Due to an emergency" in told
    assert "We open today at 1 p.m. Thank you" in told
