"""The planned day: same seed, same day; the mix is whole; nobody is planned into a closed city by mistake."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import TOKYO
from core.errors import ToritsugiError
from demo.day import DayShape, Errand, plan_day
from demo.people import Intent
from demo.talks import TALKS, UNKNOWN_TOPICS

pytestmark = pytest.mark.unit

ANSWERED = {Intent.BOOK, Intent.ASK, Intent.ENGLISH, Intent.MISPRESS, Intent.SILENT}


def shape(*, english: bool = True, self_service: bool = True, closes: int = 17) -> DayShape:
    errands = [Errand(id="book", keys="1", weight=5), Errand(id="certificate", keys="4", weight=2)]
    if self_service:
        errands.append(Errand(id="bring", keys="6", weight=1, self_service=True))
    return DayShape(
        opens=datetime(2024, 11, 26, 9, tzinfo=TOKYO),
        closes=datetime(2024, 11, 26, closes, 15, tzinfo=TOKYO),
        hour_weights={9: 3.0, 10: 2.0, 11: 1.0, 13: 1.0, 14: 1.0, 15: 0.5, 16: 0.5},
        errands=errands,
        has_english=english,
    )


@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_a_day_of_twelve_holds_every_kind_of_caller(seed: int, english: bool, self_service: bool) -> None:
    plan = plan_day(shape(english=english, self_service=self_service), 12, seed)
    counts = Counter(call.citizen.intent for call in plan.calls)
    assert len(plan.calls) == 12
    assert sum(counts[intent] for intent in ANSWERED) >= 6
    for intent in (Intent.ABANDON, Intent.HANG_UP_IN_MENU, Intent.AFTER_HOURS, Intent.MISPRESS):
        assert counts[intent] >= 1
    assert counts[Intent.SILENT] >= 1
    assert (counts[Intent.ENGLISH] >= 1) is english
    assert (counts[Intent.SELF_SERVICE] >= 1) is self_service


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_calls_lie_inside_the_day_except_those_after_it(seed: int, count: int) -> None:
    day = shape()
    plan = plan_day(day, count, seed)
    assert plan.speed > 0
    for call in plan.calls:
        after_hours = call.citizen.intent is Intent.AFTER_HOURS
        assert (call.at > day.closes) is after_hours
        # At most 26 real seconds pass before the city looks at the clock.
        checked = call.at + timedelta(seconds=26 * plan.speed)
        assert after_hours or checked <= day.closes + timedelta(seconds=1)
        real = (call.at - plan.city_start).total_seconds() / plan.speed
        assert call.after_s == pytest.approx(real, abs=0.01)
    assert [call.after_s for call in plan.calls] == sorted(call.after_s for call in plan.calls)


@given(st.integers(0, 10_000))
def test_the_last_of_twelve_calls_in_time_for_two_minutes(seed: int) -> None:
    plan = plan_day(shape(), 12, seed)
    assert max(call.after_s for call in plan.calls) <= 95
    silent = [call.after_s for call in plan.calls if call.citizen.intent is Intent.SILENT]
    assert min(silent) <= 15, "who hears the whole menu twice comes first"


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    assert plan_day(shape(), 12, 5) == plan_day(shape(), 12, 5)
    assert plan_day(shape(), 12, 5) != plan_day(shape(), 12, 6)


def test_arrivals_follow_the_hours() -> None:
    plan = plan_day(shape(), 400, 1)
    hours = Counter(call.at.hour for call in plan.calls)
    assert hours[12] == 0
    assert hours[9] > hours[10] > hours[11] > hours[15]


@given(st.integers(0, 2000))
def test_every_shown_number_is_its_callers_own(seed: int) -> None:
    numbers = [call.citizen.shown for call in plan_day(shape(), 40, seed).calls]
    shown = [number for number in numbers if number != "withheld"]
    assert len(set(shown)) == len(shown)


def test_a_day_without_anybody_to_talk_to_is_refused() -> None:
    day = shape()
    only = DayShape(
        opens=day.opens, closes=day.closes, hour_weights={9: 1.0}, errands=[day.errands[2]], has_english=False
    )
    with pytest.raises(ToritsugiError, match="用件"):
        plan_day(only, 3, 1)


def test_a_speed_that_leaves_no_day_is_refused() -> None:
    with pytest.raises(ToritsugiError, match="短すぎ"):
        plan_day(shape(), 3, 1, speed=100_000)


@given(st.integers(0, 2000))
def test_a_day_of_forty_asks_in_turn_and_asks_two_things_twice_that_nothing_answers(seed: int) -> None:
    plan = plan_day(shape(self_service=False), 40, seed)
    topics = [TALKS[call.citizen.topic, "ja"].topic for call in plan.calls if call.citizen.language == "ja"]
    asked = Counter(topics)
    assert all(asked[topic] >= 2 for topic in UNKNOWN_TOPICS)
    names = {call.citizen.topic for call in plan.calls}
    assert {"book", "book_2", "book_3"} <= names
