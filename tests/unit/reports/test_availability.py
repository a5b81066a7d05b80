"""Minutes measured from outside, and what was lost of them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import TOKYO
from reports.availability import Measured, availability, availability_of

pytestmark = pytest.mark.unit
BEGIN = datetime(2026, 7, 1, tzinfo=TOKYO).timestamp()


def minutes(*told: dict[str, str] | None) -> list[Measured]:
    """A look in the middle of each minute; None for one that nobody took."""
    return [
        Measured(at=BEGIN + 60.0 * number + 30.0, services=services)
        for number, services in enumerate(told)
        if services is not None
    ]


def test_lost_minutes_in_a_row_are_one_outage_and_unmeasured_ones_are_neither() -> None:
    up, down, away = {"desk": ""}, {"desk": "届かない"}, {"desk": "503"}
    found = availability_of(minutes(up, down, down, away, up, down, None, down, up), BEGIN, BEGIN + 600.0)
    served = found.services["desk"]
    assert (found.minutes, served.measured, served.lost, found.unmeasured("desk")) == (10, 8, 5, 2)
    assert availability(served) == 3 / 8
    assert [((each.since - BEGIN) / 60.0, each.minutes, each.why) for each in found.outages] == [
        (1.0, 2, "届かない"),
        (3.0, 1, "503"),
        (5.0, 1, "届かない"),
        (7.0, 1, "届かない"),
    ]


def test_a_second_look_in_a_minute_and_one_outside_count_nothing() -> None:
    looks = [
        Measured(at=BEGIN + at, services={"desk": why})
        for at, why in ((-1.0, "before"), (1.0, ""), (59.0, "again"), (60.0, ""), (120.0, "after"))
    ]
    found = availability_of(looks, BEGIN, BEGIN + 120.0)
    assert (found.services["desk"].measured, found.services["desk"].lost) == (2, 0)
    assert availability_of([], BEGIN, BEGIN + 60.0).services == {}


@given(
    st.lists(
        st.none()
        | st.fixed_dictionaries({"a": st.sampled_from(("", "x", "y")), "b": st.sampled_from(("", "x"))})
    )
)
def test_outages_hold_exactly_the_lost_minutes(told: list[dict[str, str] | None]) -> None:
    found = availability_of(minutes(*told), BEGIN, BEGIN + 60.0 * len(told))
    for name, served in found.services.items():
        assert served.measured == sum(each is not None for each in told)
        assert served.lost == sum(bool(each and each[name]) for each in told)
        assert served.lost == sum(each.minutes for each in found.outages if each.service == name)
        assert served.measured + found.unmeasured(name) == len(told)
