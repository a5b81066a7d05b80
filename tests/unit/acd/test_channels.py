"""Caps by channel: pure arithmetic, and what the floor makes of it."""

from __future__ import annotations

import pytest
from acd_floor import QUEUE, begin, end, floor_with, pause, ready, tick

from acd.channels import Caps, Channel, caps_of
from acd.events import HoldBack, MakeReady
from acd.floor import Floor
from acd.rules import FloorRules
from core.ids import OperatorId

pytestmark = pytest.mark.unit

ONE, TWO = OperatorId("101"), OperatorId("102")
TELEPHONE, VIDEO = Channel.TELEPHONE, Channel.VIDEO


@pytest.mark.parametrize(
    ("stored", "in_hand", "telephone", "video"),
    [
        ({}, {}, True, True),
        ({}, {VIDEO: 1}, False, False),
        ({}, {TELEPHONE: 1}, False, False),
        ({"together": 2}, {VIDEO: 1}, True, False),
        ({"video": 2, "together": 2}, {VIDEO: 1}, True, True),
        ({"video": 2, "together": 2}, {VIDEO: 1, TELEPHONE: 1}, False, False),
        ({"telephone": 0}, {}, False, True),
        ({"video": 0}, {}, True, False),
        ({"video": 2, "together": 9}, {VIDEO: 5}, True, False),
    ],
)
def test_room(stored: dict[str, int], in_hand: dict[Channel, int], telephone: bool, video: bool) -> None:
    caps = caps_of(stored)
    assert (caps.room(TELEPHONE, in_hand), caps.room(VIDEO, in_hand)) == (telephone, video)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"telephone": 2}, "telephone: 0 or 1"),
        ({"video": 10}, "video: 0 to 9"),
        ({"together": 0}, "together: 1 to 9"),
        ({"fax": 1}, "fax: telephone, together, video"),
    ],
)
def test_caps_that_cannot_be(stored: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        caps_of(stored)


def serve(floor: Floor, at: float, caps: Caps | None = None, **video: int) -> list[object]:
    """Tell what operators have in hand at the video desk (`one=1`); what the next tick brings."""
    names = {"one": ONE, "two": TWO}
    rules = FloorRules(
        wrap_up_s=floor.rules.wrap_up_s,
        missed_before_pause=floor.rules.missed_before_pause,
        caps={ONE: caps} if caps else {},
        in_hand={names[name]: {VIDEO: count} for name, count in video.items()},
    )
    floor.learn(rules)
    return list(tick(floor, at))


HELD = HoldBack(operator=ONE, reason="elsewhere")


def opened(why: str, talk: str = "") -> MakeReady:
    return MakeReady(operator=ONE, queues=(), talk=talk, why=why)


def test_who_serves_elsewhere_is_closed_once_and_opened_when_there_is_room_again() -> None:
    floor = floor_with(ONE, TWO)
    assert serve(floor, 10.0, one=1) == [HELD]
    assert floor.members[ONE].state == "paused:elsewhere"
    assert tick(floor, 11.0) == []
    pause(floor, ONE, "elsewhere", 11.0)
    assert tick(floor, 20.0) == []
    assert serve(floor, 21.0) == [opened("room_again")]
    ready(floor, ONE, 21.1)
    assert floor.members[ONE].state == "ready"
    # Time elsewhere is no time in which telephone calls could have come.
    assert floor.members[ONE].load(31.0).available_s == pytest.approx(31.0 - 11.0, abs=0.2)


def test_after_a_talk_the_wrap_up_ends_in_the_closed_state() -> None:
    floor = floor_with(ONE)
    talk = begin(floor, ONE, 10.0)
    assert serve(floor, 12.0, one=1) == []
    assert floor.members[ONE].state == "talking"
    end(floor, ONE, 20.0, talk, 10.0)
    assert tick(floor, 40.0) == []
    assert tick(floor, 50.0) == [HELD]
    pause(floor, ONE, "elsewhere", 50.1)
    assert serve(floor, 60.0) == [opened("room_again", talk)]


def test_a_break_stays_a_break_and_saying_ready_meets_the_cap() -> None:
    floor = floor_with(ONE)
    pause(floor, ONE, "break1", 5.0)
    assert serve(floor, 10.0, one=1) == []
    ready(floor, ONE, 20.0)
    assert tick(floor, 20.2) == [HELD]


def test_with_room_for_both_nothing_changes() -> None:
    floor = floor_with(ONE)
    assert serve(floor, 10.0, caps_of({"together": 2}), one=1) == []
    assert floor.members[ONE].open_queues == (QUEUE,)


def test_who_never_takes_the_telephone_is_not_called_in() -> None:
    floor = floor_with(ONE)
    pause(floor, ONE, "reserve", 5.0)
    serve(floor, 10.0, caps_of({"telephone": 0}))
    assert floor.bring_in([ONE], 11.0) == []
