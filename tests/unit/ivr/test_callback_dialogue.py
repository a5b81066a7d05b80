"""The dialogue at the key: every way through it, and the one way that books."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from fake_voice import SILENCE, FakeVoiceChannel, NamedPrompts

from core.clock import TOKYO
from core.facts.dialplan import Variable
from ivr.callback import MOST_DIGITS, Booking, CallbackSession, WhenCalled, apply_booking

pytestmark = pytest.mark.unit

TEXTS = {"ja": {"callback_soon": "{minutes}、お電話します。", "callback_later": "{next}。"}}
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=TOKYO)
CALLER = "09012345678"
GAPS = [SILENCE] * 3
"""Nothing is pressed between the groups of the number."""


def held(
    keys: list[str],
    *,
    caller: str | None = CALLER,
    when: WhenCalled | None = None,
    can_speak: bool = True,
) -> tuple[Booking | None, FakeVoiceChannel]:
    channel = FakeVoiceChannel(keys)
    session = CallbackSession(
        channel, TEXTS, NamedPrompts(can_speak=can_speak), language="ja", digit_timeout_s=4.0
    )
    return asyncio.run(session.run(caller, when or WhenCalled(), NOW)), channel


def names(channel: FakeVoiceChannel) -> list[str]:
    return [file.removeprefix("ja/") for file in channel.heard]


def test_the_number_is_read_back_and_taken() -> None:
    booking, channel = held([*GAPS, "1"])
    assert booking == Booking(number=CALLER, say="ja/callback_booked")
    digits = [f"digit_{digit}" for digit in CALLER]
    assert names(channel) == ["callback_intro", "callback_number", *digits, "callback_confirm"]


@pytest.mark.parametrize("key", [SILENCE, "3", "0", "*", "#"])
def test_anything_but_yes_or_another_leads_back(key: str) -> None:
    booking, channel = held([*GAPS, key])
    assert booking is None
    assert names(channel)[-1] == "callback_back"


def test_another_number_is_asked_for_and_read_back() -> None:
    typed = list("0598531234#")
    booking, channel = held([*GAPS, "2", *typed, *GAPS, "1"])
    assert booking is not None
    assert booking.number == "0598531234"
    assert names(channel).count("callback_ask_number") == 1
    assert names(channel)[-11:-1] == [f"digit_{digit}" for digit in "0598531234"]


@pytest.mark.parametrize("caller", [None, "0120123456", "+14155552671"])
def test_without_a_number_that_can_be_called_it_is_asked_for(caller: str | None) -> None:
    booking, channel = held([*"0598531234#", *GAPS, "1"], caller=caller)
    assert booking is not None
    assert booking.number == "0598531234"
    assert names(channel)[:2] == ["callback_intro", "callback_ask_number"]


def test_a_star_begins_the_number_again_and_a_pause_ends_it() -> None:
    booking, _ = held([*"0599*0598531234", SILENCE, *GAPS, "1"], caller=None)
    assert booking is not None
    assert booking.number == "0598531234"


def test_bad_numbers_are_refused_and_end_some_time() -> None:
    booking, channel = held([*"119#", *"0990123456#", *"0120000000#", *"110#", *"118#"], caller=None)
    assert booking is None
    assert names(channel).count("callback_bad_number") == 4
    assert names(channel)[-1] == "callback_back"


def test_endless_digits_are_a_bad_number() -> None:
    _, channel = held([*"9" * MOST_DIGITS, SILENCE, SILENCE], caller=None)
    assert "callback_bad_number" in names(channel)


def test_nothing_pressed_where_a_number_is_asked_for() -> None:
    booking, channel = held([SILENCE], caller=None)
    assert booking is None
    assert names(channel) == ["callback_intro", "callback_ask_number", "callback_back"]


@pytest.mark.parametrize(
    ("when", "can_speak", "say"),
    [
        (WhenCalled(minutes=(3, 5)), True, "ja:あと3分から5分ほどで、お電話します。"),
        (WhenCalled(opening=datetime(2026, 11, 25, 9, 0, tzinfo=TOKYO)), True, "ja:明日、午前9時から。"),
        (WhenCalled(minutes=(3, 5)), False, "ja/callback_booked"),
        (WhenCalled(), True, "ja/callback_booked"),
    ],
)
def test_when_the_call_may_be_expected(when: WhenCalled, can_speak: bool, say: str) -> None:
    booking, _ = held([*GAPS, "1"], when=when, can_speak=can_speak)
    assert booking is not None
    assert booking.say == say


@pytest.mark.parametrize(
    ("booking", "told"),
    [
        (None, [("TORITSUGI_NEXT", "queue"), ("TORITSUGI_DONE", "callback")]),
        (
            Booking(number=CALLER, say="x"),
            [
                ("TORITSUGI_CALLBACK_TO", CALLER),
                ("TORITSUGI_SAY", "x"),
                ("TORITSUGI_NEXT", "callback"),
                ("TORITSUGI_DONE", "callback"),
            ],
        ),
    ],
)
def test_the_mark_comes_last(booking: Booking | None, told: list[tuple[str, str]]) -> None:
    channel = FakeVoiceChannel()
    asyncio.run(apply_booking(channel, booking))
    assert channel.variables == told
    assert channel.variables[-1][0] == Variable.DONE
