"""The script is whole: every line has a name of its own, and says what citizens may hear."""

from __future__ import annotations

import pytest

from demo.script import Role, dialogue, greeting_names, planted_lines, script_lines, talk_in
from demo.talks import TALKS, UNKNOWN_TOPICS, PlantedKind, talks_about
from services.city import list_cities, load_city
from speech.digits import digit_runs, my_number_is_valid

pytestmark = pytest.mark.unit


def test_every_line_of_every_talk_can_be_synthesised() -> None:
    lines = script_lines()
    for topic in ("book", "change", "status", "certificate", "portal", "ask", "something_else"):
        for language in ("ja", "en"):
            talk = dialogue(topic, language)
            assert [line.role for line in talk] == [Role.CITIZEN, Role.OPERATOR] * 2 + [Role.CITIZEN]
            for line in talk:
                assert lines[line.name] == (line.text, line.language, line.role.value)
    assert set(greeting_names()) <= set(lines)


def test_the_greeting_names_the_centre() -> None:
    lines = script_lines("上尾市コールセンター", "the Ageo City call centre")
    assert "上尾市コールセンター" in lines[greeting_names()[0]][0]


def test_the_card_has_the_name_that_citizens_know() -> None:
    assert not any("個人番号" in text for text, _, _ in script_lines().values())


def test_names_are_file_names() -> None:
    assert all(name.isascii() and name.replace("_", "").isalnum() for name in script_lines())


def test_every_errand_that_leads_to_a_person_is_asked_in_several_wordings() -> None:
    answered_by_announcement = {"desk", "bring"}
    for city in list_cities():
        for errand in load_city(city).demo.intents:
            if errand.id not in answered_by_announcement:
                names = talks_about(errand.id)
                assert len(names) >= 2, (city, errand.id)
                assert len({TALKS[name, "ja"].lines[0] for name in names}) == len(names)
    assert talks_about("something_else") == ("ask",)


def test_planted_numbers_are_said_digit_by_digit_and_have_the_form_of_real_ones() -> None:
    lines, kinds = script_lines(), set()
    for name, planted in planted_lines().items():
        said = {run.digits for run in digit_runs(lines[name][0])}
        for each in planted:
            kinds.add(each.kind)
            assert each.digits in said, lines[name]
            if each.kind is PlantedKind.MY_NUMBER:
                assert my_number_is_valid(each.digits)
            if each.kind is PlantedKind.TELEPHONE:
                assert each.digits.startswith("0900"), "nobody has such a number"
                assert len(each.digits) == 11
    assert kinds == set(PlantedKind)


def test_a_talk_is_known_by_what_was_said() -> None:
    for name, language in TALKS:
        first = dialogue(name, language)[0]
        assert talk_in([first.name]) == (name, language)
    assert talk_in([]) == ("", "")
    assert not any(talk.entries for talk in TALKS.values() if talk.topic in UNKNOWN_TOPICS)
