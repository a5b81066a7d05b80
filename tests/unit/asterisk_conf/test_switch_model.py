"""What cannot be carried by Asterisk's configuration is refused before a file is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switch_sample import MANAGER_SECRET, OPERATOR_SECRET, sample_switch

from acd.profile import AcdSection
from asterisk_conf.from_city import FIRST_PENALTY, operator_queues, queue_models
from asterisk_conf.lint import lint
from asterisk_conf.model import DirectoryEntry, Operator, QueueModel, ReferralEntry, Switch, Trunk
from asterisk_conf.render import render
from core.errors import ToritsugiError
from services.city import CityProfile, list_cities, load_city

pytestmark = pytest.mark.unit

SWITCH = sample_switch("matsusaka")


def operator(**changes: object) -> Operator:
    return replace(SWITCH.operators[0], **changes)  # type: ignore[arg-type]


def with_deputies(deputy: str) -> Switch:
    return replace(SWITCH, directory=(replace(SWITCH.directory[0], deputy=deputy),))


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
        (lambda: DirectoryEntry(extension="701", number="", endpoint="a", hours="9:00-17:00"), "受付時間"),
        (lambda: DirectoryEntry(extension="701", number="", endpoint="a", receives=("card&x",)), "回線"),
        (lambda: DirectoryEntry(extension="701", number="", endpoint="a", direct="03-1"), "電話番号"),
        (lambda: ReferralEntry(extension="791", prompt="refer_a,b", number="0312345678"), "案内"),
        (lambda: ReferralEntry(extension="791", prompt="refer_a", number="*"), "電話番号"),
        (lambda: with_deputies("799"), "代わりの転送先"),
        (lambda: with_deputies(SWITCH.directory[0].extension), "代わりの転送先"),
        (
            lambda: replace(SWITCH, directory=(replace(SWITCH.directory[0], direct=SWITCH.numbers[0]),)),
            "電話番号が重なって",
        ),
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


@settings(deadline=None)  # each example renders and checks every file
@given(st.text(max_size=40))
def test_no_text_slips_a_line_into_the_configuration(text: str) -> None:
    """Whatever a name is, either it is refused or it stands on its own line as it was given."""
    try:
        queue = QueueModel(name=text, line="card", language="ja", ring_s=5, until_s=60, max_waiting=5)
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
    assert [queue.name for queue in switch.queues] == [
        stage.queue for demand, _line in profile.acd.demands() for stage in demand.stages
    ]
    assert all(number.isdigit() for number in switch.numbers)
    assert switch.queue(switch.default_queue).line == profile.ivr.fallback_line
    assert switch.queue(switch.default_queue).language == profile.ivr.languages[0]
    assert [entry.extension for entry in switch.directory] == [e.extension for e in profile.acd.directory]
    for queue in switch.queues:
        line = next(line for line in profile.acd.lines if line.id == queue.line)
        assert (queue.ring_s, queue.max_waiting, queue.priority) == (
            line.ring_s, line.max_waiting, line.priority,
        )  # fmt: skip
        if not queue.next:
            assert queue.until_s == line.wait_limit_s
        else:
            assert 0 < queue.until_s < switch.queue(queue.next).until_s
            assert queue.later[0] == queue.next


def with_asks(city: str, line: str, asks: list[dict[str, object]]) -> CityProfile:
    """`city` whose `line` asks for `asks`, and a topic called `certificates`."""
    profile = load_city(city)
    sections = profile.acd.model_dump()
    sections["skills"] = [{"id": "certificates", "name_ja": "証明書"}]
    for section in sections["lines"]:
        if section["id"] == line:
            section["asks"] = asks
    return replace(profile, acd=AcdSection.model_validate(sections))


STAGED = with_asks(
    "matsusaka",
    "card",
    [
        {"least": {"card": 4, "certificates": 2}},
        {"after_s": 60, "least": {"card": 3}},
        {"after_s": 180, "least": {"card": 1}},
    ],
)


def test_everybody_begins_alike_and_only_in_spoken_languages() -> None:
    profile = load_city("matsusaka")
    assert operator_queues(profile, {"booking": 5, "card": 1}, ("ja",)) == (
        ("booking-ja", FIRST_PENALTY),
        ("booking_2-ja", FIRST_PENALTY),
        ("card_2-ja", FIRST_PENALTY),
    )
    assert operator_queues(profile, {}, ("ja", "en")) == ()


@pytest.mark.parametrize(
    ("skills", "queues"),
    [
        ({"card": 5, "certificates": 2}, ["card-ja", "card_2-ja", "card_3-ja"]),
        ({"card": 5, "certificates": 1}, ["card_2-ja", "card_3-ja"]),
        ({"card": 3}, ["card_2-ja", "card_3-ja"]),
        ({"card": 2, "certificates": 5}, ["card_3-ja"]),
        ({"certificates": 5}, []),
    ],
)
def test_an_operator_joins_every_stage_that_their_levels_reach(
    skills: dict[str, int], queues: list[str]
) -> None:
    assert [queue for queue, _penalty in operator_queues(STAGED, skills, ("ja",))] == queues


def test_stages_are_queues_in_a_chain() -> None:
    chain = [queue for queue in queue_models(STAGED) if queue.line == "card" and queue.language == "en"]
    limit = next(line.wait_limit_s for line in STAGED.acd.lines if line.id == "card")
    assert [(q.name, q.until_s, q.next, q.later, q.first) for q in chain] == [
        ("card-en", 60, "card_2-en", ("card_2-en", "card_3-en"), True),
        ("card_2-en", 180, "card_3-en", ("card_3-en",), False),
        ("card_3-en", limit, "", (), False),
    ]


def test_a_demand_is_full_by_all_its_stages_and_no_later_stage_refuses() -> None:
    files = render(replace(SWITCH, queues=queue_models(STAGED)))
    room = next(row for row in files["extensions.conf"].splitlines() if row.startswith("exten => card-ja,1,"))
    counts = " + ".join(f"${{QUEUE_WAITING_COUNT({name})}}" for name in ("card-ja", "card_2-ja", "card_3-ja"))
    assert room == f"exten => card-ja,1,GotoIf($[{counts} >= 10]?queue-stage,full,1)"
    assert "exten => card_2-ja,1," not in files["extensions.conf"]
    assert "T_UNTIL_card_2-ja = 180\nT_NEXT_card_2-ja = card_3-ja\n" in files["extensions.conf"]
    assert files["queues.conf"].count("maxlen = 0\n") == files["queues.conf"].count("maxlen") > 0
    assert lint(files) == []


def test_without_a_limit_of_callers_everybody_may_enter() -> None:
    queues = tuple(replace(queue, max_waiting=0) for queue in queue_models(STAGED))
    files = render(replace(SWITCH, queues=queues))
    assert "\nexten => card-ja,1,Goto(queue-stage,s,1)\n" in files["extensions.conf"]
    assert "QUEUE_WAITING_COUNT" not in files["extensions.conf"]
    assert lint(files) == []
