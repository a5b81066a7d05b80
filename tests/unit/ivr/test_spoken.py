"""Times and days as they are said."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from core.clock import TOKYO
from core.hours import Interval, OpeningHours, Period, YearEnd
from ivr.announcements import OnTheSpot, as_text, wait_announcement
from ivr.engine import Prompt
from ivr.prompts import PromptBook, fill, placeholder_fault
from ivr.spoken import say_minutes, say_next_opening, say_number, say_timetable, time_en, time_ja

pytestmark = pytest.mark.unit


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("minute", "japanese", "english"),
    [
        (0, "午前0時", "midnight"),
        (30, "午前0時30分", "12:30 a.m."),
        (510, "午前8時30分", "8:30 a.m."),
        (720, "正午", "noon"),
        (735, "午後0時15分", "12:15 p.m."),
        (780, "午後1時", "1 p.m."),
        (1200, "午後8時", "8 p.m."),
        (1440, "夜12時", "midnight"),
    ],
)
def test_times(minute: int, japanese: str, english: str) -> None:
    assert (time_ja(minute), time_en(minute)) == (japanese, english)


@pytest.mark.parametrize(
    ("now", "opening", "japanese", "english"),
    [
        ("2024-11-26 07:00", "2024-11-26 09:00", "本日、午前9時から", "today at 9 a.m."),
        ("2024-11-26 20:00", "2024-11-27 08:30", "明日、午前8時30分から", "tomorrow at 8:30 a.m."),
        ("2024-11-26 23:59", "2024-11-27 00:00", "明日、午前0時から", "tomorrow at midnight"),
        ("2026-11-20 20:00", "2026-11-24 09:00", "11月24日、火曜日、午前9時から",
         "on Tuesday, November 24, at 9 a.m."),
        ("2024-12-31 09:00", "2025-01-01 12:00", "明日、正午から", "tomorrow at noon"),
    ],
)  # fmt: skip
def test_next_opening(now: str, opening: str, japanese: str, english: str) -> None:
    assert say_next_opening(at(now), at(opening), "ja") == japanese
    assert say_next_opening(at(now), at(opening), "en") == english


@pytest.mark.parametrize(
    ("low", "high", "japanese", "english"),
    [
        (0, 1, "長くても1分ほどで", "less than a minute"),
        (0, 2, "長くても2分ほどで", "less than 2 minutes"),
        (1, 2, "あと1分から2分ほどで", "1 to 2 minutes"),
        (3, 5, "あと3分から5分ほどで", "3 to 5 minutes"),
    ],
)
def test_minutes(low: int, high: int, japanese: str, english: str) -> None:
    assert (say_minutes(low, high, "ja"), say_minutes(low, high, "en")) == (japanese, english)


@pytest.mark.parametrize(("least", "most"), [(5, 3), (3, 3), (-1, 2)])
def test_what_is_no_range_is_refused(least: int, most: int) -> None:
    with pytest.raises(ValueError, match="not a range"):
        say_minutes(least, most, "ja")


def make_hours(*weeks: tuple[date, tuple[tuple[Interval, ...], ...]], closed: bool = True) -> OpeningHours:
    return OpeningHours(
        periods=tuple(Period(start, week) for start, week in weeks),
        closed_on_holidays=closed,
        year_end=YearEnd(first=(12, 29), last=(1, 3)) if closed else None,
        holiday_name=lambda _: None,
    )


def test_a_week_with_all_its_oddities() -> None:
    office, morning = (Interval(540, 720), Interval(780, 1020)), (Interval(540, 720),)
    hours = make_hours((date(2026, 4, 1), (office,) * 2 + ((),) + (office,) * 2 + (morning, ())))
    assert say_timetable(hours, "ja") == (
        "月曜日から火曜日の午前9時から正午までと午後1時から午後5時まで、"
        "木曜日から金曜日の午前9時から正午までと午後1時から午後5時まで、土曜日の午前9時から正午まで"
        "です。祝日と、12月29日から1月3日までは、お休み"
    )
    assert say_timetable(hours, "en").endswith(
        "Saturday from 9 a.m. to noon, except public holidays and December 29 to January 3"
    )


def test_a_change_of_hours_is_told_with_its_dates() -> None:
    long, short = ((Interval(510, 1035),),) * 7, ((Interval(510, 990),),) * 7
    hours = make_hours((date(2025, 8, 1), long), (date(2025, 10, 1), short), closed=False)
    assert say_timetable(hours, "ja") == (
        "9月30日までは、毎日、午前8時30分から午後5時15分まで、10月1日からは、毎日、午前8時30分から午後4時30分まで"
    )


def test_a_full_stop_is_not_doubled() -> None:
    assert fill("We open {next}.", {"next": "at 9 a.m."}) == "We open at 9 a.m."
    assert fill("We open {next}.", {"next": "at noon"}) == "We open at noon."
    assert fill("{next}、{other}。", {"next": "本日"}) == "本日、{other}。"


@pytest.mark.parametrize(
    ("name", "text", "faulty"),
    [
        ("closed_next", "次は{next}です。", False),
        ("closed_next", "次は明日です。", True),
        ("greeting", "{centre}です。", False),
        ("greeting", "{position}です。", True),
        ("greeting", "{centre です。", True),
    ],
)
def test_placeholders_are_checked(name: str, text: str, faulty: bool) -> None:
    assert (placeholder_fault(name, text) is not None) is faulty


def test_waiting_is_told_with_and_without_minutes() -> None:
    templates = {"ja": {"wait_position": "{position}番、{minutes}。", "wait_position_only": "{position}番。"}}
    told = wait_announcement(templates, 2, (3, 5), "ja")
    assert told == [OnTheSpot("ja", "2番、あと3分から5分ほどで。"), Prompt("ja", "wait_stay")]
    assert wait_announcement(templates, 1, None, "ja")[0] == OnTheSpot("ja", "1番。")
    assert (
        as_text(told, PromptBook({"ja": {"wait_stay": "どうぞ。"}})) == "2番、あと3分から5分ほどで。どうぞ。"
    )


def test_a_number_is_said_digit_by_digit() -> None:
    assert say_number("0120-95-0178", "ja") == "ゼロイチニーゼロ、キューゴー、ゼロイチナナハチ"
    assert say_number("0120-95-0178", "en") == "zero one two zero, nine five, zero one seven eight"
