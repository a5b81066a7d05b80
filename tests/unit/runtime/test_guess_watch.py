"""Guessing at the desk's sign-in, told like every other alert."""

from __future__ import annotations

from datetime import datetime

import pytest

from acd.alerts import AlertKind
from core.clock import TOKYO
from desk.sign_in import Guessed
from desk.throttle import ADDRESS_TRIES, NAME_TRIES, WINDOW_S, Throttle
from runtime.guess_watch import GuessWatch
from services.alerting import AlertKeeper

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def epoch(self) -> float:
        return self.now

    def city_now(self) -> datetime:
        return self.city_time_of(self.now)

    def city_time_of(self, epoch: float) -> datetime:
        return datetime.fromtimestamp(epoch, TOKYO)


def watch(clock: Clock) -> GuessWatch:
    def nowhere() -> object:
        raise AssertionError("no database is asked")

    keeper = AlertKeeper(
        rules={}, kinds=frozenset({AlertKind.SIGN_IN}), reading=nowhere, uow=nowhere, clock=clock, channels=[]
    )  # type: ignore[arg-type]
    return GuessWatch(keeper, clock)


def test_what_is_shut_out_is_a_reading_until_it_is_over() -> None:
    clock = Clock()
    found = watch(clock)
    found.hear(Guessed(what="name", value="aoki", address="192.0.2.1", at=clock.now))
    found.hear(Guessed(what="address", value="192.0.2.1", address="192.0.2.1", at=clock.now))
    readings = found.readings()
    assert [reading.subject for reading in readings] == ["name:aoki", "address:192.0.2.1"]
    assert "192.0.2.1" in readings[0].text
    clock.now += WINDOW_S
    assert found.readings() == []


def test_a_name_is_shut_once_and_opens_again() -> None:
    throttle = Throttle()
    shut = [throttle.wrong("aoki", f"192.0.2.{number}", 10.0 + number) for number in range(NAME_TRIES + 2)]
    assert [bool(each) for each in shut] == [False] * (NAME_TRIES - 1) + [True, False, False]
    assert throttle.shut("aoki", "198.51.100.1", 20.0)
    assert not throttle.shut("ueda", "198.51.100.1", 20.0)
    assert not throttle.shut("aoki", "198.51.100.1", 20.0 + WINDOW_S)


def test_an_address_is_shut_by_many_names_and_a_right_one_does_not_open_it() -> None:
    throttle = Throttle()
    for number in range(ADDRESS_TRIES):
        throttle.wrong(f"name{number}", "192.0.2.1", 10.0)
        throttle.right(f"name{number}")
    assert throttle.shut("known", "192.0.2.1", 11.0)
    assert not throttle.shut("known", "192.0.2.2", 11.0)
