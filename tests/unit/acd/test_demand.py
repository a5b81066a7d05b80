"""Stages relax, and membership follows from levels; what a profile may ask and what it may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.demand import LEVEL_MOST, Demand, Stage, queues_for, skills_of
from acd.profile import MOST_STAGES, AcdSection, LineSection
from core.ids import LineId, QueueName, demand_of, language_of, queue_name
from core.profile_file import ProfileInvalid, load_profile_text, section
from services.city import list_cities, load_city

pytestmark = pytest.mark.unit

NAMES = ("card", "certificates", "ja")
levels = st.dictionaries(st.sampled_from(NAMES), st.integers(1, LEVEL_MOST))


@st.composite
def relaxing(draw: st.DrawFn) -> Demand:
    """A demand whose stages ask less and less."""
    least = draw(st.dictionaries(st.sampled_from(NAMES), st.integers(1, LEVEL_MOST), min_size=1))
    moments = sorted(draw(st.sets(st.integers(1, 290), max_size=4)))
    stages = [Stage(queue=queue_name("card", "ja"), after_s=0.0, least=dict(least))]
    for place, after in enumerate(moments, start=2):
        least = {skill: level for skill, before in least.items() if (level := draw(st.integers(0, before)))}
        stages.append(Stage(queue=queue_name("card", "ja", place), after_s=float(after), least=dict(least)))
    return Demand(line=LineId("card"), language="ja", priority=0, wait_limit_s=300.0, stages=tuple(stages))


@given(relaxing(), levels)
def test_who_serves_a_stage_serves_all_later_ones(demand: Demand, skills: dict[str, int]) -> None:
    served = [stage.served_by(skills) for stage in demand.stages]
    assert served == sorted(served)
    assert queues_for([demand], skills) == tuple(
        stage.queue
        for stage in demand.stages
        if all(skills.get(skill, 0) >= level for skill, level in stage.least.items())
    )


@given(relaxing(), levels, st.sampled_from(NAMES))
def test_learning_never_takes_a_queue_away(demand: Demand, skills: dict[str, int], skill: str) -> None:
    better = {**skills, skill: min(LEVEL_MOST, skills.get(skill, 0) + 1)}
    assert set(queues_for([demand], skills)) <= set(queues_for([demand], better))


@given(relaxing())
def test_the_stages_share_out_the_whole_wait(demand: Demand) -> None:
    steps = [demand.step_s(place) for place in range(len(demand.stages))]
    assert all(step > 0 for step in steps)
    assert sum(steps) == demand.wait_limit_s
    assert [demand.stage_of(stage.queue) for stage in demand.stages] == list(range(len(demand.stages)))


def test_no_stage_of_another_demand() -> None:
    demand = Demand(
        line=LineId("card"), language="ja", priority=0, wait_limit_s=300.0,
        stages=(Stage(queue=QueueName("card-ja"), after_s=0.0, least={"card": 1}),),
    )  # fmt: skip
    with pytest.raises(ValueError, match="card_2-ja"):
        demand.stage_of(QueueName("card_2-ja"))


@given(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), st.sampled_from(["ja", "en"]), st.integers(1, 9))
def test_every_queue_names_its_demand_and_language(line: str, language: str, stage: int) -> None:
    queue = queue_name(line, language, stage)
    assert demand_of(queue) == queue_name(line, language)
    assert language_of(queue) == language
    assert len({queue_name(line, language, place) for place in range(1, 10)}) == 9


def test_a_language_without_a_level_is_spoken_fluently() -> None:
    assert skills_of({"card": 2, "en": 3}, ("ja", "en")) == {"card": 2, "ja": LEVEL_MOST, "en": 3}


# ---- the profile ----------------------------------------------------------------------------------------

LINE = """\
[acd]
seats = 4
missed_offers_before_pause = 3
targets = {}
pause_reasons = { break1 = "休憩" }
SKILLS
[[acd.lines]]
id = "portal"
name_ja = "ポータル"
name_en = "Portal"
languages = ["ja"]
ring_s = 20
wrap_up_s = 30
max_waiting = 10
wait_limit_s = 300

[[acd.lines]]
id = "card"
name_ja = "カード"
name_en = "Card"
languages = ["ja", "en"]
ring_s = 20
wrap_up_s = 30
max_waiting = 10
wait_limit_s = 300
ASKS
"""
TOPIC = 'skills = [{ id = "certificates", name_ja = "証明書" }]'


Read = Callable[..., AcdSection]


@pytest.fixture
def acd(tmp_path: Path) -> Read:
    """Reads a profile whose only line asks for what is given."""

    def read(asks: str, skills: str = TOPIC) -> AcdSection:
        path = tmp_path / "city.toml"
        text = LINE.replace("ASKS", f"asks = {asks}").replace("SKILLS", skills)
        path.write_text(text, encoding="utf-8")
        return section(load_profile_text(path), "acd", AcdSection)

    return read


@pytest.mark.parametrize(
    ("asks", "words", "cure"),
    [
        ("[{ after_s = 10, least = { card = 1 } }]", "after_s は 0 から", "順に並べ直す"),
        (
            "[{ least = { card = 3 } }, { after_s = 90, least = { card = 2 } },"
            " { after_s = 60, least = { card = 1 } }]",
            "after_s は 0 から",
            "順に並べ直す",
        ),
        ("[{ least = { card = 3 } }, { least = { card = 2 } }]", "after_s は 0 から", "順に並べ直す"),
        (
            "[{ least = { card = 3 } }, { after_s = 300, least = { card = 1 } }]",
            "wait_limit_s より小さく",
            "順に並べ直す",
        ),
        (
            "[{ least = { card = 2 } }, { after_s = 60, least = { card = 3 } }]",
            "厳しくなって",
            "前の段以下にする",
        ),
        (
            "[{ least = { card = 2 } }, { after_s = 60, least = { card = 1, certificates = 1 } }]",
            "厳しくなって",
            "前の段以下にする",
        ),
        (
            "[" + ", ".join(f"{{ after_s = {20 * n}, least = {{ card = 1 }} }}" for n in range(6)) + "]",
            "asks が多すぎます",
            f"{MOST_STAGES} 段まで",
        ),
        ("[{ least = { passport = 1 } }]", "ない技能です: passport", "certificates"),
    ],
)
def test_what_may_not_be_asked_is_refused_with_its_place_and_cure(
    acd: Read, asks: str, words: str, cure: str
) -> None:
    with pytest.raises(ProfileInvalid) as caught:
        acd(asks)
    (problem,) = caught.value.problems
    assert words in str(problem)
    assert cure in str(problem.cure)
    assert re.match(r"city\.toml:\d+ \[acd", str(problem.where))


@pytest.mark.parametrize("least", ["{}", "{ card = 0 }", "{ card = 6 }"])
def test_a_level_is_from_one_to_five_and_something_is_asked(acd: Read, least: str) -> None:
    with pytest.raises(ProfileInvalid):
        acd(f"[{{ least = {least} }}]")


def test_a_topic_that_is_named_like_a_line_is_refused(acd: Read) -> None:
    with pytest.raises(ProfileInvalid, match="技能の id"):
        acd("[{ least = { card = 1 } }]", 'skills = [{ id = "card", name_ja = "カード" }]')


def test_asks_become_stages_that_always_ask_the_language(acd: Read) -> None:
    section = acd("[{ least = { card = 3, certificates = 2 } }, { after_s = 60, least = { card = 1 } }]")
    found: Any = [
        (stage.queue, stage.after_s, dict(stage.least))
        for demand, _line in section.demands()
        for stage in demand.stages
        if demand.language == "en"
    ]
    assert found == [
        ("card-en", 0.0, {"en": 1, "card": 3, "certificates": 2}),
        ("card_2-en", 60.0, {"en": 1, "card": 1}),
    ]
    assert section.skill_names() == {"card", "portal", "certificates", "ja", "en"}


def test_a_language_may_be_asked_for_with_a_level(acd: Read) -> None:
    section = acd("[{ least = { card = 1, en = 3 } }, { after_s = 60, least = { card = 1 } }]")
    english = next(demand for demand, _line in section.demands() if demand.language == "en")
    assert [stage.least["en"] for stage in english.stages] == [3, 1]


def test_a_line_that_asks_nothing_asks_for_itself() -> None:
    line = LineSection.model_validate(
        {
            "id": "card", "name_ja": "カード", "name_en": "Card", "languages": ("ja",), "ring_s": 20,
            "wrap_up_s": 30, "max_waiting": 10, "wait_limit_s": 300,
        }
    )  # fmt: skip
    assert line.demand("ja").stages == (
        Stage(queue=QueueName("card-ja"), after_s=0.0, least={"ja": 1, "card": 1}),
    )


@pytest.mark.parametrize("city", list_cities())
def test_the_stages_of_every_city_relax(city: str) -> None:
    for demand, _line in load_city(city).acd.demands():
        for before, after in pairwise(demand.stages):
            assert before.after_s < after.after_s < demand.wait_limit_s
            assert all(level <= before.least.get(skill, 0) for skill, level in after.least.items())
