"""What cannot be carried by Asterisk's configuration is refused before a file is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switch_sample import MANAGER_SECRET, OPERATOR_SECRET, sample_switch

from asterisk_conf.from_city import levels_of, operator_queues
from asterisk_conf.model import DirectoryEntry, Operator, QueueModel, Switch, Trunk
from asterisk_conf.render import render
from core.errors import ToritsugiError
from core.ids import OperatorId
from services.city import list_cities, load_city

pytestmark = pytest.mark.unit

SWITCH = sample_switch("matsusaka")


def operator(**changes: object) -> Operator:
    return replace(SWITCH.operators[0], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Trunk(name="回線", match=("192.0.2.1",)), "トランク名"),
        (lambda: Trunk(name="a\nb", match=("192.0.2.1",)), "トランク名"),
        (lambda: Trunk(name="a", match=("192.0.2.1\npermit=0",)), "アドレス"),
        (lambda: Trunk(name="a", match=(), contact="tel:0312345678"), "SIP URI"),
        (lambda: operator(id="1"), "オペレーター番号"),
        (lambda: operator(id="10a"), "オペレーター番号"),
        (lambda: operator(secret="short"), "合言葉"),
        (lambda: operator(secret="has a space in it, and more"), "合言葉"),
        (lambda: operator(queues=(("予約", 10),)), "待ち行列名"),
        (lambda: replace(SWITCH.queues[0], name="card]"), "待ち行列名"),
        (lambda: DirectoryEntry(extension="7", number="0312345678"), "内線番号"),
        (lambda: DirectoryEntry(extension="701", number="03-1234-5678"), "電話番号"),
        (lambda: replace(SWITCH, city="松阪"), "市の名前"),
        (lambda: replace(SWITCH, ami_secret="x"), "AMI"),
        (lambda: replace(SWITCH, numbers=("*55",)), "電話番号"),
        (lambda: replace(SWITCH, default_queue="nothing-ja"), "既定の待ち行列"),
        (lambda: replace(SWITCH, operators=(operator(queues=(("nothing-ja", 10),)),)), "operator 101"),
        (lambda: replace(SWITCH, operators=(operator(), operator())), "オペレーター番号が重なって"),
        (lambda: replace(SWITCH, directory=(SWITCH.directory[0],) * 2), "内線番号が重なって"),
    ],
)
def test_an_unfit_value_is_refused_with_its_place_and_cure(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ToritsugiError, match=words) as caught:
        make()
    assert caught.value.where
    assert caught.value.cure


@pytest.mark.parametrize("secret", ["short", "a secret with spaces"])
def test_a_refused_secret_is_not_shown(secret: str) -> None:
    with pytest.raises(ToritsugiError) as caught:
        operator(secret=secret)
    assert secret not in str(caught.value)


@given(st.text(max_size=40))
def test_no_text_slips_a_line_into_the_configuration(text: str) -> None:
    """Whatever a name is, either it is refused or it stands on its own line as it was given."""
    try:
        queue = QueueModel(name=text, line="card", language="ja", ring_s=5, wait_limit_s=60, max_waiting=5)
        switch = replace(SWITCH, queues=(*SWITCH.queues, queue))
    except ToritsugiError:
        return
    assert f"\n[{text}]\n" in render(switch)["queues.conf"]
    assert text.isascii()


def test_secrets_reach_their_two_files_and_no_other() -> None:
    files = render(SWITCH)
    assert [name for name in sorted(files) if OPERATOR_SECRET in files[name]] == ["pjsip.conf"]
    assert [name for name in sorted(files) if MANAGER_SECRET in files[name]] == ["manager.conf"]


def test_a_switch_without_trunk_or_people_still_renders() -> None:
    bare: Switch = replace(SWITCH, trunks=(), operators=(), directory=())
    assert "from-trunk" not in render(bare)["pjsip.conf"]


# ---- from the profile -----------------------------------------------------------------------------


@pytest.mark.parametrize("city", list_cities())
def test_the_switch_of_a_city_holds_what_its_profile_says(city: str) -> None:
    profile, switch = load_city(city), sample_switch(city)
    assert [queue.name for queue in switch.queues] == [name for name, _, _ in profile.acd.queues()]
    assert all(number.isdigit() for number in switch.numbers)
    assert switch.queue(switch.default_queue).line == profile.ivr.fallback_line
    assert switch.queue(switch.default_queue).language == profile.ivr.languages[0]
    assert [entry.extension for entry in switch.directory] == [e.extension for e in profile.acd.directory]
    for queue in switch.queues:
        line = next(line for line in profile.acd.lines if line.id == queue.line)
        assert (queue.ring_s, queue.wait_limit_s, queue.max_waiting) == (
            line.ring_s, line.wait_limit_s, line.max_waiting,
        )  # fmt: skip


def test_a_higher_level_is_offered_first_and_only_in_spoken_languages() -> None:
    profile = load_city("matsusaka")
    queues = dict(operator_queues(profile, {"booking": 5, "card": 2}, ("ja",)))
    assert queues == {"booking-ja": 10, "card-ja": 40}
    assert operator_queues(profile, {}, ("ja", "en")) == ()


def test_levels_are_known_by_queue() -> None:
    profile = load_city("matsusaka")
    levels = levels_of(profile, [(OperatorId("101"), {"booking": 5})])
    assert levels == {(OperatorId("101"), f"booking-{language}"): 5 for language in profile.ivr.languages}
