"""The script is whole: every line has a name of its own, and says what citizens may hear."""

from __future__ import annotations

import pytest

from demo.script import Role, dialogue, greeting_names, script_lines

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
