"""The city's words reach whoever needs them, and common words are not pushed out by many of them."""

from __future__ import annotations

import pytest

from interactions.search_words import SynonymGroups
from services.city import list_cities, load_city
from speech.dictionary import HINT_CHARACTERS, hints, synonyms, vocabulary
from speech.engines import VOCABULARY

pytestmark = pytest.mark.unit

WORDS = {"木下": "きおろし", "草深": "そうふけ", "キオロシ": "きおろし"}


def test_words_with_their_readings() -> None:
    assert synonyms(WORDS) == [
        ("木下", "キオロシ", "きおろし"),
        ("草深", "ソウフケ", "そうふけ"),
        ("キオロシ", "きおろし"),
    ]


def test_common_words_stand_first_and_the_prompt_has_an_end() -> None:
    many = {f"町名{number}": "ちょうめい" for number in range(200)}
    told = hints(many)
    assert told[: len(VOCABULARY["ja"])] == tuple(VOCABULARY["ja"])
    assert "町名0" in told
    assert sum(len(word) + 1 for word in told) <= HINT_CHARACTERS
    assert len(set(hints({"予約": "よやく"}))) == len(hints({"予約": "よやく"}))
    assert vocabulary(WORDS)["ja"][-3:] == tuple(WORDS)


@pytest.mark.parametrize("city", list_cities())
def test_every_city_s_words_fit_into_the_hints(city: str) -> None:
    dictionary = load_city(city).speech.dictionary
    assert dictionary
    assert set(dictionary) <= set(hints(dictionary))


def test_a_case_is_found_by_the_reading_of_a_place() -> None:
    groups = SynonymGroups.of(synonyms(WORDS))
    assert "木下" in groups("きおろし")
    assert "キオロシ" in groups("木下")
