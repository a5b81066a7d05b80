"""A number that calls again and again is noticed, without being kept."""

from __future__ import annotations

import pytest

from acd.repeat_callers import repeat_callers

pytestmark = pytest.mark.unit

ONE, TWO, RELAY = "09012345678", "0598000001", "05012340000"


def test_the_busiest_first_and_nobody_below_the_least() -> None:
    arrivals = (
        [(ONE, float(at)) for at in range(5)] + [(TWO, 10.0 + at) for at in range(6)] + [("0311112222", 1.0)]
    )
    found = repeat_callers(arrivals, least=5, exempt=())
    assert [(each.shown, each.calls, each.since) for each in found] == [
        ("059***0001", 6, 10.0),
        ("090****5678", 5, 0.0),
    ]
    assert all(ONE not in each.subject for each in found)
    assert len({each.subject for each in found}) == 2


def test_a_relay_service_is_many_people() -> None:
    assert repeat_callers([(RELAY, float(at)) for at in range(50)], least=5, exempt={RELAY}) == []
