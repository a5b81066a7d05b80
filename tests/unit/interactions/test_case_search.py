"""Words and facets as tokens: what is found, in whatever notation, and by whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from interactions.access import Action, Person, Role, allowed
from interactions.case import CallSummary, Case, HandedOn, open_case
from interactions.search import (
    CaseQuery,
    Facet,
    entry_of,
    facet_token,
    month_of,
    month_text,
    place_of,
    places_between,
    sought_of,
    value_of,
)
from interactions.search_words import PLAIN, SynonymGroups, holds, sought_words, tokens_of

pytestmark = pytest.mark.unit

TEXT = "マイナンバーカードの受取り（引っ越し後）を、サーバー障害のため1ヶ月待つ。"
TOKENS = tokens_of(TEXT, PLAIN)
CASE = open_case(
    CallSummary(
        call_id=CallId("c-1"), caller="09012345678", line="card", language="ja", menu_path=(),
        operators=(OperatorId("101"),), started_at=1764000000.5, ended_at=1764000060.0,
        transfers=(HandedOn(at=1.5, to="702", label="カードセンター", result="ANSWER"),),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("マイナンバー", True),
        ("ﾏｲﾅﾝﾊﾞｰ", True),
        ("まいなんばーかーど", True),
        ("サーバ", True),
        ("1か月 受取り", True),
        ("１ヵ月", True),
        ("障", True),
        ("障害 復旧", False),
        ("障害 -復旧", True),
        ("-障害 受取り", False),
        ("りを", False),  # a bracket stands between
        ("カード・受取り", True),
        ("。", None),
        ("", None),
    ],
)
def test_words_are_found_in_any_notation(words: str, is_found: bool | None) -> None:
    sought = sought_words(words, PLAIN)
    assert (None if sought is None else holds(sought, TOKENS)) is is_found


def test_synonyms_are_found_unless_the_word_is_quoted() -> None:
    synonyms = SynonymGroups.of([["マイナンバーカード", "マイカード", "個人番号カード"]])
    for word, is_found in (("マイカード", True), ('"マイカード"', False), ("ﾏｲｶｰﾄﾞ", True)):
        sought = sought_words(word, PLAIN, synonyms)
        assert sought is not None
        assert holds(sought, TOKENS) is is_found, word


@given(st.text(max_size=30), st.integers(0, 29), st.integers(1, 30))
def test_whatever_stands_in_a_text_is_found_in_it(text: str, start: int, length: int) -> None:
    part = text[start : start + length].replace('"', "").replace("-", "").replace("－", "")
    plain = text.replace('"', "").replace("-", "").replace("－", "")
    if part not in plain or any(each in part for each in "“”"):
        return
    try:
        sought = sought_words(f'"{part}"', PLAIN)
    except ToritsugiError:
        return
    assert sought is None or holds(sought, tokens_of(plain, PLAIN)) or _cut_inside(plain, part)


def _cut_inside(text: str, part: str) -> bool:
    """Some characters change their shape beside others: a cut between them makes another text."""
    place = text.find(part)
    whole = PLAIN(text[:place]) + PLAIN(part) + PLAIN(text[place + len(part) :])
    return whole != PLAIN(text)


def test_only_words_that_must_not_be_there_are_refused() -> None:
    with pytest.raises(ToritsugiError, match="除く語だけ"):
        sought_words("-カード", PLAIN)
    with pytest.raises(ToritsugiError, match="16 個"):
        sought_words(" ".join(["あ"] * 17), PLAIN)


@given(st.sampled_from(Facet), st.text())
def test_a_facet_token_keeps_its_value_and_is_never_parted(facet: Facet, value: str) -> None:
    token = facet_token(facet, value)
    assert value_of(token) == (facet, value)
    assert all(ord(c) > 127 or (c.isalnum() and not c.isupper()) or c in ":_" for c in token)


@given(st.integers(0, 4_000_000_000))
def test_months_are_those_of_the_calendar_in_japan(second: int) -> None:
    japan = datetime.fromtimestamp(second, timezone(timedelta(hours=9)))
    assert month_text(month_of(float(second))) == f"{japan:%Y-%m}"


@given(st.floats(1e9, 4e9), st.floats(1e9, 4e9))
def test_places_are_in_the_order_of_time(first: float, second: float) -> None:
    since, until = places_between(first, second)
    assert since is not None
    assert until is not None
    assert since <= place_of(first, "i-1") < since + (1 << 20)
    assert (place_of(first, "a") < place_of(second, "b")) or round(first * 1000) >= round(second * 1000)
    assert place_of(second, "x") < 1 << 63


def found(case: Case, query: CaseQuery, person: Person | None = None) -> bool:
    sought = sought_of(query, person, PLAIN)
    return sought is None or holds(sought, entry_of(case, ["市の返事"], PLAIN).tokens)


def test_facets_and_words_must_all_hold() -> None:
    case = replace(CASE, tags=("再 発行",), complaint=True, question="カードの再発行")
    yes = {Facet.STATUS: ["done", "in_progress"], Facet.TAG: ["再 発行"], Facet.FLAG: ["complaint"]}
    assert found(case, CaseQuery(words="再発行 返事", values=yes))
    assert found(case, CaseQuery())
    assert found(case, CaseQuery(values={Facet.OPERATOR: ["101"], Facet.DEPARTMENT: ["702"]}))
    assert not found(case, CaseQuery(values={Facet.FLAG: ["unwritten"]}))
    assert not found(case, CaseQuery(words="再発行", values={Facet.STATUS: ["done"]}))
    with pytest.raises(ToritsugiError, match="件数"):
        found(case, CaseQuery(limit=0))


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("confidential", [False, True])
@pytest.mark.parametrize("operator", [None, "101", "102"])
@pytest.mark.parametrize("department", ["", "701", "702"])
def test_a_search_finds_what_the_person_may_view(
    role: Role, confidential: bool, operator: str | None, department: str
) -> None:
    person = Person(
        name="x", role=role, operator=OperatorId(operator) if operator else None, department=department
    )
    case = replace(CASE, confidential=confidential)
    assert found(case, CaseQuery(words="返事"), person) is allowed(person, Action.VIEW, case)
    assert found(case, CaseQuery(), person) is allowed(person, Action.VIEW, case)
